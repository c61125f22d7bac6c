"""ROCA's per_frame_preds.json as a detector: boxes, classes and CAD ids of recorded frames."""

import json

import numpy as np
import pytest

from roomcad_core.config import SegmentConfig
from roomcad_core.detect import load_detector, make_detector
from roomcad_core.detect.roca import PerFrameDetections
from roomcad_core.run_lengths import encode_mask
from roomcad_core.types import Frame

CHAIR = {
    "score": 0.8,
    "bbox": [100, 90, 200, 300],
    "t": [0, 0, 2],
    "q": [1, 0, 0, 0],
    "s": [1, 1, 1],
    "category": "chair",
    "scene_cad_id": ["03001627", "abc"],
}


def frame(shape=(360, 480), name="scene0011_00/000100"):
    depth = np.ones(shape, np.float32)
    return Frame(0.0, np.zeros((*shape, 3), np.uint8), depth, np.eye(3), name=name)


def write(tmp_path, *entries, image="scene0011_00/color/000100.jpg"):
    path = tmp_path / "per_frame_preds.json"
    path.write_text(json.dumps({image: list(entries)}))
    return path


def test_a_detection_has_box_class_score_and_cad_id(tmp_path):
    better = {**CHAIR, "score": 0.9, "category": "bookcase", "scene_cad_id": None}
    path = write(tmp_path, CHAIR, better)
    first, second = load_detector(path)(frame())
    assert (first.label, first.score, first.cad_ids) == ("bookshelf", 0.9, ())
    assert (second.label, second.score, second.cad_ids) == ("chair", 0.8, ("abc",))
    np.testing.assert_array_equal(second.box, CHAIR["bbox"])
    assert second.mask is None
    assert isinstance(make_detector(SegmentConfig(detector=str(path))), PerFrameDetections)


@pytest.mark.parametrize(
    ("category", "label"),
    [("03001627", "chair"), (3211117, "monitor"), ("Display", "monitor"), ("trashbin", "bin"),
     ("02818832", "bed"), ("04225987", "other"), ("other", "other")],
)  # fmt: skip
def test_categories_are_names_or_synsets(tmp_path, category, label):
    (found,) = load_detector(write(tmp_path, {**CHAIR, "category": category}))(frame())
    assert found.label == label


def test_frames_are_found_by_scene_and_number(tmp_path):
    detector = load_detector(write(tmp_path, CHAIR))
    assert len(detector(frame(name="scene0011_00/100"))) == 1
    assert detector(frame(name="scene0011_00/000200")) == ()
    assert detector(frame(name="scene0012_00/000100")) == ()
    with pytest.raises(ValueError, match="frame named '', expected SCENE/FRAME: .* not for live"):
        detector(frame(name=""))


def test_boxes_go_into_the_frame_whose_sides_roca_has_cut_off(tmp_path):
    # ScanNet's 1296 x 968: 968 / 360 = 2.6889 px each; (1296 / 2.6889 - 480) / 2 = 0.99 px cut.
    detector = load_detector(write(tmp_path, CHAIR))
    (found,) = detector(frame((968, 1296)))
    np.testing.assert_allclose(found.box, [271.56, 242, 540.44, 806.67], atol=0.01)
    (found,) = detector(frame((480, 640)))
    np.testing.assert_allclose(found.box, [133.33, 120, 266.67, 400], atol=0.01)
    with pytest.raises(
        ValueError, match=r"images of \(360, 480\) .* do not fit a frame of \(480, 480"
    ):
        detector(frame((480, 480)))


def test_masks_come_in_the_size_of_the_frame(tmp_path):
    mask = np.zeros((360, 480), bool)
    mask[90:300, 100:200] = True
    detector = load_detector(write(tmp_path, {**CHAIR, "segmentation": encode_mask(mask)}))
    (found,) = detector(frame())
    np.testing.assert_array_equal(found.mask, mask)
    (found,) = detector(frame((720, 960)))
    np.testing.assert_array_equal(found.mask, mask.repeat(2, axis=0).repeat(2, axis=1))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bbox": None}, "bbox: got"),
        ({"bbox": [1, 2, 3]}, r"bbox: got \[1, 2, 3\], expected 4 numbers"),
        ({"bbox": [9, 2, 3, 4]}, "bbox: got .*, expected x0 < x1 and y0 < y1"),
        ({"score": 7}, "score: got 7.0, expected 0 to 1"),
        ({"category": "divan"}, "category: got 'divan', expected a synset or one of bathtub"),
        ({"scene_cad_id": 5}, "scene_cad_id: got 5"),
        ({"segmentation": {"size": [2, 2], "counts": [5]}}, "segmentation: run-length mask: runs"),
    ],
)
def test_a_wrong_entry_is_named_by_file_image_and_field(tmp_path, change, message):
    where = r"per_frame_preds.json: scene0011_00/color/000100.jpg\[1\]: "
    with pytest.raises(ValueError, match=where + message):
        load_detector(write(tmp_path, CHAIR, {**CHAIR, **change}))


def test_a_wrong_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="gone.json: no such detections"):
        load_detector(tmp_path / "gone.json")
    with pytest.raises(ValueError, match="image 'x.jpg': expected SCENE/color/FRAME.jpg"):
        load_detector(write(tmp_path, CHAIR, image="x.jpg"))
    (tmp_path / "broken.json").write_text('{"a": ')
    with pytest.raises(ValueError, match="broken.json: not readable as JSON"):
        load_detector(tmp_path / "broken.json")
