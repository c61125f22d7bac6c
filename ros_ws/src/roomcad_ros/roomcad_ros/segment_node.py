"""Colour and depth (or a cloud, or colour alone) in, segmented objects out.

With input rgb it also predicts depth and normals, once for all nodes. Every decision lives in
roomcad_core.
"""

import sys

import numpy as np
from roomcad_msgs.msg import ObjectArray
from sensor_msgs.msg import Image

from roomcad_core.config import RgbConfig, SegmentConfig
from roomcad_core.rgb_geometry import RgbGeometry
from roomcad_core.rgb_geometry.segmenter import RgbSegmenter
from roomcad_core.segment import Segmenter
from roomcad_ros.convert import objects_msg
from roomcad_ros.images import image_msg
from roomcad_ros.inputs import FrameInput
from roomcad_ros.node import StageNode, run
from roomcad_ros.predicted import DEPTH, NORMALS, prediction_msgs
from roomcad_ros.settings import INPUTS_FIXED, InputConfig


class SegmentNode(StageNode):
    """`segmenter`, a stand-in for tests: called with a Frame, gives a Segmentation."""

    def __init__(self, segmenter=None, **options):
        super().__init__("segment", **options)
        self._given, self._geometry = segmenter, None
        self._input = self.parameters(InputConfig, fixed=INPUTS_FIXED, rebuild=False)
        self._config = self.parameters(SegmentConfig)
        self._rgb = self.parameters(RgbConfig)
        topics = (DEPTH, NORMALS) if self._input.config.input == "rgb" else ()
        self._predicted = {t: self.create_lifecycle_publisher(Image, t, 1) for t in topics}
        self._out = self.create_lifecycle_publisher(ObjectArray, "objects", 1)
        self._picture = self.create_lifecycle_publisher(Image, "segmentation", 1)

    def make_stage(self):
        if self._given:
            return self._given
        if not self._predicted:
            return Segmenter(self._config.config, before=self.stage)
        segmenter = RgbSegmenter(self._config.config, before=self.stage)
        self._geometry = RgbGeometry(self._rgb.config, before=self._geometry)
        return segmenter

    def open_inputs(self):
        self._frames = FrameInput(self, self._input, self.put, self.health, self.settings)
        return (self._frames,)

    def process(self, item):
        camera, info, _ = item
        frame, _ = self._frames.frame(camera, info)
        header = camera[-1].header
        if self._geometry:
            frame = self._predict(frame, header)
        with self.health.timed("segment"):
            segmentation = self.stage(frame)
        self._out.publish(objects_msg(segmentation, header))
        if self._picture.get_subscription_count():
            picture = paint(frame.color, segmentation.instances)
            self._picture.publish(image_msg(picture, "rgb8", header))

    def _predict(self, frame, header):
        """The Frame with predicted depth and normals, which go out, too."""
        with self.health.timed("geometry"):
            frame = self._geometry(frame)
        for topic, message in prediction_msgs(frame, header).items():
            self._predicted[topic].publish(message)
        return frame


def paint(color, instances):
    """(H, W, 3) uint8 image with each object tinted; neighbouring ids get far apart hues."""
    ids = instances.astype(np.uint32)[..., None]
    tint = (ids * np.array([97, 151, 211], np.uint32) % 256).astype(np.uint8)
    return np.where(ids > 0, color // 2 + tint // 2, color)


def main():
    sys.exit(run(SegmentNode))
