"""Organised PointCloud2 messages: to colour, depth and intrinsics, and from them."""

import numpy as np

from roomcad_core.camera import unproject

DTYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 8: "f8"}
MIN_FIT = 100  # points needed to recover the intrinsics


def cloud_fields(msg):
    """(H, W) structured array of a PointCloud2's fields; ValueError if data and layout differ."""
    order = ">" if msg.is_bigendian else "<"
    unknown = [f.name for f in msg.fields if f.datatype not in DTYPES]
    if unknown:
        raise ValueError(f"fields {unknown} have an unknown datatype")
    layout = np.dtype(
        {
            "names": [f.name for f in msg.fields],
            "formats": [_format(order, f) for f in msg.fields],
            "offsets": [f.offset for f in msg.fields],
            "itemsize": msg.point_step,
        }
    )
    data = np.frombuffer(bytes(msg.data), np.uint8)
    row = msg.width * msg.point_step
    if msg.row_step < row or data.size < msg.row_step * msg.height or row * msg.height == 0:
        raise ValueError(
            f"{msg.width}x{msg.height} points of {msg.point_step} bytes, rows of {msg.row_step}: "
            f"needs {max(msg.row_step, row) * msg.height} bytes, got {data.size}"
        )
    rows = data[: msg.row_step * msg.height].reshape(msg.height, msg.row_step)[:, :row]
    return np.ascontiguousarray(rows).view(layout)


def cloud_images(msg):
    """Colour (H, W, 3) uint8 RGB and points (H, W, 3) float32 [m] of an organised cloud.

    Missing points are zeros; without an rgb field the colour is black.
    """
    if msg.height < 2:
        raise ValueError(f"{msg.width}x{msg.height} is not an organised cloud (height > 1)")
    fields = cloud_fields(msg)
    if not {"x", "y", "z"} <= set(fields.dtype.names):
        raise ValueError(f"fields {fields.dtype.names}, expected x, y, z")
    points = np.stack([fields[axis] for axis in "xyz"], axis=-1).astype(np.float32)
    points[~(np.isfinite(points).all(-1) & (points[..., 2] > 0))] = 0
    return _cloud_color(fields), points


def cloud_intrinsics(points):
    """K (3, 3) [px] of the camera that saw (H, W, 3) organised points: straight-line fits."""
    v, u = np.nonzero(points[..., 2] > 0)
    if len(u) < MIN_FIT:
        raise ValueError(f"{len(u)} points are too few to recover the camera intrinsics")
    seen = points[v, u].astype(float)
    K = np.eye(3)
    K[0, 0], K[0, 2] = np.polyfit(seen[:, 0] / seen[:, 2], u, 1)
    K[1, 1], K[1, 2] = np.polyfit(seen[:, 1] / seen[:, 2], v, 1)
    error = np.abs(seen[:, :2] / seen[:, 2:] * K[[0, 1], [0, 1]] + K[:2, 2] - np.stack([u, v], 1))
    if not np.median(error) < 1.0:
        raise ValueError("the organised points do not come from a pinhole camera (x/z against u)")
    return K


def xyzrgb_bytes(color, depth, K):
    """Bytes of an organised cloud: x, y, z, rgb as float32, 16 bytes a point, NaN = missing."""
    points = unproject(depth, K)
    points[depth <= 0] = np.nan
    cloud = np.empty((*depth.shape, 4), np.float32)
    cloud[..., :3] = points
    r, g, b = (color[..., i].astype(np.uint32) for i in range(3))
    cloud[..., 3] = (r << 16 | g << 8 | b).view(np.float32)
    return cloud.tobytes()


def _cloud_color(fields):
    name = next((n for n in ("rgb", "rgba") if n in fields.dtype.names), None)
    if name is None:
        return np.zeros((*fields.shape, 3), np.uint8)
    # The four bytes of rgb are one number, whatever type the field declares.
    packed = np.ascontiguousarray(fields[name])
    packed = packed.astype(packed.dtype.newbyteorder("="), copy=False).view(np.uint32)
    return np.stack([packed >> 16, packed >> 8, packed], axis=-1).astype(np.uint8)


def _format(order, field):
    single = order + DTYPES[field.datatype]
    return single if field.count <= 1 else (single, (field.count,))
