"""What an object's surroundings say of its class, beside what its crop does."""

import math

import numpy as np
import pytest

from roomcad_core.classify import make_classifier
from roomcad_core.classify.context import LEAST, Pooling, pooled
from roomcad_core.config import ClassifyConfig
from roomcad_core.library import Library
from roomcad_core.types import OTHER, Object, Segmentation

CROP = {"chair": 0.32, "table": 0.48, OTHER: 0.2}


EQUAL = Pooling(0.5, 0.5, 0.0)


def test_every_class_gets_the_weighted_geometric_mean_of_both():
    """0.32 x 0.5² = 0.08, 0.48 x 0.25² = 0.03, and e^ln 2 x 0.2 x 0.25² = 0.025."""
    context = {"chair": 0.5, "table": 0.25, OTHER: 0.25}
    found = pooled(CROP, context, Pooling(1.0, 2.0, math.log(2)))
    assert list(found) == list(CROP)
    for label, p in (("chair", 0.08), ("table", 0.03), (OTHER, 0.025)):
        assert found[label] == pytest.approx(p / 0.135, rel=0.02)
    assert sum(found.values()) == pytest.approx(1)


def test_an_opinion_that_weighs_nothing_is_not_heard():
    context = {"chair": 0.9, "table": 0.05, OTHER: 0.05}
    assert pooled(CROP, context, Pooling(1.0, 0.0, 0.0)) == pytest.approx(CROP, rel=0.01)
    assert pooled(CROP, context, Pooling(0.0, 1.0, 0.0)) == pytest.approx(context, rel=0.03)


def test_no_opinion_forbids_a_class():
    found = pooled({"chair": 0.0, "table": 1.0}, {"chair": 1.0, "table": 0.0}, EQUAL)
    assert found == pytest.approx({"chair": 0.5, "table": 0.5})
    root = np.sqrt(LEAST / (1 + LEAST))
    found = pooled({"chair": 1.0, "table": 0.0}, {"chair": 1.0, "table": 1.0}, EQUAL)
    assert found["table"] == pytest.approx(root / (1 + root))


def test_classes_that_one_of_both_does_not_know_keep_what_the_crop_says():
    crop, context = (
        {"chair": 0.3, "table": 0.3, "bed": 0.4},
        {"table": 0.2, "chair": 0.8, "sofa": 1},
    )
    found = pooled(crop, context, EQUAL)
    assert set(found) == {"chair", "table", "bed"} and found["bed"] == 0.4
    assert found["chair"] == pytest.approx(0.6 * 2 / 3, rel=1e-2)  # sqrt(0.8 / 0.2) = 2


@pytest.mark.parametrize(
    "nothing",
    [{}, {"sofa": 1.0}, {"chair": 0.0, "table": 0.0}, {"chair": np.nan, "table": 1.0},
     {"chair": np.inf, "table": 1.0}, {"chair": -0.5, "table": 1.0}],
)  # fmt: skip
def test_what_says_nothing_changes_nothing(nothing):
    assert pooled(CROP, nothing, EQUAL) == CROP


def crop(class_scores, label="", points=None):
    """Segmentation of one object: a box of 0.5 x 0.5 x 0.9 m that stands on the floor."""
    if points is None:
        points = np.random.default_rng(0).uniform(-0.5, 0.5, (400, 3)) * [0.5, 0.5, 0.9]
    obj = Object(1, np.zeros(4, np.float32), np.float32(points), label, 0.0, class_scores)
    return Segmentation(np.ones((4, 4), np.uint16), (obj,), np.eye(4), -0.45)


def test_a_network_hears_the_surroundings(write_model, cad_library):
    write_model(("chair", "table", OTHER), np.zeros((3, 7)), bias=np.log([0.32, 0.48, 0.2]))
    library = Library([*cad_library.of_class("chair")[:1], *cad_library.of_class("table")[:1]])
    classify = make_classifier(ClassifyConfig(retrieved=0), library)
    (alone,) = classify(crop({})).objects
    context = {"chair": 0.5, "table": 1 / 30, OTHER: 0.4667}
    (found,) = classify(crop(context)).objects
    assert (alone.label, found.label) == ("table", "chair")
    assert found.class_scores == pytest.approx(pooled(alone.class_scores, context, Pooling()))
    assert found.score == found.class_scores["chair"]
    assert classify.crop_scores(crop(context)) == [pytest.approx(alone.class_scores)]
    named = crop({"sofa": 0.9}, label="sofa")  # by a detector
    assert classify(named).objects == named.objects
    (bad,) = classify(crop(context, points=np.zeros((400, 3)))).objects
    assert (bad.label, bad.class_scores) == (OTHER, {OTHER: 1.0}) and bad.note
    assert classify.crop_scores(crop({}, points=np.zeros((400, 3)))) == [{}]


def test_so_does_the_size_of_the_box(cad_library):
    library = Library([*cad_library.of_class("chair")[:3], *cad_library.of_class("bin")[:3]])
    classify = make_classifier(ClassifyConfig(model="box_size"), library)
    (alone,) = classify(crop({})).objects
    context = {"chair": 0.01, "bin": 0.98, OTHER: 0.01}
    (found,) = classify(crop(context)).objects
    assert found.class_scores == pytest.approx(pooled(alone.class_scores, context, Pooling()))
