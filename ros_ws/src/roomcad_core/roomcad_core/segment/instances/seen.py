"""What an instance network sees in a frame; objects, joints and classes are read from it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from roomcad_core.classes import CLASSES
from roomcad_core.segment.instances.cells import Cells, labels_of_pixels
from roomcad_core.segment.instances.cluster import cluster

FOREGROUND = 0.5  # cells with at least this probability show a thing


@dataclass(frozen=True)
class Seen:
    """Maps over the cells (h, w) of a working grid (H, W); grav frame, metres."""

    q: np.ndarray  # (H, W) float32 inverse depth of the working grid [1/m], 0 = unknown
    cells: Cells
    points: np.ndarray  # (h, w, 3) what the cells show
    out: dict  # {name: (..., h, w) float32} of model_files.outputs
    names: tuple[str, ...]  # of the kinds

    @cached_property
    def kinds(self):
        """(len(names), h, w) probability of each kind."""
        logits = self.out["kinds"]
        e = np.exp(logits - logits.max(0))
        return e / e.sum(0)

    @property
    def furniture(self):
        """Places in `names` of the classes of furniture."""
        return [i for i, name in enumerate(self.names) if name in CLASSES]

    @cached_property
    def groups(self):
        """(h, w) int32 labels of the things in the cells, 1.., 0 = floor, walls, nothing."""
        return label_cells(self.out, self.cells.q > 0, self.points)

    def labels(self):
        """(H, W) int32 labels of the things on the working grid, 1.., 0 = as groups."""
        return labels_of_pixels(self.groups, self.cells, self.q)


def label_cells(out, known, points):
    """(h, w) int32 labels of cells.

    Args:
        out: {name: (..., h, w)} of model_files.outputs.
        known: (h, w) bool, cells whose depth is known.
        points: (h, w, 3) what they show, grav frame [m].
    """
    things = known & (out["foreground"] >= FOREGROUND)
    labels = np.zeros(known.shape, np.int32)
    labels[things] = cluster(votes(out, points, things), out["seed"][things], out["spread"][things])
    return labels


def votes(out, points, where):
    """(n, 3) where the cells `where` (h, w) vote that the centre of their object is [m]."""
    return points[where] + np.moveaxis(out["offset"], 0, 2)[where]
