"""The official file formats: read, written, read again, and what is said of broken ones."""

import dataclasses
import json

import numpy as np
import pytest

from roomcad_core.datasets import open_dataset
from roomcad_core.types import Frame
from roomcad_offline.evaluation.annotations import read_annotations, write_annotations
from roomcad_offline.evaluation.appearances import (
    count_appearances,
    read_appearances,
    write_appearances,
)
from roomcad_offline.evaluation.categories import synset
from roomcad_offline.evaluation.csv_files import (
    read_raw_results,
    read_scene_csvs,
    write_raw_results,
    write_scene_csvs,
)
from roomcad_offline.evaluation.load import load_predictions, load_scene_predictions
from roomcad_offline.evaluation.roca_files import read_per_frame, write_per_frame
from roomcad_offline.evaluation.roca_instances import read_instances, write_instances
from roomcad_offline.evaluation.scannet25k import (
    FrameTree,
    read_image_list,
    read_split,
    write_frame,
    write_image_list,
    write_intrinsics,
    write_split,
)
from roomcad_offline.evaluation.sens_writer import write_sens
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
HEADER = "id_scan,objectCategory,alignedModelId,tx,ty,tz,qw,qx,qy,qz,sx,sy,sz,object_score"
ROW = "scene0011_00,3001627,abc,1.0,2.0,3.0,0.5,-0.5,0.5,-0.5,0.7,0.8,0.9,0.95"
DETECTION = {
    "score": 0.9,
    "bbox": [10.0, 20.0, 110.0, 220.0],
    "t": [0.1, 0.2, 2.0],
    "q": [0.5, -0.5, 0.5, -0.5],
    "s": [0.7, 0.8, 0.9],
    "category": "bookcase",
    "segmentation": {"size": [360, 480], "counts": "abc"},
    "scene_cad_id": ["02871439", "abc"],
    "wild_cad_id": ["02871439", "def"],
}


def entry(name="scene0011_00", *models):
    return {
        "id_scan": name,
        "trs": UP,
        "n_aligned_models": len(models),
        "aligned_models": list(models),
    }


def saved(path, value):
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


def equal(a, b, but=("file", "where", "problems", "scenes")):
    """Whether two records agree in all columns but those that speak of the file."""
    for f in dataclasses.fields(a):
        if f.name not in but:
            np.testing.assert_equal(getattr(a, f.name), getattr(b, f.name), err_msg=f.name)
    return True


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


# CSV


def test_raw_results_are_read_by_their_header(tmp_path):
    p = read_raw_results(saved(tmp_path / "raw.csv", f"{HEADER}\n{ROW}\n"))
    assert (p.scene[0], p.category[0], p.cad_id[0]) == ("scene0011_00", "03001627", "abc")
    np.testing.assert_allclose(p.q, [[-0.5, 0.5, -0.5, 0.5]])
    np.testing.assert_allclose(p.s, [[0.7, 0.8, 0.9]])
    assert (p.score[0], p.space, p.where[0]) == (0.95, "scan", "line 2")
    assert p.problems == ()


@pytest.mark.parametrize("images", [False, True])
def test_raw_results_survive_writing(tmp_path, images):
    extra = ",scene0011_00/color/000100.jpg,3" if images else ""
    lines = [HEADER + (",image,detection" if images else ""), ROW + extra]
    lines.append(ROW.replace("0.95", "0.123456789012345678") + extra)
    p = read_raw_results(saved(tmp_path / "raw.csv", "\n".join(lines)))
    write_raw_results(p, tmp_path / "again.csv")
    assert equal(p, read_raw_results(tmp_path / "again.csv"))
    first = (tmp_path / "again.csv").read_text().splitlines()
    assert first[0] == lines[0]
    assert first[1].split(",")[1] == "3001627"
    assert list(p.frame) == ["000100" if images else ""] * 2


@pytest.mark.parametrize("leading_zeros", [True, False])
def test_scene_files_survive_writing_with_and_without_leading_zeros(tmp_path, leading_zeros):
    rows = [ROW, ROW.replace("scene0011_00", "scene0001_00").replace("abc", "def")]
    p = read_raw_results(saved(tmp_path / "raw.csv", "\n".join([HEADER, *rows])))
    write_scene_csvs(p, tmp_path / "out", leading_zeros)
    text = (tmp_path / "out" / "scene0011_00.csv").read_text()
    assert text.startswith("03001627,abc," if leading_zeros else "3001627,abc,")
    again = read_scene_csvs(tmp_path / "out")
    assert again.scenes == ("scene0001_00", "scene0011_00")
    assert equal(p.select([1, 0]), again)


def test_scene_files_without_scores_have_score_one(tmp_path):
    saved(tmp_path / "scene0011_00.csv", ",".join(ROW.split(",")[1:-1]) + "\n")
    p = read_scene_csvs(tmp_path)
    assert list(p.score) == [1.0]
    assert (p.category[0], p.where[0]) == ("03001627", "scene0011_00.csv line 1")


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (ROW.replace("0.7", "wide"), "line 3: sx: got 'wide'"),
        (ROW.replace("3001627", "chair"), "line 3: objectCategory: got 'chair'"),
        (ROW + ",1", "line 3: got 15 columns, expected 14"),
        ("scene0011_00", "line 3: got 1 columns"),
    ],
)
def test_a_broken_line_is_named_with_file_line_and_column(tmp_path, row, says):
    path = saved(tmp_path / "raw.csv", f"{HEADER}\n{ROW}\n{row}\n")
    with pytest.raises(ValueError, match="raw.csv") as error:
        read_raw_results(path)
    assert says in str(error.value)


def test_a_missing_column_is_named(tmp_path):
    with pytest.raises(ValueError, match="line 1: no column qw"):
        read_raw_results(saved(tmp_path / "raw.csv", HEADER.replace("qw,", "") + "\n"))


def test_empty_files_are_reported(tmp_path):
    for text in ("", HEADER + "\n"):
        p = read_raw_results(saved(tmp_path / "raw.csv", text))
        assert (len(p), [x.kind for x in p.problems]) == (0, ["empty file"])
    (tmp_path / "scenes").mkdir()
    saved(tmp_path / "scenes" / "scene0011_00.csv", "")
    p = read_scene_csvs(tmp_path / "scenes")
    assert (p.scenes, [x.kind for x in p.problems]) == (("scene0011_00",), ["empty file"])
    with pytest.raises(FileNotFoundError):
        read_scene_csvs(tmp_path / "none")


# ROCA's JSON


def test_per_frame_predictions_survive_writing(tmp_path):
    value = {"scene0011_00/color/000100.jpg": [DETECTION], "scene0011_00/color/000200.jpg": []}
    p = read_per_frame(saved(tmp_path / "p.json", value))
    assert p.space == "cam"
    assert p.frames == (("scene0011_00", "000100"), ("scene0011_00", "000200"))
    assert (p.category[0], p.cad_id[0], p.frame[0]) == ("02871439", "abc", "000100")
    np.testing.assert_allclose(p.q, [[-0.5, 0.5, -0.5, 0.5]])
    write_per_frame(p, tmp_path / "again.json")
    assert json.loads((tmp_path / "again.json").read_text()) == value
    assert equal(p, read_per_frame(tmp_path / "again.json"))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"t": [1, 2]}, "[0]: t: got [1, 2], expected 3 numbers"),
        ({"category": "lamp"}, "[0]: category"),
        ({"score": "high"}, "[0]: score"),
        ({"scene_cad_id": 7}, "[0]: scene_cad_id"),
    ],
)
def test_a_broken_detection_is_named_with_file_image_and_field(tmp_path, change, says):
    value = {"scene0011_00/color/000100.jpg": [{**DETECTION, **change}]}
    with pytest.raises(ValueError, match="p.json: scene0011_00/color/000100.jpg") as error:
        read_per_frame(saved(tmp_path / "p.json", value))
    assert says in str(error.value)


def test_a_detection_without_pose_or_with_null_is_a_bad_row(tmp_path):
    value = {"scene0011_00/color/000100.jpg": [{**DETECTION, "t": [None, 0, 1]}]}
    p = read_per_frame(saved(tmp_path / "p.json", value))
    assert (list(p.bad), p.problems[0].kind) == ([True], "nan pose")


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


# ScanNet frames and lists


def test_frame_folders_survive_writing(tmp_path):
    color = np.full((30, 40, 3), 128, np.uint8)
    depth = np.linspace(0, 3, 300, dtype=np.float32).reshape(15, 20)
    T = np.array([[0, -1, 0, 1.5], [1, 0, 0, -2], [0, 0, 1, 0.25], [0, 0, 0, 1]])
    K = np.array([[30.0, 0, 20], [0, 30, 15], [0, 0, 1]])
    write_frame(tmp_path, "scene0011_00", "000100", color, depth, T)
    write_frame(tmp_path, "scene0011_00", "000000", color, depth, None)
    write_intrinsics(tmp_path, "scene0011_00", K, K / 2 + np.diag([0, 0, 0.5]))
    tree = FrameTree(tmp_path)
    assert tree.scenes() == ["scene0011_00"]
    assert tree.frames("scene0011_00") == ["000000", "000100"]
    np.testing.assert_allclose(tree.pose("scene0011_00", "100"), T)
    assert tree.pose("scene0011_00", "000000") is None
    np.testing.assert_allclose(tree.depth("scene0011_00", "000100"), depth, atol=6e-4)
    np.testing.assert_allclose(tree.color("scene0011_00", "000100"), color, atol=3)
    np.testing.assert_allclose(tree.intrinsics("scene0011_00"), K)
    assert tree.intrinsics("scene0011_00", "depth")[0, 0] == 15
    with pytest.raises(FileNotFoundError, match="000300.txt"):
        tree.pose("scene0011_00", "000300")


def test_splits_and_image_lists_survive_writing(tmp_path):
    scenes = ("scene0011_00", "scene0000_01")
    write_split(scenes, tmp_path / "val.txt")
    assert read_split(tmp_path / "val.txt") == scenes
    images = (("scene0011_00", "000100"), ("scene0011_00", "001200"))
    write_image_list(images, tmp_path / "images.txt")
    assert read_image_list(tmp_path / "images.txt") == images
    with pytest.raises(ValueError, match="line 2: scene0011_00 occurs twice"):
        read_split(saved(tmp_path / "twice.txt", "scene0011_00\nscene0011_00\n"))
    with pytest.raises(ValueError, match="no scene"):
        read_split(saved(tmp_path / "empty.txt", "\n"))
    with pytest.raises(ValueError, match="line 1"):
        read_image_list(saved(tmp_path / "broken.txt", "scene0011_00\n"))


def test_sens_files_survive_writing(tmp_path):
    K = np.array([[30.0, 0, 20], [0, 30, 15], [0, 0, 1]])
    T = np.array([[0, -1, 0, 1.5], [1, 0, 0, -2], [0, 0, 1, 0.25], [0, 0, 0, 1]])
    color = np.full((30, 40, 3), 90, np.uint8)
    depth = np.linspace(0, 3, 1200, dtype=np.float32).reshape(30, 40)
    frames = [Frame(1.0 + i, color, depth, K, pose) for i, pose in enumerate((T, None))]
    write_sens(tmp_path / "scene0011_00.sens", frames, K)
    read = open_dataset(tmp_path / "scene0011_00.sens", up="z")
    assert len(read) == 2
    np.testing.assert_allclose(read[0].T_world_cam, T, atol=1e-6)
    assert read[1].T_world_cam is None
    np.testing.assert_allclose(read[0].depth, depth, atol=6e-4)
    np.testing.assert_allclose(read[0].color, color, atol=3)
    np.testing.assert_allclose(read[0].K, K)
    np.testing.assert_allclose(np.diff(read.stamps), 1)
    with pytest.raises(ValueError, match="sizes"):
        write_sens(tmp_path / "none.sens", [], K)


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


# Any of them


def test_the_layout_is_recognised(tmp_path):
    raw = saved(tmp_path / "raw.csv", f"{HEADER}\n{ROW}\n")
    frames = saved(tmp_path / "p.json", {"scene0011_00/color/000100.jpg": [DETECTION]})
    write_scene_csvs(read_raw_results(raw), tmp_path / "scenes")
    one = tmp_path / "scenes" / "scene0011_00.csv"
    paths = raw, frames, tmp_path / "scenes", one
    assert [len(load_predictions(p)) for p in paths] == [1, 1, 1, 1]
    assert load_predictions(one).scenes == ("scene0011_00",)
    with pytest.raises(ValueError, match="--frames"):
        load_scene_predictions(frames)
    with pytest.raises(ValueError, match="per_frame_preds.json"):
        load_predictions(saved(tmp_path / "p.txt", ""))
    with pytest.raises(FileNotFoundError):
        load_predictions(tmp_path / "none.csv")
