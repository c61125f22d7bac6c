"""Named objects and the images they were seen in, to CAD models with poses."""

import sys

from rclpy.qos import QoSProfile
from roomcad_msgs.msg import ObjectArray

from roomcad_core.align import make_aligner
from roomcad_core.config import AlignConfig
from roomcad_core.library import Library
from roomcad_ros.convert import segmentation_of
from roomcad_ros.health import BadFrame
from roomcad_ros.inputs import FrameInput
from roomcad_ros.node import StageNode, run
from roomcad_ros.results import Results
from roomcad_ros.settings import InputConfig, LibraryConfig


class AlignNode(StageNode):
    """`aligner`, a stand-in for tests: called with Frame and Segmentation, gives Alignments."""

    def __init__(self, aligner=None, library=None, **options):
        super().__init__("align", **options)
        self._given, self._given_library = aligner, library
        self._input = self.parameters(InputConfig, fixed=True).config
        self._library_at = self.parameters(LibraryConfig)
        self._config = self.parameters(AlignConfig)
        self._results = Results(self)

    def make_stage(self):
        self._library = self._given_library or Library.load(self._library_at.config.library)
        return self._given or make_aligner(self._config.config, self._library)

    def open_inputs(self):
        self._results.announce(self._library)
        extra = [(ObjectArray, "classified", QoSProfile(depth=1))]
        self._frames = FrameInput(
            self, self._input, self.put, self.health, self.settings.silence, extra
        )
        return (self._frames,)

    def process(self, item):
        camera, info, (objects,) = item
        frame, world = self._frames.frame(camera, info)
        segmentation = segmentation_of(objects)
        if segmentation.instances.shape != frame.depth.shape:
            text = f"classified {segmentation.instances.shape}, depth {frame.depth.shape}"
            raise BadFrame("sizes_differ", text)
        with self.health.timed("align"):
            alignments = self.stage(frame, segmentation)
        self.health.unaligned(getattr(self.stage, "dropped", ()))
        self._results.publish(alignments, self._library, camera[-1].header, frame, world)


def main():
    sys.exit(run(AlignNode))
