"""The classify node with a real network: chosen by parameter, refused where it cannot load."""

import numpy as np
import pytest
from rclpy.parameter import Parameter
from roomcad_msgs.msg import ObjectArray
from sensor_msgs.msg import Image

from roomcad_core.library import builtin_folder
from roomcad_core.types import Object, Segmentation
from roomcad_ros.classify_node import ClassifyNode
from roomcad_ros.convert import objects_msg, segmentation_of
from roomcad_ros.pipeline_node import PipelineNode

LABELS = ("chair", "table", "other")


@pytest.fixture(scope="module")
def library():
    """The built-in one's folder, asked for before any test points ROOMCAD_MODELS elsewhere."""
    return str(builtin_folder())


def overrides(library, **values):
    values = {"library": library} | values
    return [Parameter(name.replace("__", "."), value=value) for name, value in values.items()]


def answered(rig, node, *crops):
    """The Objects that a node publishes for a frame with these crops."""
    objects = tuple(Object(i, np.zeros(4), np.float32(c)) for i, c in enumerate(crops, 1))
    frame = Segmentation(np.zeros((9, 9), np.uint16), objects, np.eye(4), -1.0)
    named = rig.collect(ObjectArray, "classified")
    publisher = rig.node.create_publisher(ObjectArray, "objects", 1)
    rig.connect(node, inputs=())
    rig.wait(publisher.get_subscription_count)
    publisher.publish(objects_msg(frame, Image().header))
    rig.wait(lambda: named, "names")
    return segmentation_of(named[0]).objects


def crop():
    return np.random.default_rng(0).uniform(0, 1, (200, 3))


def test_the_parameter_model_picks_the_network(rig, write_model, library):
    weight = np.zeros((3, 3))
    write_model(LABELS, np.zeros((3, 7)), bias=np.log([0.8, 0.1, 0.1]))
    write_model(
        LABELS, weight, np.log([0.1, 0.7, 0.2]), "baseline", cloud="unit_sphere", extra=False
    )
    node = ClassifyNode(parameter_overrides=overrides(library, classify__model="baseline"))
    assert node.start().health.engine == "openvino"
    (obj,) = answered(rig, node, crop())
    assert obj.label == "table" and obj.score == pytest.approx(0.7)
    assert list(obj.class_scores) == list(LABELS)


def test_a_bad_crop_is_served_as_other_and_counted_with_its_reason(
    rig, write_model, library, monkeypatch
):
    write_model(LABELS, np.zeros((3, 7)), bias=np.log([0.8, 0.1, 0.1]))
    node = ClassifyNode(parameter_overrides=overrides(library)).start()
    said = []
    monkeypatch.setattr(node.health, "_say", lambda reason, text: said.append(text))
    bad, good = answered(rig, node, crop()[:20], crop())
    assert (bad.label, bad.score, good.label) == ("other", 1.0, "chair")
    assert node.health.warnings["bad_crop"] == 1 and not node.health.dropped
    assert said == ["bad_crop: object 1 is not classified: got 20 points, expected at least 32"]


@pytest.mark.parametrize("kind", [ClassifyNode, PipelineNode])
def test_the_default_is_the_deployed_network_and_cannot_change_while_running(spin, kind):
    node = kind(parameter_overrides=[Parameter("autostart", value=False)])
    assert node.get_parameter("classify.model").value == "deployed"
    model, votes = node.set_parameters(
        [Parameter("classify.model", value="baseline"), Parameter("classify.votes", value=4)]
    )
    assert not model.successful and "read-only" in model.reason
    assert votes.successful
    node.destroy_node()


def test_a_node_without_its_model_files_does_not_start(spin, write_model, library):
    write_model(LABELS, np.zeros((3, 7)))
    node = ClassifyNode(parameter_overrides=overrides(library, classify__model="rot32"))
    said = []
    node.get_logger = lambda: type("Log", (), {"error": said.append})
    with pytest.raises(RuntimeError, match="did not start"):
        node.start()
    assert "manifest.json: models: no 'rot32', it has ['deployed']" in said[0]
    node.destroy_node()
