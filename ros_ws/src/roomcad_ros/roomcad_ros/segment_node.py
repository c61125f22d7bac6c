"""Colour and depth (or a cloud) in, segmented objects out. Every decision lives in roomcad_core."""

import sys

import numpy as np
from roomcad_msgs.msg import ObjectArray
from sensor_msgs.msg import Image

from roomcad_core.config import SegmentConfig
from roomcad_core.segment import Segmenter
from roomcad_ros.convert import objects_msg
from roomcad_ros.images import image_msg
from roomcad_ros.inputs import FrameInput
from roomcad_ros.node import StageNode, run
from roomcad_ros.settings import INPUTS_FIXED, InputConfig


class SegmentNode(StageNode):
    """`segmenter`, a stand-in for tests: called with a Frame, gives a Segmentation."""

    def __init__(self, segmenter=None, **options):
        super().__init__("segment", **options)
        self._given = segmenter
        self._input = self.parameters(InputConfig, fixed=INPUTS_FIXED, rebuild=False)
        self._config = self.parameters(SegmentConfig)
        self._out = self.create_lifecycle_publisher(ObjectArray, "objects", 1)
        self._picture = self.create_lifecycle_publisher(Image, "segmentation", 1)

    def make_stage(self):
        return self._given or Segmenter(self._config.config, before=self.stage)

    def open_inputs(self):
        self._frames = FrameInput(self, self._input, self.put, self.health, self.settings)
        return (self._frames,)

    def process(self, item):
        camera, info, _ = item
        frame, _ = self._frames.frame(camera, info)
        with self.health.timed("segment"):
            segmentation = self.stage(frame)
        header = camera[-1].header
        self._out.publish(objects_msg(segmentation, header))
        if self._picture.get_subscription_count():
            picture = paint(frame.color, segmentation.instances)
            self._picture.publish(image_msg(picture, "rgb8", header))


def paint(color, instances):
    """(H, W, 3) uint8 image with each object tinted; neighbouring ids get far apart hues."""
    ids = instances.astype(np.uint32)[..., None]
    tint = (ids * np.array([97, 151, 211], np.uint32) % 256).astype(np.uint8)
    return np.where(ids > 0, color // 2 + tint // 2, color)


def main():
    sys.exit(run(SegmentNode))
