"""The measurement of tracks: figures worked out by hand, and the command on a tiny room."""

import dataclasses
import json

import numpy as np
import pytest

from roomcad_core.config import PipelineConfig
from roomcad_core.pose import rigid, rotation_y
from roomcad_core.tracks.track import Track
from roomcad_core.types import Frame, Placed
from roomcad_offline.cli import main
from roomcad_offline.rooms.config import RoomConfig
from roomcad_offline.rooms.make import make_room
from roomcad_offline.temporal.figures import summary
from roomcad_offline.temporal.masks import shown_by
from roomcad_offline.temporal.rows import Effort, Result, RoomResult, Row
from roomcad_offline.temporal.run import measure, room_folders
from roomcad_offline.temporal.standing import Standing, Stands


def result(x=0.0, angle=0.0, size=1.0, right=True):
    return Result(rigid(rotation_y(angle), [x, 0, 0]), np.full(3, size), right)


def row(frame, every, tracked, tracks=(1,), truth=1, symmetry="none"):
    return Row("room", frame, truth, symmetry, every, tracked, tracks)


def of(rows, efforts=(), confirmed=()):
    return summary([RoomResult(list(rows), list(efforts), set(confirmed))])


def test_jitter_is_the_mean_change_of_what_both_modes_have():
    rows = [
        row(0, result(0.0), result(0.0)),
        row(1, result(0.1, 0.2), result(0.02, 0.05)),
        row(2, result(0.0, 0.2), None),
        row(3, result(0.9), result(0.5)),
    ]
    jitter = of(rows)["jitter"]
    assert jitter["pairs"] == 1
    assert jitter["position_mm"]["every_frame"] == pytest.approx(100)
    assert jitter["position_mm"]["ratio"] == pytest.approx(0.2)
    assert jitter["rotation_deg"]["tracked"] == pytest.approx(np.degrees(0.05), abs=1e-3)


def test_a_symmetric_turn_is_no_jitter():
    rows = [row(i, result(0, i * np.pi), result(), symmetry="2-fold") for i in range(3)]
    assert of(rows)["jitter"]["rotation_deg"]["every_frame"] == pytest.approx(0, abs=1e-5)


def test_an_object_that_is_not_aligned_is_not_right():
    rows = [row(0, result(), None), row(1, result(), result()), row(2, result(right=False), None)]
    assert of(rows)["accuracy"] == {"every_frame": 66.67, "tracked": 33.33}
    assert of(rows)["bars"]["at most 1.0 point lost"] is False


def test_identity_switches_are_counted_for_each_object_across_gaps():
    tracks = [(1,), (1,), (), (2,), (2,), (1,)]
    rows = [row(i, result(), result(), shown) for i, shown in enumerate(tracks)]
    rows += [row(i, result(), result(), (7,), truth=2) for i in range(6)]
    figures = of(rows)
    assert figures["identity_switches"] == 2 and figures["objects_of_a_track"] == 1
    assert figures["bars"]["no identity switch of pieces"] is False


def test_an_object_in_pieces_keeps_its_track_while_a_piece_shows_it():
    tracks = [(1, 2), (2, 1), (2,), (2, 1), (1, 2), (1,)]
    figures = of([row(i, result(), result(), shown) for i, shown in enumerate(tracks)])
    assert figures["identity_switches"] == 2  # frames 2 and 5
    assert figures["largest_piece_switches"] == 2  # frames 1 and 4


def track(i, x, state="TRACKED"):
    T = rigid(np.eye(3), [x, 0, 0])
    values = {
        "S": np.ones(3),
        "T_cam_obj": T,
        "T_world_obj": T,
        "state": state,
        "confirmed": i != 3,
    }
    return Track(i, "chair", "c1", "none", camera="c", seen=0.0, sigma=0.9, **values)


def test_a_true_object_keeps_the_track_whose_cad_stands_on_it_while_it_does():
    """One chair at 0 of side 1; a CAD 0.4 beside it has an IoU of 3/7, one 0.7 beside it 3/17."""
    truth = {5: Placed(5, "chair", "c1", rigid(np.eye(3), [0.0, 0, 0]), np.ones(3))}
    shown = np.full((4, 5), 5, np.uint16)
    frame = Frame(0.0, np.zeros((4, 5, 3), np.uint8), np.ones((4, 5), np.float32), np.eye(3),
                  instances=shown)  # fmt: skip
    stands = Stands("room", truth)
    frames = [
        [track(1, 0.4)],
        [track(1, 0.4), track(2, 0.0), track(3, 0.0)],  # the better one does not take it away
        [track(1, 0.7), track(2, 0.0, "LOST")],
        [track(1, 0.7), track(2, 0.0)],
        [track(3, 0.0)],  # not shown so far
        [track(2, 0.1)],
    ]
    found = [s for i, tracks in enumerate(frames) for s in stands(i, frame, tracks)]
    assert [s.track for s in found] == [1, 1, None, 2, None, 2]
    figures = summary([RoomResult([], [], set(), found)])
    assert figures["placed_switches"] == 1 and figures["placed_share"] == 66.67
    hidden = dataclasses.replace(frame, instances=np.zeros_like(shown))
    assert stands(9, hidden, [track(1, 0.0)]) == []


def test_a_track_shows_an_object_with_a_mask_iou_above_one_half():
    """Objects 5 and 7, 40 pixels each, and one of 1 pixel; each row of the masks has 10."""
    truth = np.zeros((20, 10), np.uint16)
    truth[:4], truth[4:8], truth[19, 0] = 5, 7, 9
    frame = Frame(0.0, np.zeros((20, 10, 3), np.uint8), np.ones((20, 10), np.float32), np.eye(3),
                  instances=truth)  # fmt: skip

    def standings(owners, rows):
        """Of object ids in bands of so many rows from the top."""
        instances = np.zeros_like(truth)
        top = 0
        for obj, count in rows:
            instances[top : top + count] = obj
            top += count
        found = shown_by("room", 0, frame, instances, owners, (5, 7, 9))
        return [(s.truth, s.track) for s in found]

    assert standings({1: 11, 2: 12}, [(1, 4), (2, 4)]) == [(5, 11), (7, 12)]
    assert standings({1: 11}, [(1, 8)]) == [(5, None), (7, None)]  # both in one: IoU 1/2 each
    assert standings({1: 11, 2: 12}, [(1, 3), (2, 5)]) == [(5, 11), (7, 12)]  # 3/4 and 4/5
    assert standings({1: 11, 2: 12}, [(1, 2), (2, 2)]) == [(5, None), (7, None)]  # 1/2 is too few
    assert standings({}, [(1, 4), (2, 4)]) == [(5, None), (7, None)]
    masks = [Standing("room", i, 5, track) for i, track in enumerate((11, None, 11, 12))]
    assert summary([RoomResult([], [], set(), [], masks)])["mask_switches"] == 1


def test_passes_count_from_birth_on_but_not_for_what_was_never_found():
    efforts = [
        Effort("room", 0, 1, "NEW", 16, 16),
        Effort("room", 1, 1, "TRACKED", 16, 2),
        Effort("room", 1, 2, "NEW", 16, 30),
    ]
    passes = of([], efforts, {("room", 1)})["passes"]
    assert passes == {"every_frame": 16, "tracked": 9, "tracked_all_objects": 16, "steady": 2}


def test_nothing_to_measure_holds_no_bar():
    assert set(of([])["bars"].values()) == {None}


@pytest.fixture(scope="module")
def rooms(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rooms")
    config = RoomConfig(
        frames=12, width=160, height=120, seed=3, furniture=5, clutter=0.0, shadows=False,
        noise=False,
    )  # fmt: skip
    make_room(config, 0, folder)
    return folder


def test_the_command_measures_both_modes_on_the_same_frames(rooms, tmp_path, capsys):
    options = ["--aligner", "truth", "--given", "cad", "--out", str(tmp_path)]
    assert main(["temporal", str(rooms), *options]) == 0
    assert "these figures prove nothing" in capsys.readouterr().out
    record = json.loads((tmp_path / "temporal.json").read_text())
    figures = record["figures"]
    assert record["about"]["frames"] == 12 and record["about"]["fps"] == [10.0]
    assert figures["passes"]["every_frame"] == 16 and figures["confirmed_tracks"] > 0
    assert 2 <= figures["passes"]["tracked"] < 16
    assert figures["identity_switches"] == 0 and figures["object_views"] > 12
    assert figures["jitter"]["position_mm"]["ratio"] < 0.5
    assert (tmp_path / "temporal.md").is_file() and (tmp_path / "temporal.png").is_file()
    assert list(record["by_room"]) == ["room0000"]


def test_the_icp_baseline_is_measured_too(rooms, tmp_path):
    pytest.importorskip("open3d")
    text = measure(rooms / "room0000", PipelineConfig(), "icp", "cad", 4, tmp_path)
    assert "Aligner `icp`, 1 simulated rooms (`rooms make`, seed 3), 3 frames" in text
    record = json.loads((tmp_path / "temporal.json").read_text())
    passes = record["figures"]["passes"]
    assert passes["tracked_all_objects"] > 0


def test_wrong_arguments_are_refused_by_name(tmp_path, capsys):
    assert main(["temporal", str(tmp_path), "--aligner", "truth"]) == 1
    assert "roomcad-offline rooms make" in capsys.readouterr().err
    assert main(["temporal", str(tmp_path), "--smaller", "0"]) == 1
    assert "--smaller: got 0, expected at least 1" in capsys.readouterr().err


def test_unfinished_rooms_are_left_out(rooms):
    (rooms / "room0001.part").mkdir(exist_ok=True)
    (rooms / "room0001.part" / "room.json").write_text("{}")
    assert [f.name for f in room_folders(rooms)] == ["room0000"]
