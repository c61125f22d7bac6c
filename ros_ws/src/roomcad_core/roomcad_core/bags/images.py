"""Image messages to arrays and back, for anything shaped like sensor_msgs/Image.

Depth units follow the encoding (16UC1 and mono16: millimetres, 32FC1: metres), rows follow
`step`, byte order follows `is_bigendian`. Errors are ValueErrors that say what was got.
"""

import struct

import cv2
import numpy as np

from roomcad_core.pictures import PNG_MAGIC, decode_color, decode_uint16, picture_size

# encoding -> (dtype, channels)
LAYOUTS = {
    "rgb8": (np.uint8, 3),
    "bgr8": (np.uint8, 3),
    "rgba8": (np.uint8, 4),
    "bgra8": (np.uint8, 4),
    "8UC3": (np.uint8, 3),
    "mono8": (np.uint8, 1),
    "8UC1": (np.uint8, 1),
    "yuv422_yuy2": (np.uint8, 2),
    "yuv422": (np.uint8, 2),
    "bayer_rggb8": (np.uint8, 1),
    "bayer_bggr8": (np.uint8, 1),
    "bayer_gbrg8": (np.uint8, 1),
    "bayer_grbg8": (np.uint8, 1),
    "16UC1": (np.uint16, 1),
    "mono16": (np.uint16, 1),
    "32FC1": (np.float32, 1),
}

# OpenCV names a Bayer pattern by its second row and column, ROS by its first.
TO_RGB = {
    "bgr8": cv2.COLOR_BGR2RGB,
    "8UC3": cv2.COLOR_BGR2RGB,
    "rgba8": cv2.COLOR_RGBA2RGB,
    "bgra8": cv2.COLOR_BGRA2RGB,
    "mono8": cv2.COLOR_GRAY2RGB,
    "8UC1": cv2.COLOR_GRAY2RGB,
    "yuv422_yuy2": cv2.COLOR_YUV2RGB_YUY2,
    "yuv422": cv2.COLOR_YUV2RGB_UYVY,
    "bayer_rggb8": cv2.COLOR_BayerBG2RGB,
    "bayer_bggr8": cv2.COLOR_BayerRG2RGB,
    "bayer_gbrg8": cv2.COLOR_BayerGR2RGB,
    "bayer_grbg8": cv2.COLOR_BayerGB2RGB,
}
COLOR_ENCODINGS = ("rgb8", *TO_RGB)
DEPTH_ENCODINGS = ("16UC1", "mono16", "32FC1")
MM = np.float32(1000.0)  # millimetres in a metre

# Head of a compressedDepth message: format, then the two parameters of inverse-depth coding.
DEPTH_HEAD = struct.Struct("<iff")


def raw_array(msg):
    """(H, W) or (H, W, C) array of an Image message in native byte order, rows unpadded."""
    if msg.encoding not in LAYOUTS:
        raise ValueError(f"encoding {msg.encoding!r}, expected one of {', '.join(LAYOUTS)}")
    dtype, channels = LAYOUTS[msg.encoding]
    dtype = np.dtype(dtype).newbyteorder(">" if msg.is_bigendian else "<")
    row = msg.width * channels * dtype.itemsize
    data = np.frombuffer(bytes(msg.data), np.uint8)
    if msg.step < row or data.size < msg.step * msg.height or row * msg.height == 0:
        raise ValueError(
            f"{msg.width}x{msg.height} {msg.encoding} with step {msg.step} needs "
            f"{max(msg.step, row) * msg.height} bytes, got {data.size}"
        )
    rows = data[: msg.step * msg.height].reshape(msg.height, msg.step)[:, :row]
    array = np.ascontiguousarray(rows).view(dtype).astype(dtype.newbyteorder("="), copy=False)
    return array.reshape(msg.height, msg.width, channels) if channels > 1 else array


def color_array(msg):
    """(H, W, 3) uint8 RGB of a colour Image message."""
    if msg.encoding not in COLOR_ENCODINGS:
        raise ValueError(f"encoding {msg.encoding!r} is no colour, expected {COLOR_ENCODINGS}")
    array = raw_array(msg)
    return array if msg.encoding == "rgb8" else cv2.cvtColor(array, TO_RGB[msg.encoding])


def depth_array(msg):
    """(H, W) float32 metres, 0 = missing, of a depth Image message."""
    if msg.encoding not in DEPTH_ENCODINGS:
        raise ValueError(f"encoding {msg.encoding!r} is no depth, expected {DEPTH_ENCODINGS}")
    return metres(raw_array(msg))


def metres(depth):
    """(H, W) float32 metres, 0 = missing, from uint16 mm or float32 metres with NaN or inf."""
    if depth.dtype == np.uint16:
        return depth.astype(np.float32) / MM
    return np.where(np.isfinite(depth) & (depth > 0), depth, np.float32(0))


def millimetres(depth):
    """(H, W) uint16 mm from float32 metres; what does not fit into 16 bits becomes missing."""
    mm = np.rint(np.nan_to_num(depth) * MM)
    return np.where((mm >= 0) & (mm <= np.iinfo(np.uint16).max), mm, 0).astype(np.uint16)


def compressed_color(msg, source):
    """(H, W, 3) uint8 RGB of a CompressedImage message."""
    image = decode_color(bytes(msg.data), source)
    # Usual pictures are coded as any picture is; this format says that red and blue are swapped.
    return image[..., ::-1] if "compressed rgb8" in msg.format else image


def compressed_size(msg, source):
    """(height, width) [px] that the picture inside a CompressedImage states."""
    return picture_size(_split_depth(msg)[1] if is_compressed_depth(msg) else msg.data, source)


def is_compressed_depth(msg):
    """True for a CompressedImage of the compressedDepth transport."""
    return "compressedDepth" in msg.format


def compressed_depth(msg, source):
    """(H, W) float32 metres of a CompressedImage: a 16 bit PNG, with or without depth head."""
    encoding = msg.format.split(";")[0].strip()
    if encoding not in DEPTH_ENCODINGS or "rvl" in msg.format.lower():
        raise ValueError(f"{source}: format {msg.format!r}, expected 16UC1 or 32FC1 in a PNG")
    head, png = _split_depth(msg)
    if encoding != "32FC1":
        return metres(decode_uint16(png, source))
    if len(head) < DEPTH_HEAD.size:
        raise ValueError(f"{source}: 32FC1 without the {DEPTH_HEAD.size} bytes of its coding")
    _, a, b = DEPTH_HEAD.unpack(head)
    if not (np.isfinite([a, b]).all() and a > 0):
        raise ValueError(f"{source}: coding of 32FC1 is {a}, {b}; expected finite, the first > 0")
    code = decode_uint16(png, source)
    # Float depth is coded as code = a / depth + b, with code 0 for missing.
    with np.errstate(divide="ignore", over="ignore"):
        return metres(np.where(code > 0, a / (code.astype(np.float32) - b), 0).astype(np.float32))


def _split_depth(msg):
    """(head, PNG) bytes of a compressed depth image; plain PNGs have no head."""
    data = bytes(msg.data)
    n = 0 if data.startswith(PNG_MAGIC) else DEPTH_HEAD.size
    return data[:n], data[n:]
