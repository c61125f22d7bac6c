"""Surface normals from a depth map: slopes of the inverse depth, which is linear on planes."""

import torch
from torch.nn.functional import avg_pool2d

from roomcad_offline.multi_sparc.scenes.camera import rays

LARGEST_STEP = 0.06  # neighbours whose depths differ by more of themselves are other surfaces


def normals_from_depth(depth, K, radius=1):
    """Unit normals towards the camera.

    Args:
        depth: (B, H, W) z-depth [m], 0 = missing.
        K: (B, 3, 3) intrinsics [px].
        radius: slopes are averaged over 2 radius + 1 pixels.

    Returns:
        (B, H, W, 3), 0 where depth or all neighbours on one axis are missing.
    """
    known = depth > 0
    inverse = torch.where(known, 1 / depth.clamp(min=1e-3), 0)
    slope_u, has_u = _slope(inverse, radius)
    slope_v, has_v = _slope(inverse.transpose(1, 2), radius)
    slope_v, has_v = slope_v.transpose(1, 2), has_v.transpose(1, 2)
    ray = rays(K, *depth.shape[1:])
    x = -slope_u * K[:, 0, 0, None, None]
    y = -slope_v * K[:, 1, 1, None, None]
    z = -inverse - x * ray[..., 0] - y * ray[..., 1]
    normal = torch.stack([x, y, z], -1)
    normal = normal / normal.norm(dim=-1, keepdim=True).clamp(min=1e-9)
    return torch.where((known & has_u & has_v)[..., None], normal, 0)


def _slope(inverse, radius):
    """Change (B, H, W) of the inverse depth along the last axis, and where it is known."""
    a, b = inverse[..., :-1], inverse[..., 1:]
    step = b - a
    alike = (step.abs() < LARGEST_STEP * torch.minimum(a, b)).to(inverse.dtype)
    return _mean_around(step * alike, alike, radius)


def _mean_around(value, weight, radius):
    """Means over the neighbours of values that lie between the pixels of the last axis."""
    window = (2 * radius + 1, 2 * radius)
    pooled = []
    for map_ in (value, weight):
        padded = torch.nn.functional.pad(map_[:, None], (radius, radius, radius, radius))
        pooled.append(avg_pool2d(padded, window, 1)[:, 0])
    known = pooled[1] > 1e-6
    return torch.where(known, pooled[0] / pooled[1].clamp(min=1e-6), 0), known
