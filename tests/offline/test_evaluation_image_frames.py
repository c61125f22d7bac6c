"""Truth of frames on disk, and the commands that score predictions against it."""

import argparse
import json

import numpy as np
import pytest

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
from roomcad_offline.evaluation.image_truth import restricted
from roomcad_offline.evaluation.image_truth_file import load_truth, save_truth
from roomcad_offline.evaluation.image_truth_frames import TruthRule
from roomcad_offline.evaluation.load import load_predictions

pytest.importorskip("open3d")
cv2 = pytest.importorskip("cv2")

CHAIR = "03001627"
K = np.array([[100.0, 0, 49.5], [0, 100, 39.5], [0, 0, 1]])
SHAPE = (80, 100)
CUBE = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)])
FACES = np.array(
    [[0, 1, 3], [0, 3, 2], [4, 7, 5], [4, 6, 7], [0, 5, 1], [0, 4, 5],
     [2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3]]
)  # fmt: skip


def trs(t, s=(1, 1, 1)):
    return {"translation": list(t), "rotation": [1, 0, 0, 0], "scale": list(s)}


def model(cad_id, t, category=CHAIR, s=(1, 1, 1)):
    return {"trs": trs(t, s), "sym": "__SYM_NONE", "catid_cad": category, "id_cad": cad_id,
            "center": [0, 0, 0], "bbox": [0.5, 0.5, 0.5]}  # fmt: skip


def write_world(folder, models, depth, scene="scene0000_00", T_scan_cam=None):
    """Annotations, frames folder and CADs of one scene with the frame 000100."""
    obj = "".join(f"v {x} {y} {z}\n" for x, y, z in CUBE)
    obj += "".join("f {} {} {}\n".format(*(f + 1)) for f in FACES)
    mesh = folder / "cads" / CHAIR / "cube" / "models" / "model_normalized.obj"
    mesh.parent.mkdir(parents=True)
    mesh.write_text(obj)
    frames = folder / "frames" / scene
    for name in ("depth", "pose", "intrinsic"):
        (frames / name).mkdir(parents=True)
    cv2.imwrite(str(frames / "depth" / "000100.png"), np.rint(depth * 1000).astype(np.uint16))
    np.savetxt(frames / "pose" / "000100.txt", np.eye(4) if T_scan_cam is None else T_scan_cam)
    intrinsics = np.eye(4)
    intrinsics[:3, :3] = K
    np.savetxt(frames / "intrinsic" / "intrinsic_depth.txt", intrinsics)
    entry = {"id_scan": scene, "trs": trs((0, 0, 0)), "n_aligned_models": len(models),
             "aligned_models": models}  # fmt: skip
    path = folder / "full_annotations.json"
    path.write_text(json.dumps([entry]))
    return read_annotations(path), TruthSource(folder / "frames", folder / "cads")


def test_objects_of_a_frame_count_only_with_centre_inside_and_half_of_them_seen(tmp_path):
    models = [
        model("cube", (0, 0, 2.5)),  # seen
        model("cube", (1.6, 0, 3.5)),  # centre projects to column 95: inside, but hidden
        model("cube", (2.0, 0, 3.5)),  # a part shows, its centre is outside
        model("cube", (9.0, 0, 3.5)),  # not in the image
    ]
    annotations, source = write_world(tmp_path, models, np.full(SHAPE, 2.0))
    truth = frames_truth(annotations, source)
    assert truth.reason.tolist() == ["", "hidden", "centre outside"]
    assert truth.model.tolist() == [0, 1, 2]
    assert truth.box[0] == pytest.approx([0.25, 15 / 80, 0.75, 65 / 80])
    assert truth.t[0] == pytest.approx([0, 0, 2.5])
    assert truth.share[0] == 1.0


def test_truth_in_two_processes_is_the_same(tmp_path):
    annotations, source = write_world(tmp_path, [model("cube", (0, 0, 2.5))], np.full(SHAPE, 2.0))
    alone, two = frames_truth(annotations, source), frames_truth(annotations, source, 2)
    np.testing.assert_array_equal(alone.box, two.box)
    assert alone.reason.tolist() == two.reason.tolist() == [""]


def test_camera_pose_is_taken_out(tmp_path):
    T_scan_cam = rigid(rotation_y(0.3), np.array([1.0, 2, 3]))
    here = T_scan_cam[:3, :3] @ [0, 0, 2.5] + T_scan_cam[:3, 3]
    annotations, source = write_world(
        tmp_path, [model("cube", here)], np.full(SHAPE, 2.0), T_scan_cam=T_scan_cam
    )
    truth = frames_truth(annotations, source)
    assert truth.t[0] == pytest.approx([0, 0, 2.5])


def test_lost_tracking_and_missing_meshes_are_reported_by_name(tmp_path):
    models = [model("cube", (0, 0, 2.5)), model("nowhere", (0, 0, 2.5))]
    annotations, source = write_world(tmp_path, models, np.full(SHAPE, 2.0))
    truth = frames_truth(annotations, source)
    assert len(truth) == 1
    assert [p.kind for p in truth.problems] == ["no mesh"]
    assert "nowhere" in str(truth.problems[0])
    pose = source.frames / "scene0000_00" / "pose" / "000100.txt"
    np.savetxt(pose, np.full((4, 4), -np.inf))
    lost = frames_truth(annotations, source)
    assert not lost.frames and "tracking lost" in str(lost.problems[0])


def test_centre_rule_can_be_the_cads_origin(tmp_path):
    annotations, source = write_world(tmp_path, [model("cube", (0, 0, 2.5))], np.full(SHAPE, 2.0))
    # The file's cube moved by 2 m, and moved back by its pose: origin outside, box inside.
    mesh = source.library / CHAIR / "cube" / "models" / "model_normalized.obj"
    lines = [line.split() for line in mesh.read_text().splitlines()]
    moved = [f"v {float(w[1]) + 2} {w[2]} {w[3]}" if w[0] == "v" else " ".join(w) for w in lines]
    mesh.write_text("\n".join(moved))
    annotations.t[0, 0] -= 2
    by_box = frames_truth(annotations, source)
    by_origin = frames_truth(
        annotations, TruthSource(source.frames, source.library, TruthRule(centre="origin"))
    )
    assert by_box.reason.tolist() == [""]
    assert by_origin.reason.tolist() == ["centre outside"]


def test_truth_file_round_trips_and_refuses_other_settings(tmp_path):
    annotations, source = write_world(tmp_path, [model("cube", (0, 0, 2.5))], np.full(SHAPE, 2.0))
    truth, path = frames_truth(annotations, source), tmp_path / "truth.npz"
    save_truth(truth, path, "these")
    again = load_truth(path, "these")
    assert again.frames == truth.frames == (("scene0000_00", "000100"),)
    np.testing.assert_array_equal(again.box, truth.box)
    assert again.cameras["scene0000_00"].size == (100, 80)
    with pytest.raises(ValueError, match="other annotations"):
        load_truth(path, "those")


def test_frames_that_are_asked_for_and_absent_are_named(tmp_path):
    annotations, source = write_world(tmp_path, [model("cube", (0, 0, 2.5))], np.full(SHAPE, 2.0))
    asked = TruthSource(source.frames, source.library, images=(("scene0009_00", "000000"),))
    with pytest.raises(ValueError, match="scene0009_00"):
        frames_truth(annotations, asked)
    with pytest.raises(ValueError, match="000900"):
        restricted(frames_truth(annotations, source), images=(("scene0000_00", "000900"),))


def test_a_librarys_unit_meshes_get_the_annotated_box():
    from roomcad_core.library import Library

    library = Library.load()
    cad = library.models[0]
    boxes = {("02808440", cad.id): (1.0, 2.0, 3.0, 0.1, 0.2, 0.3)}
    vertices, _ = CadMeshes(library.folder, boxes)("02808440", cad.id)
    assert vertices.min(axis=0) == pytest.approx([0.9, 1.8, 2.7], abs=1e-5)
    assert vertices.max(axis=0) == pytest.approx([1.1, 2.2, 3.3], abs=1e-5)
    with pytest.raises(KeyError, match="annotation"):
        CadMeshes(library.folder, boxes)("02808440", library.models[1].id)


def test_a_cad_id_cannot_leave_the_folder(tmp_path):
    annotations, source = write_world(tmp_path, [model("cube", (0, 0, 2.5))], np.full(SHAPE, 2.0))
    meshes = CadMeshes(source.library, boxes_of(annotations))
    assert (CHAIR, "cube") in meshes
    assert (CHAIR, "../../../secret") not in meshes
    with pytest.raises((KeyError, ValueError)):
        meshes(CHAIR, "../../../secret")


# The commands: what the frame shows, fed back as predictions.


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
