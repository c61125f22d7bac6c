"""Alignments as everything a robot or RViz wants: messages, markers, TF, pictures, class table."""

import json

import numpy as np
from roomcad_msgs.msg import CadAlignmentArray
from sensor_msgs.msg import Image, PointCloud2
from std_msgs.msg import Header, String
from tf2_ros import TransformBroadcaster
from visualization_msgs.msg import MarkerArray

from roomcad_core.classes import CLASSES, COLORS, SYNSETS
from roomcad_core.outlines import Outliner
from roomcad_core.thin import thin
from roomcad_ros.convert import alignments_msg, room_msg
from roomcad_ros.detections import detections_msg, detections_type
from roomcad_ros.images import cloud_msg, image_msg, seconds
from roomcad_ros.markers import marker_array
from roomcad_ros.node import LATCHED
from roomcad_ros.settings import MarkerConfig
from roomcad_ros.track_markers import TrackMarkers, cleared, frame_transforms, shown_tracks

CLOUD_POINTS = 40_000  # of a frame shown at most


class Results:
    """Publishers of the last stage; `publish` sends one frame's alignments on all of them.

    Of followed objects only confirmed tracks go out.
    """

    def __init__(self, node, track_frames=""):
        """`track_frames`: prefix of the TF frames of tracks; "" = none."""
        self._node = node
        self.world = ""  # name of the fixed frame the camera was last found in
        self._config = node.parameters(MarkerConfig, rebuild=False, fixed=())
        self._alignments = node.create_lifecycle_publisher(CadAlignmentArray, "alignments", 1)
        self._markers = node.create_lifecycle_publisher(MarkerArray, "markers", LATCHED)
        self._room = node.create_lifecycle_publisher(CadAlignmentArray, "room", LATCHED)
        self._classes = node.create_lifecycle_publisher(String, "classes", LATCHED)
        self._overlay = node.create_lifecycle_publisher(Image, "overlay", 1)
        self._cloud = node.create_lifecycle_publisher(PointCloud2, "cloud", 1)
        kind = detections_type()
        self._detections = node.create_lifecycle_publisher(kind, "detections", 1) if kind else None
        self._prefix = track_frames
        self._tf = TransformBroadcaster(node) if track_frames else None

    def announce(self, library):
        """Send the class table and start a new scene; call it when active."""
        self._library, self._outliner = library, Outliner(library)
        self._track_markers = TrackMarkers()
        self._classes.publish(String(data=json.dumps(class_table(library))))

    def clear(self):
        """Take all markers away, and empty the room."""
        self._markers.publish(cleared())
        if self.world:
            now = self._node.get_clock().now().to_msg()
            self._room.publish(CadAlignmentArray(header=Header(stamp=now, frame_id=self.world)))

    def publish(self, alignments, follower, header, frame, world):
        """Send the Alignments of a Frame and the tracks of a tracks.Follower.

        Alignments go out in the camera frame, all else in the fixed frame named `world`, in which
        frame.T_world_cam is; None = not known now.
        """
        self.world = world or self.world
        alignments, owners = follower.shown(alignments)
        self._node.health.aligned(getattr(follower.aligner, "passes", {}), owners)
        self._alignments.publish(alignments_msg(alignments, self._library, header, owners))
        T_frame_cam = np.eye(4) if world is None else frame.T_world_cam
        drawn = Header(stamp=header.stamp, frame_id=world or header.frame_id)
        config = self._config.config
        if follower.follows:
            self._publish_tracks(follower, frame, header, config)
        else:
            markers = marker_array(alignments, self._library, T_frame_cam, drawn, config)
            self._markers.publish(markers)
        if self._detections:
            self._detections.publish(detections_msg(alignments, T_frame_cam, drawn, owners))
        now = self._node.get_clock().now().nanoseconds * 1e-9
        self._node.health.took("image stamp to marker", now - seconds(header.stamp))
        self._draw(alignments, frame, header)

    def _publish_tracks(self, follower, frame, header, config):
        if self.world:
            placed = Header(stamp=header.stamp, frame_id=self.world)
            self._room.publish(room_msg(follower.standing, self._library, placed))
        shown = shown_tracks(follower.tracks, frame, self.world, header)
        self._markers.publish(self._track_markers.array(shown, self._library, header, config))
        if self._tf and shown:
            self._tf.sendTransform(frame_transforms(shown, self._prefix))

    def _draw(self, alignments, frame, header):
        """Send the overlay and the coloured cloud, if somebody looks."""
        if self._overlay.get_subscription_count():
            with self._node.health.timed("overlay"):
                picture = self._outliner(frame.color, frame.K, alignments)
            self._overlay.publish(image_msg(picture, "rgb8", header))
        if self._cloud.get_subscription_count():
            with self._node.health.timed("cloud"):
                cloud = cloud_msg(thin(frame, CLOUD_POINTS), header)
            self._cloud.publish(cloud)


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
