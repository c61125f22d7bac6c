"""Ground truth fed back scores 100 %, and the pictures of a report exist and show something."""

import dataclasses
import json

import cv2
import numpy as np
import pytest

from roomcad_core.library import Library
from roomcad_core.pose import inverse, rigid, upright_rotation
from roomcad_core.room_file import read_objects
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


def shown(room, truth):
    """Alignments of all frames, as write_report takes them."""
    return {i: (perfect(truth, room.T_world_cam), (1, 2, 3)) for i in range(3)}


def test_ground_truth_fed_back_is_all_right(truth, library, tmp_path):
    room = StillRoom(truth)
    matches = write_report(room, shown(room, truth), truth, library, tmp_path)
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
    nothing = dict.fromkeys(range(3), ((), ()))
    write_report(StillRoom(truth), nothing, (), library, tmp_path)
    assert "0 of 3 objects found" in (tmp_path / "table.md").read_text()


def test_without_camera_poses_there_is_no_room_and_the_table_says_so(truth, library, tmp_path):
    room = StillRoom(truth)
    alignments = shown(room, truth)
    write_report(room, alignments, truth, library, tmp_path)
    room.T_world_cam = None
    write_report(room, alignments, None, library, tmp_path)
    table = (tmp_path / "table.md").read_text()
    assert "No room: no camera pose is known" in table
    assert "Only 0 of them have a camera pose" in table and "not found" not in table
    assert (tmp_path / "overlays.png").stat().st_size > 1000
    assert not (tmp_path / "top_view.png").exists()  # that of before is gone
    assert json.loads((tmp_path / "objects.json").read_text()) == []


def test_where_objects_were_not_followed_the_table_says_so(truth, library, tmp_path):
    room = StillRoom(truth)
    write_report(room, shown(room, truth), None, library, tmp_path)
    assert "No room: objects were not followed" in (tmp_path / "table.md").read_text()


def test_without_truth_the_table_tells_place_size_and_how_often_it_was_seen(
    truth, library, tmp_path
):
    room = StillRoom(truth)
    room.ground_truth = None
    alignments = shown(room, truth)
    alignments[2] = alignments[2][0][:2], (1, 2)  # the sofa is not seen
    found = tuple(dataclasses.replace(p, score=0.75) for p in truth)
    write_report(room, alignments, found, library, tmp_path)
    table = (tmp_path / "table.md").read_text()
    chair, _, sofa = table.splitlines()[2:5]
    size = ", ".join(f"{s:.2f}" for s in truth[0].S)
    at = f"2.50, -2.00, {truth[0].S[1] / 2:.2f}"
    assert chair == f"| 1 | chair | {truth[0].cad_id} | {at} | {size} | 0.75 | 3 |"
    assert sofa.startswith("| 3 | sofa |") and sofa.endswith("| 0.75 | 2 |")
    assert "3 objects found" in table and "true" not in table and "not found" not in table
    read = read_objects(tmp_path / "objects.json")
    assert [(p.id, p.label, p.score) for p in read] == [
        (1, "chair", 0.75),
        (2, "table", 0.75),
        (3, "sofa", 0.75),
    ]


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
