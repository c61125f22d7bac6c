"""Alignments as everything a robot or RViz wants: messages, markers, detections, class table."""

import json

import numpy as np
from roomcad_msgs.msg import CadAlignmentArray
from std_msgs.msg import Header, String
from visualization_msgs.msg import MarkerArray

from roomcad_core.classes import CLASSES, COLORS, SYNSETS
from roomcad_ros.convert import alignments_msg
from roomcad_ros.detections import detections_msg, detections_type
from roomcad_ros.images import seconds
from roomcad_ros.markers import marker_array
from roomcad_ros.node import LATCHED
from roomcad_ros.settings import MarkerConfig


class Results:
    """Publishers of the last stage; `publish` sends one frame's alignments on all of them."""

    def __init__(self, node):
        self._node = node
        self._config = node.parameters(MarkerConfig)
        self._alignments = node.create_lifecycle_publisher(CadAlignmentArray, "alignments", 1)
        self._markers = node.create_lifecycle_publisher(MarkerArray, "markers", LATCHED)
        self._classes = node.create_lifecycle_publisher(String, "classes", LATCHED)
        kind = detections_type()
        self._detections = node.create_lifecycle_publisher(kind, "detections", 1) if kind else None

    def announce(self, library):
        """Send the class table; call it when active."""
        self._classes.publish(String(data=json.dumps(class_table(library))))

    def publish(self, alignments, library, header, frame, world):
        """Alignments go out in the camera frame, markers and detections in the world's if known."""
        self._alignments.publish(alignments_msg(alignments, library, header))
        T_frame_cam = np.eye(4) if world is None else frame.T_world_cam
        drawn = Header(stamp=header.stamp, frame_id=world or header.frame_id)
        self._markers.publish(
            marker_array(alignments, library, T_frame_cam, drawn, self._config.config)
        )
        if self._detections:
            self._detections.publish(detections_msg(alignments, T_frame_cam, drawn))
        now = self._node.get_clock().now().nanoseconds * 1e-9
        self._node.health.took("image stamp to marker", now - seconds(header.stamp))


def class_table(library):
    """{class: {color, synset, models: {CAD id: symmetry}}} of a library."""
    return {
        label: {
            "color": COLORS[label],
            "synset": SYNSETS[label],
            "models": {model.id: model.symmetry for model in library.of_class(label)},
        }
        for label in CLASSES
    }
