"""The official files of what is true: read, written, read again, and what is said of bad ones."""

import json

import numpy as np
import pytest
from evaluation_files import equal, saved

from roomcad_offline.evaluation.annotations import read_annotations, write_annotations
from roomcad_offline.evaluation.appearances import (
    count_appearances,
    read_appearances,
    write_appearances,
)
from roomcad_offline.evaluation.categories import synset
from roomcad_offline.evaluation.roca_instances import read_instances, write_instances
from roomcad_offline.evaluation.voxel_grids import read_grids, voxelise, write_grids

UP = {"translation": [0.1, 0.2, 0.3], "rotation": [0.6, -0.8, 0.0, 0.0], "scale": [1.0, 1.0, 1.0]}
MODEL = {
    "trs": {"translation": [1, 2, 3], "rotation": [0.8, 0.0, 0.6, 0.0], "scale": [0.5, 1, 2]},
    "sym": "__SYM_ROTATE_UP_2",
    "catid_cad": "03001627",
    "id_cad": "2b90701386f1813052db1dda4adf0a0c",
    "center": [0.01, 0.02, 0.03],
    "bbox": [0.2, 0.4, 0.3],
    "keypoints_scan": {"n_keypoints": 2, "position": [1, 2, 3, 4, 5, 6]},
    "keypoints_cad": {"n_keypoints": 2, "position": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]},
}


def entry(name="scene0011_00", *models):
    return {
        "id_scan": name,
        "trs": UP,
        "n_aligned_models": len(models),
        "aligned_models": list(models),
    }


# full_annotations.json


def test_annotations_are_read_with_quaternions_turned_to_xyzw(tmp_path):
    a = read_annotations(saved(tmp_path / "a.json", [entry("scene0011_00", MODEL)]))
    assert a.scenes == ("scene0011_00",)
    np.testing.assert_allclose(a.scan_q, [[-0.8, 0, 0, 0.6]])
    np.testing.assert_allclose(a.q, [[0, 0.6, 0, 0.8]])
    np.testing.assert_allclose(a.s, [[0.5, 1, 2]])
    np.testing.assert_allclose(a.center, [[0.01, 0.02, 0.03]])
    assert (a.category[0], a.symmetry[0]) == ("03001627", "__SYM_ROTATE_UP_2")
    np.testing.assert_allclose(a.keypoints[0][0], [[1, 2, 3], [4, 5, 6]])


def test_annotations_survive_writing(tmp_path):
    bare = {k: v for k, v in MODEL.items() if k not in ("center", "bbox", "keypoints_scan")}
    entries = [entry("scene0011_00", MODEL, bare), entry("scene0000_00")]
    path = saved(tmp_path / "a.json", entries)
    a = read_annotations(path)
    write_annotations(a, tmp_path / "b.json")
    assert equal(a, read_annotations(tmp_path / "b.json"))
    written = json.loads((tmp_path / "b.json").read_text())
    assert written[0]["aligned_models"][0] == MODEL
    assert written[1] == entries[1]


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("sym", "__SYM_MIRROR", "sym: got '__SYM_MIRROR'"),
        ("catid_cad", "chair", "catid_cad"),
        ("id_cad", None, "id_cad"),
        ("center", [0, 0], "center"),
        ("bbox", [0, 0, "x"], "bbox"),
        ("keypoints_cad", {"n_keypoints": 2, "position": [1]}, "keypoints_cad"),
        ("trs", {"translation": [0, 0, float("nan")]}, "translation"),
        ("trs", {**UP, "rotation": [0, 0, 0, 0]}, "rotation"),
        ("trs", {**UP, "scale": [1, 0, 1]}, "scale"),
        ("trs", None, "trs"),
    ],
)
def test_a_broken_annotation_is_named_with_file_scan_model_and_field(tmp_path, field, value, says):
    path = saved(tmp_path / "full.json", [entry("scene0011_00", MODEL, {**MODEL, field: value})])
    with pytest.raises(ValueError, match="full.json: scene0011_00: aligned_models.1.") as error:
        read_annotations(path)
    assert says in str(error.value)


def test_broken_annotation_files_are_refused(tmp_path):
    for text, says in (("{", "JSON"), ("{}", "list"), ('[{"trs": 1}]', "id_scan")):
        with pytest.raises(ValueError, match=says):
            read_annotations(saved(tmp_path / "a.json", text))
    with pytest.raises(ValueError, match="twice"):
        read_annotations(saved(tmp_path / "a.json", [entry(), entry()]))
    with pytest.raises(FileNotFoundError):
        read_annotations(tmp_path / "none.json")


def test_a_wrong_model_count_is_noted(tmp_path):
    path = saved(tmp_path / "a.json", [{**entry("scene0011_00", MODEL), "n_aligned_models": 7}])
    assert "got 7" in read_annotations(path).problems[0].what


# cad_appearances.json


def test_appearances_are_what_the_annotations_hold_and_survive_writing(tmp_path):
    a = read_annotations(saved(tmp_path / "a.json", [entry("scene0011_00", MODEL, MODEL)]))
    counts = count_appearances(a)
    assert counts == {"scene0011_00": {("03001627", MODEL["id_cad"]): 2}}
    write_appearances(counts, tmp_path / "c.json")
    assert json.loads((tmp_path / "c.json").read_text()) == {
        "scene0011_00": {f"03001627_{MODEL['id_cad']}": 2}
    }
    assert read_appearances(tmp_path / "c.json") == counts


@pytest.mark.parametrize(
    "value", [[], {"s": []}, {"s": {"chair": 1}}, {"s": {"03001627_a": -1}}, {"s": {"1_a": "2"}}]
)
def test_broken_appearances_are_refused(tmp_path, value):
    with pytest.raises(ValueError, match="c.json"):
        read_appearances(saved(tmp_path / "c.json", value))


# ROCA's annotation per image


def instance_file():
    image = {
        "id": 4,
        "height": 360,
        "width": 480,
        "scene_id": "scene0011_00",
        "file_name": "tasks/scannet_frames_25k/scene0011_00/color/000100.jpg",
        "duplicate": False,
    }
    annotation = {
        "id": 9,
        "image_id": 4,
        "category_id": 3,
        "bbox": [10.0, 20.0, 30.0, 40.0],
        "area": 700.0,
        "iscrowd": 0,
        "scene_id": "scene0011_00",
        "is_cad": True,
        "intrinsics": [[435.0, 0, 240], [0, 435.0, 180], [0, 0, 1]],
        "alignment_id": 2,
        "q": [0.5, -0.5, 0.5, -0.5],
        "s": [0.7, 0.8, 0.9],
        "t": [0.1, 0.2, 2.0],
        "sym": "__SYM_NONE",
        "segmentation": {"size": [360, 480], "counts": "abc"},
        "model": {
            "scene_id": "scene0011_00",
            "catid_cad": "02871439",
            "id_cad": "abc",
            "idx": 2,
        },
    }
    return {
        "categories": [{"name": "bookcase", "id": 3}],
        "images": [image],
        "annotations": [annotation],
    }


def test_instances_survive_writing(tmp_path):
    value = instance_file()
    p = read_instances(saved(tmp_path / "i.json", value))
    assert (p.scene[0], p.frame[0], p.category[0]) == ("scene0011_00", "000100", "02871439")
    np.testing.assert_allclose(p.bbox, [[10, 20, 40, 60]])
    assert p.K.shape == (1, 3, 3)
    write_instances(p, tmp_path / "again.json")
    assert json.loads((tmp_path / "again.json").read_text()) == value
    assert equal(p, read_instances(tmp_path / "again.json"))


@pytest.mark.parametrize(
    ("field", "value"),
    [("image_id", 5), ("category_id", 0), ("sym", "?"), ("model", {}), ("q", [1, 0]), ("t", None)],
)
def test_a_broken_instance_is_named_with_file_and_field(tmp_path, field, value):
    file = instance_file()
    file["annotations"][0][field] = value
    with pytest.raises(ValueError, match=rf"i.json: annotations.0.: {field}"):
        read_instances(saved(tmp_path / "i.json", file))


def test_categories_are_known_by_number_and_by_all_their_names():
    assert synset(3001627) == synset("03001627") == synset("chair") == "03001627"
    assert synset("bookcase") == synset("bookshelf") == "02871439"
    assert synset("trashbin") == synset("bin") == "02747177"
    assert synset("display") == synset("monitor") == "03211117"
    with pytest.raises(ValueError, match="lamp"):
        synset("lamp")


# Voxel grids


def test_grids_survive_writing_and_overlap_as_counted(tmp_path):
    cube = np.array([[x, y, z] for x in range(2) for y in range(2) for z in range(2)])
    write_grids({("03001627", "a"): cube, ("03001627", "b_2"): cube[:6]}, tmp_path / "g.npz")
    grids = read_grids(tmp_path / "g.npz")
    assert ("03001627", "b_2") in grids
    assert grids.iou(("03001627", "a"), ("03001627", "b_2")) == pytest.approx(6 / 8)
    with pytest.raises(ValueError, match="0..31"):
        write_grids({("1", "a"): np.array([[40, 0, 0]])}, tmp_path / "bad.npz")
        read_grids(tmp_path / "bad.npz")


def test_points_are_voxelised_in_the_cube_of_their_longest_side():
    cells = voxelise(np.array([[0.0, 0, 0], [32.0, 0, 0], [31.9, 0, 0]]))
    assert cells.tolist() == [[0, 16, 16], [31, 16, 16]]
