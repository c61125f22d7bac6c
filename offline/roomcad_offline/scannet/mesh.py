"""The PLY files of a scan: coloured mesh, and the labels of its vertices."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np


class ScanMesh(NamedTuple):
    """A mesh as it is in the file."""

    vertices: np.ndarray  # (N, 3) float64 [m]
    faces: np.ndarray  # (F, 3) int64
    colors: np.ndarray  # (N, 3) uint8 RGB
    labels: np.ndarray | None  # (N,) int64 property `label` of the vertices, if there is one


def read_mesh(path: Path) -> ScanMesh:
    """The mesh in a PLY file with colours.

    Raises:
        ValueError: naming file and what is amiss: no faces, no colours, numbers not finite.
    """
    mesh = _load(path)
    if not len(getattr(mesh, "faces", ())):
        raise ValueError(f"{path}: face: got 0 faces, expected a mesh")
    if mesh.visual.kind != "vertex":
        raise ValueError(f"{path}: red, green, blue: the vertices have no colours")
    vertices, faces = np.asarray(mesh.vertices, float), np.asarray(mesh.faces, np.int64)
    bad = ~np.isfinite(vertices).all(1)
    if bad.any():
        raise ValueError(f"{path}: x, y, z: {bad.sum()} of {len(bad)} vertices are not finite")
    if faces.min() < 0 or faces.max() >= len(vertices):
        raise ValueError(
            f"{path}: vertex_indices: got up to {faces.max()}, expected 0 to {len(vertices) - 1}"
        )
    return ScanMesh(vertices, faces, np.asarray(mesh.visual.vertex_colors)[:, :3], _labels(mesh))


def read_vertex_labels(path: Path, count: int) -> np.ndarray:
    """(count,) int64 NYU40 ids from a *.labels.ply."""
    labels = _labels(_load(path))
    if labels is None:
        raise ValueError(f"{path}: label: the vertices have no such property")
    if len(labels) != count:
        raise ValueError(f"{path}: label: got {len(labels)} vertices, expected {count} as the mesh")
    return labels


def _load(path):
    """What trimesh makes of a PLY file, its vertices in the file's order."""
    import trimesh

    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    try:
        return trimesh.load(path, process=False)
    except Exception as error:  # trimesh lets through whatever its parsers raise
        raise ValueError(f"{path}: not readable as PLY ({error})") from None


def _labels(mesh):
    """Vertex property `label`, which trimesh keeps among what it did not use."""
    columns = mesh.metadata["_ply_raw"]["vertex"]["data"]
    names = columns.dtype.names if isinstance(columns, np.ndarray) else columns
    return np.asarray(columns["label"], np.int64).ravel() if "label" in names else None
