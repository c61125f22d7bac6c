"""Writes ScanNet's .sens (version 4), which roomcad_core.datasets reads."""

import struct
import zlib
from pathlib import Path

import numpy as np

from roomcad_core.datasets.sens_layout import DEPTH_ZLIB, FRAME_HEAD, VERSION
from roomcad_core.pictures import encode_picture

JPEG = 2  # compression type of the colour pictures
SENSOR = b"StructureSensor"
MILLIMETRES = 1000.0
SECOND = 1e6  # stamps count microseconds


def write_sens(path, frames, K_color, T_base_color=None, T_base_depth=None, K_depth=None):
    """Write frames as a .sens file.

    Args:
        frames: list of types.Frame; T_world_cam is written as it is, None as lost tracking.
        K_color, K_depth: (3, 3) intrinsics [px]; depth has the colour's if not given.
        T_base_color, T_base_depth: (4, 4) rigid extrinsics, identity if not given.

    Raises ValueError where there is no frame or the frames differ in size.
    """
    shapes = {(f.color.shape, f.depth.shape) for f in frames}
    if len(shapes) != 1:
        raise ValueError(f"{path}: got frames of {len(shapes)} different sizes, expected one")
    ((color_shape, depth_shape),) = shapes
    eye = np.eye(4)
    matrices = (
        _intrinsics(K_color),
        eye if T_base_color is None else T_base_color,
        _intrinsics(K_color if K_depth is None else K_depth),
        eye if T_base_depth is None else T_base_depth,
    )
    with Path(path).open("wb") as file:
        file.write(struct.pack("<IQ", VERSION, len(SENSOR)) + SENSOR)
        for matrix in matrices:
            file.write(_packed(matrix))
        file.write(struct.pack("<ii", JPEG, DEPTH_ZLIB))
        file.write(struct.pack("<IIII", *color_shape[1::-1], *depth_shape[::-1]))
        file.write(struct.pack("<fQ", MILLIMETRES, len(frames)))
        for frame in frames:
            file.write(_frame_bytes(frame))
        file.write(struct.pack("<Q", 0))  # no IMU samples


def _frame_bytes(frame):
    """A frame's head, colour picture and compressed depth."""
    lost = np.full((4, 4), -np.inf)
    T = lost if frame.T_world_cam is None else frame.T_world_cam
    millimetres = np.clip(np.rint(frame.depth * MILLIMETRES), 0, 65535).astype("<u2")
    color = encode_picture(".jpg", frame.color)
    depth = zlib.compress(millimetres.tobytes())
    stamp = round(frame.stamp * SECOND)
    head = FRAME_HEAD.pack(*np.ravel(T), stamp, stamp, len(color), len(depth))
    return head + color + depth


def _intrinsics(K):
    matrix = np.eye(4)
    matrix[:3, :3] = K
    return matrix


def _packed(matrix):
    return struct.pack("<16f", *np.ravel(matrix))
