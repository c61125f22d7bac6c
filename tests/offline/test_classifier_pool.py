"""How much crop and frame weigh when they name a piece together."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from roomcad_core.classify.context import Pooling, pooled
from roomcad_core.types import OTHER
from roomcad_offline.classifier.pool import (
    FALSE,
    OTHER_AT,
    Opinions,
    figures,
    fit_pooling,
    joined,
    judge,
    left_out,
    likeliest,
    true_label,
    write,
)
from roomcad_offline.classifier.samples import LABELS

CATEGORIES = {
    1: SimpleNamespace(kind="furniture", label="chair"),
    2: SimpleNamespace(kind="structure", label=None),
    3: SimpleNamespace(kind="prop", label=None),
    4: SimpleNamespace(kind="unknown", label=None),
}


@pytest.mark.parametrize(
    ("ids", "label"),
    [
        ([1] * 7 + [2] * 3, "chair"),
        ([1] * 6 + [2] * 4, ""),  # too little of it
        ([2] * 4 + [3] * 4 + [1] * 2, OTHER),  # two of them, none of them furniture
        ([4] * 9 + [1], ""),  # nobody knows
        ([9] * 10, ""),  # not annotated
    ],
)
def test_a_piece_is_what_most_of_it_shows(ids, label):
    assert true_label(np.array(ids), CATEGORIES) == label


def told(labels, sure, rng):
    """(N, K) probabilities that are right with the share `sure`."""
    names = np.where(
        rng.random(len(labels)) < sure, labels, rng.integers(0, len(LABELS), len(labels))
    )
    p = np.full((len(labels), len(LABELS)), 0.4 / (len(LABELS) - 1))
    p[np.arange(len(labels)), names] = 0.6
    return p


@pytest.fixture
def found():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, len(LABELS), 900)
    places = np.array(["a", "b", "c"])[np.arange(900) % 3]
    return Opinions(told(labels, 0.5, rng), told(labels, 0.8, rng), labels, places)


def test_what_is_right_more_often_weighs_more_and_both_are_better_than_one(found):
    pooling = fit_pooling(found)
    assert pooling.frame > 1.3 * pooling.crop > 0 and abs(pooling.other) < 0.3
    record = judge(found)
    ways = record["ways"]
    both = ways["both, fitted on the other places"]
    assert both["right"] >= ways["frame alone"]["right"] > ways["crop alone"]["right"]
    assert both["nll"] < min(w["nll"] for name, w in ways.items() if "fitted" not in name)
    assert both["calibration_error"] < 0.06
    assert record["pooling"] == vars(pooling)


def test_other_is_as_little_as_false_furniture_allows(found):
    """Nothing where few pieces are no furniture; more where half of them are."""
    assert fit_pooling(found).other == min(likeliest(found).other, 0)
    rng = np.random.default_rng(1)
    labels = np.where(rng.random(900) < 0.5, OTHER_AT, found.labels)
    many = Opinions(told(labels, 0.5, rng), told(labels, 0.6, rng), labels, found.places)
    pooling = fit_pooling(many)

    def false(other):
        shown = joined(many, Pooling(pooling.crop, pooling.frame, other)).argmax(1) != OTHER_AT
        return np.mean(labels[shown] == OTHER_AT)

    assert pooling.other > 0.1 and false(pooling.other) <= FALSE < false(pooling.other - 0.1)


def test_a_place_is_judged_by_the_numbers_of_the_others(found):
    wrong = found.places == "a"
    frame = found.frame.copy()
    frame[wrong] = np.roll(frame[wrong], 1, axis=1)  # the frame is never right there
    liar = Opinions(found.crop, frame, found.labels, found.places)
    of_others = fit_pooling(liar.of(~wrong))
    np.testing.assert_allclose(left_out(liar)[wrong], joined(liar.of(wrong), of_others))


def test_it_is_what_the_robot_does(found):
    pooling = Pooling(0.7, 1.3, -0.4)
    crop, frame = (dict(zip(LABELS, p[0].tolist(), strict=True)) for p in (found.crop, found.frame))
    want = pooled(crop, frame, pooling)
    got = np.exp(joined(found.of(np.arange(900) == 0), pooling)[0])
    assert got == pytest.approx([want[c] for c in LABELS])


def test_figures_by_hand():
    """A chair told right, a chair told as other, other told right."""
    chair = LABELS.index("chair")
    log_p = np.log(np.full((3, len(LABELS)), 0.01))
    log_p[[0, 1, 2], [chair, OTHER_AT, OTHER_AT]] = np.log(0.5)
    log_p[1, chair] = np.log(0.4)
    got = figures(log_p, np.array([chair, chair, OTHER_AT]))
    assert got["right"] == pytest.approx(2 / 3) and got["furniture_right"] == 0.5
    assert got["of_11"] == 1 and got["others_rejected"] == 1
    assert got["nll"] == pytest.approx(-np.log([0.5, 0.4, 0.5]).mean())


def test_the_page_names_the_fitted_numbers(found, tmp_path):
    record = judge(found)
    text = write(record, tmp_path / "out")
    assert f"crop {record['pooling']['crop']:g}" in text
    assert text == (tmp_path / "out" / "pooling.md").read_text()
    saved = json.loads((tmp_path / "out" / "pooling.json").read_text())
    assert saved["places"] == ["a", "b", "c"] and sum(saved["pieces"].values()) == 900
