"""Objects without a depth sensor: those that a detector finds in the colour image."""

from __future__ import annotations

import math

import numpy as np

from roomcad_core import gravity
from roomcad_core.config import check_rgb_segment
from roomcad_core.detect import make_detector
from roomcad_core.segment import crops
from roomcad_core.segment.planes import floor_height
from roomcad_core.segment.surface import grav_surface
from roomcad_core.types import Segmentation

TILT = math.radians(30)  # how far down a camera looks of which nothing is known, as in the paper
UP = (0.0, -math.cos(TILT), -math.sin(TILT))  # in such a camera
DEPTH_SPAN = 0.6  # a box without mask takes pixels this close to its central depth [m]


class RgbSegmenter:
    """Detections of a Frame, whose depth is predicted (rgb_geometry.RgbGeometry), as objects.

    Pixels belong to the best detection that claims them. Crops are made of the predicted depth.
    """

    def __init__(self, config, detector=None, before=None):
        """Load the detector that the config names unless it is there already.

        Args:
            config: SegmentConfig.
            detector: Frame -> Detections, best first, instead of the one the config names.
            before: an RgbSegmenter whose detector goes on here if the settings name the same.

        Raises:
            ValueError: the config names no detector.
        """
        self._config = config
        if detector is None:
            check_rgb_segment(config)
            same = isinstance(before, RgbSegmenter) and all(
                getattr(config, name) == getattr(before._config, name)
                for name in ("detector", "detector_masks")
            )
            detector = before._detector if same else make_detector(config)
        self._detector = detector

    def __call__(self, frame, up_cam=None):
        """Segmentation of one Frame.

        Args:
            frame: Frame with predicted depth and normals; its pose, where known, tells the up
                direction (world is z-up).
            up_cam: (3,) up direction in the camera frame, overrides the pose.
        """
        config = self._config
        up_cam = up_direction(frame) if up_cam is None else up_cam
        surface, T_grav_cam = grav_surface(frame, config, up_cam)
        least = least_pixels(frame, config)
        instances, found = instances_of(self._detector(frame), frame.depth, least)
        named = found if config.detector_names == "detector" else {}
        objects = crops.make_objects(instances, named, frame, T_grav_cam, config)
        return Segmentation(instances, objects, T_grav_cam, floor_height(surface, config))


def up_direction(frame):
    """(3,) up in the camera: of its pose; else of the predicted normals, by the planes they show;
    where these do not tell either, that of a camera that looks 30 degrees down."""
    if frame.T_world_cam is not None:
        return gravity.up_from_pose(frame.T_world_cam)
    normals = frame.normals.reshape(-1, 3)
    return gravity.estimate_up(normals[normals.any(1)], UP)


def least_pixels(frame, config):
    """Pixels of the image that stand for config.min_points on the working grid."""
    return config.min_points * max(1, round(frame.depth.shape[1] / config.work_width)) ** 2


def instances_of(detections, depth, min_pixels):
    """Instance image (H, W) uint16 of Detections, best first, and {id: Detection}.

    Those with fewer than `min_pixels` pixels of their own are left out.
    """
    instances, found = np.zeros(depth.shape, np.uint16), {}
    for detection in detections:
        mine = region(detection, depth) & (instances == 0)
        if np.count_nonzero(mine) >= min_pixels:
            found[len(found) + 1] = detection
            instances[mine] = len(found)
    return instances, found


def region(detection, depth):
    """(H, W) bool: a Detection's mask; without one, what of its box is as far as its middle."""
    if detection.mask is not None:
        return detection.mask
    x0, y0, x1, y1 = np.round(detection.box).astype(int)
    inside = np.zeros(depth.shape, bool)
    dx, dy = (x1 - x0) // 4, (y1 - y0) // 4
    middle = depth[y0 + dy : y1 - dy, x0 + dx : x1 - dx]
    middle = middle[middle > 0]
    if len(middle):
        box = np.s_[y0:y1, x0:x1]
        inside[box] = (depth[box] > 0) & (np.abs(depth[box] - np.median(middle)) < DEPTH_SPAN)
    return inside
