"""Undistorted pinhole camera, optical frame (x right, y down, z forward); lengths in metres."""

import numpy as np


def project(points_cam, K):
    """Project (..., 3) camera-frame points: (..., 2) pixels and (...,) depth.

    A depth <= 0 lies behind the camera and its pixel means nothing.
    """
    depth = points_cam[..., 2]
    uvw = points_cam @ K.T
    with np.errstate(divide="ignore", invalid="ignore"):
        return uvw[..., :2] / uvw[..., 2:], depth


def rays(shape, K):
    """(H, W, 3) float32 viewing rays with z = 1 of an image of `shape` (H, W)."""
    height, width = shape
    x = ((np.arange(width) - K[0, 2]) / K[0, 0]).astype(np.float32)
    y = ((np.arange(height) - K[1, 2]) / K[1, 1]).astype(np.float32)
    out = np.empty((height, width, 3), np.float32)
    out[..., 0], out[..., 1], out[..., 2] = x, y[:, None], 1
    return out


def unproject(depth, K):
    """(H, W) z-depth to (H, W, 3) float32 camera-frame points; missing depth gives zeros."""
    return rays(depth.shape, K) * depth[..., None]


def resize_intrinsics(K, factor_x, factor_y):
    """K of the image resized by the two factors, pixel centres at integer coordinates."""
    out = np.array(K, float)
    out[0, :2] *= factor_x
    out[1, 1] *= factor_y
    out[0, 2] = (K[0, 2] + 0.5) * factor_x - 0.5
    out[1, 2] = (K[1, 2] + 0.5) * factor_y - 0.5
    return out
