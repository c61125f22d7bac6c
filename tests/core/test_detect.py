"""The optional detector: ONNX graphs that emit known tensors, one for each layout."""

import numpy as np
import pytest
import yaml

from roomcad_core.detect import Detection, DetectorSpec, apply_detections, load_detector
from roomcad_core.detect.decode import letterbox, suppress

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from onnx import helper, numpy_helper  # noqa: E402

SIZE = 64  # detector input
COLOR = np.zeros((96, 128, 3), np.uint8)  # letterbox factor 0.5: fills 64 x 48
NAMES = ["chair", "couch", "person"]


def save_constant_model(path, outputs, shape=(1, 3, SIZE, SIZE)):
    """An ONNX graph that ignores its image and emits the given arrays."""
    image = helper.make_tensor_value_info("image", onnx.TensorProto.FLOAT, shape)
    nodes, infos = [], []
    for name, array in outputs.items():
        tensor = numpy_helper.from_array(array, f"{name}_value")
        nodes.append(helper.make_node("Constant", [], [name], value=tensor))
        infos.append(helper.make_tensor_value_info(name, tensor.data_type, array.shape))
    graph = helper.make_graph(nodes, "constant", [image], infos)
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)


def write(tmp_path, emitted, **spec):
    """YAML path of a detector that emits the arrays `emitted`."""
    save_constant_model(tmp_path / "net.onnx", emitted)
    spec = {"onnx": "net.onnx", "width": SIZE, "height": SIZE, "classes": NAMES, **spec}
    path = tmp_path / "detector.yaml"
    path.write_text(yaml.safe_dump({k: v for k, v in spec.items() if v is not None}))
    return path


def yolox_rows(rows, stride=8):
    """Raw yolox output (1, N, 8) with some rows {cell: (tx, ty, log w, log h, obj, c0, c1, c2)}."""
    out = np.zeros((1, (SIZE // stride) ** 2, 8), np.float32)
    for cell, row in rows.items():
        out[0, cell] = row
    return out


def test_yolox_grid_cells_become_boxes_in_the_image(tmp_path):
    # Cell 10 of the 8 x 8 grid is row 1, column 2: centre (2.5, 1.5) * 8 = (20, 12) px in the
    # input; sides exp(log 2) * 8 = 16 and 8 px; the image is twice as large.
    rows = {10: (0.5, 0.5, np.log(2), 0, 0.9, 0.1, 0.8, 0.2)}
    path = write(
        tmp_path, {"out": yolox_rows(rows)}, strides=[8], names={"couch": "sofa"}, layout="yolox"
    )
    (found,) = load_detector(path)(COLOR)
    assert found.label == "sofa"
    assert found.score == pytest.approx(0.72)
    assert found.mask is None
    np.testing.assert_allclose(found.box, [24, 16, 56, 32], atol=1e-4)


def test_yolox_boxes_that_are_decoded_already_are_only_scaled(tmp_path):
    row = np.array([[[20, 12, 16, 8, 1, 0.9, 0, 0]]], np.float32)
    (found,) = load_detector(write(tmp_path, {"out": row}, decoded=True))(COLOR)
    np.testing.assert_allclose(found.box, [24, 16, 56, 32], atol=1e-4)
    assert found.label == "chair"


def test_of_two_overlapping_boxes_of_one_class_the_better_stays(tmp_path):
    rows = [
        [20, 12, 16, 8, 1, 0.8, 0, 0],
        [21, 12, 16, 8, 1, 0.9, 0, 0],
        [20, 12, 16, 8, 1, 0, 0.7, 0],  # another class
        [50, 30, 16, 8, 1, 0.6, 0, 0],  # elsewhere
        [20, 40, 16, 8, 1, 0, 0, 0.9],  # a person: of no interest
        [50, 40, 16, 8, 1, 0.2, 0, 0],  # too weak
    ]
    outputs = {"out": np.array([rows], np.float32)}
    found = load_detector(write(tmp_path, outputs, decoded=True, names={"couch": "sofa"}))(COLOR)
    assert [(d.label, round(d.score, 2)) for d in found] == [
        ("chair", 0.9),
        ("sofa", 0.7),
        ("chair", 0.6),
    ]


def test_suppression_keeps_everything_where_nothing_overlaps():
    boxes = np.array([[0, 0, 10, 10], [20, 0, 30, 10]], float)
    kept = suppress(boxes, np.array([0.1, 0.9]), np.zeros(2, int), 0.5)
    assert kept.tolist() == [1, 0]


def maskrcnn_outputs(masks):
    return {
        "boxes": np.array([[8, 8, 24, 40]], np.float32),
        "labels": np.array([1], np.int64),
        "scores": np.array([0.9], np.float32),
        "masks": masks,
    }


MASKRCNN = {"layout": "maskrcnn", "classes": ["background", *NAMES]}


def test_maskrcnn_box_masks_are_pasted_into_their_boxes(tmp_path):
    mask = np.zeros((1, 1, 28, 28), np.float32)
    mask[..., :14, :] = 1  # the upper half
    (found,) = load_detector(write(tmp_path, maskrcnn_outputs(mask), **MASKRCNN))(COLOR)
    assert (found.label, round(found.score, 3)) == ("chair", 0.9)
    np.testing.assert_allclose(found.box, [16, 16, 48, 80])
    want = np.zeros((96, 128), bool)
    want[16:48, 16:48] = True
    assert np.count_nonzero(found.mask ^ want) <= 32  # one row at the edge of the mask


def test_maskrcnn_image_masks_are_scaled_to_the_image(tmp_path):
    mask = np.zeros((1, 1, SIZE, SIZE), np.float32)
    mask[..., 8:40, 8:24] = 1
    path = write(tmp_path, maskrcnn_outputs(mask), mask_frame="image", **MASKRCNN)
    (found,) = load_detector(path)(COLOR)
    want = np.zeros((96, 128), bool)
    want[16:80, 16:48] = True
    assert np.count_nonzero(found.mask ^ want) < 0.1 * np.count_nonzero(want)


def test_maskrcnn_without_masks_gives_boxes(tmp_path):
    outputs = maskrcnn_outputs(None)
    del outputs["masks"]
    (found,) = load_detector(write(tmp_path, outputs, **MASKRCNN))(COLOR)
    assert found.mask is None


def test_the_image_goes_in_as_described():
    spec = DetectorSpec(
        width=8, height=8, classes=["chair"], color="bgr", scale=1 / 255, mean=[0, 0, 0.5],
        std=[1, 1, 0.5], fill=0, batch=False, centred=True,
    )  # fmt: skip
    color = np.full((4, 8, 3), (255, 0, 51), np.uint8)  # RGB
    tensor, factor, shift = letterbox(color, spec)
    assert (tensor.shape, tensor.dtype, factor) == ((3, 8, 8), np.float32, 1.0)
    assert shift.tolist() == [0, 2]
    np.testing.assert_allclose(tensor[:, 4, 4], [0.2, 0, 1], atol=1e-6)  # blue, green, red
    np.testing.assert_allclose(tensor[:, 0, 4], [0, 0, -1], atol=1e-6)  # border


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"classes": []}, "classes: expected the list"),
        ({"names": {"sofa": "sofa"}}, "names: 'sofa' is not in `classes`"),
        ({"names": {"couch": "divan"}}, "couch: got 'divan', expected one of"),
        ({"layout": "detr"}, "layout: got 'detr', expected one of yolox, maskrcnn"),
        ({"std": [1, 0, 1]}, "std: got .* expected no zero"),
        ({"colour": "rgb"}, r"has no \['colour'\]"),
        ({"outputs": {"logits": "x"}}, r"outputs: got \['logits'\], expected some of output"),
        ({"outputs": {"output": "x"}}, r"outputs: no \['x'\]; the model has \['out'\]"),
        ({"layout": "maskrcnn"}, r"outputs: no \['boxes', 'labels', 'scores'\]"),
        ({"sha256": "00"}, "sha256: got"),
        ({"classes": 3}, "classes: got 3, expected a list"),
        ({"names": ["couch"]}, "names: got .* expected a dict"),
    ],
)
def test_a_wrong_description_is_refused_by_key(tmp_path, spec, message):
    with pytest.raises(ValueError, match=message):
        load_detector(write(tmp_path, {"out": yolox_rows({})}, strides=[8], **spec))


def test_missing_files_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="none.yaml"):
        load_detector(tmp_path / "none.yaml")
    path = write(tmp_path, {"out": yolox_rows({})}, onnx="gone.onnx")
    with pytest.raises(FileNotFoundError, match="detector.yaml: onnx: no such file: .*gone.onnx"):
        load_detector(path)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((1, 64, 7), r"got shape \(1, 64, 7\), expected \(1, N, 8\)"),
        ((1, 60, 8), "got 60 rows, expected 64"),
        ((64, 8), r"got shape \(64, 8\)"),
    ],
)
def test_a_yolox_output_of_wrong_shape_is_refused(tmp_path, shape, message):
    path = write(tmp_path, {"out": np.zeros(shape, np.float32)}, strides=[8])
    with pytest.raises(ValueError, match=message):
        load_detector(path)(COLOR)


def test_maskrcnn_outputs_must_belong_together(tmp_path):
    outputs = maskrcnn_outputs(np.zeros((2, 1, 28, 28), np.float32))
    with pytest.raises(ValueError, match=r"masks: got shape \(2, 1, 28, 28\), expected \(1, 1"):
        load_detector(write(tmp_path, outputs, **MASKRCNN))(COLOR)


def scene():
    """One instance of 10 x 20 px whose right half lies 1 m behind its left half."""
    instances = np.zeros((20, 30), np.uint16)
    instances[5:15, 5:25] = 1
    depth = np.full((20, 30), 2.0, np.float32)
    depth[:, 15:] = 3.0
    return instances, depth


def test_a_box_cuts_the_near_part_out_of_a_merged_instance():
    box = np.array([3, 3, 19, 17], np.float32)  # reaches 4 px into the far half
    instances, names = apply_detections(*scene(), [Detection(box, "chair", 0.8)], 10)
    (chair,) = [i for i, (label, _) in names.items() if label == "chair"]
    want = np.zeros((20, 30), bool)
    want[5:15, 5:15] = True
    np.testing.assert_array_equal(instances == chair, want)
    assert np.unique(instances).tolist() == [0, 1, 2]  # the rest of the instance stays


def test_a_mask_joins_pieces_and_names_them():
    instances, depth = scene()
    instances[5:15, 15:25] = 2
    mask = np.zeros((20, 30), bool)
    mask[5:15, 6:25] = True  # all but a column
    joined, names = apply_detections(
        instances, depth, [Detection(np.zeros(4), "sofa", 0.7, mask)], 10
    )
    assert names == {1: ("sofa", 0.7)}
    np.testing.assert_array_equal(joined == 1, instances > 0)


def test_a_mask_on_a_wall_makes_an_object_and_a_box_does_not():
    instances, depth = scene()
    box = np.array([0, 0, 4, 4], np.float32)
    mask = np.zeros((20, 30), bool)
    mask[:4, :4] = True
    found, names = apply_detections(instances, depth, [Detection(box, "monitor", 0.9, mask)], 10)
    assert np.count_nonzero(found) == 216 and names == {2: ("monitor", 0.9)}
    found, names = apply_detections(instances, depth, [Detection(box, "monitor", 0.9)], 10)
    assert np.count_nonzero(found) == 200 and names == {}


def test_without_detections_ids_are_only_renumbered():
    instances, depth = scene()
    found, names = apply_detections(instances * 7, depth, [], 10)
    np.testing.assert_array_equal(found, instances)
    assert names == {}
