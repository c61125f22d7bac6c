"""All three stages in one process: the same outputs without the copies between nodes."""

import sys

from roomcad_msgs.msg import ObjectArray

from roomcad_core.config import (
    AlignConfig,
    ClassifyConfig,
    PipelineConfig,
    RgbConfig,
    SegmentConfig,
    TrackConfig,
)
from roomcad_core.pipeline import Pipeline
from roomcad_ros.convert import objects_msg
from roomcad_ros.inputs import FrameInput
from roomcad_ros.node import StageNode, run
from roomcad_ros.room import Room
from roomcad_ros.settings import INPUTS_FIXED, InputConfig, LibraryConfig


class PipelineNode(StageNode):
    """`pipeline`, a stand-in for tests: called with a Frame, gives Alignments, Segmentation."""

    def __init__(self, pipeline=None, **options):
        super().__init__("pipeline", **options)
        self._given = pipeline
        self._input = self.parameters(InputConfig, fixed=INPUTS_FIXED, rebuild=False)
        self._library_at = self.parameters(LibraryConfig)
        self._rgb = self.parameters(RgbConfig)
        self._segment = self.parameters(SegmentConfig)
        self._classify = self.parameters(ClassifyConfig)
        self._align = self.parameters(AlignConfig)
        self._objects = self.create_lifecycle_publisher(ObjectArray, "classified", 1)
        self._tracks = self.parameters(TrackConfig)
        self._room = Room(self, lambda: self.stage and self.stage.follower)

    @property
    def config(self):
        """The PipelineConfig that the parameters give."""
        return PipelineConfig(
            library=self._library_at.config.library,
            input=self._input.config.of_pipeline,
            segment=self._segment.config,
            classify=self._classify.config,
            align=self._align.config,
            tracks=self._tracks.config,
            rgb=self._rgb.config,
        )

    def make_stage(self):
        if self._given:
            return self._given
        pipeline = Pipeline(self.config, self.stage and self.stage.library, before=self.stage)
        self.health.model_mode(pipeline.model_mode)
        return pipeline

    def open_inputs(self):
        self._room.announce()
        self._frames = FrameInput(self, self._input, self.put, self.health, self.settings)
        return (self._frames,)

    def process(self, item):
        camera, info, _ = item
        frame, world = self._frames.frame(camera, info)
        with self._room.frame(world):
            alignments, segmentation = self.stage(frame)
            frame = getattr(self.stage, "frame", frame)  # with its depth, where that is predicted
            for stage, seconds in self.stage.seconds.items():
                self.health.took(stage, seconds)
            self.health.unclassified(segmentation)
            self.health.unaligned(getattr(self.stage, "dropped", ()))
            header = camera[-1].header
            self._objects.publish(objects_msg(segmentation, header))
            self._room.publish(alignments, header, frame, world)


def main():
    sys.exit(run(PipelineNode))
