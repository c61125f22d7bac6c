"""The nodes with input rgb: colour and camera_info in, predicted once, handed on, aligned."""

import dataclasses

import numpy as np
import pytest
import yaml
from fake_networks import constant_graph, write_geometry, write_idle_aligner
from rclpy.parameter import Parameter
from roomcad_msgs.msg import CadAlignmentArray, ObjectArray
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from roomcad_core.library import Library, save_library
from roomcad_core.multi_sparc.normals import normals_from_depth
from roomcad_ros.align_node import AlignNode
from roomcad_ros.classify_node import ClassifyNode
from roomcad_ros.health import BadFrame
from roomcad_ros.images import image_msg, info_msg
from roomcad_ros.pipeline_node import PipelineNode
from roomcad_ros.predicted import (
    DEPTH,
    NORMALS,
    frame_from_color,
    frame_from_prediction,
    prediction_msgs,
)
from roomcad_ros.segment_node import SegmentNode

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
# A Mask R-CNN that always sees one chair, in the middle half of the image.
CHAIR = {
    "boxes": np.float32([[40, 30, 120, 90]]),
    "scores": np.float32([0.75]),
    "masks": np.ones((1, 1, 2, 2), np.float32),
}


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """A folder with few models: the classifier looks at each."""
    folder = tmp_path_factory.mktemp("library")
    models = Library.load().of_class("chair")[:4]
    save_library(models, {m.id: m.mesh.read_bytes() for m in models}, folder)
    return Library.load(folder)


@pytest.fixture
def settings(tmp_path, frame, library, monkeypatch):
    """settings(**changed): overrides for nodes with input rgb, whose networks know the frame."""
    monkeypatch.setenv("ROOMCAD_MODELS", str(tmp_path / "models"))
    normals = normals_from_depth(frame.depth, frame.K)
    write_geometry(tmp_path / "models", frame.depth, normals, frame.K[0, 0] / 160)
    write_idle_aligner(tmp_path / "models", mode="rgb")
    write_idle_aligner(tmp_path / "models", "other", mode="rgbd")
    graph = constant_graph({"image": (1, 3, 120, 160)}, CHAIR)
    number = onnx.helper.make_tensor("labels", onnx.TensorProto.INT64, [1], [62])
    graph.graph.node.append(onnx.helper.make_node("Constant", [], ["labels"], value=number))
    info = onnx.helper.make_tensor_value_info("labels", onnx.TensorProto.INT64, [1])
    graph.graph.output.append(info)
    onnx.save(graph, tmp_path / "chair.onnx")
    spec = {"onnx": "chair.onnx", "layout": "maskrcnn", "width": 160, "height": 120}
    (tmp_path / "detector.yaml").write_text(yaml.safe_dump(spec))

    def make(**changed):
        values = {"input": "rgb", "classify.model": "box_size", "segment.min_points": 16}
        values |= {
            "segment.detector": str(tmp_path / "detector.yaml"),
            "library": str(library.folder),
            "tracks.enabled": False,  # a single frame confirms no track
        }
        values |= changed
        return {"parameter_overrides": [Parameter(k, value=v) for k, v in values.items()]}

    return make


def check_chair(alignments):
    """One chair, where an aligner that moves nothing leaves it: 3 m away, in the middle."""
    (found,) = alignments.alignments
    p = found.pose.position
    np.testing.assert_allclose([p.x, p.y, p.z], [0, 0, 3], atol=0.02)
    assert found.label == "chair"


def test_three_nodes_in_a_row_need_colour_and_camera_info_only(rig, frame, settings):
    nodes = [kind(**settings()).start() for kind in (SegmentNode, ClassifyNode, AlignNode)]
    topics = {s.topic_name for node in nodes for s in node.subscriptions}
    assert not topics & {"/depth/image_raw", "/points"}
    depths, normals = rig.collect(Image, DEPTH), rig.collect(Image, NORMALS)
    named, found = (
        rig.collect(ObjectArray, "classified"),
        rig.collect(CadAlignmentArray, "alignments"),
    )
    rig.connect(*nodes, inputs=("color", "info", "tf"))
    rig.send_pose(frame)
    rig.pause(0.2)
    rig.send(frame, depth=None)
    rig.wait(lambda: depths and normals and named and found, "all outputs")
    check_chair(found[0])
    assert depths[0].header == normals[0].header == found[0].header
    (obj,) = named[0].objects
    assert (obj.label, obj.score) == ("chair", 0.75) and len(obj.points) > 300
    assert not any(node.health.dropped for node in nodes)
    assert "model_mode" not in nodes[-1].health.warnings


def test_the_align_node_gets_what_the_segment_node_predicted(rig, frame, library, settings):
    seen = []

    def aligner(frame, segmentation):
        seen.append(frame)
        return ()

    nodes = [SegmentNode(**settings()).start(), ClassifyNode(**settings()).start()]
    nodes.append(AlignNode(aligner, library, **settings()).start())
    rig.connect(*nodes, inputs=("color", "info"))
    rig.send(frame, depth=None)
    rig.wait(lambda: seen, "a frame")
    (got,) = seen
    assert not got.measured
    np.testing.assert_allclose(got.depth, frame.depth, atol=0.002)
    np.testing.assert_array_equal(got.color, frame.color)
    true = normals_from_depth(frame.depth, frame.K)
    both = got.normals.any(-1) & true.any(-1)
    assert both.mean() > 0.5
    assert np.einsum("...i,...i", got.normals, true)[both].min() > 0.999


def test_the_single_process_node_gives_the_same(rig, frame, settings):
    node = PipelineNode(**settings()).start()
    found = rig.collect(CadAlignmentArray, "alignments")
    rig.connect(node, inputs=("color", "info"))
    rig.send(frame, depth=None)
    rig.wait(lambda: found, "alignments")
    check_chair(found[0])
    assert "model_mode" not in node.health.warnings and not node.health.dropped


@pytest.mark.parametrize("kind", [AlignNode, PipelineNode])
def test_a_network_of_another_mode_is_a_warning(spin, settings, kind):
    node = kind(**settings(**{"align.model": "other"})).start()
    assert node.health.warnings["model_mode"] == 1
    node.destroy_node()


@pytest.mark.parametrize(
    ("kind", "changed", "why"),
    [
        (SegmentNode, {"segment.detector": ""}, "roomcad models fetch yolox_s"),
        (SegmentNode, {"rgb.depth": "none"}, "rgb train-depth"),
        (PipelineNode, {"rgb.normals": "none"}, "rgb train-normals"),
        (PipelineNode, {"segment.detector": ""}, "segment.detector: got ''"),
        (AlignNode, {"align.aligner": "icp"}, "align.aligner: got 'icp'"),
    ],
)
def test_what_input_rgb_lacks_is_said_at_the_start(spin, settings, capfd, kind, changed, why):
    node = kind(**settings(**changed))
    with pytest.raises(RuntimeError, match="did not start"):
        node.start()
    assert why in capfd.readouterr().err
    node.destroy_node()


def test_frames_survive_their_messages_and_sizes_must_agree(frame):
    header = Header(frame_id=frame.frame_id)
    normals = normals_from_depth(frame.depth, frame.K)
    predicted = dataclasses.replace(frame, normals=normals, measured=False)
    color = image_msg(frame.color, "rgb8", header)
    info = info_msg(frame.K, frame.depth.shape, header)
    messages = prediction_msgs(predicted, header)
    got = frame_from_prediction(color, messages[DEPTH], messages[NORMALS], info, np.eye(4))
    np.testing.assert_allclose(got.depth, frame.depth, atol=0.001)
    np.testing.assert_allclose(got.normals, normals, atol=0.01)
    assert not got.measured and got.T_world_cam is not None
    plain = frame_from_color(color, info)
    assert not plain.depth.any() and plain.normals is None
    np.testing.assert_array_equal(plain.color, frame.color)
    small = image_msg(frame.color[::2, ::2], "rgb8", header)
    with pytest.raises(BadFrame, match="predicted/normals 80x60"):
        frame_from_prediction(color, messages[DEPTH], small, info)
    with pytest.raises(BadFrame, match="color 80x60"):
        frame_from_color(small, info)
    with pytest.raises(BadFrame, match="predicted/normals: got encoding 'bgr8'"):
        frame_from_prediction(color, messages[DEPTH], image_msg(frame.color, "bgr8", header), info)
