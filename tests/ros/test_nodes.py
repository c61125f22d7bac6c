"""Each node alone, on real topics, with stand-in stages."""

import dataclasses
import json
import time
from types import SimpleNamespace

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.parameter import Parameter
from roomcad_msgs.msg import CadAlignmentArray, ObjectArray
from sensor_msgs.msg import Image
from std_msgs.msg import String
from visualization_msgs.msg import Marker, MarkerArray

from roomcad_core.config import TrackConfig
from roomcad_core.gravity import gravity_frame, up_from_pose
from roomcad_core.pose import rigid
from roomcad_core.tracks import Follower
from roomcad_core.types import Alignment, Dropped, Object, Segmentation
from roomcad_ros.align_node import AlignNode
from roomcad_ros.classify_node import ClassifyNode
from roomcad_ros.convert import objects_msg, segmentation_of
from roomcad_ros.images import cloud_msg, depth_image
from roomcad_ros.pipeline_node import PipelineNode
from roomcad_ros.segment_node import SegmentNode

CAD = SimpleNamespace(id="chair_1", label="chair", symmetry="2-fold", mesh=None)


class OneModel(dict):
    """A stand-in library."""

    def of_class(self, label):
        return tuple(m for m in self.values() if m.label == label)


@pytest.fixture
def library(tmp_path):
    mesh = tmp_path / "chair one.glb"
    return OneModel(chair_1=SimpleNamespace(**{**vars(CAD), "mesh": mesh}))


def segment_box(frame):
    """The true mask as one object; crop and gravity as the real segmenter gives them."""
    up = np.array([0, -1, 0]) if frame.T_world_cam is None else up_from_pose(frame.T_world_cam)
    points = np.arange(12, dtype=np.float32).reshape(4, 3)
    box = np.array([1, 2, 3, 4], np.float32)
    instances = (frame.depth > 0).astype(np.uint16) * 7
    return Segmentation(instances, (Object(7, box, points),), gravity_frame(up), None)


def name_chair(segmentation):
    named = [
        dataclasses.replace(o, label="chair", score=0.75, class_scores={"chair": 0.75})
        for o in segmentation.objects
    ]
    return dataclasses.replace(segmentation, objects=tuple(named))


def align_ahead(frame, segmentation):
    """One chair for each object, 2 m in front of the camera."""
    T = rigid(np.diag([1.0, -1, -1]), [0, 0, 2])
    S = np.array([0.5, 0.9, 0.6])
    return tuple(
        Alignment(o.id, o.label, "chair_1", T, S, 0.5, o.score) for o in segmentation.objects
    )


def test_segment_node_gives_the_objects_of_the_frame_with_the_input_stamp(rig, frame):
    seen = []
    node = SegmentNode(lambda f: seen.append(f) or segment_box(f)).start()
    objects = rig.collect(ObjectArray, "objects")
    rig.connect(node)
    rig.send(frame)
    rig.wait(lambda: objects, "objects")

    assert objects[0].header.stamp.sec == 100
    assert objects[0].header.frame_id == "camera_optical"
    np.testing.assert_array_equal(seen[0].color, frame.color)
    np.testing.assert_allclose(seen[0].depth, frame.depth, atol=1e-6)
    np.testing.assert_array_equal(seen[0].K, frame.K)
    assert seen[0].T_world_cam is None  # nobody sent TF
    assert node.health.warnings["no_tf"] == 1
    back, sent = segmentation_of(objects[0]), segment_box(seen[0])
    np.testing.assert_array_equal(back.instances, sent.instances)
    np.testing.assert_array_equal(back.objects[0].points, sent.objects[0].points)
    np.testing.assert_allclose(back.T_grav_cam, sent.T_grav_cam, atol=1e-12)
    assert back.floor_z is None


def test_segment_node_takes_the_camera_pose_from_tf(rig, frame):
    seen = []
    node = SegmentNode(lambda f: seen.append(f) or segment_box(f)).start()
    objects = rig.collect(ObjectArray, "objects")
    rig.connect(node, inputs=("color", "depth", "info", "tf"))
    rig.send_pose(frame)
    rig.pause(0.2)
    rig.send(frame)
    rig.wait(lambda: objects, "objects")
    np.testing.assert_allclose(seen[0].T_world_cam, frame.T_world_cam, atol=1e-9)


def test_segment_node_takes_an_organised_cloud_instead_of_images(rig, frame):
    seen = []
    overrides = [Parameter("input", value="cloud")]
    node = SegmentNode(
        lambda f: seen.append(f) or segment_box(f), parameter_overrides=overrides
    ).start()
    objects = rig.collect(ObjectArray, "objects")
    rig.connect(node, inputs=("points",))
    header = objects_msg(segment_box(frame), Image().header).header
    header.frame_id = "camera_optical"
    rig.points.publish(cloud_msg(frame, header))
    rig.wait(lambda: objects, "objects")
    np.testing.assert_allclose(seen[0].depth, frame.depth, atol=1e-5)
    np.testing.assert_array_equal(seen[0].color, frame.color)
    np.testing.assert_allclose(seen[0].K, frame.K, rtol=1e-3)  # from the points alone


def test_segment_node_paints_objects_when_somebody_looks(rig, frame):
    node = SegmentNode(segment_box).start()
    pictures = rig.collect(Image, "segmentation")
    rig.connect(node)
    rig.wait(lambda: node.count_subscribers("segmentation"))
    rig.send(frame)
    rig.wait(lambda: pictures, "the picture")
    assert (pictures[0].height, pictures[0].width, pictures[0].encoding) == (120, 160, "rgb8")


def test_images_wait_for_the_first_camera_info(rig, frame):
    node = SegmentNode(segment_box).start()
    objects = rig.collect(ObjectArray, "objects")
    rig.connect(node)
    rig.send(frame, info=None)
    rig.pause(0.3)
    assert not objects
    rig.send(frame, color=None, depth=None)
    rig.wait(lambda: objects, "objects")


def test_float_depth_is_in_metres_and_has_holes_where_it_is_not_finite():
    depth = np.array([[0.5, np.nan], [np.inf, -1]], np.float32)
    msg = Image(height=2, width=2, encoding="32FC1", step=8, data=depth.tobytes())
    np.testing.assert_array_equal(depth_image(msg), [[0.5, 0], [0, 0]])
    millimetres = np.array([[1500, 0]], ">u2")
    msg = Image(height=1, width=2, encoding="16UC1", step=6, is_bigendian=1)
    msg.data = millimetres.tobytes() + b"xx"  # padded rows, foreign byte order
    np.testing.assert_array_equal(depth_image(msg), np.array([[1.5, 0]], np.float32))


def test_classify_node_names_the_objects_and_keeps_the_rest(rig, frame):
    node = ClassifyNode(name_chair).start()
    named = rig.collect(ObjectArray, "classified")
    objects = rig.node.create_publisher(ObjectArray, "objects", 1)
    rig.connect(node, inputs=())
    rig.wait(objects.get_subscription_count)
    header = Image().header
    header.stamp.sec, header.frame_id = 7, "cam"
    sent = objects_msg(segment_box(frame), header)
    objects.publish(sent)
    rig.wait(lambda: named, "names")
    obj = named[0].objects[0]
    assert (obj.label, obj.score) == ("chair", 0.75)
    assert (list(obj.class_names), list(obj.class_scores)) == (["chair"], [0.75])
    assert (named[0].header, named[0].instances) == (sent.header, sent.instances)
    assert obj.points == sent.objects[0].points


def classified_msg(frame, segmentation):
    header = Image().header
    header.stamp.sec, header.frame_id = int(frame.stamp), frame.frame_id
    return objects_msg(segmentation, header)


def aligned(rig, frame, library, with_pose, segmentation, align=align_ahead):
    """(alignments, markers, classes) that the align node sends for one frame."""
    off = Parameter("tracks.enabled", value=False)
    node = AlignNode(align, library, parameter_overrides=[off]).start()
    alignments = rig.collect(CadAlignmentArray, "alignments")
    markers = rig.collect(MarkerArray, "markers", latched=True)
    classes = rig.collect(String, "classes", latched=True)
    objects = rig.node.create_publisher(ObjectArray, "classified", 1)
    rig.connect(node, inputs=("color", "depth", "info", "tf"))
    rig.wait(objects.get_subscription_count)
    if with_pose:
        rig.send_pose(frame)
        rig.pause(0.2)
    rig.send(frame)
    objects.publish(classified_msg(frame, segmentation))
    rig.wait(lambda: alignments and markers and classes, "results")
    return alignments[0], markers[0].markers, json.loads(classes[0].data)


def test_align_node_gives_alignments_in_the_camera_frame(rig, frame, library):
    named = name_chair(segment_box(frame))
    message, _, classes = aligned(rig, frame, library, with_pose=False, segmentation=named)
    assert (message.header.stamp.sec, message.header.frame_id) == (100, "camera_optical")
    (found,) = message.alignments
    assert (found.object_id, found.label, found.cad_id) == (7, "chair", "chair_1")
    assert (found.score, found.class_score, found.symmetry) == (0.5, 0.75, "2-fold")
    assert (found.pose.position.z, found.size.y) == (2.0, 0.9)
    assert classes["chair"]["models"] == {"chair_1": "2-fold"}


class AlignNothing:
    """A stand-in aligner that drops the frame's object."""

    engine = "fake fp32"
    dropped = (Dropped(7, "bad_box", "its box is empty"),)

    def __call__(self, frame, segmentation):
        return ()


def test_the_align_node_counts_dropped_objects_by_reason_and_names_its_engine(rig, frame, library):
    reports = rig.collect(DiagnosticArray, "/diagnostics")
    named = name_chair(segment_box(frame))
    message, _, _ = aligned(rig, frame, library, False, named, AlignNothing())
    assert not message.alignments

    def told():
        return {v.key: v.value for report in reports for v in report.status[0].values}

    rig.wait(lambda: "warned: bad_box" in told(), "a report of the dropped object")
    assert (told()["warned: bad_box"], told()["engine"]) == ("1", "fake fp32")


def test_markers_show_the_library_mesh_in_the_world(rig, frame, library):
    named = name_chair(segment_box(frame))
    _, markers, _ = aligned(rig, frame, library, with_pose=True, segmentation=named)
    clear, mesh, text = markers
    assert clear.action == Marker.DELETEALL
    assert (mesh.type, mesh.header.frame_id) == (Marker.MESH_RESOURCE, "map")
    assert mesh.mesh_resource == library["chair_1"].mesh.as_uri()
    assert "%20" in mesh.mesh_resource  # a space must not end the URI
    assert not mesh.mesh_use_embedded_materials
    assert (mesh.scale.x, mesh.scale.y, mesh.scale.z) == (0.5, 0.9, 0.6)
    want = frame.T_world_cam @ [0, 0, 2, 1]
    p = mesh.pose.position
    np.testing.assert_allclose([p.x, p.y, p.z], want[:3], atol=1e-9)
    assert 0.25 < mesh.color.a < 1
    assert text.text == "chair 0.50"


def test_an_empty_frame_empties_the_scene(rig, frame, library):
    empty = dataclasses.replace(segment_box(frame), objects=())
    message, markers, _ = aligned(rig, frame, library, with_pose=False, segmentation=empty)
    assert not message.alignments
    assert [m.action for m in markers] == [Marker.DELETEALL]


def test_markers_without_a_pose_stand_in_the_camera_frame(rig, frame, library):
    named = name_chair(segment_box(frame))
    _, markers, _ = aligned(rig, frame, library, with_pose=False, segmentation=named)
    assert markers[1].header.frame_id == "camera_optical"
    assert markers[1].pose.position.z == 2.0


class StandInPipeline:
    """Has what PipelineNode uses of Pipeline."""

    def __init__(self, library):
        self.follower = Follower(None, library, TrackConfig(enabled=False))
        self.seconds = {"segment": 0.001}

    def __call__(self, frame):
        segmentation = name_chair(segment_box(frame))
        return align_ahead(frame, segmentation), segmentation


def test_pipeline_node_gives_objects_alignments_and_markers(rig, frame, library):
    node = PipelineNode(StandInPipeline(library)).start()
    outputs = [
        rig.collect(ObjectArray, "classified"),
        rig.collect(CadAlignmentArray, "alignments"),
        rig.collect(MarkerArray, "markers", latched=True),
    ]
    rig.connect(node)
    rig.send(frame)
    rig.wait(lambda: all(outputs), "all outputs")
    assert outputs[0][0].objects[0].label == "chair"
    assert outputs[1][0].alignments[0].cad_id == "chair_1"
    assert len(outputs[2][0].markers) == 3


def test_a_slow_node_serves_the_newest_frame(rig, frame):
    def slow(f):
        time.sleep(0.3)
        return segment_box(f)

    node = SegmentNode(slow).start()
    objects = rig.collect(ObjectArray, "objects")
    rig.connect(node)
    for stamp in range(101, 107):
        rig.send(frame, stamp)
        rig.pause(0.05)
    rig.wait(lambda: objects and objects[-1].header.stamp.sec == 106, "the newest")
    assert len(objects) < 6
    assert node.health.dropped["newer_frame"] == 6 - len(objects)


def test_diagnostics_carry_latency_rate_and_drops(rig, frame):
    overrides = [Parameter("diagnostics_period", value=0.1)]
    node = SegmentNode(segment_box, parameter_overrides=overrides).start()
    reports = rig.collect(DiagnosticArray, "/diagnostics")
    rig.connect(node)
    rig.send(frame)
    rig.send(dataclasses.replace(frame, K=frame.K * 2), 101)

    def latest():
        return {v.key: v.value for v in reports[-1].status[0].values} if reports else {}

    rig.wait(lambda: "segment p95 [ms]" in latest(), "a latency")
    assert float(latest()["segment p50 [ms]"]) >= 0
    assert reports[-1].status[0].name == "/segment"


def test_life_cycle_can_be_driven_from_outside(rig, frame):
    overrides = [Parameter("autostart", value=False)]
    node = SegmentNode(segment_box, parameter_overrides=overrides).start()
    objects = rig.collect(ObjectArray, "objects")
    assert not [s for s in node.subscriptions if "image" in s.topic_name]
    for _ in range(2):  # a second round finds everything in order again
        node.trigger_configure()
        node.trigger_activate()
        rig.connect(node)
        objects.clear()
        rig.send(frame)
        rig.wait(lambda: objects, "objects")
        node.trigger_deactivate()
        node.trigger_cleanup()
        assert node.stage is None


def test_a_node_that_cannot_load_its_library_does_not_start(spin, tmp_path):
    overrides = [Parameter("library", value=str(tmp_path / "none"))]
    node = AlignNode(align_ahead, parameter_overrides=overrides)
    with pytest.raises(RuntimeError, match="did not start"):
        node.start()
    node.destroy_node()
