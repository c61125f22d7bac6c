"""Walls and floor that nobody annotated, by the shape of the whole room.

A recording shows things from several sides: behind the side of a box there are its top and the
floor that other frames show. Behind a wall there is nothing, whatever stands before it.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from roomcad_core.camera import unproject
from roomcad_core.multi_sparc.normals import normals_from_depth
from roomcad_core.pose import transform
from roomcad_core.types import Frame

CELL = 0.1  # [m] side of a column of the room
SEEN = 3  # points in a column from which something is there
STRIDE = 4  # of the pixels that fill the columns
NORMAL_RADIUS = 8  # [px] normals are smoothed over, for sensors are noisy
UPRIGHT = 0.5  # largest vertical part of an upright surface's normal
BEHIND = np.arange(0.2, 1.55, CELL)  # [m] horizontal distances behind a surface that are looked at
FEW = 3  # columns with something in them that there may be all the same: skirting, noise
FLOOR_HEIGHT = 0.04  # [m] whatever is lower is floor ...
UNEVEN = 0.12  # [m] ... and what is lower than this and level, for recordings drift
LEVEL = 0.8  # least vertical part of a level surface's normal


class Background:
    """Tells walls and floor from things in the frames of one room."""

    def __init__(self, frames: Iterable[Frame], T_aligned_world: np.ndarray):
        """`frames`: enough Frames with poses to show the room; `T_aligned_world`: (4, 4), z up."""
        self._T = T_aligned_world
        known = [self._points(f)[::STRIDE, ::STRIDE][f.depth[::STRIDE, ::STRIDE] > 0]
                 for f in frames]  # fmt: skip
        points = np.concatenate([np.zeros((0, 3)), *known])[:, :2]
        reach = BEHIND[-1] + 2 * CELL
        self._low = points.min(0, initial=0) - reach
        counts = np.zeros(self._cells(points.max(0, initial=0) + reach) + 1, int)
        np.add.at(counts, tuple(self._cells(points).T), 1)
        self._filled = counts >= SEEN

    def __call__(self, frame: Frame) -> tuple[np.ndarray, np.ndarray]:
        """(H, W) bool of walls (upright, nothing behind them) and of floor in a Frame with pose."""
        T = self._T @ frame.T_world_cam
        normals = normals_from_depth(frame.depth, frame.K, NORMAL_RADIUS) @ T[:3, :3].T
        points, known = self._points(frame), frame.depth > 0
        height = points[..., 2]
        floor = (height < FLOOR_HEIGHT) | ((height < UNEVEN) & (normals[..., 2] > LEVEL))
        wall = known & (np.abs(normals[..., 2]) < UPRIGHT) & (normals != 0).any(-1)
        wall[wall] = self._nothing_behind(points[wall][:, :2], normals[wall][:, :2])
        return wall, known & floor

    def _nothing_behind(self, flat, normals):
        """(N,) bool of horizontal positions (N, 2) of surfaces with those normals (N, 2)."""
        away = -normals / np.linalg.norm(normals, axis=1, keepdims=True)
        found = np.zeros(len(flat), int)
        for distance in BEHIND:
            cells = self._cells(flat + distance * away)
            cells = np.clip(cells, 0, np.array(self._filled.shape) - 1)
            found += self._filled[tuple(cells.T)]
        return found <= FEW

    def _points(self, frame):
        """(H, W, 3) points in the aligned frame [m]."""
        points = unproject(frame.depth, frame.K).astype(float)
        return transform(self._T @ frame.T_world_cam, points)

    def _cells(self, flat):
        return np.floor((flat - self._low) / CELL).astype(int)
