"""Segmented objects in, named objects out. Every decision lives in roomcad_core."""

import sys

from rclpy.qos import QoSProfile
from roomcad_msgs.msg import ObjectArray

from roomcad_core.classify import make_classifier
from roomcad_core.config import ClassifyConfig
from roomcad_core.library import Library
from roomcad_ros.convert import object_msg, segmentation_of
from roomcad_ros.inputs import TopicSets
from roomcad_ros.node import StageNode, run
from roomcad_ros.settings import LibraryConfig


class ClassifyNode(StageNode):
    """`classifier`, a stand-in for tests: called with a Segmentation, gives it back named."""

    def __init__(self, classifier=None, **options):
        super().__init__("classify", **options)
        self._given, self._library = classifier, None
        self._library_at = self.parameters(LibraryConfig)
        self._config = self.parameters(ClassifyConfig)
        self._out = self.create_lifecycle_publisher(ObjectArray, "classified", 1)

    def make_stage(self):
        if self._given:
            return self._given
        if self.stage is None:
            self._library = Library.load(self._library_at.config.library)
        return make_classifier(self._config.config, self._library, self.stage)

    def open_inputs(self):
        topics = [(ObjectArray, "objects", QoSProfile(depth=1))]
        return (TopicSets(self, topics, self.put, self.health, self.settings),)

    def process(self, msg):
        segmentation = segmentation_of(msg)
        with self.health.timed("classify"):
            named = self.stage(segmentation)
        self.health.unclassified(named)
        msg.objects = [object_msg(obj) for obj in named.objects]
        self._out.publish(msg)


def main():
    sys.exit(run(ClassifyNode))
