"""The official files of predictions and frames: read, written, read again, and broken ones."""

import json

import numpy as np
import pytest
from evaluation_files import equal, saved

from roomcad_core.datasets import open_dataset
from roomcad_core.types import Frame
from roomcad_offline.evaluation.csv_files import (
    read_raw_results,
    read_scene_csvs,
    write_raw_results,
    write_scene_csvs,
)
from roomcad_offline.evaluation.load import load_predictions, load_scene_predictions
from roomcad_offline.evaluation.roca_files import read_per_frame, write_per_frame
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
