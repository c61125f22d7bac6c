"""Frames without a depth sensor: of colour alone, or with the depth and normals that the segment
node predicted and hands on, so that they are computed once."""

import numpy as np
from cv_bridge import CvBridge

from roomcad_core.rgb_geometry.normal_code import decoded_normals, encoded_normals
from roomcad_core.types import Frame
from roomcad_ros.images import (
    check_image,
    check_sizes,
    color_image,
    depth_image,
    depth_msg,
    image_msg,
    intrinsics,
    rectifier,
    seconds,
)

DEPTH, NORMALS = "predicted/depth", "predicted/normals"  # topics
NORMAL_BYTES = {"rgb8": 3}


def prediction_msgs(frame, header):
    """{topic: sensor_msgs/Image} of a Frame with predicted depth and normals."""
    normals = image_msg(encoded_normals(frame.normals), "rgb8", header)
    return {DEPTH: depth_msg(frame.depth, header), NORMALS: normals}


def frame_from_color(color, info, T_world_cam=None):
    """Frame of a colour image and its camera_info, without any depth."""
    check_sizes(color=color, camera_info=info)
    image, K = _rectified(color, info)
    depth = np.zeros(image.shape[:2], np.float32)
    return Frame(seconds(color.header.stamp), image, depth, K, T_world_cam, color.header.frame_id)


def frame_from_prediction(color, depth, normals, info, T_world_cam=None):
    """Frame of a colour image, its camera_info, and what prediction_msgs made of both."""
    check_sizes(**{"color": color, DEPTH: depth, NORMALS: normals, "camera_info": info})
    check_image(normals, NORMAL_BYTES, NORMALS)
    image, K = _rectified(color, info)
    known = decoded_normals(CvBridge().imgmsg_to_cv2(normals, "rgb8"))
    header = color.header
    return Frame(
        seconds(header.stamp), image, depth_image(depth), K, T_world_cam, header.frame_id,
        normals=known, measured=False,
    )  # fmt: skip


def _rectified(color, info):
    """(H, W, 3) colour on the pinhole grid of K, and K."""
    K = intrinsics(info)
    rectify = rectifier(tuple(info.k), tuple(info.d), info.distortion_model)
    image = color_image(color)
    return rectify(image, np.zeros(image.shape[:2], np.float32))[0], K
