"""Association by box IoU, pose errors per symmetry class, and both denominators, by hand."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from roomcad_offline.evaluation.image_accuracy import ImageRule, accuracy, judge, rotation_errors
from roomcad_offline.evaluation.image_association import associate, box_iou
from roomcad_offline.evaluation.image_predictions import box_shares, prepare
from roomcad_offline.evaluation.image_truth import Camera, from_rows
from roomcad_offline.evaluation.pose_errors import rotation_errors_deg
from roomcad_offline.evaluation.records import SYMMETRY_TURNS, Predictions

CHAIR, TABLE = "03001627", "04379243"
SCENE = "scene0000_00"
BOX = (10, 10, 30, 30)
CAMERA = Camera(np.array([[100.0, 0, 50], [0, 100, 50], [0, 0, 1]]), (100, 100))


def truth(*objects):
    """FrameTruth of (changes) to a chair at (0, 0, 2) in frame 000100."""
    rows = []
    for number, changes in enumerate(objects):
        o = {"frame": "000100", "category": CHAIR, "t": (0, 0, 2), "turn": 0, "s": (1, 1, 1),
             "symmetry": "__SYM_NONE", "box": BOX, "reason": "", **changes}  # fmt: skip
        names = SCENE, o["frame"], o["category"], "cube", o["symmetry"], number
        q, box = y_turn(o["turn"]), np.array(o["box"]) / 100
        rows.append((*names, o["t"], q, o["s"], box, 1.0, o["reason"]))
    frames = tuple(dict.fromkeys((SCENE, row[1]) for row in rows))
    return from_rows(rows, frames, {SCENE: CAMERA})


def predictions(*rows):
    """Predictions of (changes) to the same chair."""
    base = {"frame": "000100", "category": CHAIR, "cad_id": "cube", "t": (0, 0, 2), "turn": 0,
            "s": (1, 1, 1), "score": 0.5, "bbox": BOX}  # fmt: skip
    made = [{**base, **row} for row in rows]
    # No row repeats another: what repeats is a duplicate.
    made = [{**row, "score": row["score"] - 1e-6 * i} for i, row in enumerate(made)]
    return Predictions(
        scene=np.full(len(made), SCENE),
        **{n: np.array([r[n] for r in made], str) for n in ("frame", "category", "cad_id")},
        **{n: np.array([r[n] for r in made], float).reshape(-1, w)
           for n, w in (("t", 3), ("s", 3), ("bbox", 4))},
        q=np.array([r.get("q", y_turn(r["turn"])) for r in made], float).reshape(-1, 4),
        score=np.array([r["score"] for r in made], float),
        space="cam",
        file="preds",
    )  # fmt: skip


def y_turn(degrees):
    return Rotation.from_euler("y", degrees, degrees=True).as_quat()


def judged(predicted, true, **rule):
    ready = prepare(predicted, true)
    return judge(ready, box_shares(ready, true), true, ImageRule(**rule)), ready


def right(predicted, true, **rule):
    return judged(predicted, true, **rule)[0].right.tolist()


def test_box_iou_by_hand():
    a = [[0, 0, 2, 2], [0, 0, 0, 5], [np.nan, 0, 1, 1]]
    b = [[1, 1, 3, 3], [0, 0, 2, 2], [5, 5, 6, 6]]
    want = [[1 / 7, 1, 0], [0, 0, 0], [0, 0, 0]]
    np.testing.assert_allclose(box_iou(a, b), want)


def test_association_takes_the_largest_iou_of_its_own_class():
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 9], [0, 0, 10, 5]], float)
    index, iou = associate([CHAIR], boxes[:1], [TABLE, CHAIR, CHAIR], boxes)
    assert index.tolist() == [1] and iou == pytest.approx([0.9])
    assert associate([TABLE], boxes[2:], [CHAIR], boxes[:1])[0].tolist() == [-1]


@pytest.mark.parametrize(("min_iou", "index"), [(0.49, 0), (0.5, -1)])
def test_iou_at_the_threshold_is_not_enough(min_iou, index):
    half = np.array([[0, 0, 10, 5]], float)  # IoU with the whole: 0.5
    whole = np.array([[0, 0, 10, 10]], float)
    assert associate([CHAIR], half, [CHAIR], whole, min_iou)[0].tolist() == [index]


def test_touching_boxes_do_not_overlap():
    a, b = np.array([[0, 0, 1, 1]], float), np.array([[1, 0, 2, 1]], float)
    assert associate([CHAIR], a, [CHAIR], b)[0].tolist() == [-1]


@pytest.mark.parametrize("name", SYMMETRY_TURNS)
def test_19_degrees_from_a_symmetric_turn_are_right_and_21_are_not(name):
    step = 360 / SYMMETRY_TURNS[name]
    true = truth({"symmetry": name, "turn": 33})
    for k in range(SYMMETRY_TURNS[name]):
        turn = 33 + k * step
        assert right(predictions({"turn": turn + 19}, {"turn": turn - 19}), true) == [True] * 2
    tilt = Rotation.from_euler("y", 33, degrees=True) * Rotation.from_euler("x", 21, degrees=True)
    assert right(predictions({"q": tilt.as_quat()}), true) == [False]
    if step > 42:
        assert right(predictions({"turn": 33 + 21}, {"turn": 33 - 21}), true) == [False] * 2
    else:  # any turn about its axis is right for a rotational CAD
        assert right(predictions({"turn": 33 + 21}, {"turn": 33 + 95}), true) == [True] * 2


def test_half_and_quarter_turns_are_right_for_their_symmetries_only():
    for name, quarter, half in (
        ("__SYM_NONE", False, False),
        ("__SYM_ROTATE_UP_2", False, True),
        ("__SYM_ROTATE_UP_4", True, True),
    ):
        true = truth({"symmetry": name})
        assert right(predictions({"turn": 90}, {"turn": 180}), true) == [quarter, half]


def test_rotation_errors_are_the_angles():
    R = Rotation.from_euler("zyx", [[10, 200, -5], [0, 7, 0], [0, 0, 0]], degrees=True)
    true = Rotation.from_euler("zyx", [[10, 20, -5], [0, 0, 0], [0, 0, 40]], degrees=True)
    # The first is turned half about the scan's axes in between, so the plain angle is its own.
    plain = (true.inv() * R).magnitude()
    np.testing.assert_allclose(
        rotation_errors(R.as_matrix(), true.as_matrix(), [1, 1, 1]), plain, atol=1e-7
    )
    np.testing.assert_allclose(
        rotation_errors(R.as_matrix()[1:], true.as_matrix()[1:], [36, 36]),
        np.radians([3, 40]), atol=1e-7,
    )  # fmt: skip


def test_rotation_errors_agree_with_the_per_scene_evaluators():
    names, n = list(SYMMETRY_TURNS), 40
    q, q_true = Rotation.random(2 * n, random_state=0).as_quat().reshape(2, n, 4)
    turns = np.array([SYMMETRY_TURNS[names[i % 4]] for i in range(n)])
    pairs = rotation_errors_deg(q, q_true, np.tile(turns, (n, 1)))
    matrices = (Rotation.from_quat(a).as_matrix() for a in (q, q_true))
    np.testing.assert_allclose(np.degrees(rotation_errors(*matrices, turns)), np.diag(pairs))


def test_translation_and_scale_limits():
    true = truth({})
    rows = [{"t": (0.19, 0, 2)}, {"t": (0.15, 0.15, 2)}, {"s": (1.19,) * 3}, {"s": (0.79,) * 3}]
    assert right(predictions(*rows), true) == [True, False, True, False]


def test_scale_errors_that_cancel_are_right_in_one_definition_only():
    true, predicted = truth({}), predictions({"s": (1.5, 0.5, 1)})  # mean of abs: a third
    assert right(predicted, true, scale_error="abs_of_mean") == [True]
    assert right(predicted, true, scale_error="mean_of_abs") == [False]


def test_both_denominators_by_hand():
    # Chairs: two objects, three predictions (two right ones of the same object, one of nothing).
    # Tables: one object, one wrong prediction. Frame 000200: one chair nobody predicts.
    true = truth({}, {"box": (60, 60, 90, 90)}, {"category": TABLE}, {"frame": "000200"})
    predicted = predictions(
        {}, {"t": (0.1, 0, 2)}, {"bbox": (60, 10, 90, 30)}, {"category": TABLE, "t": (1, 0, 2)}
    )
    result, ready = judged(predicted, true)
    assert result.index.tolist() == [0, 0, -1, 2]
    table = accuracy(result, ready.category)
    assert table["instance"] == {"predictions": 50.0, "objects": 25.0}
    chair, other = table["classes"]["chair"], table["classes"]["table"]
    assert chair["accuracy_predictions"] == pytest.approx(200 / 3)
    assert chair["accuracy_objects"] == pytest.approx(100 / 3)
    assert chair["unassociated_predictions"] == 1
    assert (other["accuracy_predictions"], other["accuracy_objects"]) == (0, 0)
    assert table["class"]["predictions"] == pytest.approx(100 / 3)
    assert table["class"]["objects"] == pytest.approx(50 / 3)


def test_predictions_of_hidden_objects_are_ignored_or_wrong():
    true = truth({}, {"box": (60, 60, 90, 90), "reason": "hidden"})
    predicted = predictions({}, {"bbox": (60, 60, 90, 90)})
    result, ready = judged(predicted, true)
    assert result.ignored.tolist() == [False, True]
    assert accuracy(result, ready.category)["instance"] == {"predictions": 100, "objects": 100}
    result, ready = judged(predicted, true, hidden="drop")
    assert accuracy(result, ready.category)["instance"] == {"predictions": 50, "objects": 100}


def test_class_without_predictions_has_0_and_class_without_objects_only_counts_wrong_ones():
    true = truth({})
    result, ready = judged(predictions({"category": TABLE}), true)
    table = accuracy(result, ready.category)
    assert table["classes"]["chair"]["accuracy_predictions"] is None
    assert table["classes"]["table"]["accuracy_objects"] is None
    assert table["class"] == {"predictions": 0, "objects": 0}
    assert table["instance"] == {"predictions": 0, "objects": 0}


def test_order_of_predictions_changes_nothing():
    true = truth({}, {"box": (60, 60, 90, 90), "t": (1, 0, 2)})
    predicted = predictions({}, {"bbox": (60, 60, 90, 90)}, {"turn": 50}, {"t": (1, 0, 2)})
    forward, ready = judged(predicted, true)
    backward, turned = judged(predicted.select(np.arange(4)[::-1]), true)
    assert accuracy(forward, ready.category) == accuracy(backward, turned.category)


def test_rows_of_other_categories_are_left_out_by_name():
    true = truth({})
    ready = prepare(predictions({}, {"category": TABLE}), true, categories=(CHAIR,))
    assert len(ready) == 1
    assert [p.kind for p in ready.problems] == ["category"]
    assert TABLE in str(ready.problems[0])


def test_bad_rule_is_refused():
    with pytest.raises(ValueError, match="scale_error"):
        ImageRule(scale_error="median")
    with pytest.raises(ValueError, match="min_iou"):
        ImageRule(min_iou=1.0)
