"""PointCloud2 messages as NumPy arrays, with the official names and signatures."""

import array
import sys

import numpy as np
from sensor_msgs.msg import PointCloud2, PointField

DTYPES = {
    PointField.INT8: "i1",
    PointField.UINT8: "u1",
    PointField.INT16: "i2",
    PointField.UINT16: "u2",
    PointField.INT32: "i4",
    PointField.UINT32: "u4",
    PointField.FLOAT32: "f4",
    PointField.FLOAT64: "f8",
}


def dtype_from_fields(fields, point_step=None):
    """Structured dtype of one point; a field with count n becomes n fields name_0 ... ."""
    names, formats, offsets = [], [], []
    for field in fields:
        dtype = np.dtype(DTYPES[field.datatype])
        for i in range(max(field.count, 1)):
            names.append(field.name if field.count <= 1 else f"{field.name}_{i}")
            formats.append(dtype)
            offsets.append(field.offset + i * dtype.itemsize)
    layout = {"names": names, "formats": formats, "offsets": offsets}
    if point_step is not None:
        layout["itemsize"] = point_step
    return np.dtype(layout)


def read_points(cloud, field_names=None, skip_nans=False, uvs=None, reshape_organized_cloud=False):
    """Structured array (N,) of a cloud's points, or (H, W) where reshape is asked.

    Args:
        cloud: sensor_msgs PointCloud2.
        field_names: fields to return; None = all.
        skip_nans: leave out points with a NaN in one of the returned fields.
        uvs: indices of the points to return; None = all.
        reshape_organized_cloud: keep the image layout of an organised cloud.
    """
    points = all_points(cloud)
    if field_names is not None:
        missing = sorted(set(field_names) - set(points.dtype.names))
        if missing:
            raise ValueError(f"cloud has no field {missing}, it has {points.dtype.names}")
        points = points[list(field_names)]
    if skip_nans:
        points = points[~np.any([np.isnan(points[name]) for name in points.dtype.names], axis=0)]
    if uvs is not None:
        points = points[np.asarray(uvs)]
    if reshape_organized_cloud and cloud.height > 1 and len(points) == cloud.width * cloud.height:
        points = points.reshape(cloud.height, cloud.width)
    return points


def all_points(cloud):
    """Structured array (H*W,) over the message's bytes, in native byte order."""
    if len(cloud.data) < cloud.row_step * cloud.height or (
        cloud.row_step < cloud.width * cloud.point_step
    ):
        raise ValueError(
            f"cloud of {cloud.width}x{cloud.height} points of {cloud.point_step} bytes: "
            f"row_step {cloud.row_step} and {len(cloud.data)} bytes are too few"
        )
    dtype = dtype_from_fields(cloud.fields, cloud.point_step)
    shape, strides = (cloud.height, cloud.width), (cloud.row_step, cloud.point_step)
    points = np.ndarray(shape, dtype, buffer=cloud.data, strides=strides).reshape(-1)
    if bool(cloud.is_bigendian) != (sys.byteorder == "big"):
        points = points.byteswap()
    return points


def read_points_numpy(
    cloud, field_names=None, skip_nans=False, uvs=None, reshape_organized_cloud=False
):
    """Plain array (N, F) or (H, W, F) of fields that share one type; else see `read_points`."""
    points = read_points(cloud, field_names, skip_nans, uvs, reshape_organized_cloud)
    kinds = {points.dtype[name] for name in points.dtype.names}
    if len(kinds) != 1:
        raise AssertionError(f"all fields need one type, got {sorted(map(str, kinds))}")
    return np.stack([points[name] for name in points.dtype.names], axis=-1)


def create_cloud(header, fields, points, step=None):
    """PointCloud2 of points (N, F), (H, W, F) or a structured array of that layout."""
    dtype = dtype_from_fields(fields, step)
    points = np.asarray(points)
    if points.dtype.names is None:
        plain = points
        points = np.zeros(plain.shape[:-1], dtype)
        for i, name in enumerate(dtype.names):
            points[name] = plain[..., i]
    elif points.dtype != dtype:
        raise AssertionError(f"points are {points.dtype}, the fields say {dtype}")
    height, width = points.shape if points.ndim == 2 else (1, len(points))
    cloud = PointCloud2(header=header, height=height, width=width, fields=list(fields))
    cloud.is_bigendian = sys.byteorder == "big"
    cloud.point_step = dtype.itemsize
    cloud.row_step = dtype.itemsize * width
    cloud.data = array.array("B", points.tobytes())
    return cloud


def create_cloud_xyz32(header, points):
    """PointCloud2 with float32 fields x, y, z of points (N, 3) or (H, W, 3)."""
    fields = [
        PointField(name=name, offset=4 * i, datatype=PointField.FLOAT32, count=1)
        for i, name in enumerate("xyz")
    ]
    return create_cloud(header, fields, points)
