"""What the network has seen of a still room: its answers averaged over the frames, cube by cube.

A thing that the image's edge cuts off, or that is hidden in one frame, was seen whole in another.
Where the camera's pose is known, what the network said of the same small cube of the room before
counts in every frame as what it says now. Of what has moved, new sightings soon prevail.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from roomcad_core.cubes import cube_keys
from roomcad_core.pose import transform
from roomcad_core.segment.instances.model_files import KINDS

CUBE = 0.05  # side of a cube [m]
SLOTS = 1 << 18  # cubes that are remembered: of two that want a slot the newer one has it
MOST = 20  # frames that a cube's mean counts as, at most
SPREAD_OUT = 0x9E3779B97F4A7C15  # odd: neighbours get slots far apart (Knuth, TAOCP 3, 6.4)
CLOCK_JUMP = 1.0  # frames may come this late [s]
LEAST = 1e-6  # probability of a kind, for its logarithm
ALONE = ("foreground", "seed", "spread")  # outputs with one number for a cell
WIDTH = 3 + len(ALONE) + len(KINDS)  # of a row: vote, ALONE, kinds


class Memory:
    """Means of what was said of the cubes of one room. Its size is fixed: 26 MB."""

    def __init__(self):
        self.forget()

    def forget(self):
        """Begin anew."""
        self._newest = -np.inf
        self._keys = np.full(SLOTS, -1, np.int64)
        self._frames = np.zeros(SLOTS, np.float32)
        self._means = np.zeros((SLOTS, WIDTH), np.float32)

    def __call__(self, seen, T_world_grav, stamp):
        """Seen with means over this and earlier frames, which are learnt.

        Args:
            seen: Seen of a frame.
            T_world_grav: (4, 4) pose of its grav frame.
            stamp: its time [s]; where that goes back another recording begins, maybe elsewhere.
        """
        if stamp < self._newest - CLOCK_JUMP:
            self.forget()
        self._newest = max(stamp, self._newest)
        where = seen.cells.q > 0
        points = transform(T_world_grav, seen.points[where])
        keys, near = cube_keys(points, CUBE)
        where[where] = near
        within = points[near] % CUBE  # votes are kept from their cube's corner: numbers are small
        R_world_grav = T_world_grav[:3, :3]
        said = _rows(seen, where, within, R_world_grav)
        slots = _slots(keys)
        frames = np.where(self._keys[slots] == keys, self._frames[slots], 0)[:, None]
        means = (self._means[slots] * frames + said) / (frames + 1)
        self._learn(keys, said)
        out = {name: maps.copy() for name, maps in seen.out.items()}
        out["offset"][:, where] = ((means[:, :3] - within) @ R_world_grav).T
        for k, name in enumerate(ALONE, 3):
            out[name][where] = means[:, k]
        out["kinds"][:, where] = np.log(means[:, 3 + len(ALONE) :] + LEAST).T
        return dataclasses.replace(seen, out=out)

    def _learn(self, keys, said):
        """Take in rows `said` (n, WIDTH) of cubes with numbers `keys` (n,)."""
        order = np.argsort(keys, kind="stable")
        keys, first, counts = np.unique(keys[order], return_index=True, return_counts=True)
        new = np.add.reduceat(said[order], first) / counts[:, None] if len(keys) else said[:0]
        slots = _slots(keys)
        old = self._keys[slots] == keys
        frames = np.where(old, np.minimum(self._frames[slots], MOST - 1), 0)
        mean = (self._means[slots] * frames[:, None] + new) / (frames[:, None] + 1)
        self._keys[slots], self._frames[slots], self._means[slots] = keys, frames + 1, mean


def _slots(keys):
    """(n,) places of cubes in the memory."""
    mixed = keys.astype(np.uint64) * np.uint64(SPREAD_OUT)
    return (mixed >> np.uint64(64 - SLOTS.bit_length() + 1)).astype(np.int64)


def _rows(seen, where, within, R_world_grav):
    """(n, WIDTH) float32 what is said of the cells `where`; within: (n, 3) places in cubes."""
    offsets = seen.out["offset"][:, where].T @ R_world_grav.T
    alone = [seen.out[name][where][:, None] for name in ALONE]
    return np.concatenate([within + offsets, *alone, seen.kinds[:, where].T], 1, dtype=np.float32)
