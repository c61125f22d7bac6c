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


def estimate_up(normals, prior=(0.0, -1.0, 0.0), largest_tilt=0.9):
    """Up direction in the camera frame (3,) from the surfaces seen, without any pose.

    Rooms consist of level and upright surfaces: the direction that most normals are parallel or
    perpendicular to, refined by least squares. Floors and tables count only if they face up.

    Args:
        normals: (N, 3) unit surface normals in the camera frame, towards the camera.
        prior: (3,) rough up direction; the default is a camera held upright.
        largest_tilt: largest angle between prior and result [rad].

    Returns:
        (3,) unit vector; the prior where there are too few surfaces to tell.
    """
    prior = np.asarray(prior, float) / np.linalg.norm(prior)
    n = np.asarray(normals, float)[:: max(1, len(normals) // 3000)]
    if len(n) < 50:
        return prior
    candidates = _cap(prior, largest_tilt)
    dots = candidates @ n.T
    tilt = np.arccos(np.clip(candidates @ prior, -1, 1))
    level, upright = (dots > 0.98).mean(axis=1), (np.abs(dots) < 0.15).mean(axis=1)
    score = (level + 0.5 * upright) * (1 - 0.3 * tilt)
    up = candidates[np.argmax(score)]
    for reach in (0.25, 0.12, 0.06):
        parallel, across = n[n @ up > np.cos(reach)], n[np.abs(n @ up) < np.sin(reach)]
        if len(parallel) < 0.02 * len(n) and len(across) < 0.2 * len(n):
            return prior
        up = np.linalg.eigh(across.T @ across - parallel.T @ parallel)[1][:, 0]
        up = up if up @ prior > 0 else -up
    return up if np.arccos(np.clip(up @ prior, -1, 1)) <= largest_tilt + 0.1 else prior


def _cap(axis, angle, step=0.06):
    """(M, 3) unit vectors within `angle` of `axis`, about `step` [rad] apart."""
    side = np.linalg.svd(axis[None])[2][1:]
    rings = [axis[None]]
    for polar in np.arange(step, angle, step):
        turn = np.arange(0, 2 * np.pi, step / np.sin(polar))
        around = np.column_stack([np.cos(turn), np.sin(turn)]) @ side
        rings.append(np.cos(polar) * axis + np.sin(polar) * around)
    return np.concatenate(rings)


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
