"""The segment node with a detector: its parameters, and its instances on the topics."""

import numpy as np
import pytest
import yaml
from rclpy.parameter import Parameter
from roomcad_msgs.msg import ObjectArray

from roomcad_ros.segment_node import SegmentNode

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
# A Mask R-CNN that always sees one chair, in the middle of its input.
MODEL = """<ir_version: 8, opset_import: ["" : 17]>
chair (float[1,3,64,64] image) => (
    float[1,4] boxes, int64[1] labels, float[1] scores, float[1,1,2,2] masks
) {
    boxes = Constant <value = float[1,4] {16.0, 12.0, 48.0, 36.0}> ()
    labels = Constant <value = int64[1] {62}> ()
    scores = Constant <value = float[1] {0.75}> ()
    masks = Constant <value = float[1,1,2,2] {1.0, 1.0, 1.0, 1.0}> ()
}"""


@pytest.fixture
def detector(tmp_path):
    """Path of the detector's YAML."""
    onnx.save(onnx.parser.parse_model(MODEL), tmp_path / "chair.onnx")
    path = tmp_path / "detector.yaml"
    spec = {"onnx": "chair.onnx", "layout": "maskrcnn", "width": 64, "height": 64}
    path.write_text(yaml.safe_dump(spec))
    return str(path)


def overrides(**values):
    return [Parameter(f"segment.{name}", value=value) for name, value in values.items()]


@pytest.mark.parametrize(("names", "label"), [("detector", "chair"), ("classifier", "")])
def test_detected_instances_are_published_with_their_class(rig, frame, detector, names, label):
    settings = overrides(
        detector=detector, detector_names=names, detector_only=True, min_points=16, work_width=80
    )
    node = SegmentNode(parameter_overrides=settings).start()
    objects = rig.collect(ObjectArray, "objects")
    rig.connect(node)
    rig.send(frame)
    rig.wait(lambda: objects, "objects")
    (found,) = objects[0].objects
    assert (found.label, found.score) == (label, 0.75 if label else 0.0)
    height, width = frame.depth.shape
    low, high = np.array([0.25 * width, 0]), np.array([0.75 * width, height])
    assert (found.box[:2] >= low - 1).all() and (found.box[2:] <= high + 1).all()


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"detector_masks": "mobile_sam"}, "without a detector"),
        ({"detector_names": "me"}, "expected one of detector, classifier"),
    ],
)
def test_settings_that_do_not_fit_are_refused_at_the_start(spin, values, why):
    with pytest.raises(ValueError, match=why):
        SegmentNode(parameter_overrides=overrides(**values))


def test_a_model_that_is_not_fetched_is_said_at_the_start(spin, tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("ROOMCAD_CACHE", str(tmp_path))
    node = SegmentNode(parameter_overrides=overrides(detector="yolox_s"))
    with pytest.raises(RuntimeError, match="did not start"):
        node.start()
    assert "roomcad models fetch yolox_s" in capfd.readouterr().err
    node.destroy_node()
