"""Masks by a toy SAM with the official names: what is bright inside the box it is asked for."""

import dataclasses

import numpy as np
import pytest
import yaml

from roomcad_core.config import SegmentConfig
from roomcad_core.detect import Detection, Masked, load_masks, make_detector
from roomcad_core.types import Frame

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

SIZE = 64  # longer side of the encoder's image
HEAD = '<ir_version: 8, opset_import: ["" : 17]>\n'
MEAN = "{123.675, 116.28, 103.53}"
STD = "{58.395, 57.12, 57.375}"
# The embedding is the normalised image itself.
ENCODER_CHW = """encoder (float[1,3,64,64] image) => (float[1,3,64,64] image_embeddings) {
    image_embeddings = Identity(image)
}"""
ENCODER_HWC = f"""encoder (float[h,w,3] input_image) => (float[1,3,64,64] image_embeddings) {{
    mean = Constant <value = float[3] {MEAN}> ()
    std = Constant <value = float[3] {STD}> ()
    centred = Sub(input_image, mean)
    scaled = Div(centred, std)
    chw = Transpose <perm = [2, 0, 1]> (scaled)
    axis = Constant <value = int64[1] {{0}}> ()
    nchw = Unsqueeze(chw, axis)
    shape = Shape(nchw)
    full = Constant <value = int64[4] {{1, 3, 64, 64}}> ()
    after = Sub(full, shape)
    before = Constant <value = int64[4] {{0, 0, 0, 0}}> ()
    pads = Concat <axis = 0> (before, after)
    image_embeddings = Pad(nchw, pads)
}}"""
# Two masks: the complement, with quality 0.2, and the wanted one. Labels other than a box's
# corners, or a mask input, spoil everything.
DECODER = """decoder (
    float[1,3,64,64] image_embeddings, float[1,n,2] point_coords, float[1,n] point_labels,
    float[1,1,256,256] mask_input, float[1] has_mask_input, float[2] orig_im_size
) => (float[1,m,h,w] masks, float[1,m] iou_predictions, float[1,1,256,256] low_res_masks) {
    low_res_masks = Identity(mask_input)
    side = Constant <value = float[1] {64.0}> ()
    half = Constant <value = float[1] {0.5}> ()
    i0 = Constant <value = int64[1] {0}> ()
    i1 = Constant <value = int64[1] {1}> ()
    i23 = Constant <value = int64[2] {2, 3}> ()
    i00 = Constant <value = int64[2] {0, 0}> ()
    i11 = Constant <value = int64[2] {1, 1}> ()
    zero = Constant <value = float {0.0}> ()
    one = Constant <value = float {1.0}> ()
    longer = ReduceMax <axes = [0]> (orig_im_size)
    factor = Div(side, longer)
    seen_exact = Mul(orig_im_size, factor)
    seen_up = Add(seen_exact, half)
    seen_whole = Floor(seen_up)
    seen = Cast <to = 7> (seen_whole)
    bright = ReduceMean <axes = [1]> (image_embeddings)
    cut = Slice(bright, i00, seen, i23)
    size = Cast <to = 7> (orig_im_size)
    full = Concat <axis = 0> (i11, size)
    large = Resize <mode = "nearest"> (cut, , , full)
    corners = Div(point_coords, factor)
    flat_shape = Constant <value = int64[1] {-1}> ()
    flat = Reshape(corners, flat_shape)
    x0 = Gather(flat, i0)
    y0 = Gather(flat, i1)
    i2 = Constant <value = int64[1] {2}> ()
    i3 = Constant <value = int64[1] {3}> ()
    x1 = Gather(flat, i2)
    y1 = Gather(flat, i3)
    s0 = Constant <value = int64 {0}> ()
    s1 = Constant <value = int64 {1}> ()
    height = Gather(orig_im_size, s0)
    width = Gather(orig_im_size, s1)
    xs_low = Range(zero, width, one)
    xs = Add(xs_low, half)
    ys_low = Range(zero, height, one)
    ys = Add(ys_low, half)
    left = Sub(xs, x0)
    right = Sub(x1, xs)
    above = Sub(ys, y0)
    below = Sub(y1, ys)
    across = Min(left, right)
    down = Min(above, below)
    column = Unsqueeze(down, i1)
    inside = Min(column, across)
    wanted = Min(inside, large)
    five = Constant <value = float {5.0}> ()
    labels = ReduceSum <keepdims = 0> (point_labels)
    off = Sub(labels, five)
    wrong_label = Abs(off)
    wrong = Add(wrong_label, has_mask_input)
    thousand = Constant <value = float {1000.0}> ()
    penalty = Mul(wrong, thousand)
    fair = Sub(wanted, penalty)
    complement = Neg(wanted)
    masks = Concat <axis = 1> (complement, fair)
    iou_predictions = Constant <value = float[1,2] {0.2, 0.9}> ()
}"""


def write(tmp_path, graphs=(ENCODER_CHW, DECODER), **spec):
    """YAML path of a toy SAM."""
    for name, graph in zip(("encoder", "decoder"), graphs, strict=True):
        onnx.save(onnx.parser.parse_model(HEAD + graph), tmp_path / f"{name}.onnx")
    files = {"encoder": "encoder.onnx", "decoder": "decoder.onnx", "size": SIZE}
    path = tmp_path / "sam.yaml"
    path.write_text(yaml.safe_dump({**files, **spec}))
    return path


def picture(shape):
    """Black, with a white rectangle."""
    color = np.zeros((*shape, 3), np.uint8)
    color[20:60, 30:90] = 255
    return color


BOX = Detection(np.array([10, 40, 70, 90], np.float32), "chair", 0.8)


@pytest.mark.parametrize("encoder", [ENCODER_CHW, ENCODER_HWC])
@pytest.mark.parametrize(
    ("shape", "engine"),
    [((96, 128), "onnxruntime"), ((128, 96), "onnxruntime"), ((96, 128), "auto")],
)
def test_a_box_gets_the_mask_of_what_is_in_it(tmp_path, encoder, shape, engine):
    path = write(tmp_path, (encoder, DECODER), engine=engine)
    (found,) = load_masks(path)(picture(shape), [BOX])
    want = np.zeros(shape, bool)
    want[40:60, 30:70] = True  # of the rectangle, what lies in the box
    np.testing.assert_array_equal(found.mask, want)
    assert dataclasses.replace(found, mask=None) == BOX


@pytest.mark.parametrize("shape", [(97, 131), (61, 500), (70, 91)])
def test_images_of_odd_sizes_get_masks_of_their_size(tmp_path, shape):
    (found,) = load_masks(write(tmp_path))(picture(shape), [BOX])
    want = np.zeros(shape, bool)
    want[40:60, 30:70] = True
    assert found.mask.shape == shape
    # The encoder sees a pixel for up to eight of the image: edges may be off by that much.
    assert np.count_nonzero(found.mask ^ want) < 0.3 * np.count_nonzero(want)


def test_detections_that_have_a_mask_keep_it_and_the_encoder_rests(tmp_path):
    masks = load_masks(write(tmp_path))
    mask = np.zeros((96, 128), bool)
    have = dataclasses.replace(BOX, mask=mask)
    both = masks(picture((96, 128)), [have, BOX])
    assert both[0] is have and both[1].mask is not None
    masks._encoder = None  # a call would fail
    assert masks(picture((96, 128)), [have]) == (have,)
    assert masks(picture((96, 128)), []) == ()


def test_a_mask_that_sam_is_not_sure_of_is_not_used(tmp_path):
    (found,) = load_masks(write(tmp_path, min_quality=0.95))(picture((96, 128)), [BOX])
    assert found is BOX


def test_nothing_in_the_box_leaves_the_box(tmp_path):
    (found,) = load_masks(write(tmp_path))(np.zeros((96, 128, 3), np.uint8), [BOX])
    assert found is BOX


def test_a_detectors_boxes_get_masks(tmp_path):
    frame = Frame(0.0, picture((96, 128)), np.ones((96, 128), np.float32), np.eye(3))
    (found,) = Masked(lambda frame: (BOX,), load_masks(write(tmp_path)))(frame)
    assert np.count_nonzero(found.mask) == 20 * 40


def test_the_settings_join_detector_and_sam(tmp_path):
    path = tmp_path / "per_frame_preds.json"
    path.write_text(
        '{"s/color/1.jpg": [{"score": 0.8, "bbox": [10, 40, 70, 90], "category": "chair"}]}'
    )
    config = SegmentConfig(detector=str(path), detector_masks=str(write(tmp_path)))
    color = np.zeros((360, 480, 3), np.uint8)
    color[60:80] = 255
    frame = Frame(0.0, color, np.ones((360, 480), np.float32), np.eye(3), name="s/1")
    (found,) = make_detector(config)(frame)
    rows = np.flatnonzero(found.mask.any(axis=1))
    assert found.label == "chair" and abs(rows[0] - 60) < 8 and abs(rows[-1] - 79) < 8


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": 32}, r"sam encoder: input 'image': got float32 \(1, 3, 64, 64\), expected"),
        ({"encoder": "decoder.onnx"}, "sam encoder: got .*, expected one image"),
        ({"decoder": "encoder.onnx"}, r"sam decoder: inputs: got \['image'\], expected .*has_mask"),
        ({"encoder_sha256": "00"}, "encoder.onnx: sha256: got"),
        ({"min_quality": 2.5}, "min_quality: got 2.5, expected 0.0 to 1.0"),
        ({"images": 1}, r"has no \['images'\]"),
    ],
)
def test_a_sam_of_another_layout_is_refused(tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        load_masks(write(tmp_path, **change))


def test_a_decoder_without_the_official_outputs_is_refused(tmp_path):
    decoder = DECODER.replace("iou_predictions", "quality")
    with pytest.raises(ValueError, match=r"sam decoder: outputs: no \['iou_predictions'\]"):
        load_masks(write(tmp_path, (ENCODER_CHW, decoder)))


def test_missing_files_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="gone.yaml: no such YAML"):
        load_masks(tmp_path / "gone.yaml")
    with pytest.raises(FileNotFoundError, match="sam.yaml: decoder: no such file: .*gone.onnx"):
        load_masks(write(tmp_path, decoder="gone.onnx"))
