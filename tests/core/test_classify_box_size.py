"""The size classifier: known sizes get their class, unknown things are `other`."""

import numpy as np
import pytest

from roomcad_core.classify import make_classifier
from roomcad_core.config import ClassifyConfig
from roomcad_core.library import Library
from roomcad_core.pose import upright_rotation
from roomcad_core.types import OTHER, Object, Segmentation


@pytest.fixture(scope="module")
def library():
    return Library.load()


@pytest.fixture(scope="module")
def classify(library):
    return make_classifier(ClassifyConfig(model="box_size"), library)


def segmentation(*crops, floor_z=0.0):
    objects = tuple(
        Object(i, np.array([0, 0, 9, 9], np.float32), np.asarray(crop, np.float32))
        for i, crop in enumerate(crops, 1)
    )
    return Segmentation(np.zeros((9, 9), np.uint16), objects, np.eye(4), floor_z)


def whole(model, z=0.0):
    """All surface points of a model standing at height z, z up."""
    points = (model.points * model.size) @ upright_rotation(0.7).T
    return points - [0, 0, points[:, 2].min() - z]


@pytest.mark.parametrize("label", ["chair", "table", "bathtub", "monitor"])
def test_most_whole_models_of_a_distinct_size_get_their_class(label, library, classify):
    models = library.of_class(label)
    z = 0.75 if label == "monitor" else 0.0
    named = classify(segmentation(*(whole(m, z) for m in models))).objects
    assert sum(o.label == label for o in named) >= 0.7 * len(models)


def test_probabilities_add_up_to_one(library, classify):
    scores = classify.scores(whole(library.models[0]))
    assert sum(scores.values()) == pytest.approx(1)
    assert set(scores) == {m.label for m in library} | {OTHER}


def test_turning_a_crop_about_up_hardly_changes_its_class(library, classify):
    crop = whole(library.of_class("chair")[0])
    c, s = np.cos(0.9), np.sin(0.9)
    turned = crop @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])
    a, b = classify.scores(crop, 0.0), classify.scores(turned, 0.0)
    assert max(abs(a[k] - b[k]) for k in a) < 0.1


def test_a_thing_of_no_known_size_is_other(classify):
    giant = np.random.default_rng(0).uniform(0, 1, (500, 3)) * [9, 9, 9]
    assert classify(segmentation(giant)).objects[0].label == OTHER


@pytest.mark.parametrize("crop", [np.zeros((5, 3)), np.full((99, 3), np.nan), np.ones((64, 3))])
def test_unusable_crops_are_other_with_a_reason(crop, library, classify):
    bad, good = classify(segmentation(crop, whole(library.of_class("chair")[0]))).objects
    assert (bad.label, bad.score, bad.class_scores) == (OTHER, 1.0, {OTHER: 1.0})
    assert "expected" in bad.note
    assert good.note == "" and len(good.class_scores) > 1


def test_a_label_set_before_stays(classify):
    obj = Object(1, np.zeros(4), np.ones((64, 3)), label="sofa", score=0.9)
    given = Segmentation(np.zeros((9, 9), np.uint16), (obj,), np.eye(4), None)
    assert classify(given).objects[0] is obj
