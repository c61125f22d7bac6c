"""Arrays of 9-DoF poses (t, q, s), M = T(t)·R(q)·diag(s), and what evaluators do with them."""

import numpy as np


def matrices(t, q, s):
    """(N, 4, 4) M of t (N, 3), unit q (N, 4) xyzw and s (N, 3)."""
    M = np.zeros((len(t), 4, 4))
    M[:, :3, :3] = rotations(q) * np.asarray(s)[:, None, :]
    M[:, :3, 3], M[:, 3, 3] = t, 1.0
    return M


def rotations(q):
    """(N, 3, 3) rotations of q (N, 4) xyzw, which need not be normalised."""
    x, y, z, w = (np.asarray(q, float) / np.linalg.norm(q, axis=-1, keepdims=True)).T
    return np.stack(
        [
            *(1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)),
            *(2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)),
            *(2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)),
        ],
        axis=-1,
    ).reshape(-1, 3, 3)


def decompose(M):
    """Split M (N, 4, 4) into t (N, 3), q (N, 4) xyzw with w >= 0, s (N, 3) > 0.

    s are the column norms. Where M has shear (two anisotropic scales in a chain) q is the
    rotation nearest to the normalised columns, the one the published evaluators find as well.
    """
    s = np.linalg.norm(M[:, :3, :3], axis=1)
    return M[:, :3, 3].copy(), quaternions(M[:, :3, :3] / s[:, None, :]), s


def quaternions(R):
    """(N, 4) xyzw, w >= 0, nearest to (N, 3, 3) near-rotations (Bar-Itzhack's eigenvector)."""
    if not len(R):
        return np.zeros((0, 4))
    trace = np.trace(R, axis1=1, axis2=2)
    K = np.zeros((len(R), 4, 4))
    K[:, :3, :3] = R + R.swapaxes(1, 2) - trace[:, None, None] * np.eye(3)
    K[:, :3, 3] = np.stack(
        [R[:, 2, 1] - R[:, 1, 2], R[:, 0, 2] - R[:, 2, 0], R[:, 1, 0] - R[:, 0, 1]], axis=-1
    )
    K[:, 3, :3], K[:, 3, 3] = K[:, :3, 3], trace
    q = np.linalg.eigh(K)[1][:, :, -1]
    return np.where(q[:, 3:] < 0, -q, q)


def scan_poses(annotations, center_offset=False):
    """Poses of an Annotations' models in their scan: inv(M_world_scan)·M_world_cad.

    Args:
        center_offset: append T(-center) to M_world_cad, as Scan2CAD's evaluator does: t then is
            where the CAD point -center lies, not its origin.

    Returns:
        t (N, 3), q (N, 4) xyzw, s (N, 3).
    """
    M_world_scan = matrices(annotations.scan_t, annotations.scan_q, annotations.scan_s)
    M_world_cad = matrices(annotations.t, annotations.q, annotations.s)
    if center_offset:
        M_world_cad[:, :3, 3] -= np.einsum("nij,nj->ni", M_world_cad[:, :3, :3], annotations.center)
    return decompose(np.linalg.inv(M_world_scan)[annotations.scene_index] @ M_world_cad)


def to_scan(t, q, s, T_scan_cam):
    """Poses CAD -> scan from poses CAD -> cam and (N, 4, 4) T_scan_cam, one a row."""
    return decompose(T_scan_cam @ matrices(t, q, s))
