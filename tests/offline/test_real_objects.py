"""The objects shown at the end of a room against true boxes, by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from roomcad_core.pose import rigid, rotation_y
from roomcad_core.types import Frame, Placed
from roomcad_offline.benchmarks.real.objects import (
    Watch,
    fate_counts,
    fates_of,
    score_objects,
)
from roomcad_offline.benchmarks.real.room import posed_box
from roomcad_offline.scannet.boxes import Box
from roomcad_offline.scannet.categories import by_name

Z_UP = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])  # CAD frame (y up) into a z-up world
K = np.array([[60.0, 0, 31.5], [0, 60, 23.5], [0, 0, 1]])


class Cubes:
    """A CAD library of unit cubes of any name."""

    def __getitem__(self, cad_id):
        corners = np.array(np.meshgrid(*[[-0.5, 0.5]] * 3)).reshape(3, -1).T
        return SimpleNamespace(load_mesh=lambda: (corners, None, None))


def placed(label, x=0.0, y=0.0, size=(1, 1, 1), turn=0.0, score=0.9, number=1):
    T = rigid(Z_UP @ rotation_y(turn), [x, y, size[1] / 2])
    return Placed(number, label, "cube", T, np.array(size, float), "none", score)


def box(name, x=0.0, y=0.0, size=(1, 1, 1), number=1):
    return Box(by_name(name), np.array([x, y, size[2] / 2]), np.array(size, float), number)


def room_of(*boxes):
    truth = SimpleNamespace(boxes=list(boxes), T_aligned_world=np.eye(4))
    room = SimpleNamespace(truth=truth)
    room.seen_boxes = lambda frame: set(range(len(boxes)))
    return room


def scored(boxes, shown, frames=1):
    room = room_of(*boxes)
    watch = Watch(room, Cubes())
    for _ in range(frames):
        watch.add(None, tuple(shown))
    return score_objects(room, tuple(shown), watch)


def test_the_box_of_a_turned_cad_is_the_one_around_it():
    got = posed_box(placed("table", 2, 1, size=(1, 0.5, 1), turn=np.pi / 4), np.eye(4), Cubes())
    np.testing.assert_allclose(got, [2, 1, 0.25, np.sqrt(2), np.sqrt(2), 0.5], atol=1e-9)
    turned = rigid(np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]]), [0, 0, 0])
    got = posed_box(placed("table", 2, 1, size=(1, 0.5, 2)), turned, Cubes())
    np.testing.assert_allclose(got, [-1, 2, 0.25, 2, 1, 0.5], atol=1e-9)


def test_the_truth_itself_scores_everything():
    boxes = [box("chair"), box("table", 3, size=(2, 1, 1)), box("wall", 9)]
    shown = [placed("chair"), placed("table", 3, size=(2, 1, 1), number=2)]
    scores = scored(boxes, shown)
    assert fate_counts(scores)["right"] == len(scores.true) == 2
    assert scores.found == {0.25: [True, True], 0.5: [True, True]}
    assert scores.frames_until_right == [1, 1]
    assert scores.judged() == 2


def test_a_duplicate_a_wrong_class_and_a_ghost():
    boxes = [box("chair"), box("sofa", 4)]
    shown = [placed("chair", score=0.9), placed("chair", 0.1, score=0.95), placed("bed", 4),
             placed("chair", 8)]  # fmt: skip
    scores = scored(boxes, shown)
    assert {k: n for k, n in fate_counts(scores).items() if n} == {
        "right": 1, "duplicate": 1, "wrong class": 1, "ghost": 1}  # fmt: skip
    # The better scored of two is the right one.
    assert [(o.score, o.fate[0.25]) for o in scores.shown][:2] == [
        (0.95, "right"), (0.9, "duplicate")]  # fmt: skip


def test_a_box_half_beside_is_right_at_a_quarter_and_not_at_a_half():
    scores = scored([box("chair")], [placed("chair", 0.5)])  # IoU 1/3
    assert scores.shown[0].fate == {0.25: "right", 0.5: "ghost"}
    assert scores.found == {0.25: [True], 0.5: [False]}


def test_what_stands_on_other_furniture_is_not_judged_but_on_a_curtain_it_is_a_ghost():
    boxes = [box("refrigerator"), box("otherprop", 3), box("curtain", 6), box("lamp", 9)]
    shown = [placed("cabinet", x) for x in (0, 3, 6, 9)]
    scores = scored(boxes, shown)
    assert [o.fate[0.25] for o in scores.shown] == ["not judged"] * 2 + ["ghost"] * 2
    assert scores.judged() == 2 and scores.true == []


def test_fates_of_nothing():
    assert fates_of([], [("chair", [0, 0, 0, 1, 1, 1])], [], 0.25) == ([], [False])
    assert fates_of([("chair", [0, 0, 0, 1, 1, 1])], [], [], 0.25) == (["ghost"], [])


def test_furniture_that_no_frame_shows_is_not_asked_for():
    room = room_of(box("chair"), box("sofa", 4))
    room.seen_boxes = lambda frame: {0}
    watch = Watch(room, Cubes())
    watch.add(None, ())
    scores = score_objects(room, (placed("sofa", 4),), watch)
    assert [label for label, _ in scores.true] == ["chair"] and scores.never_seen == 1
    # What is shown on it is not judged either: no frame could have said so.
    assert scores.shown[0].fate[0.25] == "not judged"


def test_frames_that_show_an_object_are_counted_until_it_is_right():
    room = room_of(box("chair"), box("table", 4))
    seen = [{0}, {0, 1}, {0}, {0, 1}]
    watch = Watch(room, Cubes())
    for k, visible in enumerate(seen):
        room.seen_boxes = lambda frame, visible=visible: visible
        watch.add(None, (placed("chair"),) if k >= 2 else (placed("bin"),))
    assert (watch.seen[0], watch.right_after) == (4, {0: 3})
    assert score_objects(room, (placed("chair"),), watch).frames_until_right == [3, None]


def test_boxes_are_seen_by_the_points_that_lie_in_them():
    from roomcad_offline.benchmarks.real.room import Room

    depth = np.full((48, 64), 2.0, np.float32)  # a wall 2 m before the camera
    T_world_cam = rigid(np.array([[0.0, 0, 1], [-1, 0, 0], [0, -1, 0]]), [0, 0, 1])
    frame = Frame(0.0, np.zeros((48, 64, 3), np.uint8), depth, K, T_world_cam)
    truth = SimpleNamespace(
        boxes=[box("chair", 2), box("table", 2, -5), box("sofa", 6)], T_aligned_world=np.eye(4)
    )
    room = Room(None, None, truth)
    assert room.seen_boxes(frame) == {0}
    lost = Frame(0.0, frame.color, depth, K, None)
    assert room.seen_boxes(lost) == set()


@pytest.mark.parametrize(("count", "total"), [(0, 3), (3, 3)])
def test_precision_and_recall_use_what_is_judged(count, total):
    from roomcad_offline.metrics import bootstrap

    assert bootstrap.ratio(np.array([count, total])) == pytest.approx(count / total)
