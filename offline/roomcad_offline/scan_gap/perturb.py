"""The post's perturbations of clouds in the unit sphere: rotation, noise, occlusion, background.

All work on batches (B, N, 3) float32 and take a NumPy generator.
"""

import numpy as np
from scipy.spatial.transform import Rotation

N_BACKGROUND = (100, 250, 500)  # points replaced by the background augmentation
P_BACKGROUND = 0.5


def rotation_pool(k, seed):
    """(k, 3, 3) fixed random rotations, uniform over SO(3) (Shoemake's quaternions)."""
    u, v, w = np.random.default_rng(seed + 1000).random((3, k))
    quaternions = np.stack(
        [
            np.sqrt(1 - u) * np.sin(2 * np.pi * v),
            np.sqrt(1 - u) * np.cos(2 * np.pi * v),
            np.sqrt(u) * np.sin(2 * np.pi * w),
            np.sqrt(u) * np.cos(2 * np.pi * w),
        ],
        axis=1,
    )
    return Rotation.from_quat(quaternions).as_matrix().astype(np.float32)


def yaw_pool(k):
    """(k, 3, 3) rotations about the up axis z, evenly spread over the circle."""
    return (
        Rotation.from_rotvec(np.arange(k)[:, None] * (2 * np.pi / k) * np.array([0.0, 0.0, 1.0]))
        .as_matrix()
        .astype(np.float32)
    )


def rotate(points, pool, rng):
    """Each cloud turned by a rotation drawn from the pool."""
    chosen = pool[rng.integers(len(pool), size=len(points))]
    return points @ chosen.transpose(0, 2, 1)


def add_noise(points, sigma, rng):
    """Isotropic Gaussian displacement of every point."""
    return points + sigma * rng.standard_normal(points.shape, np.float32)


def occlude(points, fraction, rng):
    """Drop the lowest `fraction` of each cloud along a random axis; resample the rest to N."""
    batch, n, _ = points.shape
    axis = rng.standard_normal((batch, 3), np.float32)
    order = np.argsort(np.einsum("bnk,bk->bn", points, axis), axis=1)
    kept = order[:, min(int(round(fraction * n)), n - 1) :]
    again = rng.integers(kept.shape[1], size=(batch, n - kept.shape[1]))
    index = np.concatenate([kept, np.take_along_axis(kept, again, 1)], axis=1)
    return np.take_along_axis(points, index[..., None], 1)


def clutter(n, rng):
    """(n, 3) points uniform in [-1, 1]^3 outside the unit ball."""
    found = np.empty((0, 3), np.float32)
    while len(found) < n:  # 48 % of the cube lies outside the ball
        points = rng.uniform(-1, 1, (2 * (n - len(found)) + 32, 3)).astype(np.float32)
        found = np.concatenate([found, points[(points**2).sum(1) > 1]])
    return found[:n]


def attach_background(points, n_background, rng):
    """Replace `n_background` points of every cloud by clutter (post, `attach_background`)."""
    points = points.copy()
    for cloud in points:
        cloud[rng.choice(len(cloud), n_background, replace=False)] = clutter(n_background, rng)
    return points


def augment_background(points, rng, p=P_BACKGROUND, choices=N_BACKGROUND):
    """With probability `p` a cloud gets one of `choices` background points."""
    points = points.copy()
    for index in np.flatnonzero(rng.random(len(points)) < p):
        points[index] = attach_background(points[index : index + 1], rng.choice(choices), rng)[0]
    return points
