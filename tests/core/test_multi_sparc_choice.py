"""Which of several results is taken, and how probable it is that it is right."""

import dataclasses
import math

import numpy as np
import pytest

from roomcad_core.multi_sparc.choice import (
    HOPELESS,
    PolishedScore,
    Weights,
    agree,
    agreement,
    worth_polishing,
)
from roomcad_core.multi_sparc.model_files import AlignSpec
from roomcad_core.multi_sparc.polish import Tried
from roomcad_core.pose import rigid, rotation_y

SCORE = PolishedScore(Weights(1, 2), Weights(0.5, 1, 1, 0.25), Weights(0.5, 1, bias=0.75))
SPEC = AlignSpec("live", 3, "-", "0" * 64, 5, 50, 160, 120, 2.0, SCORE)
NONE = ["none"] * 2  # symmetries of two results


def tried(logit=0.0, fit=1.0, x=0.0, degrees=0.0):
    """A polished result, x [m] to the right and turned about up."""
    return Tried(rigid(rotation_y(math.radians(degrees)), [x, 0, 3]), np.ones(3), logit, fit)


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def test_weights_are_of_logit_log_fit_and_log_odds():
    value = Weights(2, 3, 4, 5)(0.5, math.e**-1, 0.8)
    assert value == pytest.approx(1 - 3 + 4 * math.log(4) + 5)


def test_no_fit_and_full_agreement_are_not_infinite():
    w = Weights(1, 1, 1)
    assert w(0.0, 0.0) == w(0.0, 0.01) == pytest.approx(math.log(0.02))
    assert w(0.0, 1.0, 1.0) == w(0.0, 1.0, 0.9999) == pytest.approx(math.log(999))


def test_poses_agree_within_15_cm_and_20_degrees():
    base = tried()
    assert agree(tried(x=0.14), base, "none") and not agree(tried(x=0.16), base, "none")
    assert agree(tried(degrees=19), base, "none") and not agree(tried(degrees=21), base, "none")


def test_symmetric_turns_agree():
    assert not agree(tried(degrees=180), tried(), "none")
    assert agree(tried(degrees=180), tried(), "2-fold")
    assert not agree(tried(degrees=90), tried(), "2-fold")
    assert agree(tried(degrees=95), tried(), "4-fold")


def test_agreement_is_the_softmax_share_of_what_agrees():
    results = [tried(), tried(degrees=180), tried(degrees=5)]
    weights = np.log([0.5, 0.3, 0.2])
    assert agreement(results, 0, weights, "none") == pytest.approx(0.7)
    assert agreement(results, 1, weights, "none") == pytest.approx(0.3)
    assert agreement(results, 0, weights, "2-fold") == pytest.approx(1.0)


def test_the_choice_weighs_logit_against_fit():
    # 1 + 2 log 0.5 < 0 + 2 log 1
    best, log_odds = SCORE([tried(1.0, 0.5), tried(0.0, 1.0)], NONE)
    assert best == 1
    assert log_odds == pytest.approx(0.25 + math.log(0.999 / 0.001))  # both are in one place


def test_what_looks_alike_from_two_sides_is_as_likely_the_other():
    best, log_odds = SCORE([tried(2.0), tried(2.0, degrees=180)], NONE)
    assert (best, log_odds) == (0, pytest.approx(0.5 * 2 + 0.25))  # log odds of a half: 0
    _, certain = SCORE([tried(2.0), tried(2.0, degrees=180)], ["2-fold"] * 2)
    assert certain > log_odds + 5


def test_one_result_has_weights_of_its_own():
    assert SCORE([tried(2.0)], ["none"]) == (0, pytest.approx(1.75))


def test_a_spec_chooses_by_sigma_alone_where_nothing_is_polished():
    plain = [dataclasses.replace(tried(x), fit_score=math.nan) for x in (1.0, 3.0)]
    assert SPEC.choose(plain, ["none"] * len(plain)) == (
        1,
        pytest.approx(sigmoid(1.5)),
    )  # temperature 2
    unweighted = dataclasses.replace(SPEC, polished=None)
    assert unweighted.choose([tried(1.0), tried(3.0)], NONE) == (
        1,
        pytest.approx(sigmoid(1.5)),
    )
    assert SPEC.choose([tried(2.0)], ["none"]) == (0, pytest.approx(sigmoid(1.75)))


def test_hopeless_results_are_left_out():
    results = [tried(5.0), tried(5.0 - HOPELESS), tried(4.9 - HOPELESS)]
    assert worth_polishing(results) == results[:2]
