"""Bad predictions are named with their line and never counted as right; `eval scene` from files."""

import json

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from roomcad_offline.cli import main
from roomcad_offline.evaluation.annotations import read_annotations
from roomcad_offline.evaluation.csv_files import (
    read_raw_results,
    write_raw_results,
    write_scene_csvs,
)
from roomcad_offline.evaluation.roca_files import read_per_frame
from roomcad_offline.evaluation.scannet25k import write_frame
from roomcad_offline.evaluation.scene_eval import evaluate_scenes
from roomcad_offline.evaluation.scene_rules import PRESETS, preset
from roomcad_offline.evaluation.to_scan import scene_predictions, truth_as_predictions

UP = {"translation": [0, 0, 0], "rotation": [1, 0, 0, 0], "scale": [1, 1, 1]}
HEADER = "id_scan,objectCategory,alignedModelId,tx,ty,tz,qw,qx,qy,qz,sx,sy,sz,object_score"
GOOD = {
    "scene": "scene0000_00",
    "category": "3001627",
    "cad": "a",
    "t": "0,0,0",
    "q": "1,0,0,0",
    "s": "1,1,1",
    "score": "0.9",
}


def model(category="03001627", cad="a", at=(0, 0, 0), **changes):
    trs = {**UP, "translation": list(at)}
    plain = {"trs": trs, "sym": "__SYM_NONE", "center": [0, 0, 0], "bbox": [0.5, 0.5, 0.5]}
    return {**plain, "catid_cad": category, "id_cad": cad, **changes}


@pytest.fixture
def annotation_file(tmp_path):
    """Two scans: two chairs and a table; one chair."""
    scans = {
        "scene0000_00": [model(), model(at=(3, 0, 0)), model("04379243", "t", (0, 0, 4))],
        "scene0001_00": [model(cad="b")],
    }
    entries = [{"id_scan": k, "trs": UP, "aligned_models": v} for k, v in scans.items()]
    path = tmp_path / "full_annotations.json"
    path.write_text(json.dumps(entries))
    return path


def csv_line(**changes):
    v = {**GOOD, **changes}
    return ",".join(v[k] for k in ("scene", "category", "cad", "t", "q", "s", "score"))


def judge(tmp_path, annotation_file, name, *lines):
    """SceneResult of a raw_results.csv with these lines."""
    path = tmp_path / "raw_results.csv"
    path.write_text("\n".join([HEADER, *lines]) + "\n")
    return evaluate_scenes(read_raw_results(path), read_annotations(annotation_file), preset(name))


BAD = [
    ({"t": "nan,0,0"}, "nan pose", "wrong"),
    ({"t": ",0,0"}, "nan pose", "wrong"),
    ({"t": "inf,0,0"}, "nan pose", "wrong"),
    ({"q": "nan,0,0,0"}, "nan pose", "wrong"),
    ({"q": "2,0,0,0"}, "quaternion", "wrong"),
    ({"q": "0,0,0,0"}, "quaternion", "wrong"),
    ({"s": "1,0,1"}, "scale", "wrong"),
    ({"s": "1,1,-1"}, "scale", "wrong"),
    ({"s": "-1,-1,-1"}, "scale", "wrong"),
    ({"score": "nan"}, "score", "wrong"),
    ({"cad": "never-annotated"}, "unknown cad", "wrong"),
    ({"cad": ""}, "unknown cad", "wrong"),
    ({"scene": "scene9999_00"}, "unknown scene", "rejected"),
]


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize(("change", "kind", "verdict"), BAD)
def test_a_bad_row_is_named_with_its_line_and_is_never_right(
    tmp_path, annotation_file, name, change, kind, verdict
):
    far = csv_line(t="3,0,0", score="0.8")
    result = judge(tmp_path, annotation_file, name, far, csv_line(**change))
    assert result.state[0] == "right"
    assert result.state[1] != "right"
    assert result.classes["chair"][0] == 1
    found = [(p.where, p.kind, p.verdict) for p in result.problems]
    assert found == [("line 3", kind, verdict)]
    assert result.problems[0].file.endswith("raw_results.csv")


@pytest.mark.parametrize("name", PRESETS)
def test_a_repeated_row_is_named_with_the_row_it_repeats(tmp_path, annotation_file, name):
    lines = csv_line(), csv_line(score="0.5", t="9,9,9"), csv_line()
    result = judge(tmp_path, annotation_file, name, *lines)
    assert result.state[0] == "right"
    assert result.state[2] != "right"
    (problem,) = result.problems
    assert (problem.where, problem.kind, problem.verdict) == ("line 4", "duplicate row", "wrong")
    assert "line 2" in problem.what


def test_a_bad_row_uses_up_its_place_in_the_count_constraint(tmp_path, annotation_file):
    lines = csv_line(scene="scene0001_00", cad="b", t="nan,0,0", score="0.9")
    good = csv_line(scene="scene0001_00", cad="b", score="0.8")
    for name in PRESETS:
        result = judge(tmp_path, annotation_file, name, lines, good)
        assert list(result.state) == ["wrong", "over count"]


def test_slightly_rounded_quaternions_are_taken(tmp_path, annotation_file):
    half = Rotation.from_euler("y", 10, degrees=True).as_quat()
    rounded = ",".join(f"{x:.3f}" for x in np.roll(half, 1))
    result = judge(tmp_path, annotation_file, "sparc", csv_line(q=rounded))
    assert (list(result.state), result.problems) == (["right"], ())


def test_a_category_that_is_not_evaluated_is_reported(tmp_path, annotation_file):
    result = judge(tmp_path, annotation_file, "roca", csv_line(), csv_line(category="3636649"))
    assert list(result.state) == ["right", "rejected"]
    assert ("line 3", "category") in [(p.where, p.kind) for p in result.problems]


def test_a_cad_of_the_library_may_be_predicted_without_being_annotated(tmp_path, annotation_file):
    path = tmp_path / "raw_results.csv"
    turned = csv_line(cad="mine", q="0,0,1,0")
    path.write_text(f"{HEADER}\n{turned}\n")
    predictions, truth = read_raw_results(path), read_annotations(annotation_file)
    known = {("03001627", "mine"): "__SYM_NONE"}
    result = evaluate_scenes(predictions, truth, preset("roca"), library=known)
    assert list(result.state) == ["wrong"]  # half a turn off
    assert [p.kind for p in result.problems] == ["foreign cad"]
    path.write_text(f"{HEADER}\n{csv_line(cad='mine')}\n")
    result = evaluate_scenes(read_raw_results(path), truth, preset("sparc"), library=known)
    assert (list(result.state), result.problems) == (["right"], ())


def test_an_empty_scene_file_counts_its_scene(tmp_path, annotation_file):
    truth = read_annotations(annotation_file)
    write_scene_csvs(truth_as_predictions(truth, rows=[0, 1, 2]), tmp_path / "scenes")
    (tmp_path / "scenes" / "scene0001_00.csv").write_text("")
    out = tmp_path / "out.json"
    assert run(tmp_path / "scenes", annotation_file, "scan2cad", out) == 0
    record = json.loads(out.read_text())
    chairs = record["variants"]["any CAD"]["classes"]["chair"]
    assert (chairs["right"], chairs["annotated"]) == (2, 3)
    assert [p["kind"] for p in record["problems"]] == ["empty file"]


def run(predictions, annotations, name, out, *more):
    """Exit status of `roomcad-offline eval scene`."""
    words = ["eval", "scene", predictions, "--annotations", annotations, "--preset", name]
    return main([str(w) for w in (*words, "--out", out, *more)])


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("layout", ["raw", "zeros", "no zeros"])
def test_the_command_scores_the_truth_at_a_hundred_percent(
    tmp_path, annotation_file, capsys, name, layout
):
    truth = truth_as_predictions(read_annotations(annotation_file))
    path = tmp_path / ("raw_results.csv" if layout == "raw" else "scenes")
    if layout == "raw":
        write_raw_results(truth, path)
    else:
        write_scene_csvs(truth, path, leading_zeros=layout == "zeros")
    assert run(path, annotation_file, name, tmp_path / "out" / "result.json") == 0
    record = json.loads((tmp_path / "out" / "result.json").read_text())
    assert record["preset"] == name
    for variant in ("any CAD", "same CAD"):
        assert set(record["variants"][variant]["accuracy"].values()) == {100.0}
    table = (tmp_path / "out" / "result.md").read_text()
    assert "| chair | 3 | 100.0 | 100.0 |" in table
    assert "No bad input." in table
    assert "**instance mean** | 4 | 100.0" in capsys.readouterr().out


def test_the_commands_tables_name_bad_rows_and_keep_all_in_the_json(tmp_path, annotation_file):
    path = tmp_path / "raw_results.csv"
    rows = [csv_line(t=f"nan,{i},0") for i in range(9)]
    path.write_text("\n".join([HEADER, csv_line(), *rows]) + "\n")
    assert run(path, annotation_file, "roca", tmp_path / "r.json") == 0
    record = json.loads((tmp_path / "r.json").read_text())
    assert record["problem_counts"] == {"nan pose (wrong)": 9}
    assert [p["where"] for p in record["problems"]] == [f"line {n}" for n in range(3, 12)]
    table = (tmp_path / "r.md").read_text()
    assert "line 3" in table
    assert "and 4 more" in table
    chair = record["variants"]["any CAD"]["classes"]["chair"]
    assert (chair["right"], chair["annotated"]) == (1, 3)
    assert record["variants"]["any CAD"]["scenes_without_predictions"] == ["scene0001_00"]


def test_the_command_takes_splits_appearances_and_a_library(tmp_path, annotation_file):
    truth = truth_as_predictions(read_annotations(annotation_file), rows=[0, 1, 2])
    write_raw_results(truth, tmp_path / "raw_results.csv")
    (tmp_path / "val.txt").write_text("scene0000_00\n")
    (tmp_path / "app.json").write_text('{"scene0000_00": {"03001627_a": 1, "04379243_t": 1}}')
    given = tmp_path / "raw_results.csv", annotation_file
    assert run(*given, "roca", tmp_path / "a.json", "--split", tmp_path / "val.txt") == 0
    roca = json.loads((tmp_path / "a.json").read_text())["variants"]["any CAD"]
    assert roca["accuracy"]["instance_mean"] == 100.0
    assert run(*given, "sparc", tmp_path / "b.json", "--appearances", tmp_path / "app.json") == 0
    sparc = json.loads((tmp_path / "b.json").read_text())["variants"]["any CAD"]
    assert sparc["predictions"]["over count"] == 1


def test_broken_files_end_the_command_with_one_line_that_names_them(
    tmp_path, annotation_file, capsys
):
    path = tmp_path / "raw_results.csv"
    path.write_text(f"{HEADER}\n{csv_line(s='1,big,1')}\n")
    assert run(path, annotation_file, "roca", tmp_path / "r.json") == 1
    assert "raw_results.csv: line 2: sy: got 'big'" in capsys.readouterr().err
    assert not (tmp_path / "r.json").exists()


# Per-frame predictions


def frame_file(path, *detections, image="scene0000_00/color/000100.jpg"):
    plain = {"category": "chair", "scene_cad_id": ["03001627", "a"], "score": 0.9}
    plain |= {"bbox": [0, 0, 9, 9], "t": [0, 0, 2], "q": [1, 0, 0, 0], "s": [1, 1, 1]}
    path.write_text(json.dumps({image: [{**plain, **d} for d in detections]}))
    return path


def test_per_frame_poses_are_brought_to_the_scan(tmp_path, annotation_file):
    # The camera stands 2 m off at the table's place, turned half round about y.
    T = np.array([[-1.0, 0, 0, 0], [0, 1, 0, 0], [0, 0, -1, 2], [0, 0, 0, 1]])
    turned = {"q": [0, 0, 1, 0]}
    path = frame_file(tmp_path / "per_frame.json", turned, {**turned, "t": [-3, 0, 2]})
    for frame in ("000100", "000200"):
        color = np.zeros((4, 4, 3), np.uint8)
        write_frame(tmp_path / "frames", "scene0000_00", frame, color, np.zeros((4, 4)), T)
    moved = scene_predictions(read_per_frame(path), lambda scene, frame: T)
    np.testing.assert_allclose(moved.t, [[0, 0, 0], [3, 0, 0]], atol=1e-12)
    np.testing.assert_allclose(np.abs(moved.q[:, 3]), 1, atol=1e-12)
    more = "--frames", tmp_path / "frames"
    assert run(path, annotation_file, "sparc", tmp_path / "r.json", *more) == 0
    record = json.loads((tmp_path / "r.json").read_text())["variants"]["any CAD"]
    assert record["classes"]["chair"] == {"right": 2, "annotated": 2, "accuracy": 100.0}


def test_roca_takes_detections_above_one_half_only_and_says_how_many_it_left(tmp_path):
    path = frame_file(tmp_path / "p.json", {"score": 0.5}, {"score": 0.51}, {"scene_cad_id": None})
    p = scene_predictions(read_per_frame(path), lambda *_: np.eye(4), preset("roca").min_score)
    assert list(p.score) == [0.51]
    assert [(x.kind, x.verdict) for x in p.problems] == [
        ("low score", "rejected"),
        ("no cad", "rejected"),
    ]
    assert preset("sparc").min_score is None


def test_frames_without_a_camera_pose_are_reported_and_broken_poses_stay_wrong(tmp_path):
    path = frame_file(tmp_path / "p.json", {}, {"t": [0, 0, None]}, {"s": [0, 1, 1]})
    lost = scene_predictions(read_per_frame(path), lambda *_: None)
    assert len(lost) == 0
    assert [x.kind for x in lost.problems][-3:] == ["no camera pose"] * 3
    kept = scene_predictions(read_per_frame(path), lambda *_: np.eye(4))
    assert list(kept.bad) == [False, True, True]
    assert np.isnan(kept.t[1:]).all()
