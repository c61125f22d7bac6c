"""Rigid and 9-DoF poses. Quaternions are xyzw; T_a_b maps points from frame b to frame a."""

import numpy as np
from scipy.spatial.transform import Rotation

# Turns about the CAD's up axis (y) that leave a model of each symmetry unchanged; a rotational
# model is sampled in 36 steps as Scan2CAD's evaluator does.
SYMMETRIES = {"none": 1, "2-fold": 2, "4-fold": 4, "rotational": 36}


def rigid(R, t):
    """(4, 4) rigid transform from a (3, 3) rotation and a (3,) translation [m]."""
    T = np.eye(4)
    T[:3, :3], T[:3, 3] = R, t
    return T


def inverse(T):
    """Inverse of a (4, 4) rigid transform."""
    R = T[:3, :3].T
    return rigid(R, -R @ T[:3, 3])


def transform(T, points):
    """Map (..., 3) points by a (4, 4) affine transform."""
    return points @ T[:3, :3].T + T[:3, 3]


def affine(T, S):
    """M = T·diag(S): (4, 4) map from the unit CAD frame, given rigid T and (3,) size S [m]."""
    return T @ np.diag([*S, 1.0])


def decompose(M):
    """Split M = T·diag(S) into rigid T (4, 4) and size S (3,); M must have no shear."""
    S = np.linalg.norm(M[:3, :3], axis=0)
    if not np.all(S > 0):
        raise ValueError(f"affine map with a vanishing axis: column norms {S.tolist()}")
    return rigid(M[:3, :3] / S, M[:3, 3]), S


def quaternion(R):
    """xyzw quaternion of a (3, 3) rotation, w >= 0."""
    q = Rotation.from_matrix(R).as_quat()
    return q if q[3] >= 0 else -q


def rotation(q):
    """(3, 3) rotation of an xyzw quaternion."""
    return Rotation.from_quat(q).as_matrix()


def rotation_y(angle):
    """(3, 3) turn about y (a CAD's up axis) by `angle` [rad]."""
    return Rotation.from_euler("y", angle).as_matrix()


def upright_rotation(yaw):
    """(3, 3) rotation from the CAD frame (y up) to a z-up frame, turned about up by `yaw` [rad].

    At yaw 0 the CAD's x axis is the frame's x axis and its front (-z) faces +y.
    """
    c, s = np.cos(yaw), np.sin(yaw)
    return np.array([[c, 0.0, s], [s, 0.0, -c], [0.0, 1.0, 0.0]])


def yaw_of(R_zup_obj):
    """Yaw [rad] of the upright rotation nearest in heading to a (3, 3) CAD -> z-up rotation."""
    return float(np.arctan2(R_zup_obj[1, 0] + R_zup_obj[0, 2], R_zup_obj[0, 0] - R_zup_obj[1, 2]))


def rotation_error(R_a, R_b, symmetry="none"):
    """Smallest angle [rad] between two (3, 3) rotations over the CAD's symmetric turns about y."""
    n = SYMMETRIES[symmetry]
    turns = Rotation.from_rotvec(np.outer(np.arange(n) * 2 * np.pi / n, [0, 1, 0]))
    difference = Rotation.from_matrix(R_a).inv() * Rotation.from_matrix(R_b)
    return float((difference * turns).magnitude().min())


def pose_errors(T, S, T_true, S_true, symmetry="none"):
    """Errors of a 9-DoF pose: (translation [m], rotation [rad], scale mean|s/s_true - 1|)."""
    return (
        float(np.linalg.norm(T[:3, 3] - T_true[:3, 3])),
        rotation_error(T[:3, :3], T_true[:3, :3], symmetry),
        float(np.mean(np.abs(np.asarray(S) / S_true - 1))),
    )
