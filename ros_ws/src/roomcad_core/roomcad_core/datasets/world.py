"""From recorded worlds of any axis convention to the z-up world of roomcad."""

import logging

import numpy as np

from roomcad_core.gravity import up_axis_of
from roomcad_core.pose import rigid

log = logging.getLogger(__name__)

AXES = {
    sign + name: np.array(axis) * (-1.0 if sign else 1.0)
    for name, axis in (("x", (1, 0, 0)), ("y", (0, 1, 0)), ("z", (0, 0, 1)))
    for sign in ("", "-")
}
UP_CHOICES = ("auto", *AXES)
RIGID_TOLERANCE = 0.02  # deviation of a rotation's singular values from 1 that is no rounding


def to_z_up(up, poses):
    """T_world_raw (4, 4): rotation from the recorded world to the z-up world.

    Args:
        up: "auto" (the axis nearest to the cameras' mean up direction) or an axis name: "y", "-z".
        poses: list of (4, 4) T_raw_cam or None; without any known pose "auto" gives identity.
    """
    known = [T for T in poses if T is not None]
    if up != "auto":
        upright = np.eye(4)
        upright[:3, 1] = -AXES[up]  # a camera held upright: its y axis points down
        return up_axis_of([upright])
    if not known:
        return np.eye(4)
    T_world_raw = up_axis_of(known)
    log.info("up direction of the recorded world: %s", np.round(T_world_raw[2, :3]).tolist())
    return T_world_raw


def checked_pose(M, source):
    """Nearest rigid (4, 4) to a recorded pose; None where it holds NaN or infinity (lost).

    Raises:
        ValueError: finite but not a rigid transform; `source` names the file.
    """
    M = np.asarray(M, float)
    if not np.isfinite(M).all():
        return None
    U, stretch, Vt = np.linalg.svd(M[:3, :3])
    error = np.abs(stretch - 1).max()
    if error > RIGID_TOLERANCE or np.linalg.det(U @ Vt) < 0 or not np.allclose(M[3], (0, 0, 0, 1)):
        raise ValueError(
            f"{source}: not a rigid camera-to-world transform (axis lengths "
            f"{np.round(stretch, 3).tolist()}, last row {M[3].tolist()})"
        )
    return M if error < 1e-9 else rigid(U @ Vt, M[:3, 3])
