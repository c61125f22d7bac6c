"""Upright boxes around crops: the smallest footprint rectangle and a robust height."""

from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True)
class UprightBox:
    """A box with vertical sides in a z-up frame; `yaw` turns its x axis from the frame's x."""

    center: np.ndarray  # (3,) [m]
    extents: np.ndarray  # (3,) along its own x, y and z [m]
    yaw: float  # [rad]

    @property
    def bottom(self):
        return self.center[2] - self.extents[2] / 2

    @property
    def top(self):
        return self.center[2] + self.extents[2] / 2


def fit_upright_box(points, trim=0.01):
    """Smallest upright box around (N, 3) points of a z-up frame [m].

    The share `trim` at either end of every axis is left out: sensors leave stray points.

    Raises:
        ValueError: fewer than 4 points or a value that is not finite.
    """
    points = np.asarray(points, np.float32)
    if points.ndim != 2 or points.shape[1:] != (3,) or len(points) < 4:
        raise ValueError(f"points: expected (N >= 4, 3), got {points.shape}")
    if not np.isfinite(points).all():
        raise ValueError("points hold NaN or infinity")
    flat = np.ascontiguousarray(points[_inner(points[:, :2], trim)][:, :2])
    _, _, degrees = cv2.minAreaRect(flat)
    yaw = np.radians(degrees % 90.0)
    return box_at_yaw(points, yaw, trim)


def box_at_yaw(points, yaw, trim=0.01):
    """Upright box of a given `yaw` [rad] around (N, 3) points; see fit_upright_box."""
    c, s = np.cos(yaw), np.sin(yaw)
    turn = np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])  # frame -> box axes
    low, high = np.quantile(points @ turn.T, [trim, 1 - trim], axis=0)
    center = turn.T @ ((low + high) / 2)
    return UprightBox(center, np.maximum(high - low, 1e-3), float(yaw))


def _inner(values, trim):
    """Rows of (N, D) values that lie within the trimmed range on every axis."""
    low, high = np.quantile(values, [trim, 1 - trim], axis=0)
    inside = np.all((values >= low) & (values <= high), axis=1)
    return inside if inside.sum() >= 4 else np.ones(len(values), bool)
