"""Depth steps: how sharp they are, what is missing beside them, what flies between."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

REACH = 16  # a profile spans REACH pixels to both sides of a step
FLAT = 6  # outer pixels of a profile, which have to be there and level
LEVEL = 0.02  # their spread at most, of their depth
STEP = 0.10  # smallest step, of the nearer depth
JUMP = 3  # a step is steep: half of it lies within so many pixels
EVERY = 2  # rows and columns looked at


def profiles(depth: np.ndarray) -> np.ndarray:
    """(N, 2 * REACH) profiles of a depth image (H, W) along rows, each centred on a step."""
    if depth.shape[1] < 2 * REACH:
        return np.empty((0, 2 * REACH), depth.dtype)
    windows = sliding_window_view(depth[::EVERY], 2 * REACH, axis=1).reshape(-1, 2 * REACH)
    left, right = windows[:, :FLAT], windows[:, -FLAT:]
    near = np.minimum(left.mean(1), right.mean(1))
    stepped = np.abs(left.mean(1) - right.mean(1)) > STEP * near
    windows = windows[stepped & (left.min(1) > 0) & (right.min(1) > 0)]
    left, right = windows[:, :FLAT], windows[:, -FLAT:]
    level = (np.ptp(left, axis=1) < LEVEL * left[:, 0]) & (
        np.ptp(right, axis=1) < LEVEL * right[:, 0]
    )
    windows = windows[level]
    windows = windows[_centred(windows)]
    return windows[_steep(windows)]


def _centred(windows):
    """(N,) True where the crossing from one side to the other is in the middle of the profile."""
    low, high = _ends(windows)
    middle = ((low + high) / 2)[:, None]
    rising = (windows[:, -1] > windows[:, 0])[:, None]
    before = ((windows < middle) == rising) & (windows > 0)  # still on the left side
    last = 2 * REACH - 1 - np.argmax(before[:, ::-1], axis=1)
    return last == REACH - 1


def _steep(windows):
    """(N,) True where half the step is made within JUMP pixels (or in a gap), so no ramp."""
    low, high = _ends(windows)
    jump = np.abs(windows[:, JUMP:] - windows[:, :-JUMP]).max(1)
    return (windows == 0).any(1) | (jump > (high - low) / 2)


def _ends(windows):
    """Depths (N,) of the near and the far side of profiles."""
    ends = np.sort(
        np.stack([np.median(windows[:, :FLAT], 1), np.median(windows[:, -FLAT:], 1)]), axis=0
    )
    return ends[0], ends[1]


def widths(windows: np.ndarray) -> np.ndarray:
    """(N,) pixels of each profile strictly between 10 % and 90 % of its step."""
    low, high = _ends(windows)
    share = (windows - low[:, None]) / np.maximum(high - low, 1e-9)[:, None]
    return ((share > 0.1) & (share < 0.9) & (windows > 0)).sum(1)


def gaps(windows: np.ndarray) -> np.ndarray:
    """(N,) missing pixels of each profile."""
    return (windows == 0).sum(1)


def flying(depth: np.ndarray) -> tuple[int, int]:
    """Pixels of a depth image (H, W) that float between two surfaces, and all beside a step.

    A pixel beside a step has a depth ratio of more than 1 + STEP among its 5x5 neighbours; it
    flies if its depth lies between 10 % and 90 % of their range.
    """
    around = np.ones((5, 5), np.uint8)
    valid = depth > 0
    near = cv2.erode(np.where(valid, depth, np.float32(99)), around)
    far = cv2.dilate(np.where(valid, depth, np.float32(0)), around)
    beside = valid & (far > near * (1 + STEP))
    share = (depth - near) / np.maximum(far - near, 1e-9)
    return int((beside & (share > 0.1) & (share < 0.9)).sum()), int(beside.sum())
