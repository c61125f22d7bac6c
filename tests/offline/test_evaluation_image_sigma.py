"""Ranking, calibration and selection by score, by hand."""

import numpy as np
import pytest

from roomcad_offline.evaluation.sigma_analysis import (
    auc,
    calibration,
    compare_scores,
    draw_calibration,
    selection,
    sorted_accuracy,
)


def test_auc_counts_pairs_and_halves_of_ties():
    # Pairs right-wrong: (.9,.1) (.9,.5) won, (.5,.1) won, (.5,.5) tied: 3.5 of 4.
    score, right = [0.9, 0.5, 0.5, 0.1], [True, True, False, False]
    assert auc(score, right) == pytest.approx(3.5 / 4)
    assert auc(score, np.logical_not(right)) == pytest.approx(0.5 / 4)
    assert auc([0.1, 0.2], [True, True]) is None


def test_auc_depends_on_the_order_only():
    rng = np.random.default_rng(0)
    score, right = rng.random(200), rng.random(200) < 0.4
    assert auc(score, right) == pytest.approx(auc(np.exp(5 * score), right))


def test_calibration_by_hand():
    # Two in the bin at 0.2 (one right), two in the bin at 0.8 (both right).
    table = calibration([0.2, 0.2, 0.8, 0.8], [True, False, True, True], groups=2)
    assert table["ece"] == pytest.approx((0.3 + 0.2) / 2)
    assert table["brier"] == pytest.approx((0.64 + 0.04 + 0.04 + 0.04) / 4)
    assert [row["accuracy"] for row in table["bins"]] == [0.5, 1.0]
    assert [row["count"] for row in table["sorted"]] == [2, 2]


def test_a_probability_is_calibrated_and_its_square_is_not():
    rng = np.random.default_rng(1)
    p = rng.random(20_000)
    right = rng.random(20_000) < p
    tables = compare_scores({"p": p, "square": p**2}, right)
    assert tables["p"]["ece"] < 0.02 < 0.15 < tables["square"]["ece"]
    assert tables["p"]["auc"] == pytest.approx(tables["square"]["auc"])


def test_sorted_groups_hold_every_prediction_once():
    rows = sorted_accuracy(np.arange(7) / 10, np.arange(7) > 3, 3)
    assert [row["count"] for row in rows] == [3, 2, 2]
    assert [row["accuracy"] for row in rows] == pytest.approx([0, 0.5, 1])


def test_selection_by_hand():
    sigma = [[0.9, 0.1], [0.2, 0.8], [0.7, np.nan], [0.3, 0.6]]
    right = [[True, False], [True, False], [False, True], [False, True]]
    # Chosen: right, wrong, wrong (its only pose), right. The NaN pose is not there at all.
    got = selection(sigma, right)
    assert got["by_sigma"] == 0.5 and got["best"] == 0.75 and got["first"] == 0.5
    assert got["random"] == pytest.approx((0.5 + 0.5 + 0 + 0.5) / 4)
    assert got["kept"] == pytest.approx(2 / 3)


def test_bad_scores_are_refused():
    with pytest.raises(ValueError, match="0 to 1"):
        calibration([1.5], [True])
    with pytest.raises(ValueError, match="NaN"):
        auc([np.nan], [True])
    with pytest.raises(ValueError, match="object 1"):
        selection([[0.1], [np.nan]], [[True], [True]])
    assert calibration([], []) == {"n": 0}


def test_calibration_picture_is_written(tmp_path):
    pytest.importorskip("matplotlib")
    rng = np.random.default_rng(2)
    p = rng.random(500)
    tables = compare_scores({"score": p, "score_2d": rng.random(500)}, rng.random(500) < p)
    draw_calibration(tables, tmp_path / "calibration.png")
    assert (tmp_path / "calibration.png").read_bytes().startswith(b"\x89PNG")
