"""Place a CAD model into the upright box of a crop, minding what the camera cannot see.

The grav frame is centred at the camera, so "near" and "far" are measured from its origin. A
single view shows the near sides of an object; its far sides are guessed from the model's size.
"""

import numpy as np

from roomcad_core.pose import inverse, rigid, transform, upright_rotation, yaw_of

# An observed side within this ratio of the model's is believed, else the model's size is.
BELIEVED = (0.75, 1.35)
# Crops whose bottom is at most this far above the floor stand on it [m]: legs are thin and
# their lower ends often missing or hidden.
STANDS_ON_FLOOR = 0.5
RAISED = ("monitor",)  # classes that stand on something else


def fit_to_box(box, model, floor_z=None):
    """T_grav_obj (4, 4) and S (3,) of `model` in the box of a crop, along the box's own axes.

    Args:
        box: UprightBox in the grav frame.
        floor_z: height of the floor in the grav frame [m], or None.
    """
    low, high = -box.extents / 2, box.extents / 2
    size_zup = np.asarray(model.size, float)[[0, 2, 1]]
    if floor_z is not None and _stands(box, model, floor_z):
        low[2] -= box.bottom - floor_z
    origin = _to_box(-box.center, box.yaw)  # the camera, in box axes
    low, high = complete(low, high, size_zup, origin)
    center = box.center + _from_box((low + high) / 2, box.yaw)
    return rigid(upright_rotation(box.yaw), center), (high - low)[[0, 2, 1]]


def _stands(box, model, floor_z):
    """True if a crop that ends above the floor is the upper part of something that stands on it.

    A table with chairs around shows its top alone: then the height over the floor tells.
    """
    if model.label in RAISED:
        return False
    ratio = (box.top - floor_z) / model.size[1]
    near = box.bottom - floor_z < STANDS_ON_FLOOR
    return near or BELIEVED[0] <= ratio <= BELIEVED[1]


def refit_size(points_grav, T_grav_obj, S, model):
    """The pose again with sides and centre taken from the crop along the refined axes."""
    yaw = yaw_of(T_grav_obj[:3, :3])
    points_box = _to_box(points_grav - T_grav_obj[:3, 3], yaw)
    low, high = np.quantile(points_box, [0.01, 0.99], axis=0)
    half = S[[0, 2, 1]] / 2
    # Up and down the box fit already knew more (the floor), so only a higher top counts.
    low[2], high[2] = -half[2], max(high[2], half[2] * 0.8)
    origin = _to_box(-T_grav_obj[:3, 3], yaw)
    low, high = complete(low, high, np.asarray(model.size, float)[[0, 2, 1]], origin)
    center = T_grav_obj[:3, 3] + _from_box((low + high) / 2, yaw)
    return rigid(T_grav_obj[:3, :3], center), (high - low)[[0, 2, 1]]


def complete(low, high, size, origin):
    """Box sides grown or shrunk to the model's `size` where the seen extent is implausible.

    All in box axes (z up). Horizontally the side nearer to the camera at `origin` (3,) stays;
    vertically the bottom stays if the seen part is too low, for tops are rarely hidden.
    """
    low, high = np.array(low, float), np.array(high, float)
    for axis in range(3):
        ratio = (high[axis] - low[axis]) / size[axis]
        if BELIEVED[0] <= ratio <= BELIEVED[1]:
            continue
        if axis == 2:
            low[axis] = high[axis] - size[axis]
        elif abs(origin[axis] - low[axis]) < abs(origin[axis] - high[axis]):
            high[axis] = low[axis] + size[axis]
        else:
            low[axis] = high[axis] - size[axis]
    return low, high


def _to_box(points, yaw):
    """z-up points to axes turned by `yaw`."""
    return transform(inverse(_turn(yaw)), points)


def _from_box(points, yaw):
    return transform(_turn(yaw), points)


def _turn(yaw):
    c, s = np.cos(yaw), np.sin(yaw)
    return rigid(np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]), np.zeros(3))
