"""Measures of the pieces of a labelled working grid: size, level areas, contacts, footprints."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from roomcad_core.segment.split import pairs

CELL = 0.05  # cell of the footprint grid and height of a layer [m]
APART = 64.0  # farther than points in view lie from each other [m]; keeps float32 to millimetres
LAYERS = 160  # layers from 4 m below to 4 m above the camera


@dataclass(frozen=True)
class Pieces:
    """Measures of pieces 0..n-1 (label minus one)."""

    ids: np.ndarray  # (N,) piece of each working pixel that has one
    points: np.ndarray  # (N, 3) its point [m]
    count: np.ndarray  # (n,) working pixels
    level: np.ndarray  # (n, LAYERS) area facing up at each height [m2]
    touch: np.ndarray  # (n, n) neighbouring pixels without a depth step
    footprint: np.ndarray  # (n, h, w) uint8, cells of the floor plan that hold points of it

    @classmethod
    def of(cls, surface, labels, cuts):
        """Pieces of the labelled working grid (labels 1..n)."""
        n = int(labels.max())
        ids, points = labelled(labels, surface.points)
        count = np.bincount(ids, minlength=n)
        level = _level_area(surface, labels, n)
        return cls(ids, points, count, level, contacts(labels, cuts), footprints(ids, points, n))

    def joined(self, whole):
        """Pieces 0..m-1 that are made of these; `whole`: (n,) new number of each."""
        order = np.argsort(whole, kind="stable")
        starts = np.flatnonzero(np.diff(whole[order], prepend=-1))

        def summed(values, axis=0):
            return np.add.reduceat(values.take(order, axis), starts, axis)

        touch = summed(summed(self.touch), 1)
        np.fill_diagonal(touch, 0)
        footprint = np.maximum.reduceat(self.footprint[order], starts)
        level = summed(self.level)
        return Pieces(whole[self.ids], self.points, summed(self.count), level, touch, footprint)

    @cached_property
    def _bounds(self):
        return bounds(self.ids, self.points, len(self.count))

    @property
    def low(self):
        """(n, 3) 3 % percentile of the points [m]."""
        return self._bounds[0]

    @property
    def high(self):
        """(n, 3) 97 % percentile of the points [m]."""
        return self._bounds[1]

    @cached_property
    def plan(self):
        """[i, j] share of the footprint of i that j, one cell wider, covers too."""
        n, _, width = self.footprint.shape
        # The pieces' plans below each other, in one picture: an empty rim keeps them apart.
        wide = cv2.dilate(self.footprint.reshape(-1, width), np.ones((3, 3), np.uint8))
        piece, cell = np.divmod(np.flatnonzero(self.footprint), self.footprint[0].size)
        starts = np.searchsorted(piece, np.arange(n))
        # No matrix product: for one of this size BLAS wakes threads that then spin for long.
        shared = np.add.reduceat(wide.reshape(n, -1).T[cell], starts, dtype=np.float32)
        return shared / np.bincount(piece).astype(np.float32)[:, None]


def labelled(labels, points):
    """Label minus one (N,) and point (N, 3) of all pixels that have a label."""
    at = np.flatnonzero(labels > 0)
    return labels.ravel()[at] - 1, points.reshape(-1, 3).take(at, axis=0)


def bounds(ids, points, n):
    """(2, n, 3) lowest and highest coordinates of each id's points, without 3 % outliers.

    -inf for an id without points.
    """
    count = np.bincount(ids, minlength=n)
    some = np.flatnonzero(count)
    starts = (np.cumsum(count) - count)[some]
    # Ids a room apart: sorting a coordinate sorts it inside each of them.
    apart = np.asarray(APART * ids, np.float32)
    ordered = np.sort(np.ascontiguousarray(points.T, np.float32) + apart, axis=1)
    out = np.full((2, n, 3), -np.inf)
    for found, share in zip(out, (0.03, 0.97), strict=True):
        at = starts + (share * (count[some] - 1)).astype(int)
        found[some] = (ordered[:, at] - APART * some).T
    return out


def _level_area(surface, labels, n):
    """(n, LAYERS) area of each piece that faces up, by layers of height [m2]."""
    at = np.flatnonzero((labels > 0) & (surface.normals[..., 2] > 0.85))
    code = (labels.ravel()[at] - 1) * LAYERS + layer(surface.points[..., 2].ravel()[at])
    return np.bincount(code, surface.area.ravel()[at], n * LAYERS).reshape(n, LAYERS)


def layer(z):
    """Layer of height z [m], grav frame."""
    return np.clip(np.floor(z / CELL) + LAYERS // 2, 0, LAYERS - 1).astype(int)


def contacts(labels, cuts):
    """Contacts of the pieces: (n, n) symmetric counts of neighbours without a depth step."""
    n = int(labels.max())
    joined = np.zeros(n * n)
    for axis, cut in enumerate(cuts):
        a, b = pairs(labels, axis)
        touching = (a != b) & (a > 0) & (b > 0) & ~cut
        joined += np.bincount((a[touching] - 1) * n + (b[touching] - 1), minlength=n * n)
    joined = joined.reshape(n, n)
    return joined + joined.T


def footprints(ids, points, n):
    """(n, h, w) uint8 cells of the floor plan that hold points (N, 3) of each id; an empty rim."""
    cell = np.floor(points[:, :2] / CELL).astype(int)
    cell -= cell.min(axis=0) - 1
    out = np.zeros((n, *cell.max(axis=0) + 2), np.uint8)
    out[ids, cell[:, 0], cell[:, 1]] = 1
    return out


def box_plan_overlap(pieces, margin=0.05):
    """(n, n) share of the plan box of piece i that lies in the box of piece j grown by margin."""
    low, high = pieces.low[:, :2] - margin / 2, pieces.high[:, :2] + margin / 2
    shared = np.minimum(high[:, None], high + margin) - np.maximum(low[:, None], low - margin)
    return np.prod(np.maximum(shared, 0), axis=2) / np.prod(high - low, axis=1)[:, None]
