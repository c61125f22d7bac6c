"""The floor of one frame, in the grav frame (z up, camera at the origin)."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from roomcad_core.segment.surface import dot

UP_COS = 0.93  # surfaces within 21 degrees of level may be floor
SIGMAS = 1.0  # deviations of the depth before smoothing by which a plane is thicker
BIN = 0.03  # histogram cell [m]


@dataclass(frozen=True)
class Plane:
    """n·p = d in the grav frame, n towards the camera (d < 0)."""

    n: np.ndarray  # (3,) unit
    d: float  # [m]


def floor_height(surface, config):
    """Height of the floor in the grav frame, straight below the camera [m], or None."""
    floor = find_floor(surface, config)
    return None if floor is None else float(floor.d / floor.n[2])


def find_floor(surface, config):
    """The lowest well-supported level plane with nothing below it, or None."""
    level = surface.smooth & (surface.normals[..., 2] > UP_COS)
    height = _lowest_level(_heights(surface, level), _heights(surface, surface.valid), config)
    return None if height is None else _refine_level(surface, level, height, config)


def _heights(surface, mask):
    """(N,) heights of the points under a mask [m]."""
    return cv2.extractChannel(surface.points, 2).ravel()[np.flatnonzero(mask)]


def _lowest_level(level_z, all_z, config):
    """Lowest peak of the heights `level_z` below the camera that almost nothing lies under."""
    if len(level_z) < config.min_points:
        return None
    low = float(level_z.min())
    counts = np.bincount(((level_z - low) / BIN).astype(int))
    counts = np.convolve(counts, np.ones(3), "same")
    enough = max(2 * config.min_points, 0.1 * counts.max())
    for i in np.flatnonzero(counts >= enough):
        peak = i + int(np.argmax(counts[i : i + 4]))
        height = low + (peak + 0.5) * BIN
        if height > -config.min_camera_height:
            return None
        below = np.count_nonzero(all_z < height - 0.1 - 0.02 * abs(height))
        if below > 0.02 * len(all_z):
            return None
        return height
    return None


def _refine_level(surface, level, height, config):
    """Least-squares plane of the level points near `height`, tilted by 3 degrees at most."""
    n, d = np.array([0.0, 0.0, 1.0]), height
    for width in (2.5, 1.5):
        off = np.abs(dot(surface.points, n) - np.float32(d))
        near = level & (off < _tolerance(surface, n, width * config.plane_distance))
        p = surface.points.reshape(-1, 3)[np.flatnonzero(near)[::3]].astype(float)
        if len(p) < 30:
            break
        A = np.column_stack([p[:, :2], np.ones(len(p))])
        a, b, c = np.linalg.lstsq(A, p[:, 2], rcond=None)[0]
        if np.hypot(a, b) > 0.05:
            a, b, c = 0.0, 0.0, float(np.median(p[:, 2]))
        n = np.array([-a, -b, 1.0])
        length = np.linalg.norm(n)
        n, d = n / length, c / length
    return Plane(n, d)


def _tolerance(surface, n, distance):
    """(h, w) how far a measured point of a plane with normal n may lie off it [m]."""
    return distance + SIGMAS * surface.depth_noise * np.abs(dot(surface.rays, n))
