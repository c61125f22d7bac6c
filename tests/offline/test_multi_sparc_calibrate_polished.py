"""Weights of polished results are found from what data were made with."""

import dataclasses
import math

import numpy as np
import pytest

from roomcad_core.multi_sparc.choice import PolishedScore, Weights
from roomcad_core.multi_sparc.polish import Tried
from roomcad_core.pose import rigid, rotation_y

pytest.importorskip("torch", reason="calibration needs torch: make setup-train")

from roomcad_offline.multi_sparc.calibrate_polished import (  # noqa: E402
    View,
    fit_choice,
    fit_logistic,
    fit_polished,
    unshifted,
)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_a_logistic_regression_finds_what_data_were_made_with():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(60_000, 2))
    is_right = rng.random(len(x)) < sigmoid(x @ [1.0, -2.0] + 0.5)
    assert fit_logistic(x, is_right) == pytest.approx([1.0, -2.0, 0.5], abs=0.06)


def test_the_weights_of_a_choice_are_found():
    rng = np.random.default_rng(2)
    sets = []
    for n in rng.integers(2, 5, 15_000):
        x = rng.normal(size=(n, 2))
        p = np.exp(x @ [1.5, -0.5])
        sets.append((x, np.arange(n) == rng.choice(n, p=p / p.sum())))
    assert fit_choice(sets) == pytest.approx([1.5, -0.5], abs=0.06)


def test_sets_in_which_there_is_no_choice_say_nothing():
    x = np.array([[1.0], [0.0]])
    useful = [(x, np.array([True, False])), (x, np.array([False, True]))] * 5
    idle = [(x, np.array([True, True])), (x, np.array([False, False]))]
    assert fit_choice(useful + idle) == pytest.approx(fit_choice(useful))
    with pytest.raises(ValueError, match="no object view has right and wrong results"):
        fit_choice(idle)


def views(rng, n=4000):
    """Of two results that face opposite ways one is right, by a softmax of 2 logit + 3 log fit."""
    found = []
    for _ in range(n):
        logit, fit = rng.normal(0, 1, 2), rng.uniform(0.3, 1, 2)
        first = rng.random() < sigmoid(2 * (logit[0] - logit[1]) + 3 * np.log(fit[0] / fit[1]))
        poses = [rigid(rotation_y(turn), [0, 0, 3]) for turn in (0, np.pi)]
        results = tuple(Tried(*x) for x in zip(poses, [np.ones(3)] * 2, logit, fit, strict=True))
        found.append(View(results, (first, not first), "none"))
    return found


def test_the_score_chooses_well_and_is_a_probability():
    data = views(np.random.default_rng(3))
    score = fit_polished(data)
    assert score.choice.fit / score.choice.sigma == pytest.approx(1.5, rel=0.15)
    # How far both are from each other is all there is to know: that is the agreement.
    assert score.several.agreement == pytest.approx(1, abs=0.25)
    taken = [score(v.results, [v.symmetry] * len(v.results)) for v in data]
    probability = sigmoid(np.array([log_odds for _, log_odds in taken]))
    is_right = np.array([v.is_right[best] for (best, _), v in zip(taken, data, strict=True)])
    for low, high in ((0.5, 0.7), (0.7, 0.85), (0.85, 0.97)):
        some = (probability > low) & (probability < high)
        assert is_right[some].mean() == pytest.approx(probability[some].mean(), abs=0.04)


def test_views_without_results_or_unpolished_take_no_part():
    data = views(np.random.default_rng(4), 300)
    raw = tuple(dataclasses.replace(r, fit_score=math.nan) for r in data[0].results)
    more = [View((), (), "none"), View(raw, (True, False), "none")]
    assert fit_polished(data + more) == fit_polished(data)


def test_a_shifted_network_is_scored_as_before():
    score = PolishedScore(Weights(1, 2), Weights(0.5, 2, 1, 0.25), Weights(0.75, 1, bias=-1))
    moved = unshifted(score, 0.8)
    result = Tried(np.eye(4), np.ones(3), 1.0, 0.7)
    later = dataclasses.replace(result, logit=1.8)
    assert moved([later], ["none"]) == pytest.approx(score([result], ["none"]))
    assert moved([later] * 2, ["none"] * 2) == pytest.approx(score([result] * 2, ["none"] * 2))
