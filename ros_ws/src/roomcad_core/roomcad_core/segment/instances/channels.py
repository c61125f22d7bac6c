"""What the network is told of each cell: places and directions that mean the same on any sensor,
and colour, where there is any.

Places and directions are in the grav frame: z up, x along the camera's heading, so that neither the
camera's tilt nor its heading matters.
"""

import numpy as np

CHANNELS = (
    "nearness",  # inverse depth [1/m]
    "ahead",  # x / REACH
    "left",  # y / REACH
    "height",  # above the floor [m]
    "normal_x",
    "normal_y",
    "normal_z",
    "known",  # 1 where the depth is known, all else is 0 elsewhere
    "smooth",  # 1 where the normal is known
    "floor",  # 1 everywhere if the floor's height is known
    "red",  # -1 to 1, as green and blue
    "green",
    "blue",
    "coloured",  # 1 everywhere if there is a colour image; else the three are 0
)
REACH = 4.0  # [m]
EYE_LEVEL = 1.2  # height of a camera whose height is not known [m]


def channels(q, points, normals, floor_z, color=None):
    """(len(CHANNELS), h, w) float32 input of the network.

    Args:
        q: (h, w) inverse depth [1/m], 0 = unknown.
        points: (h, w, 3) grav frame [m].
        normals: (h, w, 3) unit, grav frame, 0 = unknown.
        floor_z: height of the floor in the grav frame [m], or None.
        color: (h, w, 3) uint8 RGB, or None.
    """
    out = np.zeros((len(CHANNELS), *q.shape), np.float32)
    known = q > 0
    out[0] = q
    out[1], out[2] = points[..., 0] / REACH, points[..., 1] / REACH
    out[3] = points[..., 2] - (-EYE_LEVEL if floor_z is None else floor_z)
    out[4:7] = np.moveaxis(normals, 2, 0)
    out[7] = known
    out[8] = np.abs(out[4:7]).max(0) > 0
    if color is not None:
        out[10:13] = np.moveaxis(color, 2, 0) / np.float32(127.5) - 1
    out *= known
    out[9] = floor_z is not None
    out[13] = color is not None
    return out
