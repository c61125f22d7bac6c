"""All CAD models of training as a few tensors: surface points, meshes, sizes, classes."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import torch

from roomcad_core.classes import CLASSES
from roomcad_core.library import Library
from roomcad_core.pose import SYMMETRIES
from roomcad_offline.multi_sparc.scenes.shapes import clutter_shapes

PARTS = 8  # part colours of a mesh; further ones share the last
SPLITS = ("train", "bench", "all")


@dataclass(frozen=True)
class Source:
    """A library and which half of it is used; only `all` ignores CadModel.split."""

    library: Library
    keep: str = "all"
    weight: float = 1.0  # how often its models are drawn, against those of other sources

    def __post_init__(self):
        if self.keep not in SPLITS:
            raise ValueError(f"Source.keep: got {self.keep!r}, expected one of {SPLITS}")
        if not self.weight > 0:
            raise ValueError(f"Source.weight: got {self.weight!r}, expected > 0")

    def models(self):
        """The models of that half."""
        return [m for m in self.library if self.keep in ("all", m.split)]


@dataclass(frozen=True)
class CadBank:
    """N CAD models, followed by the C clutter shapes in the tensors of the meshes.

    Attributes:
        ids: N names, `source index/CAD id`.
        points, normals: (N, 4096, 3) float16, unit frame, in random order.
        size: (N, 3) metric size [m].
        label: (N,) index into classes.CLASSES.
        symmetry: (N,) 1, 2, 4 or 36.
        weight: (N,) how often a model is drawn, against the others of its class.
        size_low, size_high: (classes, 3) range of metric sizes [m]; 0 where a class is empty.
        corners: (F, 3, 3) float32 triangles of all meshes, unit frame: corner, coordinate.
        part: (F,) part of its mesh that a triangle belongs to, below PARTS.
        colour: (N + C, PARTS, 3) RGB in 0-1 of the parts.
        first, count: (N + C,) a mesh's triangles are first .. first + count - 1.
    """

    ids: tuple[str, ...]
    points: torch.Tensor
    normals: torch.Tensor
    size: torch.Tensor
    label: torch.Tensor
    symmetry: torch.Tensor
    weight: torch.Tensor
    size_low: torch.Tensor
    size_high: torch.Tensor
    corners: torch.Tensor
    part: torch.Tensor
    colour: torch.Tensor
    first: torch.Tensor
    count: torch.Tensor

    @classmethod
    def build(cls, sources, seed=0, progress=False):
        """Read all models of Sources; needs some ms a model.

        Raises:
            ValueError: no source, or sources without a model.
        """
        from tqdm import tqdm

        chosen = [(f"{i}/{m.id}", m, s.weight) for i, s in enumerate(sources) for m in s.models()]
        if not chosen:
            raise ValueError("the CAD bank is empty: no source, or none with a model to keep")
        rng = np.random.default_rng(seed)
        rows = [_row(m, rng) for _, m, _ in tqdm(chosen, "CAD bank", disable=not progress)]
        models = [m for _, m, _ in chosen]
        return cls(
            ids=tuple(name for name, _, _ in chosen),
            points=torch.from_numpy(np.stack([r.points for r in rows])),
            normals=torch.from_numpy(np.stack([r.normals for r in rows])),
            weight=torch.tensor([w for _, _, w in chosen], dtype=torch.float32),
            **_labels(models),
            **_meshes(rows),
        )

    def __len__(self):
        return len(self.ids)

    @property
    def device(self):
        return self.points.device

    def to(self, device):
        """The same bank on another device."""
        tensors = [f.name for f in fields(self) if f.name != "ids"]
        return replace(self, **{name: getattr(self, name).to(device) for name in tensors})

    def describe(self):
        """One line for logs: models and triangles of each class."""
        parts = [
            f"{name} {int((self.label == i).sum())}"
            for i, name in enumerate(CLASSES)
            if (self.label == i).any()
        ]
        return f"{len(self)} CAD models, {len(self.corners)} triangles: {', '.join(parts)}"


@dataclass(frozen=True)
class _Row:
    """One model's arrays, and its mesh."""

    points: np.ndarray
    normals: np.ndarray
    corners: np.ndarray
    part: np.ndarray
    colour: np.ndarray


def _row(model, rng):
    """Points in random order; normals of the unit frame; the mesh with its parts."""
    order = rng.permutation(len(model.points))
    normals = model.unit_normals[order]
    vertices, triangles, colors = model.load_mesh()
    corners = vertices[triangles].astype(np.float32)
    palette, part = np.unique(colors, axis=0, return_inverse=True)
    colour = np.zeros((PARTS, 3), np.float32)
    kept = palette[:PARTS] / 255
    colour[: len(kept)] = kept
    part = np.minimum(part.ravel(), PARTS - 1)
    points = model.points[order].astype(np.float16)
    return _Row(points, normals.astype(np.float16), corners, part, colour)


def _labels(models):
    """What is known of each model, and the sizes of each class."""
    size = np.stack([m.size for m in models]).astype(np.float32)
    label = np.array([CLASSES.index(m.label) for m in models])
    low, high = np.zeros((2, len(CLASSES), 3), np.float32)
    for i in np.unique(label):
        low[i], high[i] = size[label == i].min(0), size[label == i].max(0)
    return {
        "size": torch.from_numpy(size),
        "label": torch.from_numpy(label),
        "symmetry": torch.tensor([SYMMETRIES[m.symmetry] for m in models]),
        "size_low": torch.from_numpy(low),
        "size_high": torch.from_numpy(high),
    }


def _meshes(rows):
    """All triangles one after the other, the clutter shapes last."""
    shapes = clutter_shapes()
    corners = [r.corners for r in rows] + [mesh for mesh, _ in shapes]
    part = [r.part for r in rows] + [parts for _, parts in shapes]
    count = torch.tensor([len(c) for c in corners])
    colour = np.concatenate(
        [np.stack([r.colour for r in rows]), np.full((len(shapes), PARTS, 3), 0.5, np.float32)]
    )
    return {
        "corners": torch.from_numpy(np.concatenate(corners)),
        "part": torch.from_numpy(np.concatenate(part).astype(np.int64)),
        "colour": torch.from_numpy(colour),
        "first": count.cumsum(0) - count,
        "count": count,
    }
