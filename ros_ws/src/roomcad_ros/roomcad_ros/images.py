"""Camera messages to a Frame of the core and back. Nothing is guessed: a doubt is a BadFrame."""

import array
import functools

import numpy as np
from cv_bridge import CvBridge
from sensor_msgs.msg import CameraInfo, CompressedImage, PointCloud2, PointField

from roomcad_core.bags.clouds import cloud_fields, cloud_images, xyzrgb_bytes
from roomcad_core.bags.images import (
    DEPTH_ENCODINGS,
    compressed_color,
    compressed_depth,
    compressed_size,
    metres,
    millimetres,
)
from roomcad_core.rectify import Rectifier
from roomcad_core.segment import depth_from_cloud
from roomcad_core.types import Frame
from roomcad_ros.health import BadFrame

# Bytes of a pixel. Depth units follow from the encoding, so no other one is accepted.
COLOR_BYTES = {"rgb8": 3, "bgr8": 3, "rgba8": 4, "bgra8": 4, "mono8": 1}
DEPTH_BYTES = {name: 4 if name == "32FC1" else 2 for name in DEPTH_ENCODINGS}


def seconds(stamp):
    """builtin_interfaces/Time to seconds."""
    return stamp.sec + stamp.nanosec * 1e-9


def color_image(msg):
    """sensor_msgs/Image or CompressedImage to (H, W, 3) uint8 RGB."""
    if isinstance(msg, CompressedImage):
        return _unpack(compressed_color, msg, "color")
    check_image(msg, COLOR_BYTES, "color")
    return CvBridge().imgmsg_to_cv2(msg, "rgb8")


def depth_image(msg):
    """sensor_msgs/Image (16UC1 in mm, 32FC1 in m) to (H, W) float32 metres, 0 = missing.

    A CompressedImage must hold either of them in a PNG.
    """
    if isinstance(msg, CompressedImage):
        return _unpack(compressed_depth, msg, "depth")
    check_image(msg, DEPTH_BYTES, "depth")
    return metres(CvBridge().imgmsg_to_cv2(msg, "passthrough"))


def _unpack(read, msg, topic):
    try:
        return read(msg, topic)
    except ValueError as error:
        raise BadFrame("bad_picture", str(error)) from error


def size_text(msg, topic):
    """ "640x480" of an Image, CameraInfo or CompressedImage; pictures are not decoded for it."""
    if isinstance(msg, CompressedImage):
        height, width = _unpack(compressed_size, msg, topic)
        return f"{width}x{height}"
    return f"{msg.width}x{msg.height}"


def check_image(msg, bytes_of, topic):
    """Raise BadFrame where encoding, size, step and data do not fit together."""
    if msg.encoding not in bytes_of:
        expected = ", ".join(bytes_of)
        text = f"{topic}: got encoding '{msg.encoding}', expected one of {expected}"
        raise BadFrame("wrong_encoding", text)
    row = msg.width * bytes_of[msg.encoding]
    if not msg.width or not msg.height or msg.step < row:
        text = f"{topic}: {msg.width}x{msg.height} with step {msg.step}, expected at least {row}"
        raise BadFrame("bad_size", text)
    if len(msg.data) < msg.step * msg.height:
        text = f"{topic}: got {len(msg.data)} bytes, expected {msg.step * msg.height}"
        raise BadFrame("short_data", text)


def check_sizes(**messages):
    """Raise BadFrame where the images and camera_info of one frame are of different sizes."""
    sizes = {name: size_text(msg, name) for name, msg in messages.items()}
    if len(set(sizes.values())) > 1:
        text = ", ".join(f"{name} {size}" for name, size in sizes.items())
        hint = "; is depth registered to colour?" if "depth" in messages else ""
        raise BadFrame("sizes_differ", text + hint)


def intrinsics(info):
    """sensor_msgs/CameraInfo to (3, 3) K [px]."""
    K = np.array(info.k, float).reshape(3, 3)
    if not np.isfinite(K).all() or min(K[0, 0], K[1, 1]) <= 0:
        text = f"camera_info: K must be finite with fx, fy > 0, got {K.tolist()}"
        raise BadFrame("bad_intrinsics", text)
    return K


def frame_from_images(color, depth, info, T_world_cam=None):
    """Frame of a colour image, a depth image on the same pixel grid, and their camera_info."""
    check_sizes(color=color, depth=depth, camera_info=info)
    header, K = depth.header, intrinsics(info)
    rectify = rectifier(tuple(info.k), tuple(info.d), info.distortion_model)
    images = rectify(color_image(color), depth_image(depth))
    return Frame(seconds(header.stamp), *images, K, T_world_cam, header.frame_id)


@functools.lru_cache(maxsize=4)
def rectifier(k, d, model):
    """Rectifier of the lens described by CameraInfo fields; kept, for its maps are costly."""
    try:
        return Rectifier(np.reshape(k, (3, 3)), np.array(d, float), model, "camera_info")
    except ValueError as error:
        raise BadFrame("bad_intrinsics", str(error)) from error


def frame_from_cloud(cloud, info=None, T_world_cam=None):
    """Frame of a PointCloud2 in an optical frame, organised or not; no colour gives black.

    Without camera_info the intrinsics come from the points.
    """
    if not cloud.width * cloud.height:
        raise BadFrame("empty_cloud", f"points: {cloud.width}x{cloud.height} points")
    K = intrinsics(info) if info else None
    if cloud.height > 1:
        _same_size(cloud, info)
    try:
        if cloud.height > 1:
            color, points = cloud_images(cloud)
            depth, K = depth_from_cloud(points, K)
        else:
            shape = (info.height, info.width) if info else None
            depth, K = depth_from_cloud(cloud_points(cloud), K, shape)
            color = np.zeros((*depth.shape, 3), np.uint8)
    except ValueError as error:
        raise BadFrame("bad_cloud", f"points: {error}") from error
    header = cloud.header
    return Frame(seconds(header.stamp), color, depth, K, T_world_cam, header.frame_id)


def _same_size(cloud, info):
    if info and (info.width, info.height) != (cloud.width, cloud.height):
        sizes = f"points {cloud.width}x{cloud.height}, camera_info {info.width}x{info.height}"
        raise BadFrame("sizes_differ", sizes)


def cloud_points(cloud):
    """(N, 3) float32 points of an unorganised PointCloud2."""
    fields = cloud_fields(cloud)
    if not {"x", "y", "z"} <= set(fields.dtype.names):
        raise ValueError(f"fields {fields.dtype.names}, expected x, y, z")
    return np.stack([fields[axis].reshape(-1) for axis in "xyz"], axis=-1).astype(np.float32)


def image_msg(image, encoding, header):
    """sensor_msgs/Image of an array."""
    return CvBridge().cv2_to_imgmsg(np.ascontiguousarray(image), encoding, header)


def depth_msg(depth, header):
    """16UC1 sensor_msgs/Image of (H, W) depth [m]."""
    return image_msg(millimetres(depth), "16UC1", header)


def info_msg(K, shape, header):
    """sensor_msgs/CameraInfo of an undistorted camera with image `shape` (H, W)."""
    info = CameraInfo(header=header, height=shape[0], width=shape[1])
    info.distortion_model, info.d = "plumb_bob", [0.0] * 5
    info.k, info.r = np.asarray(K, float).ravel(), np.eye(3).ravel()
    info.p = np.hstack([K, np.zeros((3, 1))]).ravel()
    return info


def cloud_msg(frame, header):
    """Organised PointCloud2 (x, y, z, rgb) of a Frame; missing depth is NaN."""
    height, width = frame.depth.shape
    cloud = PointCloud2(header=header, height=height, width=width, point_step=16)
    cloud.fields = [
        PointField(name=name, offset=4 * i, datatype=PointField.FLOAT32, count=1)
        for i, name in enumerate(("x", "y", "z", "rgb"))
    ]
    cloud.row_step = 16 * width
    cloud.data = array.array("B", xyzrgb_bytes(frame.color, frame.depth, frame.K))
    return cloud
