"""Confirmed tracks as markers and TF frames: names that stay, and an end that is told."""

from geometry_msgs.msg import TransformStamped
from std_msgs.msg import Header
from visualization_msgs.msg import Marker, MarkerArray

from roomcad_core.tracks import LOST
from roomcad_ros.convert import quaternion_msg, vector_msg
from roomcad_ros.markers import NAMESPACES, model_markers

REPEATS = 10  # arrays that carry a DELETE, for viewers that miss one


def shown_tracks(tracks, frame, world, header):
    """[(Track, T_frame_obj (4, 4), Header)] of the confirmed tracks that can be placed.

    They stand in `world`, the name of the fixed frame ("" = never known so far), or else in the
    camera of `frame` if that has seen them last.
    """
    shown = []
    for track in (t for t in tracks if t.confirmed):
        if track.T_world_obj is not None and world:
            placed = Header(stamp=header.stamp, frame_id=world)
            shown.append((track, track.T_world_obj, placed))
        elif track.camera == frame.frame_id:
            shown.append((track, track.T_cam_obj, header))
    return shown


class TrackMarkers:
    """Makes the arrays of successive frames. A marker's id is that of its track.

    Every array holds all there is to see, so that a late viewer needs the last one only.
    """

    def __init__(self):
        self._shown = set()
        self._gone = {}  # track id -> arrays that still delete it
        self._first = True

    def array(self, shown, library, header, config):
        """MarkerArray of `shown_tracks`; config: MarkerConfig."""
        shown = [entry for entry in shown if entry[0].sigma >= config.min_score]
        ids = {track.id for track, _, _ in shown}
        self._gone |= dict.fromkeys(self._shown - ids, REPEATS)
        self._gone = {i: left for i, left in self._gone.items() if left and i not in ids}
        # Whatever an earlier run of the node left behind goes with the first array.
        markers = [Marker(header=header, action=Marker.DELETEALL)] if self._first else []
        for i in self._gone:
            self._gone[i] -= 1
            markers += [_delete(ns, i, header) for ns in NAMESPACES]
        for track, T_frame_obj, placed in shown:
            markers += _of_track(track, library, T_frame_obj, placed, config)
        self._shown, self._first = ids, False
        return MarkerArray(markers=markers)


def cleared():
    """MarkerArray that takes everything away."""
    return MarkerArray(markers=[Marker(action=Marker.DELETEALL)])


def frame_transforms(shown, prefix):
    """TransformStamped of each of `shown_tracks`; the child frame is prefix and track id."""
    return [
        _transform(f"{prefix}{track.id}", T_frame_obj, header)
        for track, T_frame_obj, header in shown
    ]


def _of_track(track, library, T_frame_obj, header, config):
    markers = model_markers(track.alignment(track.id), library, T_frame_obj, header, config)
    for marker in markers:
        if track.state == LOST and marker.ns == "label":
            marker.text += " (lost)"
    return markers


def _delete(ns, i, header):
    return Marker(header=header, ns=ns, id=i, action=Marker.DELETE)


def _transform(child, T, header):
    out = TransformStamped(header=header, child_frame_id=child)
    out.transform.translation = vector_msg(T[:3, 3])
    out.transform.rotation = quaternion_msg(T[:3, :3])
    return out
