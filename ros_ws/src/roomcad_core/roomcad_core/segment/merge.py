"""Pieces that belong to one object are put together again, in the grav frame.

A piece is a smooth connected patch of the working grid. Tops and legs, seats and backs, shelves
and their sides are separate pieces; who belongs to whom follows from where they touch, whether
the contact is convex, and who stands below whom.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from roomcad_core.segment.planes import pixel_area
from roomcad_core.segment.split import _pairs, drop_small, step_tolerance, steps

SPECK = 10  # smaller pieces are left out [working px]
CELL = 0.05  # cell of the footprint grid and height of a layer [m]
P=dict(onh=.6,top=.15,onplan=.6,seat=.05,table=.15,c=.1,hg=.06,vg=.2,np=.5,w=.1,nl=.1,ns=.3,nw=.2)
LAYERS = 160  # layers from 4 m below to 4 m above the camera
TABLE_TOP = 0.15  # level area that makes a table top [m2]


@dataclass
class Pieces:
    """Statistics of pieces 0..n-1 (label minus one)."""

    count: np.ndarray  # (n,) working pixels
    low: np.ndarray  # (n, 3) 3 % percentile of the points [m]
    high: np.ndarray  # (n, 3) 97 % percentile
    level: np.ndarray  # (n, LAYERS) area facing up at each height [m2]


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
    bounds = [_percentiles(ids, points[:, k], n, (0.03, 0.97)) for k in range(3)]
    low, high = np.moveaxis(np.array(bounds), 0, 2)
    return Pieces(np.bincount(ids, minlength=n), low, high, _level_area(surface, labels, n))


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
    labels = drop_small(labels, SPECK)
    for relation in (_touching, _touching, _nearest, _nearest):
        n = int(labels.max())
        if n < 2:
            break
        pieces = describe(surface, labels)
        ground = floor_z if floor_z is not None else float(np.min(pieces.low[:, 2]))
        touch = contacts(surface, labels, config)
        plan = _plan_overlap(surface, labels, n)
        apart = _on_top(pieces, plan, ground) | _beside_table(pieces, ground)
        together = relation(pieces, touch, plan, apart | apart.T, ground)
        labels = _components(together)[labels].astype(np.int32)
    return labels


def _components(together):
    """(n + 1,) new label of each label 0..n from an (n, n) bool relation."""
    from scipy.sparse import csr_matrix
    from scipy.sparse.csgraph import connected_components

    ids = connected_components(csr_matrix(together), directed=False)[1]
    return np.concatenate([[0], ids + 1])


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


def _on_top(pieces, plan, ground):
    """[i, j] piece i stands on the table, desk or cupboard j: another object.

    On low surfaces it is more often a back on a seat or a headboard on a bed.
    """
    foot = layer(pieces.low[:, 2])
    padded = np.pad(pieces.level, ((0, 0), (2, 2)))
    around = np.stack([padded[:, foot + k] for k in range(1, 4)]).sum(axis=0).T  # [i, j]
    high = pieces.low[:, 2] - ground > P['onh']
    return high[:, None] & (around > P['top']) & (plan > P['onplan'])


def _beside_table(pieces, ground):
    """[i, j] piece i has a seat and no table top, piece j has a table top and no seat."""
    seat = _area_between(pieces, ground, 0.3, 0.56) > P['seat']
    table = _area_between(pieces, ground, 0.66, 1.2) > P['table']
    return (seat & ~table)[:, None] & (table & ~seat)


def _area_between(pieces, ground, low, high):
    """(n,) level area between two heights above the ground [m2]."""
    first, last = layer(np.array([ground + low, ground + high]))
    return pieces.level[:, first:last].sum(axis=1)


def _touching(pieces, touch, plan, apart, ground):
    """(n, n) bool, pieces with a sufficiently long contact."""
    small = np.minimum(pieces.count[:, None], pieces.count)
    return (touch.joined >= np.maximum(2, P['c'] * np.sqrt(small))) & ~apart


def _nearest(pieces, touch, plan, apart, ground):
    """(n, n) bool, each fragment with the larger piece that it is nearest to in space."""
    gap = np.maximum(pieces.low[:, None] - pieces.high, pieces.low - pieces.high[:, None])
    gap = np.maximum(gap, 0)
    near = (np.hypot(gap[..., 0], gap[..., 1]) < P['hg']) & (gap[..., 2] < P['vg'])
    plan = np.maximum(plan, _box_plan_overlap(pieces))
    larger = pieces.count[:, None] < pieces.count
    size = pieces.high - pieces.low
    stands = (pieces.low[:, 2] - ground < P['nl']) & (size[:, 2] > P['ns']) & (size[:, :2].min(1) > P['nw'])
    fits = larger & ~apart & near & (plan > P['np']) & ~stands[:, None]
    cost = np.where(fits, np.linalg.norm(gap, axis=2) - P['w'] * plan, np.inf)
    best = np.argmin(cost, axis=1)
    out = np.zeros_like(fits)
    chosen = np.flatnonzero(fits.any(axis=1))
    out[chosen, best[chosen]] = True
    return out


def _box_plan_overlap(pieces, margin=0.05):
    """(n, n) share of the plan box of piece i that lies in the box of piece j grown by margin."""
    low, high = pieces.low[:, :2] - margin / 2, pieces.high[:, :2] + margin / 2
    shared = np.minimum(high[:, None], high + margin) - np.maximum(low[:, None], low - margin)
    return np.prod(np.maximum(shared, 0), axis=2) / np.prod(high - low, axis=1)[:, None]
