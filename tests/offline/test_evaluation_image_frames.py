"""Truth of frames on disk: which objects count, and how it is kept in a file."""

import numpy as np
import pytest
from cube_world import CHAIR, SHAPE, model, write_world

from roomcad_core.pose import rigid, rotation_y
from roomcad_offline.evaluation.cad_meshes import CadMeshes, boxes_of
from roomcad_offline.evaluation.image_evaluation import TruthSource, frames_truth
from roomcad_offline.evaluation.image_truth import restricted
from roomcad_offline.evaluation.image_truth_file import load_truth, save_truth
from roomcad_offline.evaluation.image_truth_frames import TruthRule

pytest.importorskip("open3d")
pytest.importorskip("cv2")


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
