"""Layout of ScanNet's .sens file, version 4: header, frame table, and one frame's images.

Little endian: version, sensor name, four 4x4 matrices (colour intrinsics and extrinsics, depth
intrinsics and extrinsics), compression types, image sizes, depth_shift (units in a metre), then
the frames (4x4 camera-to-world, two stamps in microseconds, two sizes, colour and depth bytes)
and IMU samples, which nobody here needs. Extrinsics map a sensor's frame to the base, whose
pose is recorded.
"""

import struct
import zlib
from dataclasses import dataclass

import numpy as np

from roomcad_core.datasets.text_files import checked_intrinsics
from roomcad_core.datasets.world import checked_pose
from roomcad_core.pictures import decode_color

VERSION = 4
COLOR_RAW, COLOR_PICTURES = 0, (1, 2)  # PNG and JPEG say themselves which they are
DEPTH_RAW, DEPTH_ZLIB = 0, 1
FRAME_HEAD = struct.Struct("<16fQQQQ")
MAX_NAME = 4096  # a longer sensor name means the file is something else
MAX_SIDE = 16384  # and so does a larger image


@dataclass(frozen=True)
class SensHeader:
    """What stands before the frames."""

    K_color: np.ndarray  # (3, 3)
    K_depth: np.ndarray  # (3, 3)
    T_base_color: np.ndarray  # (4, 4)
    T_base_depth: np.ndarray  # (4, 4)
    color_type: int
    depth_type: int
    color_shape: tuple[int, int]  # (H, W)
    depth_shape: tuple[int, int]  # (H, W)
    depth_shift: float  # depth units in a metre
    n_frames: int


@dataclass(frozen=True)
class SensEntry:
    """Where one frame's bytes are."""

    T_raw_base: np.ndarray | None  # None = tracking lost
    stamp_us: int
    color_at: int
    color_size: int
    depth_size: int


class ByteReader:
    """Reads within the bounds of the file and says what was being read when they are crossed."""

    def __init__(self, file, path):
        self._file = file
        self.path = path
        self.size = path.stat().st_size
        self.at = 0

    def take(self, layout, what):
        """Values of struct `layout` at the current position."""
        layout = layout if isinstance(layout, struct.Struct) else struct.Struct("<" + layout)
        self.need(layout.size, what)
        self._file.seek(self.at)
        self.at += layout.size
        return layout.unpack(self._file.read(layout.size))

    def skip(self, n, what):
        """Go over `n` bytes that must be there."""
        self.need(n, what)
        self.at += n

    def need(self, n, what):
        if self.at + n > self.size:
            raise ValueError(
                f"{self.path}: truncated in {what}: needs {n} bytes at {self.at}, "
                f"the file has {self.size}"
            )


def read_header(reader):
    """SensHeader; ValueError naming the file and the field that makes no sense."""
    (version,) = reader.take("I", "version")
    if version != VERSION:
        raise ValueError(f"{reader.path}: got .sens version {version}, expected {VERSION}")
    (length,) = reader.take("Q", "sensor name")
    if length > MAX_NAME:
        raise ValueError(f"{reader.path}: sensor name of {length} bytes: not a .sens file")
    reader.skip(length, "sensor name")
    names = ("colour intrinsics", "colour extrinsics", "depth intrinsics", "depth extrinsics")
    K_color, E_color, K_depth, E_depth = (take_matrix(reader, name) for name in names)
    color_type, depth_type = reader.take("ii", "compression types")
    sizes = reader.take("IIII", "image sizes")
    depth_shift, n_frames = reader.take("fQ", "depth shift")
    if not all(0 < side <= MAX_SIDE for side in sizes):
        raise ValueError(f"{reader.path}: image sizes {sizes}: not a .sens file")
    if not 0 < depth_shift < 1e6 or n_frames == 0:
        raise ValueError(f"{reader.path}: depth shift {depth_shift}, {n_frames} frames")
    return SensHeader(
        K_color=checked_intrinsics(K_color[:3, :3], f"{reader.path}: {names[0]}"),
        K_depth=checked_intrinsics(K_depth[:3, :3], f"{reader.path}: {names[2]}"),
        T_base_color=checked_extrinsics(E_color, f"{reader.path}: {names[1]}"),
        T_base_depth=checked_extrinsics(E_depth, f"{reader.path}: {names[3]}"),
        color_type=color_type,
        depth_type=depth_type,
        color_shape=(sizes[1], sizes[0]),
        depth_shape=(sizes[3], sizes[2]),
        depth_shift=depth_shift,
        n_frames=n_frames,
    )


def take_matrix(reader, what):
    """(4, 4) float64 at the reader's position, row by row."""
    return np.array(reader.take("16f", what), float).reshape(4, 4)


def checked_extrinsics(M, source):
    """(4, 4) rigid T_base_sensor."""
    T = checked_pose(M, source)
    if T is None:
        raise ValueError(f"{source}: holds NaN or infinity")
    return T


def read_entry(reader, number):
    """SensEntry at the reader's position, which then stands behind the frame's bytes.

    A frame that is cut off raises ValueError and leaves the position where it was.
    """
    what, start = f"frame {number}", reader.at
    *pose, stamp, _, color_size, depth_size = reader.take(FRAME_HEAD, what)
    color_at = reader.at
    try:
        reader.skip(color_size + depth_size, what)
    except ValueError:
        reader.at = start
        raise
    T = checked_pose(np.array(pose).reshape(4, 4), f"{reader.path}: pose of {what}")
    return SensEntry(T, stamp, color_at, color_size, depth_size)


def decode_sens_color(data, head, source):
    """(H, W, 3) uint8 RGB."""
    height, width = head.color_shape
    if head.color_type in COLOR_PICTURES:
        color = decode_color(data, f"{source}: colour")
    elif head.color_type == COLOR_RAW and len(data) == height * width * 3:
        color = np.frombuffer(data, np.uint8).reshape(height, width, 3)
    else:
        raise ValueError(
            f"{source}: colour compression {head.color_type} with {len(data)} bytes: not readable"
        )
    if color.shape[:2] != head.color_shape:
        raise ValueError(f"{source}: colour {color.shape[:2]}, expected {head.color_shape}")
    return color


def decode_depth(data, head, source):
    """(H, W) float32 metres, 0 = missing."""
    expected = head.depth_shape[0] * head.depth_shape[1] * 2
    if head.depth_type == DEPTH_ZLIB:
        try:
            # The bound keeps a damaged stream from filling the memory.
            data = zlib.decompressobj().decompress(data, expected + 1)
        except zlib.error as error:
            raise ValueError(f"{source}: depth cannot be decompressed ({error})") from None
    elif head.depth_type != DEPTH_RAW:
        raise ValueError(f"{source}: depth compression {head.depth_type}, expected 0 or 1 (zlib)")
    if len(data) != expected:
        raise ValueError(f"{source}: depth has {len(data)} bytes, expected {expected}")
    depth = np.frombuffer(data, "<u2").reshape(head.depth_shape)
    return depth.astype(np.float32) / np.float32(head.depth_shift)
