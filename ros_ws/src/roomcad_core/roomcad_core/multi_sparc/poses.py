"""Poses on their way into the loop and out of it."""

import numpy as np

from roomcad_core.multi_sparc.loop import Poses

LARGEST_SKEW = 0.05  # rotations whose R'R differs more from the identity are none


def given_poses(starts):
    """Poses of N objects that start from A pairs of T_cam_obj (4, 4) and S (3,) each."""
    T = np.stack([[T_cam_obj for T_cam_obj, _ in poses] for poses in starts], 1)
    S = np.stack([[S for _, S in poses] for poses in starts], 1)
    return Poses(T[..., :3, 3], T[..., :3, :3], S)


def are_poses(poses):
    """(A, N) bool: everything is finite, R is a rotation and S positive."""
    T, R, S = poses
    with np.errstate(invalid="ignore", over="ignore"):
        skew = np.abs(np.swapaxes(R, -1, -2) @ R - np.eye(3)).max((-1, -2))
        right = (skew < LARGEST_SKEW) & (np.linalg.det(R) > 0)
    return right & np.isfinite(T).all(-1) & (np.isfinite(S) & (S > 0)).all(-1)


def nearest_rotation(R):
    """(3, 3) float64 rotation nearest to R, which rounding has bent a little."""
    U, _, V = np.linalg.svd(np.asarray(R, float))
    return U @ V
