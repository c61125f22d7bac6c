"""What the network is told of each cell: places and directions that mean the same on any sensor,
and colour, where there is any.

Places and directions are in the grav frame: z up, x along the camera's heading, so that neither the
camera's tilt nor its heading matters.
"""

import cv2
import numpy as np

from roomcad_core.segment.instances.cells import fitting

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
    "red",  # -1 to 1, as green and blue; the mean of what the cell covers
    "green",
    "blue",
    "coloured",  # 1 everywhere if there is a colour image; else the three are 0
)
REACH = 4.0  # [m]
EYE_LEVEL = 1.2  # height of a camera whose height is not known [m]


PICTURE = 2  # pixels of the picture along each side of a cell
MIDDLE, HALF = 127.0, 128.0  # of a picture's bytes, as networks that see pictures count them


def channels(q, points, normals, floor_z, picture=None):
    """(len(CHANNELS), h, w) float32 input of the network.

    Args:
        q: (h, w) inverse depth [1/m], 0 = unknown.
        points: (h, w, 3) grav frame [m].
        normals: (h, w, 3) unit, grav frame, 0 = unknown.
        floor_z: height of the floor in the grav frame [m], or None.
        picture: (PICTURE h, PICTURE w, 3) uint8 RGB, or None.
    """
    out = np.zeros((len(CHANNELS), *q.shape), np.float32)
    known = q > 0
    out[0] = q
    out[1], out[2] = points[..., 0] / REACH, points[..., 1] / REACH
    out[3] = points[..., 2] - (-EYE_LEVEL if floor_z is None else floor_z)
    out[4:7] = np.moveaxis(normals, 2, 0)
    out[7] = known
    out[8] = np.abs(out[4:7]).max(0) > 0
    if picture is not None:
        color = cv2.resize(picture, q.shape[::-1], interpolation=cv2.INTER_AREA)
        out[10:13] = np.moveaxis(color, 2, 0) / np.float32(127.5) - 1
    out *= known
    out[9] = floor_z is not None
    out[13] = picture is not None
    return out


def picture_of(color, shape):
    """(PICTURE h, PICTURE w, 3) uint8 the colour that cells (h, w) look at, black beside it.

    Args:
        color: (H, W, 3) uint8 RGB of the frame; None, or all black, where there is none: None.
        shape: (h, w) of the cells.
    """
    if color is None or not color.any():
        return None
    height, width = (PICTURE * n for n in shape)
    factor = fitting(color.shape[:2], (height, width))
    size = tuple(max(1, round(n * factor)) for n in color.shape[1::-1])
    small = cv2.resize(color, size, interpolation=cv2.INTER_AREA)
    top, left = (height - size[1]) // 2, (width - size[0]) // 2
    below, right = height - size[1] - top, width - size[0] - left
    return cv2.copyMakeBorder(small, top, below, left, right, cv2.BORDER_CONSTANT)


def picture_input(picture, shape):
    """(3, PICTURE h, PICTURE w) float32 of a picture, -1 to 1; zeros where there is none."""
    if picture is None:
        return np.zeros((3, *(PICTURE * n for n in shape)), np.float32)
    return (np.moveaxis(picture, 2, 0) - np.float32(MIDDLE)) / np.float32(HALF)
