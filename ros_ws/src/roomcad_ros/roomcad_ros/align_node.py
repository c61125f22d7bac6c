"""Named objects and the images they were seen in, to CAD models with poses."""

import sys

from rclpy.qos import QoSProfile
from roomcad_msgs.msg import ObjectArray

from roomcad_core.align import make_aligner, mode_mismatch
from roomcad_core.config import AlignConfig, TrackConfig, check_rgb_align
from roomcad_core.library import Library
from roomcad_core.tracks import Follower, aligner_settings
from roomcad_ros.convert import segmentation_of
from roomcad_ros.health import BadFrame
from roomcad_ros.inputs import FrameInput
from roomcad_ros.node import StageNode, run
from roomcad_ros.room import Room
from roomcad_ros.settings import INPUTS_FIXED, InputConfig, LibraryConfig


class AlignNode(StageNode):
    """`aligner`, a stand-in for tests: called with Frame and Segmentation, gives Alignments.

    With tracks.enabled it gets starts as its third argument.
    """

    def __init__(self, aligner=None, library=None, **options):
        super().__init__("align", **options)
        self._given, self._given_library = aligner, library
        self._input = self.parameters(InputConfig, fixed=INPUTS_FIXED, rebuild=False)
        self._library_at = self.parameters(LibraryConfig)
        self._config = self.parameters(AlignConfig)
        self._tracks = self.parameters(TrackConfig)
        self._room = Room(self, lambda: self.stage)

    def make_stage(self):
        tracks, config = self._tracks.config, self._config.config
        input = self._input.config.of_pipeline
        if input == "rgb":
            check_rgb_align(config)
        library = self.stage.library if self.stage else self._given_library
        library = library or Library.load(self._library_at.config.library)
        old = self.stage and self.stage.aligner
        align, updates = aligner_settings(config, tracks)
        aligner = self._given or make_aligner(align, library, updates, old)
        self.health.model_mode(mode_mismatch(aligner, input, config.model))
        return Follower(aligner, library, tracks, before=self.stage)

    def open_inputs(self):
        self._room.announce()
        extra = [(ObjectArray, "classified", QoSProfile(depth=1))]
        self._frames = FrameInput(
            self, self._input, self.put, self.health, self.settings, extra, predicted=True
        )
        return (self._frames,)

    def process(self, item):
        camera, info, (objects,) = item
        frame, world = self._frames.frame(camera, info)
        segmentation = segmentation_of(objects)
        if segmentation.instances.shape != frame.depth.shape:
            text = f"classified {segmentation.instances.shape}, depth {frame.depth.shape}"
            raise BadFrame("sizes_differ", text)
        with self._room.frame(world):
            with self.health.timed("align"):
                alignments = self.stage(frame, segmentation)
            self.health.unaligned(getattr(self.stage, "dropped", ()))
            self._room.publish(alignments, camera[-1].header, frame, world)


def main():
    sys.exit(run(AlignNode))
