"""A track's pose from its sightings: one of equal ones, and a mean against jitter."""

import numpy as np
from scipy.spatial.transform import Rotation

from roomcad_core.pose import SYMMETRIES, rigid, rotation_y


def nearest_equivalent(T, S, T_last, symmetry):
    """The pose that shows a symmetric CAD the same way and turns least against the last one.

    Args:
        T: (4, 4) camera or world from object, S: (3,) its size [m].
        T_last: (4, 4) last pose in the same frame.
        symmetry: a key of pose.SYMMETRIES. A rotational model may be turned by any angle.

    Returns:
        T and S; after a quarter turn the sizes along x and z have changed places.
    """
    angle = _best_turn(T_last[:3, :3].T @ T[:3, :3], symmetry)
    if angle == 0:
        return T, S
    c, s = np.cos(angle), np.sin(angle)
    size = np.array([np.hypot(c * S[0], s * S[2]), S[1], np.hypot(s * S[0], c * S[2])])
    return rigid(T[:3, :3] @ rotation_y(angle), T[:3, 3]), size


def _best_turn(R, symmetry):
    """Turn about y [rad] after which a rotation R (3, 3) is nearest to none."""
    n = SYMMETRIES[symmetry]
    best = np.arctan2(R[2, 0] - R[0, 2], R[0, 0] + R[2, 2])
    if symmetry == "rotational":
        return best
    return round(best * n / (2 * np.pi)) % n * 2 * np.pi / n


def blended(last, new, share):
    """`share` of the way from the last pose to the new one; both are (T, S).

    Sizes are averaged as factors.
    """
    (T_last, S_last), (T, S) = last, new
    turn = Rotation.from_matrix(T_last[:3, :3].T @ T[:3, :3]).as_rotvec()
    R = T_last[:3, :3] @ Rotation.from_rotvec(share * turn).as_matrix()
    t = (1 - share) * T_last[:3, 3] + share * T[:3, 3]
    return rigid(R, t), np.exp((1 - share) * np.log(S_last) + share * np.log(S))


def off(T_a, T_b):
    """How far apart two poses are: [m], [rad]."""
    turn = Rotation.from_matrix(T_a[:3, :3].T @ T_b[:3, :3]).magnitude()
    return float(np.linalg.norm(T_a[:3, 3] - T_b[:3, 3])), float(turn)
