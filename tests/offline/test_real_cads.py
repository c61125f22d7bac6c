"""Annotated CAD models: right and wrong poses by hand, masks, and a whole room in two formats."""

import json
import shutil
from dataclasses import replace
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from roomcad_core.align import make_aligner
from roomcad_core.config import PipelineConfig
from roomcad_core.datasets.annotations import FILE as ANNOTATIONS
from roomcad_core.library import Library
from roomcad_core.pose import inverse, rigid, rotation_y
from roomcad_core.types import Alignment, Frame, Placed
from roomcad_offline.benchmarks.real import cads
from roomcad_offline.benchmarks.real.cads import (
    GIVEN,
    SHOWN,
    CadView,
    RobotStages,
    cad_masks,
    names_in,
    predict_cads,
    read_views,
    score_cads,
    with_class,
)
from roomcad_offline.benchmarks.real.room import Room, read_annotated
from roomcad_offline.benchmarks.real.sources import Source
from roomcad_offline.multi_sparc.benchmark.outcomes import Outcome
from roomcad_offline.rooms.config import RoomConfig
from roomcad_offline.rooms.make import make_room
from roomcad_offline.scannet.boxes import as_dict
from roomcad_offline.scannet.categories import by_name, writable_id

Z_UP = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])  # CAD frame (y up) into a z-up world
# A camera at the world's origin that looks along its x axis.
T_WORLD_CAM = rigid(np.array([[0.0, 0, 1], [-1, 0, 0], [0, -1, 0]]), np.zeros(3))
K = np.array([[60.0, 0, 31.5], [0, 60, 23.5], [0, 0, 1]])
SHAPE = (48, 64)


def placed(number=1, label="table", at=(2, 0, 0), size=(1, 1, 1), turn=0.0, symmetry="none"):
    T = rigid(Z_UP @ rotation_y(turn), np.array(at, float))
    return Placed(number, label, "cube", T, np.array(size, float), symmetry)


def room_of(*truth, kind="recording"):
    return SimpleNamespace(source=SimpleNamespace(kind=kind), placed=truth)


def found(p, score=0.5, label=None):
    """Outcome of an alignment that stands where a Placed does."""
    T = (inverse(T_WORLD_CAM) @ p.T_world_obj).tolist()
    return Outcome(True, p.label if label is None else label, p.cad_id, T, p.S.tolist(), score)


def view(outcome, number=1, frame=0, given=GIVEN):
    return CadView(frame, number, T_WORLD_CAM.tolist(), dict.fromkeys(given, outcome))


def is_right(truth, alignment, kind="recording"):
    scores = score_cads(room_of(truth, kind=kind), (), [view(found(alignment))])
    return {scores.objects[given] for given in GIVEN} == {(1, 1)}


def test_the_truth_itself_scores_everything():
    truth = placed(), placed(2, "chair", (4, 1, 0)), placed(3, "other", (6, 0, 0))
    views = [view(found(p), p.id, frame) for p in truth[:2] for frame in (0, 1)]
    scores = score_cads(room_of(*truth), truth, views)
    assert scores.objects == dict.fromkeys((SHOWN, *GIVEN), (2, 2))
    assert scores.views == dict.fromkeys(GIVEN, (4, 4))
    assert scores.per_class["chair"] == dict.fromkeys((SHOWN, *GIVEN), (1, 1))
    assert scores.not_run == {}


@pytest.mark.parametrize(
    ("changed", "right"),
    [
        ({"at": (2, 0.19, 0)}, True),
        ({"at": (2, 0.21, 0)}, False),
        ({"at": (2.12, 0.12, 0.12)}, False),  # 20.8 cm in all
        ({"turn": np.radians(19)}, True),
        ({"turn": np.radians(-21)}, False),
        ({"size": (1.19, 1.19, 1.19)}, True),
        ({"size": (0.79, 0.79, 0.79)}, False),
        ({"size": (1.5, 1, 1)}, True),  # 17 % on average over the axes
        ({"label": "cabinet"}, False),
    ],
)
def test_limits_of_20_cm_20_degrees_20_percent(changed, right):
    assert is_right(placed(), placed(**changed)) == right
    shown = score_cads(room_of(placed()), (placed(**changed),), [view(Outcome())])
    assert shown.objects[SHOWN] == (right, 1)


@pytest.mark.parametrize(
    ("symmetry", "degrees", "right"),
    [("none", 180, False), ("2-fold", 175, True), ("2-fold", 90, False), ("4-fold", 280, True),
     ("rotational", 137, True)],
)  # fmt: skip
def test_turns_that_leave_a_cad_unchanged_are_no_error(symmetry, degrees, right):
    turned = placed(turn=np.radians(degrees))
    assert is_right(placed(symmetry=symmetry), turned) == right


def test_the_best_scored_view_decides_and_a_view_without_alignment_is_wrong():
    far = placed(at=(3, 0, 0))
    views = [view(found(placed(), 0.4), frame=0), view(found(far, 0.6), frame=1),
             view(Outcome(), frame=2)]  # fmt: skip
    scores = score_cads(room_of(placed()), (), views)
    assert (scores.views["own"], scores.objects["own"]) == ((1, 3), (0, 1))
    views[1] = view(found(far, 0.3), frame=1)
    scores = score_cads(room_of(placed()), (), views)
    assert (scores.views["own"], scores.objects["own"]) == ((1, 3), (1, 1))
    views = [view(found(placed(), 0.0), frame=0), view(Outcome(), frame=1)]
    assert score_cads(room_of(placed()), (), views).objects["own"] == (1, 1)


def test_an_object_that_no_frame_shows_is_not_asked_for():
    scores = score_cads(room_of(placed(), placed(2, at=(5, 0, 0))), (), [view(found(placed()))])
    assert scores.objects[SHOWN] == (0, 1) and scores.objects["cad"] == (1, 1)


def test_cads_that_the_library_lacks_are_counted_and_only_cad_is_not_run():
    truth = placed(), placed(2, at=(5, 0, 0)), placed(3, at=(8, 0, 0))
    lacking = [view(found(p), p.id, frame, GIVEN[:3]) for p in truth[1:] for frame in (0, 1)]
    scores = score_cads(room_of(*truth), truth, [view(found(truth[0])), *lacking])
    assert scores.not_run == {"cad": "the CAD models of 2 objects are not in the library"}
    assert scores.objects == dict.fromkeys((SHOWN, *GIVEN[:3]), (3, 3))
    assert scores.views == dict.fromkeys(GIVEN[:3], (5, 5))


@pytest.mark.parametrize(("ours", "theirs"), [("desk", "table"), ("toilet", "chair")])
def test_what_scan2cad_has_no_name_for_counts_as_what_it_calls_it(ours, theirs):
    assert is_right(placed(label=theirs), placed(label=ours))
    shown = score_cads(room_of(placed(label=theirs)), (placed(label=ours),), [view(Outcome())])
    assert shown.objects[SHOWN] == (1, 1)
    # Not the other way round, and not where the annotation itself has the class.
    assert not is_right(placed(label=ours), placed(label=theirs))
    assert is_right(placed(label=ours), placed(label=ours))
    truth = placed(label=theirs), placed(2, ours, (5, 0, 0))
    views = [view(found(truth[0], label=ours)), view(found(truth[1]), 2)]
    assert score_cads(room_of(*truth), (), views).objects["own"] == (1, 2)
    assert not is_right(placed(label=theirs), placed(label=ours), kind="simulated")
    assert names_in(room_of(placed(label=theirs), kind="simulated")) == {}


def test_the_class_of_an_outcome_is_that_of_its_cad():
    """The aligner may settle for another class than the segment's."""
    library = {"cube": SimpleNamespace(label="cabinet")}
    assert with_class(found(placed()), library).label == "cabinet"
    assert with_class(Outcome(True, "chair"), library).label == ""


def test_own_alignments_go_by_the_names_of_the_annotation(robot, monkeypatch):
    """Else a desk would belong to no table, before anybody asks whether it is right."""
    made = [Alignment(1, label, "cube", np.eye(4), np.ones(3), 0.5) for label in ("desk", "sofa")]
    monkeypatch.setattr(cads, "make_aligner", lambda *args, **more: lambda *inputs: made)
    monkeypatch.setattr(cads, "make_classifier", lambda *args: None)
    segment = replace(robot.config.segment, min_points=robot.config.segment.min_points + 1)
    config = replace(robot.config, segment=segment)
    stages = RobotStages(SimpleNamespace(**{**vars(robot), "config": config}), {"desk": "table"})
    assert [a.label for a in stages.align(None, None)] == ["table", "sofa"]
    assert stages.segment_config == segment  # not the defaults


def wall_of(**rectangles):
    """(H, W) instances on a wall 2 m away; iN=((row, row), (column, column))."""
    ids = np.zeros(SHAPE, int)
    for name, (rows, columns) in rectangles.items():
        ids[slice(*rows), slice(*columns)] = int(name[1:])
    depth = np.full(SHAPE, 2.0, np.float32)
    return Frame(0.0, np.zeros((*SHAPE, 3), np.uint8), depth, K, T_WORLD_CAM), ids


def box_of(number, rows, columns):
    """A Placed around those rows and columns of the wall; 30 px are a metre."""
    (top, bottom), (left, right) = rows, columns
    at = 2, (31.5 - (left + right - 1) / 2) / 30, (23.5 - (top + bottom - 1) / 2) / 30
    return placed(number, at=at, size=(0.4, (bottom - top) / 30, (right - left) / 30))


def test_each_instance_is_the_cad_whose_box_holds_it():
    frame, ids = wall_of(i7=((10, 20), (5, 15)), i9=((10, 20), (15, 25)), i300=((30, 40), (40, 50)))
    frame.depth[12, 8] = 0
    furniture = {
        1: box_of(1, (10, 20), (16, 26)), 2: box_of(2, (10, 20), (4, 14)),
        3: box_of(3, (0, 5), (50, 60)),
    }  # fmt: skip
    got = cad_masks(frame, ids, furniture)
    assert got.dtype == np.uint16
    np.testing.assert_array_equal(got, np.select([ids == 7, ids == 9], [2, 1], 0))


def test_what_lies_on_a_cad_is_not_that_cad():
    """A pillow lies in the box of the bed more wholly than the bed, which reaches out of it."""
    frame, ids = wall_of(i1=((10, 30), (5, 55)), i2=((10, 14), (10, 16)))
    got = cad_masks(frame, ids, {5: box_of(5, (10, 30), (7, 50))})
    np.testing.assert_array_equal(got, np.where(ids == 1, 5, 0))


def test_two_cads_never_share_an_instance():
    frame, ids = wall_of(i1=((10, 30), (10, 40)))
    got = cad_masks(
        frame, ids, {5: box_of(5, (10, 30), (10, 28)), 6: box_of(6, (10, 30), (24, 40))}
    )
    np.testing.assert_array_equal(got, np.where(ids == 1, 5, 0))
    few = {5: box_of(5, (10, 30), (10, 16))}  # a fifth of the instance
    assert not cad_masks(frame, ids, few).any()
    assert not cad_masks(frame, ids, {}).any() and not cad_masks(frame, 0 * ids, few).any()


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "scene0001_00"
    path.mkdir()
    return path


def scan2cad_entry(name, x=0.0):
    unit = {"translation": [0, 0, 0], "rotation": [1, 0, 0, 0], "scale": [1, 1, 1]}
    model = {"trs": unit | {"translation": [x, 0, 0]}, "center": [0, 0, 0], "bbox": [1, 1, 1],
             "sym": "__SYM_NONE", "catid_cad": "04379243", "id_cad": "a"}  # fmt: skip
    return {"id_scan": name, "trs": unit, "aligned_models": [model]}


def test_annotations_lie_in_the_folder_or_beside_it(folder, caplog):
    assert read_annotated(folder) is None
    beside = folder.parent / ANNOTATIONS
    beside.write_text(json.dumps([scan2cad_entry("scene0007_00", 7)]))
    assert read_annotated(folder) is None  # the only entry of a file of many scans is not ours
    assert "has no entry for scan scene0001_00" in caplog.text
    both = [scan2cad_entry("scene0007_00", 7), scan2cad_entry(folder.name, 1)]
    beside.write_text(json.dumps(both))
    assert [p.T_world_obj[0, 3] for p in read_annotated(folder)] == [1]
    beside.write_text(json.dumps([*both, both[1]]))
    with pytest.raises(ValueError, match="got 2 entries for scan scene0001_00"):
        read_annotated(folder)
    (folder / ANNOTATIONS).write_text(json.dumps([scan2cad_entry("any", 3)]))
    assert [p.T_world_obj[0, 3] for p in read_annotated(folder)] == [3]


@pytest.fixture(scope="module")
def robot():
    """What predict_cads looks at of a Pipeline."""
    config, library = PipelineConfig(), Library.load("")
    follower = SimpleNamespace(aligner=make_aligner(config.align, library))
    return SimpleNamespace(config=config, library=library, follower=follower)


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    """Folder of a simulated room of two frames."""
    config = RoomConfig(
        frames=2, width=320, height=240, fps=0.5, seed=5, shadows=False, clutter=0.0
    )
    return make_room(config, 0, tmp_path_factory.mktemp("rooms"))[0]


def test_kept_predictions_serve_only_what_they_were_made_of(
    robot, simulated, tmp_path, monkeypatch
):
    made = []
    monkeypatch.setattr(
        cads, "_predict", lambda *args: made.append(args) or [view(found(placed()))]
    )
    room = Room.open(Source("a", "simulated", simulated))
    first = predict_cads(room, robot, tmp_path, 1)
    assert predict_cads(room, robot, tmp_path, 1) == first and len(made) == 1
    predict_cads(room, robot, tmp_path, 2)
    assert len(made) == 2
    config = replace(robot.config, align=replace(robot.config.align, aligner="icp"))
    other = SimpleNamespace(**{**vars(robot), "config": config})
    predict_cads(room, other, tmp_path, 2)
    assert len(made) == 3
    room.__dict__["placed"] = room.placed[1:]  # another annotation
    predict_cads(room, other, tmp_path, 2)
    assert len(made) == 4
    (tmp_path / cads.FILE).write_text('{"identity": ')
    assert read_views(tmp_path / cads.FILE, {}) is None
    predict_cads(room, other, tmp_path, 2)
    assert len(made) == 5
    room.__dict__["placed"] = None
    assert predict_cads(room, other, tmp_path, 2) == [] and len(made) == 5


def as_scannet(room, folder):
    """Write a simulated Room as ScanNet exports recordings: walls have a label, no instance."""
    for name in ("color", "depth", "pose", "intrinsic"):
        shutil.copytree(room.source.folder / name, folder / name)
    label = {p.id: writable_id(by_name(p.label)) for p in room.placed}
    for name in ("instance-filt", "label-filt"):
        (folder / name).mkdir()
    for i in range(len(room.dataset)):
        ids = room.dataset[i].instances
        ids = np.where(np.isin(ids, list(label)), ids, 0)
        table = np.full(max(label) + 1, by_name("wall").scannet_id, np.uint16)
        table[list(label)] = list(label.values())
        cv2.imwrite(str(folder / "instance-filt" / f"{i}.png"), ids.astype(np.uint8))
        cv2.imwrite(str(folder / "label-filt" / f"{i}.png"), table[ids])
    boxes = as_dict(room.truth.boxes, room.truth.T_aligned_world)
    (folder / "boxes.json").write_text(json.dumps(boxes))


def test_a_simulated_room_scores_the_same_as_a_recording_of_scannet(robot, simulated, tmp_path):
    """Everything from files: aligned by the robot's own networks, judged by Scan2CAD's file."""
    room = Room.open(Source("a", "simulated", simulated))
    folder = tmp_path / "scene0000_00"
    as_scannet(room, folder)
    entry = json.loads((simulated / ANNOTATIONS).read_text())[0] | {"id_scan": folder.name}
    others = [scan2cad_entry("scene0001_00"), entry]
    (tmp_path / ANNOTATIONS).write_text(json.dumps(others))
    beside = Room.open(Source(folder.name, "recording", folder)).placed
    (folder / ANNOTATIONS).write_text(json.dumps([entry]))
    recorded = Room.open(Source(folder.name, "recording", folder))
    for a, b, c in zip(room.placed, recorded.placed, beside, strict=True):
        np.testing.assert_array_equal(a.T_world_obj, b.T_world_obj)
        np.testing.assert_array_equal(a.T_world_obj, c.T_world_obj)
    np.testing.assert_allclose(recorded.truth.T_aligned_world, room.truth.T_aligned_world)
    scores = []
    for one in (room, recorded):
        views = predict_cads(one, robot, tmp_path / one.source.kind, 1)
        assert (tmp_path / one.source.kind / cads.FILE).is_file()
        scores.append(score_cads(one, one.placed, views))
    assert scores[0] == scores[1]
    views, objects = scores[0].views, scores[0].objects
    assert views["cad"][1] >= 5 and objects[SHOWN][0] == objects[SHOWN][1] == objects["cad"][1]
    assert views["cad"][0] >= 0.8 * views["cad"][1] and views["cad"][0] >= views["own"][0] > 0
