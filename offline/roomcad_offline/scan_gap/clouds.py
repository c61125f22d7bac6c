"""Labelled point clouds: what every reader of the study returns."""

import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from roomcad_core import crop_input

CLASSES_8 = ("bed", "bookshelf", "chair", "desk", "monitor", "sofa", "table", "toilet")
N_POINTS = 1024


@dataclass(frozen=True)
class Clouds:
    """Clouds (N, P, 3) float32, z up, in the unit sphere; labels index `classes`."""

    name: str
    points: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]
    is_background: np.ndarray | None = None  # (N, P) bool, where the data says so

    def __post_init__(self):
        n = len(self.points)
        if self.points.ndim != 3 or self.points.shape[2] != 3:
            raise ValueError(f"{self.name}: points: got {self.points.shape}, expected (N, P, 3)")
        if self.labels.shape != (n,):
            raise ValueError(f"{self.name}: labels: got {self.labels.shape}, expected ({n},)")
        if n and not 0 <= self.labels.min() <= self.labels.max() < len(self.classes):
            raise ValueError(f"{self.name}: labels outside 0..{len(self.classes) - 1}")
        if not np.isfinite(self.points).all():
            raise ValueError(f"{self.name}: NaN or infinity among the points")

    def __len__(self):
        return len(self.points)

    def with_points(self, points):
        """The same objects with other points."""
        return replace(self, points=np.ascontiguousarray(points, np.float32))

    def of_classes(self, classes):
        """Only the objects of `classes`, relabelled to their order."""
        missing = set(classes) - set(self.classes)
        if missing:
            raise ValueError(f"{self.name}: no class {sorted(missing)}; it has {self.classes}")
        new = np.array([classes.index(c) if c in classes else -1 for c in self.classes])
        labels = new[self.labels]
        kept = labels >= 0
        mask = None if self.is_background is None else self.is_background[kept]
        return Clouds(self.name, self.points[kept], labels[kept], tuple(classes), mask)


def unit_sphere(points):
    """Clouds (..., P, 3) centred at their mean and scaled to the unit sphere, as the post does.

    A cloud whose points are all equal has no scale: ValueError.
    """
    if not (np.ptp(points, axis=-2).max(-1) > 1e-9).all():
        raise ValueError("a cloud's points are all equal: it has no size")
    return crop_input.unit_sphere(points)


def resample(points, n, rng):
    """Index of `n` rows: without repetition where there are enough, else all and some twice."""
    have = len(points)
    if have >= n:
        return rng.choice(have, n, replace=False)
    return np.concatenate([rng.permutation(have), rng.integers(have, size=n - have)])


def data_folder(path=None):
    """Folder of the data sets: `path`, else $ROOMCAD_DATA, else ../shared/data of the checkout."""
    if path:
        return Path(path)
    if os.environ.get("ROOMCAD_DATA"):
        return Path(os.environ["ROOMCAD_DATA"])
    return Path(__file__).resolve().parents[4] / "shared" / "data"
