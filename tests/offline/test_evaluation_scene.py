"""Per-scene evaluation on hand-computed scenes: every switch of the three presets."""

import dataclasses

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from roomcad_offline.evaluation.pose_errors import rotation_errors_deg, scale_errors
from roomcad_offline.evaluation.poses import decompose, matrices, scan_poses
from roomcad_offline.evaluation.records import SYMMETRY_TURNS, Annotations, Predictions
from roomcad_offline.evaluation.scene_eval import evaluate_scenes
from roomcad_offline.evaluation.scene_rules import PRESETS, SceneRules, preset
from roomcad_offline.evaluation.to_scan import truth_as_predictions
from roomcad_offline.evaluation.voxel_grids import VoxelGrids

CHAIR, TABLE, BED, LAMP = "03001627", "04379243", "02818832", "03636649"
UPRIGHT = Rotation.from_euler("x", -90, degrees=True)  # a scan (z up) in the world (y up)


def yaw_quaternions(degrees):
    """(N, 4) xyzw of turns about y."""
    half = np.deg2rad(degrees) / 2
    return np.stack([0 * half, np.sin(half), 0 * half, np.cos(half)], axis=1)


def annotate(*models, scenes=("scene0000_00",)):
    """Annotations; a model is a dict with `at` (in the world) and what differs from a chair."""
    plain = {"category": CHAIR, "cad": "a", "sym": "__SYM_NONE", "yaw": 0.0, "scene": 0}
    models = [{**plain, "s": (1.0, 1.0, 1.0), "center": (0.0, 0.0, 0.0), **m} for m in models]
    n = len(scenes)
    return Annotations(
        scenes=tuple(scenes),
        scan_t=np.tile([0.5, 0.1, -0.3], (n, 1)),
        scan_q=np.tile(UPRIGHT.as_quat(), (n, 1)),
        scan_s=np.ones((n, 3)),
        scene_index=np.array([m["scene"] for m in models], int),
        category=np.array([m["category"] for m in models], str),
        cad_id=np.array([m["cad"] for m in models], str),
        symmetry=np.array([m["sym"] for m in models], str),
        t=np.array([m["at"] for m in models], float).reshape(-1, 3),
        q=yaw_quaternions([m["yaw"] for m in models]),
        s=np.array([m["s"] for m in models], float).reshape(-1, 3),
        center=np.array([m["center"] for m in models], float).reshape(-1, 3),
        bbox=np.full((len(models), 3), 0.5),
    )


def predict(annotations, *changes, center_offset=False):
    """Predictions: for each change, the truth `of` a model, moved, turned, scaled, renamed."""
    changes = [{"of": 0, "score": 1.0, **change} for change in changes]
    p = truth_as_predictions(annotations, center_offset).select([c["of"] for c in changes])
    t, q, s, score, cad = p.t.copy(), p.q.copy(), p.s.copy(), p.score.copy(), p.cad_id.astype("U9")
    for i, c in enumerate(changes):
        t[i] += c.get("move", (0, 0, 0))
        turn = Rotation.from_euler(c.get("axis", "y"), c.get("turn", 0), degrees=True)
        q[i] = (Rotation.from_quat(q[i]) * turn).as_quat()
        s[i] *= c.get("scale", (1, 1, 1))
        score[i], cad[i] = c["score"], c.get("cad", cad[i])
    return dataclasses.replace(p, t=t, q=q, s=s, score=score, cad_id=cad, scenes=())


def right(annotations, predictions, rules, **options):
    """States of the predictions."""
    rules = preset(rules) if isinstance(rules, str) else rules
    return list(evaluate_scenes(predictions, annotations, rules, **options).state)


@pytest.fixture
def furnished():
    """Three scans with every symmetry, offset CAD centres, and a class nobody evaluates."""
    kinds = list(SYMMETRY_TURNS)
    models = [
        {
            "scene": i % 3,
            "at": (1.5 * i, 0.4, 0.3 * i),
            "yaw": 37.0 * i,
            "s": (0.6 + 0.05 * i, 1.1, 0.8),
            "center": (0.02 * i, 0.1, -0.05),
            "sym": kinds[i % 4],
            "cad": f"cad{i % 5}",
            "category": (CHAIR, TABLE, BED)[i % 3] if i < 12 else LAMP,
        }
        for i in range(14)
    ]
    models = [{**m, "sym": kinds[int(m["cad"][3:]) % 4]} for m in models]
    return annotate(*models, scenes=("scene0001_00", "scene0000_00", "scene0002_01"))


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("retrieval", ["any", "same_cad"])
def test_ground_truth_fed_back_scores_a_hundred_percent(furnished, name, retrieval):
    rules = dataclasses.replace(preset(name), retrieval=retrieval)
    truth = truth_as_predictions(furnished, rules.center_offset)
    result = evaluate_scenes(truth, furnished, rules)
    assert result.summary() == dict.fromkeys(result.summary(), 100.0)
    assert all(found == total for found, total in result.classes.values())


def test_only_the_original_evaluator_pools_further_classes_as_other(furnished):
    truth = truth_as_predictions(furnished)
    nine = evaluate_scenes(truth, furnished, preset("sparc"))
    assert list(nine.classes) == ["bed", "chair", "table"]
    assert nine.counts["rejected"] == 2
    pooled = evaluate_scenes(truth, furnished, preset("scan2cad"))
    assert pooled.classes["other"][1] == 6  # four beds and two lamps


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize(("symmetry", "turns"), SYMMETRY_TURNS.items())
@pytest.mark.parametrize(("off", "found"), [(19, "right"), (21, "wrong"), (-19, "right")])
def test_nineteen_degrees_pass_and_twentyone_fail_from_every_symmetric_pose(
    name, symmetry, turns, off, found
):
    truth = annotate({"at": (0, 0, 0), "sym": symmetry, "yaw": 25.0})
    for k in {0, turns // 4, turns // 2, turns - 1}:
        # About an axis across the CAD's: no symmetry helps there.
        turn = Rotation.from_euler("y", 360 * k / turns, degrees=True)
        turn = (turn * Rotation.from_euler("x", off, degrees=True)).as_euler("yxz", degrees=True)
        bent = predict(truth, {"axis": "YXZ", "turn": turn})
        assert right(truth, bent, name) == [found]


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize(
    ("symmetry", "found"),
    [
        ("__SYM_NONE", {0, 19, 341}),
        ("__SYM_ROTATE_UP_2", {0, 19, 161, 180, 199, 341}),
        ("__SYM_ROTATE_UP_4", {0, 19, 71, 90, 109, 161, 180, 199, 251, 270, 289, 341}),
        ("__SYM_ROTATE_UP_INF", set(range(0, 360))),
    ],
)
def test_turns_about_the_up_axis_count_by_symmetry_class(name, symmetry, found):
    truth = annotate({"at": (0, 0, 0), "sym": symmetry})
    angles = [0, 19, 21, 45, 69, 71, 90, 109, 111, 159, 161, 180, 199, 201, 251, 270, 289, 341]
    for angle in angles:
        state = right(truth, predict(truth, {"turn": angle}), name)
        assert state == ["right" if angle in found else "wrong"], angle


def test_rotational_symmetry_is_sampled_in_36_steps():
    q = yaw_quaternions([0.0, 5.0, 10.0, 12.5])
    errors = rotation_errors_deg(q, q[:1], np.full((4, 1), 36))
    np.testing.assert_allclose(errors[:, 0], [0, 5, 0, 2.5], atol=1e-5)


def test_symmetry_of_the_prediction_suffices_for_scan2cad_but_must_equal_the_truths_elsewhere():
    truth = annotate(
        {"at": (0, 0, 0), "cad": "plain"},
        {"at": (9, 0, 0), "cad": "round", "sym": "__SYM_ROTATE_UP_INF"},
    )
    # The round CAD in the plain one's place, turned by 90 degrees.
    turned = predict(truth, {"of": 0, "cad": "round", "turn": 90})
    assert right(truth, turned, "scan2cad") == ["right"]
    assert right(truth, turned, "roca") == right(truth, turned, "sparc") == ["wrong"]


def test_a_cads_symmetry_is_its_scenes_own_for_roca_and_its_last_entry_for_sparc():
    truth = annotate(
        {"at": (0, 0, 0), "cad": "a", "sym": "__SYM_ROTATE_UP_2"},
        {"at": (0, 0, 0), "cad": "a", "sym": "__SYM_NONE", "scene": 1},
        scenes=("scene0000_00", "scene0001_00"),
    )
    half_turned = predict(truth, {"of": 0, "turn": 180}, {"of": 1})
    assert right(truth, half_turned, "roca") == ["right", "right"]
    assert right(truth, half_turned, "sparc") == ["wrong", "right"]
    # Without a prediction in the second scan its entry is not looked at.
    assert right(truth, predict(truth, {"of": 0, "turn": 180}), "sparc") == ["right"]


def test_scale_errors_that_cancel_pass_the_mean_but_not_the_mean_of_absolutes():
    s, s_gt = np.array([[1.3, 0.7, 1.0]]), np.ones((1, 3))
    assert scale_errors(s, s_gt, "abs_of_mean") == pytest.approx(0.0, abs=1e-12)
    assert scale_errors(s, s_gt, "mean_of_abs") == pytest.approx(0.2)
    truth = annotate({"at": (0, 0, 0), "s": (0.5, 1.0, 2.0)})
    stretched = predict(truth, {"scale": (1.4, 0.6, 1.0)})
    assert right(truth, stretched, "scan2cad") == right(truth, stretched, "roca") == ["right"]
    assert right(truth, stretched, "sparc") == ["wrong"]


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize(("factor", "found"), [(1.19, "right"), (1.21, "wrong"), (0.79, "wrong")])
def test_scale_threshold_is_twenty_percent(name, factor, found):
    truth = annotate({"at": (0, 0, 0), "s": (0.5, 1.0, 2.0)})
    assert right(truth, predict(truth, {"scale": (factor,) * 3}), name) == [found]


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize(("off", "found"), [(0.199, "right"), (0.201, "wrong")])
def test_translation_threshold_is_twenty_centimetres(name, off, found):
    truth = annotate({"at": (0, 0, 0)})
    assert right(truth, predict(truth, {"move": (0, off * 0.6, off * 0.8)}), name) == [found]


def test_only_scan2cad_compares_positions_with_the_centre_taken_off():
    truth = annotate({"at": (0, 0, 0), "center": (0.5, 0, 0)})
    origin, offset = predict(truth, {}), predict(truth, {}, center_offset=True)
    np.testing.assert_allclose(offset.t - origin.t, [[-0.5, 0, 0]], atol=1e-12)
    assert right(truth, origin, "roca") == right(truth, origin, "sparc") == ["right"]
    assert right(truth, offset, "roca") == right(truth, offset, "sparc") == ["wrong"]
    assert right(truth, origin, "scan2cad") == ["wrong"]
    assert right(truth, offset, "scan2cad") == ["right"]


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


def test_with_retrieval_the_cad_must_be_the_annotated_one():
    truth = annotate({"at": (0, 0, 0), "cad": "a"}, {"at": (5, 0, 0), "cad": "b"})
    swapped = predict(truth, {"of": 0, "cad": "b"}, {"of": 1})
    for name in ("roca", "sparc"):
        strict = dataclasses.replace(preset(name), retrieval="same_cad")
        assert right(truth, swapped, name) == ["right", "right"]
        assert right(truth, swapped, strict) == ["wrong", "right"]


def test_voxel_overlap_of_one_half_counts_as_the_same_shape():
    truth = annotate({"at": (0, 0, 0), "cad": "a"}, {"at": (5, 0, 0), "cad": "b"})
    rules = dataclasses.replace(preset("roca"), retrieval="voxel_iou")
    cells = np.array([[0, 0, 0], [1, 0, 0], [2, 0, 0], [3, 0, 0]])
    swapped = predict(truth, {"of": 0, "cad": "b"})
    half = {(CHAIR, "a"): cells, (CHAIR, "b"): cells[:2]}
    assert right(truth, swapped, rules, grids=VoxelGrids(half)) == ["right"]
    less = {(CHAIR, "a"): cells, (CHAIR, "b"): cells[:1]}
    assert right(truth, swapped, rules, grids=VoxelGrids(less)) == ["wrong"]
    unknown = evaluate_scenes(swapped, truth, rules, grids=VoxelGrids({(CHAIR, "a"): cells}))
    assert list(unknown.state) == ["right"]  # as ROCA counts a missing grid
    assert [p.kind for p in unknown.problems] == ["no grid"]
    with pytest.raises(ValueError, match="grids"):
        evaluate_scenes(swapped, truth, rules)


def test_scan_poses_undo_the_scans_place_in_the_world():
    truth = annotate({"at": (1.5, 0.1, -0.3), "s": (0.5, 1.0, 2.0)})
    t, q, s = scan_poses(truth)
    # One metre along the world's x from the scan's origin; y up in the world is z up in the scan.
    np.testing.assert_allclose(t, [[1, 0, 0]], atol=1e-12)
    np.testing.assert_allclose(s, [[0.5, 1, 2]], atol=1e-12)
    np.testing.assert_allclose(Rotation.from_quat(q).apply([0, 1, 0]), [[0, 0, 1]], atol=1e-12)


def test_decompose_inverts_composition():
    rng = np.random.default_rng(0)
    q = Rotation.random(40, random_state=0).as_quat()
    q[q[:, 3] < 0] *= -1
    t, s = rng.normal(size=(40, 3)), rng.uniform(0.1, 3, (40, 3))
    for got, expected in zip(decompose(matrices(t, q, s)), (t, q, s), strict=True):
        np.testing.assert_allclose(got, expected, atol=1e-12)


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
