"""The optional detector: ONNX graphs that emit known tensors, one for each layout."""

import numpy as np
import pytest
from constant_detector import COLOR, NAMES, SIZE, write, yolox_rows

from roomcad_core.detect import DetectorSpec, load_detector
from roomcad_core.detect.decode import NanodetDecoder, YoloxDecoder, suppress
from roomcad_core.detect.letterbox import letterbox, paste_mask

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


def test_yolox_grid_cells_become_boxes_in_the_image(tmp_path):
    # Cell 10 of the 8 x 8 grid is row 1, column 2: centre (2.5, 1.5) * 8 = (20, 12) px in the
    # input; sides exp(log 2) * 8 = 16 and 8 px; the image is twice as large.
    rows = {10: (0.5, 0.5, np.log(2), 0, 0.9, 0.1, 0.8, 0.2)}
    path = write(
        tmp_path, {"out": yolox_rows(rows)}, strides=[8], names={"couch": "sofa"}, layout="yolox"
    )
    (found,) = load_detector(path).detect(COLOR)
    assert found.label == "sofa"
    assert found.score == pytest.approx(0.72)
    assert found.mask is None
    np.testing.assert_allclose(found.box, [24, 16, 56, 32], atol=1e-4)


def test_yolox_boxes_that_are_decoded_already_are_only_scaled(tmp_path):
    row = np.array([[[20, 12, 16, 8, 1, 0.9, 0, 0]]], np.float32)
    (found,) = load_detector(write(tmp_path, {"out": row}, decoded=True)).detect(COLOR)
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
    path = write(tmp_path, outputs, decoded=True, names={"couch": "sofa"})
    found = load_detector(path).detect(COLOR)
    assert [(d.label, round(d.score, 2)) for d in found] == [
        ("chair", 0.9),
        ("sofa", 0.7),
        ("chair", 0.6),
    ]


def test_suppression_keeps_everything_where_nothing_overlaps():
    boxes = np.array([[0, 0, 10, 10], [20, 0, 30, 10]], float)
    kept = suppress(boxes, np.array([0.1, 0.9]), np.zeros(2, int), 0.5)
    assert kept.tolist() == [1, 0]


# Logits of a side 1 stride away: P = 1/4, 1/2, 1/4 of 0, 1, 2 strides; of one 2 or 0.5 away.
ONE, TWO, HALF = [0, np.log(2), 0], [-99, -99, 50], [3, 3, -99]


def nanodet_rows(cell, scores, sides, stride=8):
    """Raw nanodet output (1, N, 3 + 4 * 3) with one row that is no zeros."""
    out = np.zeros((1, (SIZE // stride) ** 2, 15), np.float32)
    out[0, cell] = [*scores, *sides[0], *sides[1], *sides[2], *sides[3]]
    return out


NANODET = {"layout": "nanodet", "strides": [8], "reg_max": 2}


def test_nanodet_sides_are_the_means_of_their_distributions(tmp_path):
    # The middle of cell 10 is (20, 12) px in the input; the sides are 1, 0.5, 2 and 1 strides of
    # 8 px away: 12, 8, 36, 20 px; the image is twice as large.
    rows = nanodet_rows(10, (0.2, 0.7, 0.1), (ONE, HALF, TWO, ONE))
    path = write(tmp_path, {"out": rows}, names={"couch": "sofa"}, **NANODET)
    (found,) = load_detector(path).detect(COLOR)
    assert (found.label, found.mask) == ("sofa", None)
    assert found.score == pytest.approx(0.7)
    np.testing.assert_allclose(found.box, [24, 16, 72, 40], atol=1e-4)


@pytest.mark.parametrize(
    ("prior", "boxes"),
    [
        (0.5, [[8, 8, 40, 40], [16, -16, 80, 48]]),  # around (24, 24) and (48, 16)
        (0.0, [[0, 0, 32, 32], [0, -32, 64, 32]]),  # around (16, 16) and (32, 0)
    ],
)
def test_nanodet_rows_go_through_the_grids_from_fine_to_coarse(prior, boxes):
    size = {"width": 60, "height": 32, "strides": [16, 32]}
    spec = DetectorSpec(layout="nanodet", classes=NAMES, reg_max=2, prior=prior, **size)
    rows = np.zeros((1, 4 * 2 + 2, 15), np.float32)
    rows[0, 5] = rows[0, 9] = [0.9, 0, 0, *ONE * 4]  # row 1, column 1 of the fine grid; column 1
    got, index, scores, masks = NanodetDecoder(spec)({"output": rows})
    np.testing.assert_allclose(got, boxes, atol=1e-4)
    assert index.tolist() == [0, 0] and scores.tolist() == pytest.approx([0.9, 0.9])
    assert masks is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"reg_max": 7}, r"nanodet output 'out': got shape \(1, 64, 15\), expected \(1, N, 35\)"),
        ({"strides": [8, 16]}, r"nanodet output: got 64 rows, expected 80 for strides \[8, 16\]"),
    ],
)
def test_a_nanodet_output_of_wrong_shape_is_refused(tmp_path, change, message):
    rows = nanodet_rows(10, (0.2, 0.7, 0.1), (ONE,) * 4)
    path = write(tmp_path, {"out": rows}, **{**NANODET, **change})
    with pytest.raises(ValueError, match=message):
        load_detector(path).detect(COLOR)


@pytest.mark.parametrize("scores", [(-2, 0, 0.5), (0, 1.5, 0), (np.nan, 0, 0)])
def test_nanodet_scores_that_are_no_probabilities_are_refused(tmp_path, scores):
    path = write(tmp_path, {"out": nanodet_rows(10, scores, (ONE,) * 4)}, **NANODET)
    with pytest.raises(ValueError, match="nanodet output: scores from .*, expected 0 to 1"):
        load_detector(path).detect(COLOR)


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
    (found,) = load_detector(write(tmp_path, maskrcnn_outputs(mask), **MASKRCNN)).detect(COLOR)
    assert (found.label, round(found.score, 3)) == ("chair", 0.9)
    np.testing.assert_allclose(found.box, [16, 16, 48, 80])
    want = np.zeros((96, 128), bool)
    want[16:48, 16:48] = True
    np.testing.assert_array_equal(found.mask, want)


def test_maskrcnn_image_masks_are_scaled_to_the_image(tmp_path):
    mask = np.zeros((1, 1, SIZE, SIZE), np.float32)
    mask[..., 8:40, 8:24] = 1
    (found,) = load_detector(write(tmp_path, maskrcnn_outputs(mask), **MASKRCNN)).detect(COLOR)
    want = np.zeros((96, 128), bool)
    want[16:80, 16:48] = True
    np.testing.assert_array_equal(found.mask, want)


def test_outputs_that_an_export_left_unnamed_are_taken_in_order(tmp_path):
    mask = np.ones((1, 1, 28, 28), np.float32)
    values = maskrcnn_outputs(mask).values()
    outputs = dict(zip(("6568", "6570", "6572", "6887"), values, strict=True))
    (found,) = load_detector(write(tmp_path, outputs, **MASKRCNN)).detect(COLOR)
    assert found.label == "chair" and np.count_nonzero(found.mask) == 32 * 64


def test_a_mask_whose_box_leaves_the_image_is_cut_off_and_not_squeezed():
    mask = np.zeros((4, 4), np.float32)
    mask[:, :2] = 1  # the left half of a box that is half outside
    pasted = paste_mask(mask, np.array([-8.0, 0, 8, 16]), (16, 20))
    assert not pasted.any()
    pasted = paste_mask(1 - mask, np.array([-8.0, 0, 8, 16]), (16, 20))
    assert pasted[:, :8].all() and not pasted[:, 8:].any()


def test_maskrcnn_without_masks_gives_boxes(tmp_path):
    outputs = maskrcnn_outputs(None)
    del outputs["masks"]
    (found,) = load_detector(write(tmp_path, outputs, **MASKRCNN)).detect(COLOR)
    assert found.mask is None


def test_nothing_found_gives_no_detections(tmp_path):
    path = write(tmp_path, {"out": yolox_rows({})}, strides=[8])
    assert load_detector(path).detect(COLOR) == ()
    outputs = {k: v[:0] for k, v in maskrcnn_outputs(np.ones((1, 1, 28, 28), np.float32)).items()}
    path = write(tmp_path, outputs, engine="onnxruntime", **MASKRCNN)
    assert load_detector(path).detect(COLOR) == ()


def test_the_image_goes_in_as_described():
    spec = DetectorSpec(
        width=8, height=8, classes=["chair"], color="bgr", scale=1 / 255, mean=[0, 0, 0.5],
        std=[1, 1, 0.5], fill=0, batch=False, centred=True,
    )  # fmt: skip
    color = np.full((4, 8, 3), (255, 0, 51), np.uint8)  # RGB
    tensor, fit = letterbox(color, spec)
    assert (tensor.shape, tensor.dtype) == ((3, 8, 8), np.float32)
    assert (fit.factor.tolist(), fit.shift.tolist()) == ([1, 1], [0, 2])
    np.testing.assert_allclose(tensor[:, 4, 4], [0.2, 0, 1], atol=1e-6)  # blue, green, red
    np.testing.assert_allclose(tensor[:, 0, 4], [0, 0, -1], atol=1e-6)  # border


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
        load_detector(path).detect(COLOR)


@pytest.mark.parametrize(
    ("row", "decoded", "message"),
    [
        ((20, 12, 160, 80, 1, 0.9, 0, 0), False, "sizes are no logarithms"),
        ((0.5, 0.5, -0.3, 0.2, 1, 0.9, 0, 0), True, "sizes below 0"),
    ],
)
def test_a_yolox_output_that_is_decoded_the_other_way_is_refused(tmp_path, row, decoded, message):
    path = write(tmp_path, {"out": yolox_rows({3: row})}, strides=[8], decoded=decoded)
    with pytest.raises(ValueError, match=message):
        load_detector(path).detect(COLOR)


@pytest.mark.parametrize("size", [(1, 1), (97, 131), (3, 500), (480, 7)])
def test_images_of_odd_sizes_come_through(tmp_path, size):
    row = np.array([[[32, 32, 64, 64, 1, 0.9, 0, 0]]], np.float32)  # all of the input
    found = load_detector(write(tmp_path, {"out": row}, decoded=True)).detect(
        np.zeros((*size, 3), np.uint8)
    )
    for d in found:
        np.testing.assert_array_equal(d.box, [0, 0, size[1], size[0]])
    assert len(found) == (min(size) > 1)  # a box of one pixel is none


@pytest.mark.parametrize("image", [np.zeros((8, 8), np.uint8), np.zeros((8, 8, 3)), COLOR[:0]])
def test_what_is_no_rgb_image_is_refused(tmp_path, image):
    detector = load_detector(write(tmp_path, {"out": yolox_rows({})}, strides=[8]))
    with pytest.raises(ValueError, match=r"got an image .* expected uint8 \(H, W, 3\)"):
        detector.detect(image)


def test_the_decoder_agrees_with_one_row_after_the_other():
    rng = np.random.default_rng(0)
    spec = DetectorSpec(score=0.3, classes=NAMES, width=64, height=96)
    n = sum((96 // s) * (64 // s) for s in spec.strides)
    rows = rng.uniform(0, 1, (1, n, 8)).astype(np.float32)
    boxes, index, scores, masks = YoloxDecoder(spec)({"output": rows})
    want, k = [], 0
    for stride in spec.strides:
        for y in range(96 // stride):
            for x in range(64 // stride):
                cx, cy, w, h, obj, *classes = rows[0, k].tolist()
                k += 1
                if obj * max(classes) < 0.3:
                    continue
                half = np.exp([w, h]) * stride / 2
                centre = np.array([x + cx, y + cy]) * stride
                score = obj * max(classes)
                want.append([*(centre - half), *(centre + half), int(np.argmax(classes)), score])
    got = np.column_stack([boxes, index, scores])
    assert masks is None and len(got) == len(want) > 20
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-4)


def test_maskrcnn_outputs_must_belong_together(tmp_path):
    outputs = maskrcnn_outputs(np.zeros((2, 1, 28, 28), np.float32))
    with pytest.raises(ValueError, match=r"masks: got shape \(2, 1, 28, 28\), expected \(1, 1"):
        load_detector(write(tmp_path, outputs, **MASKRCNN)).detect(COLOR)
