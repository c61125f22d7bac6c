"""Measures of the pieces of a labelled working grid: size, level areas, contacts, footprints."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix

from roomcad_core.segment.planes import pixel_area
from roomcad_core.segment.split import pairs

CELL = 0.05  # cell of the footprint grid and height of a layer [m]
LAYERS = 160  # layers from 4 m below to 4 m above the camera


@dataclass
class Pieces:
    """Statistics of pieces 0..n-1 (label minus one)."""

    count: np.ndarray  # (n,) working pixels
    low: np.ndarray  # (n, 3) 3 % percentile of the points [m]
    high: np.ndarray  # (n, 3) 97 % percentile
    level: np.ndarray  # (n, LAYERS) area facing up at each height [m2]
    touch: np.ndarray  # (n, n) neighbouring pixels without a depth step
    plan: np.ndarray  # [i, j] share of the footprint of i that j covers too


def describe(surface, labels, cuts):
    """Pieces of the labelled working grid (labels 1..n)."""
    n = int(labels.max())
    mask = labels > 0
    ids, points = labels[mask] - 1, surface.points[mask]
    low, high = bounds(ids, points, n)
    count = np.bincount(ids, minlength=n)
    level = _level_area(surface, labels, n)
    return Pieces(count, low, high, level, contacts(labels, cuts), plan_overlap(surface, labels, n))


def bounds(ids, points, n):
    """(2, n, 3) lowest and highest coordinates of each id's points, without 3 % outliers."""
    by_axis = [_percentiles(ids, points[:, k], n, (0.03, 0.97)) for k in range(3)]
    return np.moveaxis(np.array(by_axis), 0, 2)


def _level_area(surface, labels, n):
    """(n, LAYERS) area of each piece that faces up, by layers of height [m2]."""
    rows, cols = np.nonzero((labels > 0) & (surface.normals[..., 2] > 0.85))
    at = labels[rows, cols] - 1, layer(surface.points[rows, cols, 2])
    code = np.ravel_multi_index(at, (n, LAYERS))
    return np.bincount(code, pixel_area(surface, rows, cols), n * LAYERS).reshape(n, LAYERS)


def layer(z):
    """Layer of height z [m], grav frame."""
    return np.clip(np.floor(z / CELL) + LAYERS // 2, 0, LAYERS - 1).astype(int)


def _percentiles(ids, values, n, shares):
    """(len(shares), n) percentiles of the values of each id; -inf for an id without values."""
    count = np.bincount(ids, minlength=n)
    starts = np.cumsum(count) - count
    ordered = np.sort(values.astype(np.float64) + 1000.0 * ids)  # sorts inside each id
    out = np.full((len(shares), n), -np.inf)
    some = count > 0
    for row, share in zip(out, shares, strict=True):
        at = starts[some] + (share * (count[some] - 1)).astype(int)
        row[some] = ordered[at] - 1000.0 * np.flatnonzero(some)
    return out


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


def plan_overlap(surface, labels, n):
    """(n, n) share of the footprint cells of piece i that piece j covers too (one cell wider)."""
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


def box_plan_overlap(pieces, margin=0.05):
    """(n, n) share of the plan box of piece i that lies in the box of piece j grown by margin."""
    low, high = pieces.low[:, :2] - margin / 2, pieces.high[:, :2] + margin / 2
    shared = np.minimum(high[:, None], high + margin) - np.maximum(low[:, None], low - margin)
    return np.prod(np.maximum(shared, 0), axis=2) / np.prod(high - low, axis=1)[:, None]
