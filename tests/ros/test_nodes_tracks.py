"""Objects followed by the last stage: what it shows, saves and forgets, on real topics."""

import dataclasses
import threading

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.parameter import Parameter
from rclpy.time import Time
from roomcad_msgs.msg import CadAlignmentArray, ObjectArray
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from std_srvs.srv import Trigger
from tf2_msgs.msg import TFMessage
from visualization_msgs.msg import Marker, MarkerArray

from roomcad_core.camera import unproject
from roomcad_core.classes import COLORS
from roomcad_core.config import TrackConfig
from roomcad_core.gravity import gravity_frame, up_from_pose
from roomcad_core.library import Library
from roomcad_core.pose import inverse, rigid, transform, upright_rotation
from roomcad_core.room_file import read_room
from roomcad_core.tracks import Follower
from roomcad_core.types import Alignment, Object, Segmentation
from roomcad_ros.align_node import AlignNode
from roomcad_ros.convert import objects_msg
from roomcad_ros.pipeline_node import PipelineNode

# The box of the `frame` fixture, as a chair.
T_WORLD_BOX = rigid(upright_rotation(0.0), [1.95, 0.0, 0.4])
S_BOX = np.array([0.5, 0.8, 0.6])


@pytest.fixture(scope="module")
def library():
    return Library.load()


class ChairAligner:
    """A stand-in: every object is the box, off by a few millimetres, with a score of one's own."""

    def __init__(self, frame, library):
        self.T_world_cam, self.score, self.asked = frame.T_world_cam, 0.9, []
        self._cad_id = library.of_class("chair")[0].id

    def __call__(self, frame, segmentation, starts=None):
        self.asked.append(starts)
        T = inverse(self.T_world_cam) @ T_WORLD_BOX
        T[0, 3] += 0.005 * (-1) ** len(self.asked)
        return tuple(
            Alignment(o.id, "chair", self._cad_id, T, S_BOX, self.score, o.score)
            for o in segmentation.objects
        )


def segmented(frame, object_id):
    """Segmentation of the box by its true mask; () where it is not to be seen."""
    mask = frame.instances > 0
    T_grav_cam = gravity_frame(up_from_pose(frame.T_world_cam))
    if not mask.any():
        return Segmentation(frame.instances, (), T_grav_cam, -1.3)
    rows, columns = np.nonzero(mask)
    box = np.float32([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
    points = transform(T_grav_cam, unproject(frame.depth, frame.K)[mask]).astype(np.float32)
    chair = Object(object_id, box, points, "chair", 0.75, {"chair": 0.75})
    return Segmentation((mask * object_id).astype(np.uint16), (chair,), T_grav_cam, -1.3)


def taken_away(frame):
    """The frame without its box: a wall is seen where it stood."""
    gone = frame.instances > 0
    depth = np.where(gone, np.float32(5), frame.depth)
    return dataclasses.replace(frame, depth=depth, instances=np.zeros_like(frame.instances))


class Live:
    """An align node that follows objects; calling it serves one frame."""

    def __init__(self, rig, frame, library, **parameters):
        self.rig, self.frame, self.align = rig, frame, ChairAligner(frame, library)
        # A machine under load may deliver TF late.
        values = {"tracks.enabled": True, "tracks.confirm": 1, "tf_timeout": 5.0} | parameters
        overrides = [Parameter(name, value=value) for name, value in values.items()]
        self.node = AlignNode(self.align, library, parameter_overrides=overrides).start()
        self.alignments = rig.collect(CadAlignmentArray, "alignments")
        self.markers = rig.collect(MarkerArray, "markers", latched=True)
        self.rooms = rig.collect(CadAlignmentArray, "room", latched=True)
        self._classified = rig.node.create_publisher(ObjectArray, "classified", 1)
        rig.connect(self.node, inputs=("color", "depth", "info", "tf"))
        rig.wait(self._classified.get_subscription_count)

    def __call__(self, stamp, frame=None, world="map", object_id=7):
        """(alignments, markers) of a frame; `world`: where its pose is known in, None = nowhere."""
        n = len(self.markers)
        self.send(stamp, frame, world, object_id)
        self.rig.wait(lambda: len(self.markers) > n, f"frame {stamp}")
        return self.alignments[-1].alignments, self.markers[-1].markers

    def send(self, stamp, frame=None, world="map", object_id=7):
        """Publish a frame, without waiting for what comes of it."""
        frame = frame or self.frame
        if world:
            self.rig.send_pose(frame, stamp, parent=world)
            self.rig.pause(0.1)
        self.rig.send(frame, stamp)
        header = Header(stamp=Time(seconds=stamp).to_msg(), frame_id=frame.frame_id)
        self._classified.publish(objects_msg(segmented(frame, object_id), header))

    def ask(self, service):
        """Response of a Trigger service of the node."""
        client = self.rig.node.create_client(Trigger, f"/align/{service}")
        self.rig.wait(client.service_is_ready, service)
        answer = client.call_async(Trigger.Request())
        self.rig.wait(answer.done, f"the answer of {service}")
        return answer.result()


def models(markers):
    """The CAD markers of an array."""
    return [m for m in markers if m.ns == "cad" and m.action == Marker.ADD]


def ids_of(markers, action):
    return sorted((m.ns, m.id) for m in markers if m.action == action)


@pytest.fixture
def live(rig, frame, library):
    """live(**parameters): a Live node."""
    return lambda **parameters: Live(rig, frame, library, **parameters)


def test_a_static_object_keeps_one_id_and_one_marker(live):
    serve = live()
    for step in range(4):
        found, markers = serve(100 + step, object_id=7 + step)
        (alignment,), (model,) = found, models(markers)
        assert (alignment.object_id, alignment.track_id) == (7 + step, 1)
        assert (model.id, model.header.frame_id, model.header.stamp.sec) == (1, "map", 100 + step)
        p = model.pose.position
        np.testing.assert_allclose([p.x, p.y, p.z], T_WORLD_BOX[:3, 3], atol=0.006)
        (label,) = [m for m in markers if m.ns == "label"]
        assert (label.id, label.text) == (1, "chair 0.90")
        # Nothing is taken away and put back: only the first array clears what was before.
        assert [m.action for m in markers].count(Marker.DELETEALL) == (step == 0)
    assert serve.align.asked[0] == {} and set(serve.align.asked[3]) == {10}


def test_a_late_viewer_sees_the_room(live, rig):
    serve = live(**{"markers.box": True})
    serve(100)
    late = rig.collect(MarkerArray, "markers", latched=True)
    rig.wait(lambda: late, "the last array")
    assert ids_of(late[0].markers, Marker.ADD) == [("box", 1), ("cad", 1), ("label", 1)]
    (box,) = [m for m in late[0].markers if m.ns == "box"]
    ends = np.array([[p.x, p.y, p.z] for p in box.points])
    assert len(ends) == 24
    lengths = np.linalg.norm(ends[::2] - ends[1::2], axis=1)
    np.testing.assert_allclose(sorted(lengths), np.repeat([0.5, 0.6, 0.8], 4))


def test_an_object_is_shown_once_it_is_confirmed(live):
    serve = live()
    serve.align.score = 0.45  # below tracks.sigma_high
    found, markers = serve(100)
    assert not found and not ids_of(markers, Marker.ADD)
    assert [t.state for t in serve.node.stage.tracks] == ["NEW"]
    serve.align.score = 0.8
    found, markers = serve(101)
    assert [a.track_id for a in found] == [1] and len(models(markers)) == 1


def test_an_object_that_is_gone_is_deleted_and_the_reason_counted(live, rig, frame):
    serve = live(**{"tracks.ghost_frames": 2, "diagnostics_period": 0.1})
    reports = rig.collect(DiagnosticArray, "/diagnostics")
    serve(100)
    found, markers = serve(101, taken_away(frame))
    assert not found and len(models(markers)) == 1  # one look through it may be an error
    everything = [("box", 1), ("cad", 1), ("label", 1)]
    for stamp in (102, 103):  # told again, for viewers that missed it
        _, markers = serve(stamp, taken_away(frame))
        assert ids_of(markers, Marker.DELETE) == everything
        assert not ids_of(markers, Marker.ADD)

    def told():
        return {v.key: v.value for v in reports[-1].status[0].values} if reports else {}

    rig.wait(lambda: told().get("tracks ended: seen_through") == "1", "the reason")


def test_reset_forgets_tracks_and_takes_markers_away(live):
    serve = live()
    serve(100)
    answer = serve.ask("reset")
    assert answer.success and answer.message == "1 tracks forgotten"
    serve.rig.wait(lambda: len(serve.markers) == 2, "cleared markers")
    assert [m.action for m in serve.markers[-1].markers] == [Marker.DELETEALL]
    found, markers = serve(101)
    assert [a.track_id for a in found] == [2] and [m.id for m in models(markers)] == [2]
    assert serve.node.health.ended == {"reset": 1}


def test_the_room_is_saved_as_files_that_load(live, library, tmp_path):
    trimesh = pytest.importorskip("trimesh")
    serve = live(scene_folder=str(tmp_path / "rooms"))
    nothing = serve.ask("save_scene")
    assert not nothing.success and "no track is confirmed" in nothing.message
    serve(100)
    answers = [serve.ask("save_scene"), serve.ask("save_scene")]
    assert all(a.success and "1 objects in" in a.message for a in answers)
    first, second = sorted((tmp_path / "rooms").iterdir())  # the earlier one stays
    for folder in (first, second):
        (chair,), world = read_room(folder)
        assert (chair.id, chair.label, world) == (1, "chair", "map")
        assert chair.symmetry == library[chair.cad_id].symmetry
        np.testing.assert_allclose(chair.T_world_obj, T_WORLD_BOX, atol=0.006)
    low, high = trimesh.load_scene(first / "room.glb").bounds  # y up
    np.testing.assert_allclose((low + high) / 2, [1.95, 0.4, 0.0], atol=0.006)
    np.testing.assert_allclose(high - low, [0.5, 0.8, 0.6], atol=1e-3)


def test_the_room_topic_holds_exactly_the_confirmed_tracks(live, rig, library):
    serve = live()
    serve.align.score = 0.45  # below tracks.sigma_high
    serve(100)
    rig.wait(lambda: serve.rooms, "the room")
    assert serve.node.stage.tracks and not serve.rooms[-1].alignments
    serve.align.score = 0.8
    serve(101)
    late = rig.collect(CadAlignmentArray, "room", latched=True)  # needs the last one only
    rig.wait(lambda: late and late[-1].header.stamp.sec == 101, "the room of the last frame")
    (chair,), (placed,) = late[-1].alignments, serve.node.stage.room()
    (track,) = serve.node.stage.tracks
    assert (late[-1].header.frame_id, chair.track_id, chair.object_id) == ("map", 1, 0)
    assert (chair.label, chair.cad_id) == (placed.label, placed.cad_id)
    assert chair.symmetry == library[chair.cad_id].symmetry == placed.symmetry
    assert (chair.score, chair.class_score) == pytest.approx((0.8, track.class_score))
    p, s = chair.pose.position, chair.size
    np.testing.assert_allclose([p.x, p.y, p.z], placed.T_world_obj[:3, 3])
    np.testing.assert_allclose([s.x, s.y, s.z], S_BOX)


def test_a_reset_empties_the_room_topic(live, rig):
    serve = live()
    serve(100)
    rig.wait(lambda: serve.rooms and serve.rooms[-1].alignments, "the room")
    serve.ask("reset")
    rig.wait(lambda: not serve.rooms[-1].alignments, "the empty room")
    assert serve.rooms[-1].header.frame_id == "map"


def test_a_room_that_cannot_be_saved_is_said_in_the_answer(live, tmp_path):
    (tmp_path / "file").write_text("in the way")
    serve = live(scene_folder=str(tmp_path / "file" / "rooms"))
    serve(100)
    answer = serve.ask("save_scene")
    assert not answer.success and str(tmp_path / "file") in answer.message
    found, _ = serve(101)
    assert [a.track_id for a in found] == [1]  # and the node goes on


def test_without_tracks_saving_names_the_parameter(live):
    serve = live(**{"tracks.enabled": False})
    found, markers = serve(100)
    assert [a.track_id for a in found] == [0]
    assert [m.action for m in markers] == [Marker.DELETEALL, Marker.ADD, Marker.ADD]
    answer = serve.ask("save_scene")
    assert not answer.success and "tracks.enabled" in answer.message
    assert not serve.rooms
    assert serve.ask("reset").message == "0 tracks forgotten"


def test_a_clock_that_jumps_back_starts_a_new_room(live, rig, frame):
    serve = live(sync_queue=3)
    serve(100)
    # Images without partners fill the queues; after the jump they must not crowd out new ones.
    for stamp in (101, 102, 103, 104):
        rig.send(frame, stamp)
        rig.pause(0.05)
    serve.send(49)
    rig.wait(lambda: serve.node.health.dropped["odd_stamp"] == 3, "a first doubt on each topic")
    found, markers = serve(50)  # a second message says so too
    assert [a.track_id for a in found] == [2]
    assert ("cad", 1) in ids_of(markers, Marker.DELETE)
    assert serve.node.health.warnings["clock_went_back"] == 1
    assert serve.node.health.ended == {"clock_went_back": 1}
    found, markers = serve(51)  # TF of before the jump does not speak of now
    (model,) = models(markers)
    assert ([a.track_id for a in found], model.id, model.header.frame_id) == ([2], 2, "map")
    assert serve.node.health.warnings["clock_went_back"] == 1


@pytest.mark.parametrize("stamp", [103 + 1e9, 110, 5])
def test_a_single_wrong_stamp_resets_nothing(live, rig, stamp):
    serve = live()
    for good in (100, 101, 102):
        serve(good)
    n = len(serve.markers)
    serve.send(stamp)
    health = serve.node.health
    # A few seconds ahead may be right: such a frame is served.
    rig.wait(lambda: health.dropped["odd_stamp"] == 3 or len(serve.markers) > n, "a verdict")
    for good in (103, 104):
        found, _ = serve(good)
        assert [a.track_id for a in found] == [1]
    assert not health.ended and not health.warnings["clock_went_back"]


def test_a_reset_does_not_wait_for_the_frame_at_work(live, rig):
    serve = live()
    serve(100)
    go, at_work = threading.Event(), threading.Event()
    align = serve.node.stage.aligner

    def slowly(*inputs):
        at_work.set()
        assert go.wait(20)
        return align(*inputs)

    serve.node.stage.aligner = slowly
    serve.send(101)
    rig.wait(at_work.is_set, "the frame at work")
    answer = serve.ask("reset")  # answered although the frame is not done
    assert answer.success and answer.message == "1 tracks forgotten"
    assert len(serve.markers) == 1
    go.set()
    rig.wait(lambda: len(serve.markers) == 2, "cleared markers")
    assert [m.action for m in serve.markers[-1].markers] == [Marker.DELETEALL]
    assert serve.node.health.dropped["reset"] == 1
    serve.node.stage.aligner = align
    found, _ = serve(102)
    assert [a.track_id for a in found] == [2]


def test_without_tf_tracks_stay_in_the_camera_frame_and_the_limit_is_named(live):
    serve = live()
    for stamp in (100, 101):
        found, markers = serve(stamp, world=None)
        (model,) = models(markers)
        assert (model.id, model.header.frame_id) == (1, "camera_optical")
        assert [a.track_id for a in found] == [1]
    assert serve.node.health.warnings["no_world_pose"] == 2
    assert not serve.rooms
    answer = serve.ask("save_scene")
    assert not answer.success and "no camera pose was known: tracks 1" in answer.message


def test_another_fixed_frame_starts_a_new_room(live):
    serve = live()
    serve(100, world="odom")
    found, markers = serve(101, world="map")  # a localisation that comes up later
    assert serve.node.health.warnings["world_frame_changed"] == 1
    assert [a.track_id for a in found] == [2]
    assert [(m.id, m.header.frame_id) for m in models(markers)] == [(2, "map")]


def test_tracks_are_tf_frames_where_asked_for(live, rig):
    transforms = rig.collect(TFMessage, "/tf")
    serve = live(track_frames="track_")
    serve(100)

    def tracked():
        return [t for m in transforms for t in m.transforms if t.child_frame_id == "track_1"]

    rig.wait(tracked, "the track's frame")
    sent = tracked()[0]
    assert (sent.header.frame_id, sent.header.stamp.sec) == ("map", 100)
    t = sent.transform.translation
    np.testing.assert_allclose([t.x, t.y, t.z], T_WORLD_BOX[:3, 3], atol=0.006)


def test_the_overlay_is_drawn_when_somebody_looks(live, rig, frame):
    serve = live()
    serve(100)
    assert not any("overlay" in stage for stage in serve.node.health.values())
    pictures = rig.collect(Image, "overlay")
    rig.wait(lambda: serve.node.count_subscribers("overlay"), "discovery")
    rig.pause(0.2)
    serve(101)
    rig.wait(lambda: pictures, "the overlay")
    (picture,) = pictures
    assert (picture.header.stamp.sec, picture.header.frame_id) == (101, "camera_optical")
    drawn = np.frombuffer(picture.data, np.uint8).reshape(120, 160, 3)
    outline = np.argwhere((drawn == COLORS["chair"]).all(-1))
    box = np.argwhere(frame.instances > 0)
    # A chair does not fill the top of its box.
    np.testing.assert_allclose(outline.max(0), box.max(0), atol=4)
    np.testing.assert_allclose(outline.min(0)[1], box.min(0)[1], atol=4)
    assert len(outline) < len(box) / 2


def test_a_parameter_changed_while_running_keeps_the_tracks(live):
    serve = live()
    serve(100)
    (result,) = serve.node.set_parameters([Parameter("tracks.sigma_high", value=0.8)])
    assert result.successful
    (result,) = serve.node.set_parameters([Parameter("tracks.sigma_low", value=0.81)])
    assert not result.successful and "sigma_high" in result.reason
    found, _ = serve(101)
    assert [a.track_id for a in found] == [1]


def test_services_of_a_node_that_is_not_configured_say_so(rig, library):
    values = {"autostart": False, "tracks.enabled": True, "tracks.confirm": 1}
    overrides = [Parameter(name, value=value) for name, value in values.items()]
    node = AlignNode(ChairAligner, library, parameter_overrides=overrides)
    client = rig.node.create_client(Trigger, "/align/reset")
    rig.spin(client.service_is_ready, rig.node, node, why="the service")
    answer = client.call_async(Trigger.Request())
    rig.wait(answer.done, "the answer")
    assert not answer.result().success and "not configured" in answer.result().message


class FollowingPipeline:
    """A stand-in pipeline around a real Follower."""

    def __init__(self, frame, library):
        self.seconds, self._true = {}, frame
        aligner = ChairAligner(frame, library)
        self.follower = Follower(aligner, library, TrackConfig(enabled=True, confirm=1))

    def __call__(self, frame):
        segmentation = segmented(self._true, 7)
        return self.follower(frame, segmentation), segmentation


def test_the_pipeline_node_follows_objects_too(rig, frame, library):
    node = PipelineNode(FollowingPipeline(frame, library)).start()
    alignments = rig.collect(CadAlignmentArray, "alignments")
    rig.connect(node)
    for stamp in (100, 101):
        n = len(alignments)
        rig.send(frame, stamp)
        rig.wait(lambda n=n: len(alignments) > n, "alignments")
    assert [[a.track_id for a in m.alignments] for m in alignments] == [[1], [1]]
