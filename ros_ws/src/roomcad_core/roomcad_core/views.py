"""What a camera sees of a CAD model, from its surface points alone: no ray is cast."""

import numpy as np

GRID = 28  # pixels across the object: about the spacing of 1,024 surface points
TOLERANCE = 0.12  # points this far behind the nearest of their pixel still count as seen


def seen_from(points, azimuth, elevation):
    """(B, P) bool: the nearest points of every pixel of an orthographic view.

    Args:
        points: (B, P, 3) clouds, z up.
        azimuth, elevation: (B,) direction from the cloud to the camera [rad].
    """
    batch, n, _ = points.shape
    if not batch:
        return np.zeros((0, n), bool)
    right, up, toward = view_axes(azimuth, elevation)
    u, v, depth = (np.einsum("bpk,bk->bp", points, a) for a in (right, up, -toward))
    size = np.maximum(np.ptp(u, axis=1), np.ptp(v, axis=1)).clip(1e-6)[:, None]
    column = ((u - u.min(1, keepdims=True)) / size * (GRID - 1)).astype(np.int64)
    row = ((v - v.min(1, keepdims=True)) / size * (GRID - 1)).astype(np.int64)
    pixel = ((np.arange(batch)[:, None] * GRID + row) * GRID + column).ravel()
    nearest = np.full(batch * GRID * GRID, np.inf, np.float32)
    np.minimum.at(nearest, pixel, depth.ravel())
    return depth <= nearest[pixel].reshape(batch, n) + TOLERANCE * size / 2


def view_axes(azimuth, elevation):
    """Right, up and toward-the-camera axes (B, 3) float32 of views from a direction [rad]."""
    ca, sa, ce, se = np.cos(azimuth), np.sin(azimuth), np.cos(elevation), np.sin(elevation)
    zero = np.zeros_like(ca)
    toward = np.stack([ca * ce, sa * ce, se], 1)
    right = np.stack([-sa, ca, zero], 1)
    up = np.stack([-ca * se, -sa * se, ce], 1)
    return tuple(a.astype(np.float32) for a in (right, up, toward))
