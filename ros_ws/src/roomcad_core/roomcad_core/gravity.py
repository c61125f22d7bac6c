"""Gravity first: which way is up for the camera, and the frame in which everything is judged."""

import numpy as np

from roomcad_core.pose import rigid


def gravity_frame(up_cam):
    """T_grav_cam (4, 4), a pure rotation, from the up direction in the camera frame.

    The grav frame has z up, x along the camera's horizontal heading, origin at the camera.
    A camera looking straight up or down takes its image's up side as heading.
    """
    up = np.asarray(up_cam, float)
    length = np.linalg.norm(up)
    if not np.isfinite(length) or length < 1e-9:
        raise ValueError(f"up direction must be a finite, non-zero vector, got {up.tolist()}")
    up = up / length
    forward = np.array([0.0, 0.0, 1.0])
    heading = forward - up * (up @ forward)
    if np.linalg.norm(heading) < 1e-3:
        heading = np.array([0.0, -1.0, 0.0]) - up * -up[1]
    heading /= np.linalg.norm(heading)
    return rigid(np.stack([heading, np.cross(up, heading), up]), np.zeros(3))


def up_from_pose(T_world_cam):
    """Up direction in the camera frame (3,) of a camera posed in a z-up world."""
    return T_world_cam[:3, :3].T @ np.array([0.0, 0.0, 1.0])


def up_axis_of(T_raw_cam_list):
    """Rotation (4, 4) from a world of unknown axis convention to a z-up world.

    Recorded worlds are aligned with gravity along one of their axes (ScanNet: z, HoloLens: y).
    People and robots hold cameras upright on average, so that axis is the one nearest to the
    mean of the cameras' own up direction.

    Raises:
        ValueError: no pose is finite.
    """
    ups = [-T[:3, 1] for T in T_raw_cam_list if np.isfinite(T).all()]
    if not ups:
        raise ValueError("no finite camera pose: the up direction of the world is unknown")
    mean = np.mean(ups, axis=0)
    axis = int(np.argmax(np.abs(mean)))
    up = np.zeros(3)
    up[axis] = np.sign(mean[axis]) or 1.0
    # A cyclic exchange of axes keeps an already z-up world as it is.
    x = np.roll(np.array([1.0, 0.0, 0.0]), axis - 2)
    return rigid(np.stack([x, np.cross(up, x), up]), np.zeros(3))
