"""Per-scene evaluation on hand-computed scenes: when a pose and its CAD agree with the truth."""

import dataclasses

import numpy as np
import pytest
from evaluation_scenes import BED, CHAIR, LAMP, TABLE, annotate, predict, right, yaw_quaternions
from scipy.spatial.transform import Rotation

from roomcad_offline.evaluation.pose_errors import rotation_errors_deg, scale_errors
from roomcad_offline.evaluation.poses import decompose, matrices, scan_poses
from roomcad_offline.evaluation.records import SYMMETRY_TURNS
from roomcad_offline.evaluation.scene_eval import evaluate_scenes
from roomcad_offline.evaluation.scene_rules import PRESETS, preset
from roomcad_offline.evaluation.to_scan import truth_as_predictions
from roomcad_offline.evaluation.voxel_grids import VoxelGrids


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
