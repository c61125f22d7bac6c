"""Pieces that belong to one object are put together again, in the grav frame.

A piece is a smooth connected patch of the working grid: tops and legs, seats and backs, shelves
and their sides are separate pieces. Touching pieces are one object unless one stands on a table
top or is a chair at a table; fragments without contact join the nearest piece above or below.
"""

from __future__ import annotations

import numpy as np

from roomcad_core.segment.pieces import Pieces, box_plan_overlap, layer
from roomcad_core.segment.split import drop_small, linked_components, pairs

SPECK = 10  # smaller pieces are left out [working px]
CONTACT = 0.2  # shortest contact of one object, as a share of the root of the smaller piece's area
TABLE_TOP = 0.15  # level area that makes a table top [m2]
SEAT = 0.05  # level area that makes a seat [m2]
SIDE_GAP, HEIGHT_GAP = 0.06, 0.35  # largest gaps from a fragment to its object [m]
UNDER = 0.5  # share of a fragment's footprint within that of its object
ENCLOSED = 0.5  # share of a wall patch's rim that one object must hold to own it


def merge(surface, labels, cuts, floor_z):
    """Labels (h, w) int32 of whole objects from the labels of pieces."""
    labels = drop_small(labels, SPECK)
    if labels.max() < 2:
        return labels
    pieces = Pieces.of(surface, labels, cuts)
    owner = np.arange(len(pieces.count))  # of each piece that there was at first
    for relation in (_touching, _touching, _nearest, _nearest):
        ground = floor_z if floor_z is not None else float(np.min(pieces.low[:, 2]))
        apart = _on_top(pieces, ground) | _beside_table(pieces, ground)
        whole = _components(relation(pieces, apart | apart.T, ground))
        if whole.max() + 1 < len(whole):
            pieces, owner = pieces.joined(whole), whole[owner]
    return np.concatenate([[0], owner + 1])[labels].astype(np.int32)


def _components(together):
    """(n,) component of each of 0..n-1 from an (n, n) bool relation, in order of appearance."""
    linked = together | together.T | np.eye(len(together), dtype=bool)
    first = np.arange(len(linked))  # the lowest number known to be in the same component
    while True:
        lower = np.where(linked, first, len(linked)).min(axis=1)
        if np.array_equal(lower, first):
            return np.unique(first, return_inverse=True)[1]
        first = lower


def _on_top(pieces, ground):
    """[i, j] piece i stands on the table, desk or cupboard j: another object.

    On low surfaces it is more often a back on a seat or a headboard on a bed.
    """
    foot = layer(pieces.low[:, 2])
    padded = np.pad(pieces.level, ((0, 0), (2, 2)))
    around = np.stack([padded[:, foot + k] for k in range(1, 4)]).sum(axis=0).T  # [i, j]
    high = pieces.low[:, 2] - ground > 0.6
    return high[:, None] & (around > TABLE_TOP) & (pieces.plan > 0.6)


def _beside_table(pieces, ground):
    """[i, j] piece i has a seat and no table top, piece j has a table top and no seat."""
    seat = _area_between(pieces, ground, 0.3, 0.56) > SEAT
    table = _area_between(pieces, ground, 0.66, 1.2) > TABLE_TOP
    return (seat & ~table)[:, None] & (table & ~seat)


def _area_between(pieces, ground, low, high):
    """(n,) level area between two heights above the ground [m2]."""
    first, last = layer(np.array([ground + low, ground + high]))
    return pieces.level[:, first:last].sum(axis=1)


def _touching(pieces, apart, ground):
    """(n, n) bool, pieces with a sufficiently long contact."""
    small = np.minimum(pieces.count[:, None], pieces.count)
    return (pieces.touch >= np.maximum(2, CONTACT * np.sqrt(small))) & ~apart


def _nearest(pieces, apart, ground):
    """[i, j] j is the larger piece nearest to fragment i, above, below or around it."""
    gap = np.maximum(pieces.low[:, None] - pieces.high, pieces.low - pieces.high[:, None])
    gap = np.maximum(gap, 0)
    plan = np.maximum(pieces.plan, box_plan_overlap(pieces))
    fits = (np.hypot(gap[..., 0], gap[..., 1]) < SIDE_GAP) & (gap[..., 2] < HEIGHT_GAP)
    fits &= (plan > UNDER) & (pieces.count[:, None] < pieces.count)
    fits &= ~apart & ~_stands_alone(pieces, ground)[:, None]
    cost = np.where(fits, np.linalg.norm(gap, axis=2) - 0.3 * plan, np.inf)
    out = np.zeros_like(fits)
    chosen = np.flatnonzero(fits.any(axis=1))
    out[chosen, np.argmin(cost[chosen], axis=1)] = True
    return out


def _stands_alone(pieces, ground):
    """(n,) bool, pieces that reach the floor and are broad: no legs, but things of their own."""
    size = pieces.high - pieces.low
    broad = (size[:, 2] > 0.3) & (size[:, :2].min(axis=1) > 0.2)
    return broad & (pieces.low[:, 2] - ground < 0.1)


def reclaim(labels, walls, cuts):
    """Give a wall patch that one object encloses without a depth step back to that object.

    Backs of shelves and hutches stand flush at the wall and go with it; what is seen of the wall
    between the slats of a chair lies behind a depth step and stays wall.
    """
    patches = linked_components(walls & (labels == 0), *cuts)
    n_patches, n_objects = int(patches.max()) + 1, int(labels.max()) + 1
    around = np.zeros(n_patches)
    shared = np.zeros(n_patches * n_objects)
    for axis, cut in enumerate(cuts):
        for patch, other, label in (
            (*pairs(patches, axis), pairs(labels, axis)[1]),
            (*pairs(patches, axis)[::-1], pairs(labels, axis)[0]),
        ):
            rim = (patch > 0) & (other != patch)
            around += np.bincount(patch[rim], minlength=n_patches)
            rim &= ~cut & (label > 0)
            code = patch[rim] * n_objects + label[rim]
            shared += np.bincount(code, minlength=n_patches * n_objects)
    shared = shared.reshape(n_patches, n_objects)
    owner = shared.argmax(axis=1)
    enclosed = shared.max(axis=1) > ENCLOSED * np.maximum(around, 1)
    return np.where(patches > 0, (owner * enclosed)[patches], labels).astype(np.int32)
