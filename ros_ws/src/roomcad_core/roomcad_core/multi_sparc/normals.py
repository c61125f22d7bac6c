"""Surface normals from a depth map: slopes of the inverse depth, which is linear on planes.

The network was trained on the normals of scenes/normals.py (offline); a test holds both equal.
"""

import numpy as np

from roomcad_core.camera import rays

LARGEST_STEP = 0.06  # neighbours whose depths differ by more of themselves are other surfaces
RADIUS = 1  # slopes are averaged over 2 RADIUS + 1 pixels


def normals_from_depth(depth, K, radius=RADIUS):
    """(H, W, 3) float32 unit normals towards the camera, camera frame.

    0 where the depth, or all neighbours on one axis, are missing.

    Args:
        depth: (H, W) float32 z-depth [m], 0 = missing.
        K: (3, 3) intrinsics [px].
    """
    depth = np.asarray(depth, np.float32)
    known = depth > 0
    inverse = np.where(known, 1 / np.maximum(depth, np.float32(1e-3)), np.float32(0))
    slope_u, has_u = _slope(inverse, radius)
    slope_v, has_v = (a.T for a in _slope(np.ascontiguousarray(inverse.T), radius))
    ray = rays(depth.shape, K)
    normal = np.empty((*depth.shape, 3), np.float32)
    normal[..., 0] = -slope_u * np.float32(K[0, 0])
    normal[..., 1] = -slope_v * np.float32(K[1, 1])
    normal[..., 2] = -inverse - normal[..., 0] * ray[..., 0] - normal[..., 1] * ray[..., 1]
    length = np.sqrt(np.einsum("...i,...i", normal, normal))
    normal /= np.maximum(length, np.float32(1e-9))[..., None]
    normal[~(known & has_u & has_v)] = 0
    return normal


def _slope(inverse, radius):
    """Change (H, W) of the inverse depth along the last axis, and where it is known."""
    a, b = inverse[:, :-1], inverse[:, 1:]
    step = b - a
    alike = (np.abs(step) < LARGEST_STEP * np.minimum(a, b)).astype(np.float32)
    total, weight = _sum_around(step * alike, radius), _sum_around(alike, radius)
    known = weight > 0.5
    return np.where(known, total / np.maximum(weight, 1), np.float32(0)), known


def _sum_around(between, radius):
    """(H, W) sums over the neighbours of (H, W - 1) values that lie between pixels."""
    padded = np.pad(between, radius)
    height, width = len(between), between.shape[1] + 1
    along = sum(padded[:, i : i + width] for i in range(2 * radius))
    return sum(along[i : i + height] for i in range(2 * radius + 1))
