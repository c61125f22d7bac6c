"""Point clouds as depth images, so that one method serves cameras and clouds."""

from __future__ import annotations

import cv2
import numpy as np

VIRTUAL_WIDTH = 640  # columns of the virtual camera onto which unorganised clouds are projected


def depth_from_cloud(points, K=None, shape=None):
    """Depth image and intrinsics of a camera-frame (x right, y down, z forward) cloud.

    Args:
        points: (H, W, 3) organised cloud, NaN or z <= 0 = missing; or (N, 3) in any order.
        K: (3, 3) intrinsics; None fits them to an organised cloud, or takes a virtual camera
            that holds an unorganised one.
        shape: (H, W) of the depth image of an unorganised cloud; needed when K is given.

    Returns:
        depth (H, W) float32 [m], 0 = missing, and K (3, 3).

    Raises:
        ValueError: wrong shape, no valid point, or K given without shape.
    """
    points = np.asarray(points, np.float32)
    if points.ndim not in (2, 3) or points.shape[-1] != 3:
        raise ValueError(f"cloud: got shape {points.shape}, expected (H, W, 3) or (N, 3)")
    valid = np.isfinite(points).all(axis=-1)
    valid[valid] &= points[valid][:, 2] > 0
    if not valid.any():
        raise ValueError(f"cloud {points.shape}: no finite point in front of the camera")
    if points.ndim == 3 and min(points.shape[:2]) > 1:
        depth = np.where(valid, points[..., 2], np.float32(0))
        return depth, (fit_intrinsics(points, valid) if K is None else np.asarray(K, float))
    return project_cloud(points[valid], K, shape)


def fit_intrinsics(points, valid):
    """Least-squares pinhole K of an organised cloud (H, W, 3)."""
    rows, cols = np.nonzero(valid)
    p = points[rows, cols].astype(float)
    K = np.eye(3)
    for axis, pixel in ((0, cols), (1, rows)):
        ratio = p[:, axis] / p[:, 2]
        if np.ptp(ratio) < 1e-6:
            raise ValueError("organised cloud: all valid points lie in one row or column")
        K[axis, axis], K[axis, 2] = np.polyfit(ratio, pixel, 1)
    misfit = np.abs(K[0, 0] * p[:, 0] / p[:, 2] + K[0, 2] - cols)
    if K[0, 0] <= 0 or K[1, 1] <= 0 or np.median(misfit) > 2:
        raise ValueError("organised cloud is not in a camera optical frame (x right, y down)")
    return K


def project_cloud(points, K=None, shape=None):
    """Z-buffer of (N, 3) points; small holes are closed. See depth_from_cloud."""
    if K is None:
        K, shape = virtual_camera(points, shape)
    elif shape is None:
        raise ValueError("cloud: K of an unorganised cloud needs the shape (H, W) of its image")
    height, width = shape
    u = np.round(K[0, 0] * points[:, 0] / points[:, 2] + K[0, 2]).astype(int)
    v = np.round(K[1, 1] * points[:, 1] / points[:, 2] + K[1, 2]).astype(int)
    inside = (u >= 0) & (u < width) & (v >= 0) & (v < height)
    if not inside.any():
        raise ValueError("cloud: no point falls into the image of the given K and shape")
    depth = np.full(height * width, np.inf, np.float32)
    np.minimum.at(depth, v[inside] * width + u[inside], points[inside, 2])
    depth[np.isinf(depth)] = 0
    return _close_holes(depth.reshape(height, width)), np.asarray(K, float)


def virtual_camera(points, shape=None):
    """K and shape of a pinhole camera whose image just holds (N, 3) points (90 degrees at most)."""
    x, y = points[:, 0] / points[:, 2], points[:, 1] / points[:, 2]
    low = np.clip(np.percentile([x, y], 0.5, axis=1), -1, 1)
    high = np.clip(np.percentile([x, y], 99.5, axis=1), -1, 1)
    span = np.maximum(high - low, 1e-3)
    if shape is None:
        width = int(np.clip(np.sqrt(len(points) * span[0] / span[1]), 32, VIRTUAL_WIDTH))
        shape = max(int(width * span[1] / span[0]), 8), width
    f = min((shape[1] - 1) / span[0], (shape[0] - 1) / span[1])
    K = np.array([[f, 0, -f * low[0]], [0, f, -f * low[1]], [0, 0, 1.0]])
    return K, shape


def _close_holes(depth):
    """Fill single missing pixels between measured ones with the nearest depth around."""
    kernel = np.ones((3, 3), np.uint8)
    far = np.where(depth > 0, depth, np.float32(1e6))
    closed = cv2.dilate(cv2.erode(far, kernel), kernel)
    return np.where((depth == 0) & (closed < 1e6), closed, depth)
