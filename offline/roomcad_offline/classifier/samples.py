"""Training samples of the deployed classifier: crops from several sources in one array."""

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from roomcad_core.classes import CLASSES
from roomcad_core.types import OTHER

LABELS = (*CLASSES, OTHER)  # the network's outputs, in this order
N_STORED = 2048  # points kept of a crop


@dataclass(frozen=True)
class Samples:
    """Crops (N, N_STORED, 3) float32, z up, floor at z = 0 where it is known.

    A crop of fewer points repeats some. Without a metric scale the cloud fills the unit sphere.
    """

    points: np.ndarray
    labels: np.ndarray  # (N,) int64 into LABELS
    metric: np.ndarray  # (N,) bool: the points are in metres
    floor: np.ndarray  # (N,) bool: z counts from the floor
    whole: np.ndarray  # (N,) bool: a complete surface, not yet seen by any camera
    cut: np.ndarray  # (N,) bool: cut out of a room already, as the robot does
    group: np.ndarray  # (N,) CAD id, room/CAD id, or the room of what is no furniture

    def __len__(self):
        return len(self.points)

    def __getitem__(self, index):
        """The samples of an index array or mask."""
        return Samples(*(getattr(self, f)[index] for f in FIELDS))

    def without(self, cad_ids):
        """The samples that show none of these CAD models."""
        shown = np.array([group.rsplit("/", 1)[-1] for group in self.group])
        return self[~np.isin(shown, list(cad_ids))]

    def save(self, path):
        """Write an npz that `load` reads; points as float16."""
        arrays = {f: getattr(self, f) for f in FIELDS}
        arrays["points"] = arrays["points"].astype(np.float16)
        np.savez(path, **arrays)

    @classmethod
    def load(cls, path):
        """Read what `save` wrote."""
        if not Path(path).is_file():
            raise FileNotFoundError(f"{path}: no such file; `classifier data` makes it")
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays = {f: file[f] for f in FIELDS}
        except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
            raise ValueError(f"{path}: unreadable: {error}") from None
        arrays["points"] = arrays["points"].astype(np.float32)
        return cls(**arrays)


FLAGS = ("metric", "floor", "whole", "cut")
FIELDS = ("points", "labels", *FLAGS, "group")


def collect(rows):
    """Samples of dicts with points (P, 3), label (name), group and those FLAGS that are true."""
    rows = list(rows)
    if not rows:
        raise ValueError("no sample: the source is empty")
    return Samples(
        np.stack([stored(r["points"], k) for k, r in enumerate(rows)]),
        np.array([LABELS.index(r["label"]) for r in rows]),
        *(np.array([r.get(f, False) for r in rows], bool) for f in FLAGS),
        np.array([r["group"] for r in rows]),
    )


def join(parts):
    """Several Samples as one."""
    return Samples(*(np.concatenate([getattr(p, f) for p in parts]) for f in FIELDS))


def stored(points, seed):
    """N_STORED rows of a cloud: a random choice, or all and some of them twice."""
    rng = np.random.default_rng(seed)
    if len(points) >= N_STORED:
        return points[rng.choice(len(points), N_STORED, replace=False)].astype(np.float32)
    again = rng.integers(len(points), size=N_STORED - len(points))
    return np.concatenate([points, points[again]]).astype(np.float32)
