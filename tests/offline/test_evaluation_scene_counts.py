"""Per-scene evaluation on hand-computed scenes: which predictions and objects count, and means."""

import dataclasses

import numpy as np
import pytest
from evaluation_scenes import BED, CHAIR, TABLE, annotate, predict, right

from roomcad_offline.evaluation.records import Predictions
from roomcad_offline.evaluation.scene_eval import evaluate_scenes
from roomcad_offline.evaluation.scene_rules import PRESETS, SceneRules, preset


def test_nms_keeps_the_best_of_near_predictions_wherever_it_stands_in_the_file():
    truth = annotate({"at": (0, 0, 0)})
    two = predict(truth, {"move": (0.3, 0, 0), "score": 0.6}, {"score": 0.9})
    for name in ("roca", "sparc"):
        assert right(truth, two, name) == ["suppressed", "right"]
        worse_first = dataclasses.replace(two, score=two.score[::-1].copy())
        assert right(truth, worse_first, name) == ["wrong", "suppressed"]
    # The original has neither scores nor NMS: the first in the file takes the only place.
    assert right(truth, two, "scan2cad") == ["wrong", "over count"]


def test_a_suppressed_prediction_suppresses_nothing():
    truth = annotate({"at": (0, 0, 0)}, {"at": (0.6, 0, 0), "cad": "b"})
    # A chain: the second lies near both others, the third only near the second.
    chain = predict(
        truth,
        {"score": 0.9},
        {"move": (0.3, 0, 0), "score": 0.8},
        {"of": 1, "score": 0.7},
    )
    for name in ("roca", "sparc"):
        result = evaluate_scenes(chain, truth, preset(name))
        assert list(result.state) == ["right", "suppressed", "right"]
        assert list(result.kept_by) == [-1, 0, -1]


@pytest.mark.parametrize("name", ["roca", "sparc"])
@pytest.mark.parametrize(
    ("change", "kept"),
    [
        ({"move": (0.39, 0, 0)}, False),
        ({"move": (0.41, 0, 0)}, True),
        ({"turn": 59}, False),
        ({"turn": 61}, True),
        ({"scale": (0.63,) * 3}, False),  # kept / this: 1.587
        ({"scale": (0.62,) * 3}, True),  # 1.613
        ({"scale": (2.4,) * 3}, False),  # 0.417: 0.583 off
        ({"scale": (2.6,) * 3}, True),  # 0.385: 0.615 off
    ],
)
def test_nms_thresholds(name, change, kept):
    truth = annotate({"at": (0, 0, 0)}, {"at": (9, 0, 0)})
    state = right(truth, predict(truth, {"score": 0.9}, {"score": 0.8, **change}), name)
    assert (state[1] != "suppressed") == kept


def test_nms_takes_the_cads_first_entry_in_the_scene_for_roca_and_its_last_for_sparc():
    twice = annotate({"at": (0, 0, 0), "sym": "__SYM_ROTATE_UP_INF"}, {"at": (9, 0, 0)})
    turned = predict(twice, {"score": 0.9}, {"score": 0.8, "turn": 90})
    assert right(twice, turned, "roca") == ["right", "suppressed"]
    assert right(twice, turned, "sparc") == ["right", "wrong"]


@pytest.mark.parametrize("name", ["roca", "sparc"])
def test_nms_sees_the_symmetry_of_the_kept_cad_and_keeps_classes_apart(name):
    round_ = annotate({"at": (0, 0, 0), "sym": "__SYM_ROTATE_UP_INF"})
    turned = predict(round_, {"score": 0.9}, {"score": 0.8, "turn": 90})
    assert right(round_, turned, name) == ["right", "suppressed"]
    stacked = annotate({"at": (0, 0, 0)}, {"at": (0, 0, 0), "category": TABLE})
    assert right(stacked, predict(stacked, {"of": 0}, {"of": 1}), name) == ["right", "right"]


def test_the_count_constraint_is_per_cad_for_scan2cad_and_per_class_elsewhere():
    truth = annotate({"at": (0, 0, 0), "cad": "a"}, {"at": (2, 0, 0), "cad": "b"})
    # Two of CAD a, one of them where b stands; then b itself.
    three = predict(
        truth,
        {"of": 0, "score": 0.9},
        {"of": 1, "cad": "a", "score": 0.8, "move": (0.1, 0, 0)},
        {"of": 1, "score": 0.7, "move": (0, 0, 0.45)},
    )
    assert right(truth, three, "scan2cad") == ["right", "over count", "wrong"]
    for name in ("roca", "sparc"):
        assert right(truth, three, name) == ["right", "right", "over count"]


def test_a_wrong_prediction_uses_up_its_place():
    truth = annotate({"at": (0, 0, 0)})
    two = predict(truth, {"move": (3, 0, 0), "score": 0.9}, {"score": 0.8})
    for name in PRESETS:
        assert right(truth, two, name) == ["wrong", "over count"]


def test_given_appearances_rule_the_constraint_except_for_roca():
    truth = annotate({"at": (0, 0, 0)}, {"at": (3, 0, 0)})
    two = predict(truth, {"of": 0}, {"of": 1})
    one_allowed = {"scene0000_00": {(CHAIR, "a"): 1}}
    for name in ("scan2cad", "sparc"):
        assert right(truth, two, name, appearances=one_allowed) == ["right", "over count"]
    assert right(truth, two, "roca", appearances=one_allowed) == ["right", "right"]


def test_the_first_fitting_truth_is_taken_not_the_nearest():
    truth = annotate({"at": (0, 0, 0), "cad": "a"}, {"at": (0.3, 0, 0), "cad": "b"})
    rules = dataclasses.replace(preset("sparc"), nms=False)
    # Nearer to the second model but within reach of the first, which it takes.
    two = predict(truth, {"of": 1, "move": (-0.12, 0, 0)}, {"of": 0})
    result = evaluate_scenes(two, truth, rules)
    assert list(result.truth) == [0, -1]
    assert list(result.state) == ["right", "wrong"]


def test_scan2cad_takes_predictions_in_file_order_others_by_score():
    truth = annotate({"at": (0, 0, 0)})
    two = predict(truth, {"move": (9, 0, 0), "score": 0.1}, {"score": 0.9})
    assert right(truth, two, "scan2cad") == ["wrong", "over count"]
    assert right(truth, two, "roca") == right(truth, two, "sparc") == ["over count", "right"]


@pytest.fixture
def two_scenes():
    """A scan with a chair, and one with two chairs and a bed that nobody looked at."""
    return annotate(
        {"at": (0, 0, 0)},
        {"at": (0, 0, 0), "scene": 1},
        {"at": (5, 0, 0), "scene": 1},
        {"at": (9, 0, 0), "scene": 1, "category": BED, "cad": "bed"},
        scenes=("scene0000_00", "scene0001_00"),
    )


def test_missing_scenes_count_for_roca_in_the_classes_seen_elsewhere(two_scenes):
    seen_one = predict(two_scenes, {"of": 0})
    roca = evaluate_scenes(seen_one, two_scenes, preset("roca"))
    assert roca.classes == {"chair": (1, 3)}  # the bed's class was not counted so far
    assert roca.summary()["instance_mean"] == 33.3
    assert roca.missing == ("scene0001_00",)
    for name in ("scan2cad", "sparc"):
        result = evaluate_scenes(seen_one, two_scenes, preset(name))
        assert result.classes == {"chair": (1, 1)}


def test_a_split_says_which_missing_scenes_count(two_scenes):
    seen_one = predict(two_scenes, {"of": 0})
    result = evaluate_scenes(seen_one, two_scenes, preset("roca"), split=("scene0000_00",))
    assert result.classes == {"chair": (1, 1)}
    assert result.missing == ()
    other = evaluate_scenes(seen_one, two_scenes, preset("sparc"), split=("scene0001_00",))
    assert other.classes == {"chair": (1, 1)}  # what was predicted counts, and is noted
    assert [p.kind for p in other.problems] == ["split"]


def test_no_prediction_at_all_scores_nothing_rather_than_failing(two_scenes):
    nothing = predict(two_scenes, {"of": 0}).select([])
    roca = evaluate_scenes(nothing, two_scenes, preset("roca"))
    assert roca.classes == {"bed": (0, 1), "chair": (0, 3)}
    assert roca.summary()["instance_mean"] == 0.0
    sparc = evaluate_scenes(nothing, two_scenes, preset("sparc"))
    assert sparc.summary()["instance_mean"] is None


def test_roca_rounds_class_accuracies_before_averaging():
    models = [{"at": (2 * i, 0, 0)} for i in range(3)]
    models += [{"at": (2 * i, 0, 5), "category": TABLE, "cad": "t"} for i in range(7)]
    truth = annotate(*models)
    found = predict(truth, {"of": 0}, {"of": 3})
    roca = evaluate_scenes(found, truth, preset("roca"))
    assert roca.accuracy("chair") == 33.3
    assert roca.accuracy("table") == 14.3
    assert roca.summary() == {
        "class_mean": 23.8,
        "instance_mean": 20.0,
        "benchmark_class_mean": 23.8,
        "benchmark_instance_mean": 20.0,
    }
    sparc = evaluate_scenes(found, truth, preset("sparc"))
    assert sparc.summary()["class_mean"] == pytest.approx(100 * (1 / 3 + 1 / 7) / 2)


def test_benchmark_figures_leave_the_bed_out(two_scenes):
    found = predict(two_scenes, {"of": 1}, {"of": 3})
    summary = evaluate_scenes(found, two_scenes, preset("sparc")).summary()
    assert summary["class_mean"] == 75.0
    assert summary["instance_mean"] == pytest.approx(200 / 3)
    assert summary["benchmark_class_mean"] == summary["benchmark_instance_mean"] == 50.0


def test_poses_that_lead_to_the_camera_are_refused():
    truth = annotate({"at": (0, 0, 0)})
    in_camera = dataclasses.replace(predict(truth, {}), space="cam")
    with pytest.raises(ValueError, match="camera"):
        evaluate_scenes(in_camera, truth, preset("roca"))


def test_unknown_presets_and_switches_are_refused():
    with pytest.raises(ValueError, match="scan2cad, roca, sparc"):
        preset("vid2cad")
    with pytest.raises(ValueError, match="scale_error"):
        SceneRules(scale_error="median")


def test_a_record_with_columns_of_unequal_length_is_refused():
    p = predict(annotate({"at": (0, 0, 0)}), {})
    with pytest.raises(ValueError, match="score"):
        dataclasses.replace(p, score=np.ones(2))
    assert isinstance(p, Predictions)
