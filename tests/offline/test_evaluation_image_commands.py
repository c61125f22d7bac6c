"""The commands that score predictions: what a frame shows, fed back as predictions."""

import argparse
import json

import numpy as np
import pytest
from cube_world import CHAIR, SHAPE, K, model, write_world

from roomcad_core.pose import rigid, rotation_y
from roomcad_offline.evaluation.annotations import read_annotations
from roomcad_offline.evaluation.cad_meshes import CadMeshes, boxes_of
from roomcad_offline.evaluation.image_cli import add_parser
from roomcad_offline.evaluation.image_evaluation import (
    Options,
    TruthSource,
    evaluate,
    frames_truth,
)
from roomcad_offline.evaluation.load import load_predictions

pytest.importorskip("open3d")
pytest.importorskip("cv2")


def detection(t, box, score=0.9, category="chair", q=(1, 0, 0, 0), s=(1, 1, 1), **more):
    return {"score": score, "bbox": list(box), "t": list(t), "q": list(q), "s": list(s),
            "category": category, "scene_cad_id": [CHAIR, "cube"], **more}  # fmt: skip


GOOD = detection((0, 0, 2.5), (25, 15, 75, 65))


def run(tmp_path, command, detections, *options, frame="000100", scene="scene0000_00"):
    """Run a command of `eval` on a world with one visible cube; the JSON it wrote."""
    if not (tmp_path / "cads").exists():
        write_world(tmp_path, [model("cube", (0, 0, 2.5))], np.full(SHAPE, 2.0))
    pred = tmp_path / "preds.json"
    pred.write_text(json.dumps({f"{scene}/color/{frame}.jpg": detections}))
    files = {"--annotations": "full_annotations.json", "--frames": "frames", "--library": "cads"}
    paths = [word for name, file in files.items() for word in (name, str(tmp_path / file))]
    out = tmp_path / "results" / "image.json"
    arguments = [command, str(pred), *paths, "--out", str(out), "--processes", "1", *options]
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    args = parser.parse_args(arguments)
    assert args.run(args) == 0
    return json.loads(out.read_text())


def test_truth_fed_back_scores_100_per_image(tmp_path):
    record = run(tmp_path, "image", [GOOD])
    for table in record["accuracy"].values():
        assert table["class"] == table["instance"] == {"predictions": 100, "objects": 100}
    assert record["frames"] == 1 and not record["problems"]["all"]
    assert (tmp_path / "results" / "image.md").read_text().count("100.0") == 13
    assert (tmp_path / "results" / "image_calibration.png").stat().st_size > 10_000


def test_truth_fed_back_has_ap_mesh_100(tmp_path):
    record = run(tmp_path, "ap-mesh", [GOOD])
    assert [t["rho"] for t in record["tables"]] == [0.3, 0.5, 0.7]
    assert all(t["AP50"] == t["APmean"] == 100 for t in record["tables"])


def test_truth_file_spares_the_rendering_and_gives_the_same(tmp_path):
    kept = "--truth", str(tmp_path / "truth.npz")
    first = run(tmp_path, "image", [GOOD], *kept)
    (tmp_path / "frames" / "scene0000_00" / "depth" / "000100.png").unlink()
    assert run(tmp_path, "image", [GOOD], *kept) == first


def test_bad_predictions_are_wrong_and_named(tmp_path):
    nan = GOOD | {"t": [None, 0, 2.5]}
    bad = [nan, GOOD | {"q": [2, 0, 0, 0]}, GOOD | {"s": [1, -1, 1]}, GOOD, GOOD]
    record = run(tmp_path, "image", bad)
    table = record["accuracy"]["mean_of_abs"]
    assert table["counts"]["predictions"] == 5
    assert table["instance"] == {"predictions": 20, "objects": 100}  # the duplicate is wrong too
    kinds = ("nan pose", "quaternion", "scale", "duplicate row")
    assert record["problems"]["counts"] == {f"{kind} (wrong)": 1 for kind in kinds}
    assert all("000100.jpg[" in text for text in record["problems"]["all"])


def test_unknown_scene_frame_and_cad_are_reported(tmp_path):
    record = run(tmp_path, "image", [GOOD], scene="scene0007_00")
    assert record["accuracy"]["mean_of_abs"]["instance"] == {"predictions": 0, "objects": 0}
    assert record["problems"]["counts"] == {"unknown scene (wrong)": 1}
    record = run(tmp_path, "image", [GOOD], frame="000900")
    assert record["problems"]["counts"] == {"unknown frame (wrong)": 1}
    record = run(tmp_path, "image", [GOOD | {"scene_cad_id": [CHAIR, "what"]}])
    assert record["accuracy"]["mean_of_abs"]["instance"]["objects"] == 100
    assert record["problems"]["counts"] == {"unknown CAD (noted)": 1}


def test_unknown_cad_has_no_ap_mesh_and_is_listed(tmp_path):
    record = run(tmp_path, "ap-mesh", [GOOD | {"scene_cad_id": [CHAIR, "what"]}])
    assert [t["AP50"] for t in record["tables"]] == [0, 0, 0]
    assert "what" in record["without_mesh"][0]["reason"]


def test_image_without_predictions_leaves_its_objects_unfound(tmp_path):
    table = run(tmp_path, "image", [])["accuracy"]["mean_of_abs"]
    assert table["instance"] == {"predictions": None, "objects": 0}
    assert table["class"] == {"predictions": 0, "objects": 0}


def test_boxes_of_a_resized_image_need_its_size(tmp_path):
    large = GOOD | {"bbox": [250, 150, 750, 650]}
    with pytest.raises(ValueError, match="image size"):
        run(tmp_path, "image", [large])
    record = run(tmp_path, "image", [large], "--image-size", "1000x800")
    assert record["accuracy"]["mean_of_abs"]["instance"]["objects"] == 100


def test_rows_without_boxes_get_those_of_their_cads(tmp_path):
    boxless = {name: value for name, value in GOOD.items() if name != "bbox"}
    record = run(tmp_path, "image", [boxless])
    assert record["accuracy"]["mean_of_abs"]["instance"] == {"predictions": 100, "objects": 100}


def test_poses_in_the_scan_are_brought_into_their_images(tmp_path):
    T_scan_cam = rigid(rotation_y(0.3), np.array([1.0, 2, 3]))
    t = T_scan_cam[:3, :3] @ [0, 0, 2.5] + T_scan_cam[:3, 3]
    write_world(tmp_path, [model("cube", t)], np.full(SHAPE, 2.0), T_scan_cam=T_scan_cam)
    head = "id_scan,objectCategory,alignedModelId,tx,ty,tz,qw,qx,qy,qz,sx,sy,sz,object_score"
    numbers = ",".join(map(str, [*t, 1, 0, 0, 0, 1, 1, 1, 0.7]))
    row = f"scene0000_00,3001627,cube,{numbers},scene0000_00/color/000100.jpg,0"
    path = tmp_path / "raw.csv"
    path.write_text(f"{head},image,detection\n{row}\n")
    annotations = read_annotations(tmp_path / "full_annotations.json")
    source = TruthSource(tmp_path / "frames", tmp_path / "cads")
    meshes = CadMeshes(source.library, boxes_of(annotations))
    truth = frames_truth(annotations, source)
    options = Options(frames=source.frames)
    result = evaluate(load_predictions(path), truth, options=options, meshes=meshes)
    assert result.judged.right.tolist() == [True]
    assert result.judged.errors[0] == pytest.approx([0, 0, 0], abs=1e-6)


def test_initialisations_in_the_file_are_judged_by_what_chooses_them(tmp_path):
    def pose(score, z):
        return {"score": score, "t": [0, 0, z], "q": [1, 0, 0, 0], "s": [1, 1, 1]}

    tried = GOOD | {"initialisations": [pose(0.2, 3.0), pose(0.8, 2.5)]}
    missed = GOOD | {"score": 0.3, "initialisations": [pose(0.9, 3.0), pose(0.1, 2.5)]}
    table = run(tmp_path, "image", [tried, missed])["selection"]
    assert (table["by_sigma"], table["first"], table["random"]) == (0.5, 0, 0.5)
    assert (table["best"], table["n"], table["left_out"]) == (1, 2, 0)
    with pytest.raises(ValueError, match=r"000100.jpg\[0\]: initialisations: t: missing"):
        run(tmp_path, "image", [GOOD | {"initialisations": [{"score": 1}]}])


def test_rocas_annotation_per_image_needs_no_rendering(tmp_path):
    file = {
        "categories": [{"id": 5, "name": "chair"}],
        "images": [
            {"id": i, "width": 100, "height": 80,
             "file_name": f"tasks/scannet_frames_25k/scene0000_00/color/{i:06d}.jpg"}
            for i in (100, 200)
        ],
        "annotations": [
            {"id": 1, "image_id": 100, "category_id": 5, "bbox": [25, 15, 50, 50], "area": 2500,
             "intrinsics": K.tolist(), "alignment_id": 0, "q": [1, 0, 0, 0], "s": [1, 1, 1],
             "t": [0, 0, 2.5], "sym": "__SYM_NONE",
             "model": {"scene_id": "scene0000_00", "catid_cad": CHAIR, "id_cad": "cube"}}
        ],
    }  # fmt: skip
    path = tmp_path / "instances.json"
    path.write_text(json.dumps(file))
    record = run(tmp_path, "image", [GOOD], "--annotations", str(path))
    assert record["frames"] == 2
    assert record["accuracy"]["mean_of_abs"]["instance"] == {"predictions": 100, "objects": 100}
    table = run(tmp_path, "image", [GOOD], "--annotations", str(path), "--classes", "table")
    assert table["accuracy"]["mean_of_abs"]["classes"] == {}
    assert table["problems"]["counts"] == {"category (rejected)": 1}
    meshes = run(tmp_path, "ap-mesh", [GOOD], "--annotations", str(path))
    assert [t["APmean"] for t in meshes["tables"]] == [100, 100, 100]


def test_a_list_of_images_restricts_truth_and_predictions(tmp_path):
    write_world(tmp_path, [model("cube", (0, 0, 2.5))], np.full(SHAPE, 2.0))
    listed = tmp_path / "val_images.txt"
    listed.write_text("scene0000_00 100\n")  # numbers count, not how they are written
    record = run(tmp_path, "image", [GOOD], "--images", str(listed))
    assert record["accuracy"]["mean_of_abs"]["instance"] == {"predictions": 100, "objects": 100}
    record = run(tmp_path, "image", [GOOD], "--images", str(listed), frame="000200")
    assert record["problems"]["counts"] == {"unknown frame (rejected)": 1}
    assert record["accuracy"]["mean_of_abs"]["instance"] == {"predictions": None, "objects": 0}
