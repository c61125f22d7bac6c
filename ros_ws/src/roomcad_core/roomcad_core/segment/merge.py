"""Pieces that belong to one object are put together again, in the grav frame.

A piece is a smooth connected patch of the working grid. Tops and legs, seats and backs, shelves
and their sides are separate pieces; who belongs to whom follows from where they touch, whether
the contact is convex, and who stands below whom.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from roomcad_core.segment.split import _pairs, step_tolerance, steps

CELL = 0.05  # cell of the footprint grid [m]


@dataclass
class Pieces:
    """Statistics of pieces 0..n-1 (label minus one)."""

    count: np.ndarray  # (n,) working pixels
    low: np.ndarray  # (n, 3) 3 % percentile of the points [m]
    high: np.ndarray  # (n, 3) 97 % percentile
    level: np.ndarray  # (n,) share of pixels with an upward normal


@dataclass
class Contacts:
    """Pairs of touching pieces, (n, n) symmetric counts of neighbouring pixels."""

    joined: np.ndarray  # neighbours without a depth step
    convex: np.ndarray  # of these, those with a convex or flat connection


def describe(surface, labels):
    """Pieces of the labelled working grid (labels 1..n)."""
    n = int(labels.max())
    mask = labels > 0
    ids, points = labels[mask] - 1, surface.points[mask]
    count = np.bincount(ids, minlength=n)
    order = np.argsort(ids, kind="stable")
    starts = np.cumsum(count) - count
    low, high = np.zeros((n, 3)), np.zeros((n, 3))
    for axis in range(3):
        value = points[order, axis].astype(np.float64)
        value = np.sort(value + 1000.0 * ids[order])  # sorts inside each piece
        lo = value[starts + (0.03 * (count - 1)).astype(int)]
        hi = value[starts + (0.97 * (count - 1)).astype(int)]
        low[:, axis], high[:, axis] = lo - 1000.0 * np.arange(n), hi - 1000.0 * np.arange(n)
    upward = surface.normals[mask][:, 2] > 0.85
    return Pieces(count, low, high, np.bincount(ids, upward, n) / np.maximum(count, 1))


def contacts(surface, labels, config, reach=2):
    """Contacts of the pieces, from neighbours on the working grid."""
    n = int(labels.max())
    joined, convex = np.zeros(n * n), np.zeros(n * n)
    for axis in (0, 1):
        a, b = _pairs(labels, axis)
        uncut = steps(surface, axis) <= step_tolerance(surface, axis, config)
        where = np.nonzero((a != b) & (a > 0) & (b > 0) & uncut)
        code = (a[where] - 1) * n + (b[where] - 1)
        joined += np.bincount(code, minlength=n * n)
        convex += np.bincount(code, _is_convex(surface, where, axis, reach), n * n)
    joined, convex = joined.reshape(n, n), convex.reshape(n, n)
    return Contacts(joined + joined.T, convex + convex.T)


def _is_convex(surface, where, axis, reach):
    """Whether the surfaces `reach` pixels to either side of neighbour pairs meet convexly."""
    rows, cols = where
    height, width = surface.valid.shape
    d_row, d_col = (reach, 0) if axis == 0 else (0, reach)
    before = np.maximum(rows - d_row, 0), np.maximum(cols - d_col, 0)
    step_row, step_col = (1, 0) if axis == 0 else (0, 1)
    after = (
        np.minimum(rows + step_row + d_row, height - 1),
        np.minimum(cols + step_col + d_col, width - 1),
    )
    dn = surface.normals[before] - surface.normals[after]
    dp = surface.points[before] - surface.points[after]
    dp /= np.maximum(np.linalg.norm(dp, axis=1), 1e-6)[:, None]
    known = surface.smooth[before] & surface.smooth[after]
    return known & (np.einsum("nc,nc->n", dn, dp) > -0.2)


def merge(surface, labels, floor_z, config):
    """Labels (h, w) int32 of whole objects from the labels of pieces."""
    for _ in range(3):
        n = int(labels.max())
        if n < 2:
            break
        pieces = describe(surface, labels)
        touch = contacts(surface, labels, config)
        together = _together(surface, labels, pieces, touch, floor_z, config)
        merged = _components(together)[labels]
        if merged.max() == n:
            break
        labels = merged.astype(np.int32)
    return labels


def _components(together):
    """(n + 1,) new label of each label 0..n from an (n, n) bool relation."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components

    ids = connected_components(csr_matrix(together), directed=False)[1]
    return np.concatenate([[0], ids + 1])


def _together(surface, labels, pieces, touch, floor_z, config):
    """(n, n) bool, pairs of pieces of one object."""
    ground = floor_z if floor_z is not None else float(np.min(pieces.low[:, 2]))
    small = np.minimum(pieces.count[:, None], pieces.count)
    touching = touch.joined >= np.maximum(3, 0.15 * np.sqrt(small))
    smooth = touching & (touch.convex > 0.6 * touch.joined)
    plan = _plan_overlap(surface, labels, len(pieces.count))
    below = _stands_below(pieces, plan, touching, ground)
    seat = _rests_on_seat(pieces, plan, touching, ground)
    inside = _inside(pieces, touching, ground)
    return smooth | below | below.T | seat | seat.T | inside | inside.T


def _plan_overlap(surface, labels, n):
    """(n, n) share of the footprint cells of piece i that piece j covers too (one cell wider)."""
    from scipy.sparse import csr_matrix

    mask = labels > 0
    ids, xy = labels[mask] - 1, surface.points[mask][:, :2]
    cell = np.floor(xy / CELL).astype(int)
    cell -= cell.min(axis=0) - 1
    width = cell[:, 1].max() + 2
    own = _occupied(ids, cell[:, 0] * width + cell[:, 1])
    grown = [own]
    wide_ids, wide_cells = own
    for step in (1, -1, width, -width, width + 1, width - 1, -width - 1, 1 - width):
        grown.append((wide_ids, wide_cells + step))
    size = (cell[:, 0].max() + 3) * width
    a = csr_matrix((np.ones(len(own[0]), np.float32), own), shape=(n, size))
    rows = np.concatenate([g[0] for g in grown])
    cols = np.concatenate([g[1] for g in grown])
    b = csr_matrix((np.ones(len(rows), np.float32), (rows, cols)), shape=(n, size))
    b.data[:] = 1
    shared = np.asarray((a @ b.T).todense())
    return shared / np.maximum(np.asarray(a.sum(axis=1)), 1)


def _occupied(ids, cells):
    """Unique (piece, cell) pairs."""
    code = np.unique(ids.astype(np.int64) * 10_000_000 + cells)
    return code // 10_000_000, code % 10_000_000


def _stands_below(pieces, plan, touching, ground):
    """[i, j] piece i is a leg or side below the level piece j (a table top, a shelf)."""
    bottom_j = pieces.low[None, :, 2]
    top_j = pieces.high[None, :, 2]
    gap = bottom_j - pieces.high[:, None, 2]
    is_top = (pieces.level > 0.5)[None, :]
    lower = pieces.high[:, None, 2] < top_j + 0.03
    return is_top & lower & (plan > 0.6) & ((gap < 0.12) | touching)


def _rests_on_seat(pieces, plan, touching, ground):
    """[i, j] piece i rises from the low level piece j: the back of a seat, a headboard."""
    seat = (pieces.level > 0.4) & (pieces.high[:, 2] - ground < 0.62)
    return seat[None, :] & touching


def _inside(pieces, touching, ground):
    """[i, j] the box of piece i lies within that of the touching, larger piece j."""
    margin = 0.05
    low = np.maximum(pieces.low[:, None], pieces.low[None] - margin)
    high = np.minimum(pieces.high[:, None], pieces.high[None] + margin)
    size = np.maximum(pieces.high - pieces.low, 0.01)
    share = np.prod(np.clip(high - low, 0, None) / size[:, None], axis=2)
    return touching & (share > 0.8) & (pieces.count[:, None] <= pieces.count)
