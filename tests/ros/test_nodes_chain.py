"""The three nodes in a row, with the real stages, on a small synthetic frame."""

import numpy as np
import pytest
from rclpy.parameter import Parameter
from roomcad_msgs.msg import CadAlignmentArray, ObjectArray
from visualization_msgs.msg import MarkerArray

from roomcad_core.library import Library, models_folder
from roomcad_ros.align_node import AlignNode
from roomcad_ros.classify_node import ClassifyNode
from roomcad_ros.convert import segmentation_of
from roomcad_ros.pipeline_node import PipelineNode
from roomcad_ros.segment_node import SegmentNode

# A box is no furniture: a network may well call it `other`, its size is that of some class.
BY_SIZE = [Parameter("classify.model", value="box_size")]
ALONE = Parameter("tracks.enabled", value=False)  # a single frame confirms no track


@pytest.fixture(scope="module")
def library():
    pytest.importorskip("open3d")
    return Library.load()


def outputs_of(rig, frame, *nodes):
    """(classified, alignments, markers) of one frame with a known pose."""
    collected = [
        rig.collect(ObjectArray, "classified"),
        rig.collect(CadAlignmentArray, "alignments"),
        rig.collect(MarkerArray, "markers", latched=True),
    ]
    rig.connect(*nodes, inputs=("color", "depth", "info", "tf"))
    rig.send_pose(frame)
    rig.pause(0.2)
    rig.send(frame)
    rig.wait(lambda: all(collected), "all outputs")
    return [messages[0] for messages in collected]


def check_box(frame, classified, alignments, markers):
    """The box was found, and something of its size stands in its place."""
    segmentation = segmentation_of(classified)
    true = frame.instances > 0
    masks = [segmentation.instances == o.id for o in segmentation.objects]
    iou = max((m & true).sum() / (m | true).sum() for m in masks)
    assert iou > 0.8
    assert segmentation.floor_z == pytest.approx(-1.3, abs=0.02)
    assert alignments.header == classified.header
    assert len(markers.markers) == 1 + 2 * len(alignments.alignments)
    named = [o for o in segmentation.objects if o.label not in ("", "other")]
    assert len(alignments.alignments) == len(named) > 0
    p = markers.markers[1].pose.position
    assert markers.markers[1].header.frame_id == "map"
    np.testing.assert_allclose([p.x, p.y, p.z], [1.95, 0.0, 0.4], atol=0.15)


def test_three_nodes_in_a_row_place_a_model_on_the_box(rig, frame, library):
    classify = ClassifyNode(parameter_overrides=BY_SIZE)
    align = AlignNode(library=library, parameter_overrides=[ALONE])
    nodes = [node.start() for node in (SegmentNode(), classify, align)]
    check_box(frame, *outputs_of(rig, frame, *nodes))
    assert not any(node.health.dropped for node in nodes)


def test_the_single_process_node_gives_the_same(rig, frame, library):
    node = PipelineNode(parameter_overrides=[*BY_SIZE, ALONE]).start()
    check_box(frame, *outputs_of(rig, frame, node))


def test_the_single_process_node_follows_the_box(rig, frame, library):
    values = {
        "tracks.enabled": True,
        "tracks.confirm": 1,
        "tracks.sigma_high": 0.0,
        "tracks.sigma_low": 0.0,
    }
    overrides = [*BY_SIZE, *(Parameter(name, value=value) for name, value in values.items())]
    node = PipelineNode(parameter_overrides=overrides).start()
    found = rig.collect(CadAlignmentArray, "alignments")
    rig.connect(node)
    for stamp in (100, 101):
        rig.send(frame, stamp)
        rig.wait(lambda stamp=stamp: len(found) > stamp - 100, "alignments")
    first, second = ([a.track_id for a in message.alignments] for message in found)
    assert first == second == [1]


@pytest.mark.skipif(
    not (models_folder() / "manifest.json").is_file(), reason="no trained networks in models/"
)
def test_without_any_parameter_the_deployed_network_names_the_objects(rig, frame, library):
    node = PipelineNode().start()
    classified, alignments, _ = outputs_of(rig, frame, node)
    objects = segmentation_of(classified).objects
    assert objects and all(o.label for o in objects)
    for obj in objects:
        assert sum(obj.class_scores.values()) == pytest.approx(1, abs=1e-4)
    named = {o.id for o in objects if o.label != "other"}
    assert {a.object_id for a in alignments.alignments} <= named
    assert not node.health.dropped
