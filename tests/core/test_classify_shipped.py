"""The shipped networks: every one loads, and knows the library's own models."""

import json

import numpy as np
import pytest

from roomcad_core.classify import make_classifier
from roomcad_core.config import ClassifyConfig
from roomcad_core.library import Library, models_folder
from roomcad_core.pose import upright_rotation
from roomcad_core.types import OTHER, Object, Segmentation


def shipped_names():
    """The classifiers of the manifest."""
    manifest = models_folder() / "manifest.json"
    models = json.loads(manifest.read_text())["models"] if manifest.is_file() else {}
    return [name for name, entry in models.items() if entry["task"] == "classify"]


pytestmark = pytest.mark.skipif(
    not (models_folder() / "manifest.json").is_file(),
    reason=f"no trained networks here: {models_folder() / 'manifest.json'} is missing",
)


@pytest.fixture(scope="module")
def library():
    return Library.load()


def standing(models):
    """A Segmentation of whole CAD surfaces that stand on the floor, z up."""
    objects = []
    for k, model in enumerate(models, 1):
        points = (model.points[::2] * model.size) @ upright_rotation(0.7).T
        points[:, 2] -= points[:, 2].min() - (0.75 if model.label == "monitor" else 0.0)
        objects.append(Object(k, np.zeros(4, np.float32), points.astype(np.float32)))
    return Segmentation(np.zeros((9, 9), np.uint16), tuple(objects), np.eye(4), 0.0)


@pytest.mark.parametrize("name", shipped_names())
def test_every_network_that_can_be_chosen_answers_with_probabilities(library, name):
    pytest.importorskip("onnxruntime")
    models = library.of_class("chair")[:3]
    found = make_classifier(ClassifyConfig(model=name), library)(standing(models)).objects
    for obj in found:
        assert sum(obj.class_scores.values()) == pytest.approx(1, abs=1e-4)
        assert obj.label in (*obj.class_scores, OTHER)


def test_the_deployed_network_knows_most_models_of_the_library(library):
    pytest.importorskip("onnxruntime")
    found = make_classifier(ClassifyConfig(), library)(standing(library)).objects
    right = [o.label == model.label for o, model in zip(found, library, strict=True)]
    assert np.mean(right) > 0.7


def test_the_models_of_the_library_find_themselves_among_their_class(library):
    pytest.importorskip("onnxruntime")
    found = make_classifier(ClassifyConfig(), library)(standing(library)).objects
    hits = [model.id in o.cad_ids for o, model in zip(found, library, strict=True)]
    assert np.mean(hits) > 0.6
    assert max(len(o.cad_ids) for o in found) == 15  # five of each of three classes
