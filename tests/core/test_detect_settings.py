"""The optional detector: its description and classes, and what instances become by its finds."""

import json

import numpy as np
import pytest
from constant_detector import COLOR, write, yolox_rows

from roomcad_core.classes import CLASSES
from roomcad_core.config import SegmentConfig
from roomcad_core.detect import (
    Detection,
    DetectorSpec,
    apply_detections,
    load_detector,
    make_detector,
)
from roomcad_core.detect.coco import COCO80, VOCABULARIES

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

# Description


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"classes": []}, r"got shape \(1, 64, 8\), expected \(1, N, 85\)"),
        ({"classes": [1]}, r"classes: got \[1\], expected the model's class names"),
        ({"names": {"sofa": "sofa", "x": "bed"}}, "names: the model has no class sofa, x"),
        ({"names": {"couch": "divan"}}, "names: got couch: 'divan', expected one of"),
        (
            {"width": 32},
            r"input 'image': got float32 \(1, 3, 64, 64\), expected .*\(1, 3, 64, 32\)",
        ),
        ({"batch": False}, r"input 'image': got .* expected float32 \(3, 64, 64\)"),
        ({"engine": "torch"}, "engine: got 'torch', expected one of auto"),
        ({"layout": "detr"}, "layout: got 'detr', expected one of yolox, nanodet, maskrcnn"),
        ({"std": [1, 0, 1]}, "std: got .* expected no zero"),
        ({"colour": "rgb"}, r"has no \['colour'\]"),
        ({"outputs": {"logits": "x"}}, r"outputs: got \['logits'\], expected some of output"),
        ({"outputs": {"output": "x"}}, r"outputs: no \['x'\]; the model has \['out'\]"),
        ({"layout": "maskrcnn"}, r"outputs: no \['boxes', 'labels', 'scores'\]"),
        ({"layout": "nanodet"}, r"got shape \(1, 64, 8\), expected \(1, N, 35\)"),
        ({"layout": "nanodet", "reg_max": 0}, "reg_max: got 0"),
        ({"sha256": "00"}, "sha256: got"),
        ({"classes": 3}, "classes: got 3, expected a list"),
        ({"names": ["couch"]}, "names: got .* expected a dict"),
        ({"class_map": "map.json", "names": {"couch": "sofa"}}, "got both names and class_map"),
    ],
)
def test_a_wrong_description_is_refused_by_key(tmp_path, spec, message):
    with pytest.raises(ValueError, match=message):
        load_detector(write(tmp_path, {"out": yolox_rows({})}, strides=[8], **spec))


def test_missing_files_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="none.yaml"):
        load_detector(tmp_path / "none.yaml")
    for key, file in (("onnx", "gone.onnx"), ("class_map", "gone.json")):
        path = write(tmp_path, {"out": yolox_rows({})}, strides=[8], **{key: file})
        with pytest.raises(
            FileNotFoundError, match=f"detector.yaml: {key}: no such file: .*{file}"
        ):
            load_detector(path)


def test_coco_classes_are_known_by_the_numbers_of_each_layout():
    assert len(COCO80) == 80 and [len(v) for v in VOCABULARIES.values()] == [80, 81, 91]
    yolox, maskrcnn = DetectorSpec().labels, DetectorSpec(layout="maskrcnn").labels
    assert (yolox[56], yolox[57], yolox[60], yolox[62]) == ("chair", "sofa", "table", "monitor")
    # The category ids of the COCO files: 62 chair, 63 couch, 65 bed, 67 dining table, 72 tv.
    assert [maskrcnn[i] for i in (62, 63, 65, 67, 70, 72)] == [
        *("chair", "sofa", "bed", "table", "toilet", "monitor")
    ]
    assert sum(map(bool, yolox)) == sum(map(bool, maskrcnn)) == 6
    assert set(filter(None, yolox)) < set(CLASSES)


@pytest.mark.parametrize("suffix", ["json", "yaml"])
def test_a_class_map_file_says_what_the_models_classes_are(tmp_path, suffix):
    text = json.dumps({"couch": "sofa", "person": "other"})
    (tmp_path / f"map.{suffix}").write_text(text)
    rows = {3: (0.5, 0.5, 0, 0, 1, 0, 0.9, 0), 40: (0.5, 0.5, 0, 0, 1, 0, 0, 0.8)}
    path = write(tmp_path, {"out": yolox_rows(rows)}, strides=[8], class_map=f"map.{suffix}")
    assert [d.label for d in load_detector(path).detect(COLOR)] == ["sofa", "other"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"divan": "sofa", "lamp": "other"}', "map.json: the model has no class divan, lamp"),
        ('{"couch": "divan"}', "map.json: got couch: 'divan', expected one of bathtub"),
        ('["couch"]', "map.json: got .*, expected a dict"),
        ('{"couch": ', "map.json: neither YAML nor JSON"),
    ],
)
def test_a_wrong_class_map_names_file_and_classes(tmp_path, text, message):
    (tmp_path / "map.json").write_text(text)
    path = write(tmp_path, {"out": yolox_rows({})}, strides=[8], class_map="map.json")
    with pytest.raises(ValueError, match=message):
        load_detector(path)


def test_settings_of_a_detector_need_one():
    assert make_detector(SegmentConfig()) is None
    for name, value in (("detector_masks", "mobile_sam"), ("detector_only", True)):
        with pytest.raises(ValueError, match=f"SegmentConfig.{name}: got .* without a detector"):
            SegmentConfig(**{name: value})
    with pytest.raises(ValueError, match="detector_names: got 'me', expected one of detector"):
        SegmentConfig(detector_names="me")


# Instances


def scene():
    """One instance of 10 x 20 px whose right half lies 1 m behind its left half."""
    instances = np.zeros((20, 30), np.uint16)
    instances[5:15, 5:25] = 1
    depth = np.full((20, 30), 2.0, np.float32)
    depth[:, 15:] = 3.0
    return instances, depth


def test_a_box_cuts_the_near_part_out_of_a_merged_instance():
    box = np.array([3, 3, 19, 17], np.float32)  # reaches 4 px into the far half
    instances, found = apply_detections(*scene(), [Detection(box, "chair", 0.8)], 10)
    (chair,) = [i for i, d in found.items() if d.label == "chair"]
    want = np.zeros((20, 30), bool)
    want[5:15, 5:15] = True
    np.testing.assert_array_equal(instances == chair, want)
    assert np.unique(instances).tolist() == [0, 1, 2]  # the rest of the instance stays


def test_a_mask_joins_pieces_and_names_them():
    instances, depth = scene()
    instances[5:15, 15:25] = 2
    mask = np.zeros((20, 30), bool)
    mask[5:15, 6:25] = True  # all but a column
    sofa = Detection(np.zeros(4), "sofa", 0.7, mask)
    joined, found = apply_detections(instances, depth, [sofa], 10)
    assert found == {1: sofa}
    np.testing.assert_array_equal(joined == 1, instances > 0)


def test_a_mask_on_a_wall_makes_an_object_and_a_box_does_not():
    instances, depth = scene()
    box = np.array([0, 0, 4, 4], np.float32)
    mask = np.zeros((20, 30), bool)
    mask[:4, :4] = True
    monitor = Detection(box, "monitor", 0.9, mask)
    ids, found = apply_detections(instances, depth, [monitor], 10)
    assert np.count_nonzero(ids) == 216 and found == {2: monitor}
    ids, found = apply_detections(instances, depth, [Detection(box, "monitor", 0.9)], 10)
    assert np.count_nonzero(ids) == 200 and found == {}


def test_of_two_detections_of_one_place_the_better_gets_it():
    instances, depth = scene()
    mask = instances > 0
    better, worse = (Detection(np.zeros(4), "sofa", s, mask) for s in (0.9, 0.5))
    ids, found = apply_detections(instances, depth, [better, worse], 10)
    assert found == {1: better} and np.unique(ids).tolist() == [0, 1]


def test_what_no_detection_claims_goes_where_only_detections_count():
    instances, depth = scene()
    instances[5:15, 15:25] = 2
    chair = Detection(np.zeros(4), "chair", 0.8, instances == 2)
    ids, found = apply_detections(instances, depth, [chair], 10, only=True)
    assert found == {1: chair}
    np.testing.assert_array_equal(ids == 1, instances == 2)
    ids, found = apply_detections(instances, depth, [], 10, only=True)
    assert not ids.any() and found == {}


def test_without_detections_ids_are_only_renumbered():
    instances, depth = scene()
    ids, found = apply_detections(instances * 7, depth, [], 10)
    np.testing.assert_array_equal(ids, instances)
    assert found == {}
