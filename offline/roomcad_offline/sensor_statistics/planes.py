"""Local planes of a depth image: residual noise, slant, and the surface nearest to a gap.

A plane seen by a pinhole camera has an inverse depth that is linear in the pixel (Konolige and
Mihelich, "Technical description of Kinect calibration", 2010), so a plane fit is a linear fit of
1/z over a window, and all windows of an image are fitted at once with box filters.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.ndimage import distance_transform_edt


@dataclass(frozen=True)
class Planes:
    """One plane for the window around each pixel; arrays (H, W), NaN where a window has gaps."""

    depth: np.ndarray  # z of the plane at the pixel [m]
    sigma: np.ndarray  # standard deviation of the depth around the plane [m]
    cosine: np.ndarray  # of the angle between the viewing ray and the plane's normal


def fit_planes(depth: np.ndarray, K: np.ndarray, window: int) -> Planes:
    """Planes of all `window` x `window` windows of a depth image (H, W) [m], 0 = missing.

    Args:
        K: (3, 3) intrinsics [px]. window: odd, at least 3 [px].
    """
    if window < 3 or window % 2 == 0:
        raise ValueError(f"window: got {window}, expected an odd number of at least 3")
    valid = depth > 0
    inverse = np.where(valid, 1 / np.maximum(depth, 1e-3), 0).astype(np.float64)
    whole = cv2.erode(valid.astype(np.uint8), np.ones((window, window)), borderValue=0) > 0
    offset = np.arange(window) - window // 2
    flat, ramp = np.full(window, 1 / window), offset / window
    square = np.mean(offset.astype(float) ** 2)
    mean = cv2.sepFilter2D(inverse, -1, flat, flat)
    per_u = cv2.sepFilter2D(inverse, -1, ramp, flat) / square
    per_v = cv2.sepFilter2D(inverse, -1, flat, ramp) / square
    power = cv2.sepFilter2D(inverse**2, -1, flat, flat)
    spread = np.maximum(power - mean**2 - (per_u**2 + per_v**2) * square, 0)
    spread *= window**2 / (window**2 - 3)  # three parameters were fitted
    z = 1 / np.maximum(mean, 1e-6)
    nothing = np.where(whole, 0, np.nan)
    cosine = _cosine(mean, per_u, per_v, K)
    return Planes(z + nothing, z**2 * np.sqrt(spread) + nothing, cosine + nothing)


def _cosine(mean, per_u, per_v, K):
    """Cosine of incidence of planes 1/z = mean + per_u du + per_v dv around each pixel."""
    height, width = mean.shape
    x = (np.arange(width) - K[0, 2])[None, :]
    y = (np.arange(height) - K[1, 2])[:, None]
    normal_z = mean - per_u * x - per_v * y
    length = np.sqrt((per_u * K[0, 0]) ** 2 + (per_v * K[1, 1]) ** 2 + normal_z**2)
    ray = np.sqrt(1 + (x / K[0, 0]) ** 2 + (y / K[1, 1]) ** 2)
    return np.clip(mean / np.maximum(length * ray, 1e-9), 0, 1)


def nearest_known(*images: np.ndarray) -> tuple[np.ndarray, ...]:
    """Images (H, W) where NaN pixels have the value of the nearest pixel that is none.

    All are NaN at the same pixels; where everything is, the images come back as they are.
    """
    unknown = np.isnan(images[0])
    if unknown.all() or not unknown.any():
        return images
    index = distance_transform_edt(unknown, return_distances=False, return_indices=True)
    return tuple(image[tuple(index)] for image in images)
