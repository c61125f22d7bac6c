"""Masks, the 2D detector, fusion over time: hand-made cases of the room benchmark's parts."""

from types import SimpleNamespace

import numpy as np
import pytest

from roomcad_core.pose import rotation_y, upright_rotation
from roomcad_core.types import Placed
from roomcad_offline.evaluation.pose_errors import rotation_errors_deg
from roomcad_offline.evaluation.poses import quaternions
from roomcad_offline.evaluation.records import Predictions
from roomcad_offline.room_benchmark.config import DetectorConfig
from roomcad_offline.room_benchmark.detector import detect, paint, true_detections
from roomcad_offline.room_benchmark.fuse import fuse, turned_alike
from roomcad_offline.room_benchmark.masks import decode_mask, encode_mask, run_lengths
from roomcad_offline.room_benchmark.variant import Variant

CHAIR = "03001627"
EXACT = DetectorConfig(missed=0.0, missed_faint=0.0, wrong_class=0.0, wrong_cad=0.0, false=0.0,
                       box_jitter=0.0, mask_warp=0.0, mask_grow=0.0, score_spread=0.0)  # fmt: skip


def test_runs_go_down_the_columns_and_begin_with_zeros():
    mask = np.array([[0, 1], [1, 1], [0, 0]], bool)
    assert run_lengths(mask) == [1, 1, 1, 2, 1]
    assert run_lengths(~mask) == [0, 1, 1, 1, 2, 1]
    # 1 1 1, then 2 - 1 = 1 and 1 - 1 = 0, each one character from "0" on.
    assert encode_mask(mask) == {"size": [3, 2], "counts": "11110"}


def test_negative_and_large_differences_by_hand():
    # Runs 100, 3, 40, 1: three as they are, then 1 - 3 = -2.
    # 100 = 3 * 32 + 4: characters 48 + 4 + 32 = "T", 48 + 3 = "3"; 40: "X1"; -2: 48 + 30 = "N".
    mask = np.zeros(144, bool)
    mask[100:103], mask[143:] = True, True
    assert encode_mask(mask.reshape(1, 144).T)["counts"] == "T33X1N"
    assert run_lengths(decode_mask({"size": [144, 1], "counts": "T33X1N"})) == [100, 3, 40, 1]


@pytest.mark.parametrize("seed", range(3))
def test_masks_survive_the_round_trip(seed):
    rng = np.random.default_rng(seed)
    mask = rng.random((37, 53)) < (0.02, 0.5, 0.99)[seed]
    np.testing.assert_array_equal(decode_mask(encode_mask(mask)), mask)
    as_numbers = {"size": [37, 53], "counts": run_lengths(mask)}
    np.testing.assert_array_equal(decode_mask(as_numbers), mask)


@pytest.mark.parametrize("record", [{"size": [2, 2]}, {"size": [2, 2], "counts": [1, 1]},
                                    {"size": [2, 2], "counts": "T"}, None])  # fmt: skip
def test_broken_masks_are_refused(record):
    with pytest.raises(ValueError, match="run-length mask"):
        decode_mask(record)


def room():
    """Instances of a chair (1), a table (2) and clutter (1001), and the placed two."""
    instances = np.zeros((120, 160), np.uint16)
    instances[10:60, 10:60], instances[60:110, 80:150], instances[5:30, 90:130] = 1, 2, 1001
    placed = (Placed(1, "chair", "c1", np.eye(4), np.ones(3)),
              Placed(2, "table", "t1", np.eye(4), np.ones(3)))  # fmt: skip
    return instances, placed


def test_a_perfect_detector_gives_the_truth():
    instances, placed = room()
    found = detect(instances, placed, EXACT, np.random.default_rng(0))
    assert {(d.label, d.cad_id) for d in found} == {("chair", "c1"), ("table", "t1")}
    for d in found:
        np.testing.assert_array_equal(d.mask, instances == int(d.label == "table") + 1)
    assert {d.label: d.box.tolist() for d in found}["chair"] == [10, 10, 60, 60]


def test_each_fault_can_be_switched_on():
    instances, placed = room()

    def seen(**changed):
        import dataclasses

        config = dataclasses.replace(EXACT, min_score=0.0, **changed)
        return detect(instances, placed, config, np.random.default_rng(1))

    assert seen(missed=1.0, missed_faint=1.0) == []
    assert {d.label for d in seen(wrong_class=1.0)} == {"chair", "table"}
    box = {d.label: d.box[0] for d in seen(wrong_class=1.0)}
    assert box == {"chair": 80, "table": 10}  # the names are exchanged
    assert len(seen(false=1.0)) == 3
    assert seen(wrong_cad=1.0)[0].cad_id in ("c1", "t1")  # the scene has no other of the class
    warped = seen(mask_warp=4.0)[0]
    assert 0 < (warped.mask != (instances == int(warped.label == "table") + 1)).mean() < 0.1


def test_small_things_are_not_detected():
    instances, placed = room()
    instances[instances == 1] = 0
    instances[10:15, 10:17] = 1  # 35 of 19200 pixels
    assert [d.label for d in true_detections(instances, placed, EXACT)] == ["table"]


def test_smaller_masks_lie_on_larger_ones():
    large, small = np.ones((4, 4), bool), np.zeros((4, 4), bool)
    small[1, 1] = True
    assert paint([small, large], (4, 4)).tolist()[1] == [2, 1, 2, 2]


def library(symmetry):
    return {"c": SimpleNamespace(symmetry=symmetry)}


def sightings(yaws_deg, t, score, s=(0.5, 0.9, 0.6)):
    R = np.stack([upright_rotation(np.radians(y)) for y in yaws_deg])
    n = len(R)
    return Predictions(
        scene=np.full(n, "scene8000_00"), frame=np.array([f"{100 * k:06d}" for k in range(n)]),
        category=np.full(n, CHAIR), cad_id=np.full(n, "c"), t=np.array(t, float),
        q=quaternions(R), s=np.array([s] * n if np.ndim(s) == 1 else s, float),
        score=np.array(score, float), space="scan", scenes=("scene8000_00",),
    )  # fmt: skip


def test_fused_position_is_the_weighted_mean():
    t = [[0, 0, 0.4], [0.1, 0, 0.4], [3, 0, 0.4]]
    fused = fuse(sightings([0, 10, 0], t, [0.9, 0.3, 0.5]), library("none"))
    assert len(fused) == 2 and fused.space == "scan"
    np.testing.assert_allclose(fused.t[0], [0.025, 0, 0.4])
    assert fused.score[0] == pytest.approx(1 - 1 / 2.2)
    yaw = rotation_errors_deg(fused.q[:1], quaternions(upright_rotation(0)[None]), np.ones((1, 1)))
    assert yaw[0, 0] == pytest.approx(2.5, abs=0.05)


def test_many_agreeing_sightings_outvote_one_that_is_turned():
    t = [[0, 0, 0.4]] * 4
    fused = fuse(sightings([180, 1, -1, 0], t, [0.8, 0.5, 0.5, 0.5]), library("none"))
    true = quaternions(upright_rotation(0)[None])
    assert len(fused) == 1
    assert rotation_errors_deg(fused.q, true, np.ones((1, 1)))[0, 0] < 1


def test_symmetric_turns_are_undone_before_averaging():
    t = [[0, 0, 0.4]] * 3
    fused = fuse(sightings([2, 182, 358], t, [0.5, 0.5, 0.5]), library("2-fold"))
    assert fused.score[0] == pytest.approx(1 - 1 / 2.5)  # all three agree
    true = quaternions(upright_rotation(0)[None])
    assert rotation_errors_deg(fused.q, true, np.full((1, 1), 2))[0, 0] < 1


def test_a_quarter_turn_swaps_width_and_depth():
    R = np.stack([np.eye(3), rotation_y(np.pi / 2)])
    S = np.array([[0.5, 0.9, 0.6], [0.6, 0.9, 0.5]])
    turned, sizes = turned_alike(R, S, 4)
    np.testing.assert_allclose(turned[1], np.eye(3), atol=1e-12)
    np.testing.assert_allclose(sizes[1], [0.5, 0.9, 0.6])


def test_bad_rows_do_not_enter_the_fusion():
    from dataclasses import replace

    p = sightings([0, 0], [[0, 0, 0.4], [0.1, 0, 0.4]], [0.9, 0.9])
    fused = fuse(replace(p, bad=np.array([False, True])), library("none"))
    np.testing.assert_allclose(fused.t, [[0, 0, 0.4]])
    assert len(fuse(replace(p, bad=np.array([True, True])), library("none"))) == 0


def test_variants_refuse_unknown_settings():
    with pytest.raises(ValueError, match="initialisations: got 'five', expected one of four, one"):
        Variant("icp", initialisations="five")
    with pytest.raises(ValueError, match="expected 0 or more"):
        Variant("icp", updates=-1)
