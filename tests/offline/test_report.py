"""Ground truth fed back scores 100 %, and the pictures of a report exist and show something."""

import dataclasses
import json

import cv2
import numpy as np
import pytest

from roomcad_core.library import Library
from roomcad_core.pose import inverse, rigid, upright_rotation
from roomcad_core.types import Alignment, Frame, Placed
from roomcad_offline.compare import markdown_table, match
from roomcad_offline.report import write_report

K = np.array([[130.0, 0, 79.5], [0, 130, 59.5], [0, 0, 1]])


@pytest.fixture(scope="module")
def library():
    return Library.load()


@pytest.fixture
def truth(library):
    placed = []
    for i, label in enumerate(("chair", "table", "sofa")):
        model = library.of_class(label)[0]
        T = rigid(upright_rotation(0.5 * i), [2.5, 2.0 * i - 2, model.size[1] / 2])
        placed.append(Placed(i + 1, label, model.id, T, model.size, model.symmetry))
    return tuple(placed)


class StillRoom:
    """Three frames of a camera that stands still, with known furniture."""

    name, path = "still room", "nowhere"

    def __init__(self, truth):
        self.ground_truth = truth
        R = np.array([[0.0, 0, 1], [-1, 0, 0], [0, -1, 0]])
        self.T_world_cam = rigid(R, [-1.5, 0, 1.2])

    def __len__(self):
        return 3

    def __getitem__(self, i):
        color = np.full((120, 160, 3), 90, np.uint8)
        depth = np.full((120, 160), 3.0, np.float32)
        return Frame(float(i + 1), color, depth, K, self.T_world_cam)


def perfect(truth, T_world_cam):
    return tuple(
        Alignment(p.id, p.label, p.cad_id, inverse(T_world_cam) @ p.T_world_obj, p.S, 1.0, 1.0)
        for p in truth
    )


def test_ground_truth_fed_back_is_all_right(truth, library, tmp_path):
    room = StillRoom(truth)
    alignments = {i: perfect(truth, room.T_world_cam) for i in range(3)}
    matches = write_report(room, alignments, library, tmp_path)
    assert len(matches) == 3 and all(m.right for m in matches)
    assert max(max(m.errors) for m in matches) < 1e-6
    assert (
        "3 of 3 objects found, 3 with the right class, 3 within"
        in (tmp_path / "table.md").read_text()
    )
    assert len(json.loads((tmp_path / "objects.json").read_text())) == 3
    for name in ("overlays.png", "top_view.png", "overlay_00000.png"):
        assert cv2.imread(str(tmp_path / name)).std() > 5
    assert (tmp_path / "animation.gif").stat().st_size > 1000


def test_a_report_without_any_alignment_says_so(truth, library, tmp_path):
    write_report(StillRoom(truth), {0: (), 1: (), 2: ()}, library, tmp_path)
    assert "0 of 3 objects found" in (tmp_path / "table.md").read_text()


def test_frames_without_a_camera_pose_are_said_not_to_count(truth, library, tmp_path):
    room = StillRoom(truth)
    alignments = {i: perfect(truth, room.T_world_cam) for i in range(3)}
    room.T_world_cam = None
    write_report(room, alignments, library, tmp_path)
    assert "Only 0 of them have a camera pose" in (tmp_path / "table.md").read_text()
    assert (tmp_path / "overlays.png").stat().st_size > 1000


def test_errors_of_a_match_are_those_of_the_pose(truth):
    moved = dataclasses.replace(truth[0], T_world_obj=truth[0].T_world_obj.copy())
    moved.T_world_obj[:2, 3] += [0.18, 0.24]
    first = match((moved,), truth)[0]
    assert first.errors[0] == pytest.approx(0.3)
    assert first.same_class and not first.right


def test_a_wrong_class_in_the_right_place_is_paired_but_not_right(truth):
    taken_for = dataclasses.replace(truth[0], label="toilet")
    first = match((taken_for,), truth)[0]
    assert first.found is taken_for and not first.same_class and not first.right


def test_ghosts_and_misses_are_listed(truth):
    far = rigid(np.eye(3), [9, 9, 0.5])
    ghost = Placed(1, "bin", "bin_x", far, np.ones(3))
    table = markdown_table(match((ghost,), truth))
    assert table.count("not found") == 3 and "1 without a true partner" in table
