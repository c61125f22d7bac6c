"""JPEG and PNG bytes to arrays, refusing damaged ones.

OpenCV fills the missing part of a truncated picture with grey and says nothing, so the end of
the stream (JPEG) and the checksums (PNG) are looked at first.
"""

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
JPEG_MAGIC = b"\xff\xd8"
JPEG_END = b"\xff\xd9"
# Markers of the segment that holds the size; C4, C8 and CC among them mean something else.
JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
JPEG_TAIL = 4096  # bytes some cameras pad behind the end marker


def decode_color(data, source):
    """(H, W, 3) uint8 RGB from the bytes of a JPEG or PNG; `source` names it in errors."""
    image = _decode(data, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION, source)
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def decode_uint16(data, source):
    """(H, W) uint16 from the bytes of a 16-bit grey PNG; `source` names it in errors."""
    image = _decode(data, cv2.IMREAD_UNCHANGED, source)
    if image.dtype != np.uint16 or image.ndim != 2:
        raise ValueError(
            f"{source}: got {image.dtype} of shape {image.shape}, expected a uint16 image (H, W)"
        )
    return image


def read_color(path):
    """(H, W, 3) uint8 RGB of a JPEG or PNG file."""
    return decode_color(Path(path).read_bytes(), path)


def read_uint16(path):
    """(H, W) uint16 of a 16-bit grey PNG file."""
    return decode_uint16(Path(path).read_bytes(), path)


def picture_size(data, source):
    """(height, width) [px] that the head of a JPEG or PNG states; nothing is decoded."""
    data = bytes(data)
    if data.startswith(PNG_MAGIC) and len(data) >= 24:
        width, height = struct.unpack_from(">II", data, 16)
        return height, width
    at = len(JPEG_MAGIC)
    while data.startswith(JPEG_MAGIC) and at + 9 <= len(data) and data[at] == 0xFF:
        kind = data[at + 1]
        if kind in JPEG_FRAMES:
            return struct.unpack_from(">HH", data, at + 5)
        padded = kind == 0xFF  # a marker may be preceded by any number of FF
        at += 1 if padded else 2 + struct.unpack_from(">H", data, at + 2)[0]
    raise ValueError(f"{source}: neither a JPEG nor a PNG picture with a size ({len(data)} bytes)")


def encode_picture(suffix, image, *parameters):
    """Bytes of `image` ((H, W) uint16 or (H, W, 3) uint8 RGB) as ".png" or ".jpg"."""
    if image.ndim == 3:
        image = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    done, data = cv2.imencode(suffix, image, list(parameters))
    if not done:
        raise ValueError(f"cannot encode an image {image.shape} {image.dtype} as {suffix}")
    return data.tobytes()


def _decode(data, flags, source):
    data = bytes(data)
    if data.startswith(PNG_MAGIC):
        _check_png(data, source)
    elif not data.startswith(JPEG_MAGIC):
        raise ValueError(f"{source}: neither a JPEG nor a PNG picture ({len(data)} bytes)")
    elif JPEG_END not in data[-JPEG_TAIL:]:
        raise ValueError(f"{source}: truncated JPEG ({len(data)} bytes, no end marker)")
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:  # a size beyond OpenCV's limit
        raise ValueError(f"{source}: picture cannot be decoded ({error.err})") from None
    if image is None:
        raise ValueError(f"{source}: damaged picture, it cannot be decoded")
    return image


def _check_png(data, source):
    """Walk the chunks up to IEND and compare their checksums."""
    at = len(PNG_MAGIC)
    while at + 12 <= len(data):
        (size,) = struct.unpack_from(">I", data, at)
        body_end = at + 8 + size
        if body_end + 4 > len(data):
            break
        kind = data[at + 4 : at + 8]
        if zlib.crc32(data[at + 4 : body_end]) != struct.unpack_from(">I", data, body_end)[0]:
            raise ValueError(f"{source}: damaged PNG, wrong checksum in {kind!r} at byte {at}")
        if kind == b"IEND":
            return
        at = body_end + 4
    raise ValueError(f"{source}: truncated PNG ({len(data)} bytes, no end chunk)")
