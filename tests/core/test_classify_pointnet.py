"""The network classifier, on tiny graphs whose answers are known by hand."""

import dataclasses

import numpy as np
import pytest

from roomcad_core.classes import CLASSES
from roomcad_core.classify import make_classifier
from roomcad_core.classify.crop_network import BATCH
from roomcad_core.config import ClassifyConfig
from roomcad_core.crop_input import TYPICAL_RADIUS
from roomcad_core.types import OTHER, Object, Segmentation

LABELS = ("chair", "table", OTHER)
# What the tiny networks see: largest x, y, z, then size known, log size, floor known, height.
X, Y, Z, SIZE_KNOWN, LOG_SIZE, FLOOR_KNOWN, HEIGHT = range(7)


class Holds:
    """A stand-in library that holds models of some classes."""

    def __init__(self, *labels):
        self._labels = labels

    def of_class(self, label):
        return ("a model",) if label in self._labels else ()


LIBRARY = Holds(*CLASSES)


def box(extents, centre=(0, 0, 0)):
    """(128, 3) the corners of a box, 16 times each: nothing to trim, nothing to choose."""
    unit = np.stack(np.meshgrid([-0.5, 0.5], [-0.5, 0.5], [-0.5, 0.5]), -1).reshape(-1, 3)
    return np.repeat(unit * extents + centre, 16, axis=0).astype(np.float32)


BOX = box([0.8, 0.4, 0.4])
RADIUS = np.sqrt(0.24)  # of BOX: half its diagonal


def segmentation(*crops, floor_z=None):
    objects = tuple(Object(i, np.zeros(4, np.float32), c) for i, c in enumerate(crops, 1))
    return Segmentation(np.zeros((9, 9), np.uint16), objects, np.eye(4), floor_z)


def weights(**rows):
    """(labels, 7) weights; chair=(X, 2.0) is 2 x the largest x."""
    out = np.zeros((len(LABELS), 7))
    for label, (column, factor) in rows.items():
        out[LABELS.index(label), column] = factor
    return out


def classifier(library=LIBRARY, **settings):
    return make_classifier(ClassifyConfig(**{"retrieved": 0, **settings}), library)


def counted(classify):
    """Batch sizes of the engine's calls from now on."""
    engine, sizes = classify.network.engine, []

    def call(feeds):
        sizes.append(len(feeds["points"]))
        return engine(feeds)

    classify.network.engine = call
    return sizes


def softmax(*logits):
    return np.exp(logits) / np.exp(logits).sum()


def scores_of(obj):
    return np.array([obj.class_scores[label] for label in LABELS])


def test_the_default_is_the_deployed_network(write_model):
    write_model(LABELS, weights())
    assert ClassifyConfig().model == "deployed"
    assert classifier().engine == "openvino"  # the first of auto that is installed


def test_label_score_and_probabilities_are_those_of_the_logits(write_model):
    write_model(LABELS, weights(), bias=np.log([0.2, 0.7, 0.1]))
    (obj,) = classifier()(segmentation(BOX)).objects
    assert (obj.label, obj.note) == ("table", "")
    assert obj.score == pytest.approx(0.7)
    assert list(obj.class_scores) == list(LABELS)
    np.testing.assert_allclose(scores_of(obj), [0.2, 0.7, 0.1], rtol=1e-5)


def test_the_temperature_divides_the_logits(write_model):
    write_model(LABELS, weights(), bias=[3.0, 1.0, -2.0], temperature=2)
    (obj,) = classifier()(segmentation(BOX)).objects
    np.testing.assert_allclose(scores_of(obj), softmax(1.5, 0.5, -1.0), rtol=1e-5)


def test_size_and_height_over_the_floor_reach_the_network(write_model):
    write_model(LABELS, weights(chair=(LOG_SIZE, 2.0), table=(HEIGHT, 1.0)))
    crop = BOX + np.float32([5, 1, -0.3])
    (obj,) = classifier(min_score=0.0)(segmentation(crop, floor_z=-1.3)).objects
    want = softmax(2 * np.log(RADIUS / TYPICAL_RADIUS), 1.0, 0.0)
    np.testing.assert_allclose(scores_of(obj), want, rtol=1e-4)


@pytest.mark.parametrize(("floor_z", "known"), [(None, 0.0), (-1.3, 1.0)])
def test_an_unknown_floor_is_told_to_the_network(write_model, floor_z, known):
    weight = weights(chair=(FLOOR_KNOWN, 2), table=(SIZE_KNOWN, 1), other=(HEIGHT, 1))
    write_model(LABELS, weight)
    (obj,) = classifier(min_score=0.0)(segmentation(BOX, floor_z=floor_z)).objects
    height = 1.3 if known else 0.0
    np.testing.assert_allclose(scores_of(obj), softmax(2 * known, 1.0, height), rtol=1e-5)


def test_votes_average_the_probabilities_of_quarter_turns(write_model):
    write_model(LABELS, weights(chair=(X, 4.0)))
    along_x, along_y = (softmax(4 * side / RADIUS, 0, 0) for side in (0.4, 0.2))
    want = {1: along_x, 2: (along_x + along_y) / 2, 3: (2 * along_x + along_y) / 3}
    want[4] = want[2]
    for votes, probabilities in want.items():
        (obj,) = classifier(votes=votes)(segmentation(BOX)).objects
        np.testing.assert_allclose(scores_of(obj), probabilities, rtol=1e-5)


def test_the_networks_of_the_study_see_the_unit_sphere_and_no_numbers(write_model):
    weight = weights(chair=(X, 4.0), table=(Z, 4.0))[:, :3]
    write_model(LABELS, weight, name="baseline", cloud="unit_sphere", extra=False)
    lopsided = np.vstack([BOX[:96] * 0 + [0, 0, 1], BOX[:32] * 0 + [4, 0, 1]])  # mean x: 1
    (obj,) = classifier(model="baseline")(segmentation(lopsided)).objects
    np.testing.assert_allclose(scores_of(obj), softmax(4.0, 0, 0), rtol=1e-5)


def test_all_objects_of_a_frame_are_one_batch(write_model):
    write_model(LABELS, weights(chair=(X, 4.0)))
    classify = classifier(votes=2)
    sizes = counted(classify)
    found = classify(segmentation(BOX, BOX[::2], box([1, 1, 1]))).objects
    assert sizes == [6]
    assert [o.id for o in found] == [1, 2, 3]


def test_a_crowded_frame_is_split_and_every_object_gets_what_it_gets_alone(write_model):
    write_model(LABELS, weights(chair=(X, 4.0), table=(LOG_SIZE, 1.0)))
    classify = classifier()
    crops = [box([0.5 + 0.01 * k, 0.5, 0.5]) for k in range(BATCH + 2)]
    sizes = counted(classify)
    together = classify(segmentation(*crops)).objects
    assert sizes == [BATCH, 2]
    for k in (0, BATCH - 1, BATCH, BATCH + 1):
        (alone,) = classify(segmentation(crops[k])).objects
        np.testing.assert_allclose(scores_of(together[k]), scores_of(alone), rtol=1e-5)


def test_the_same_crop_gets_the_same_answer_whatever_stands_beside_it(write_model):
    write_model(LABELS, weights(chair=(X, 4.0)))
    classify = classifier()
    crop = np.random.default_rng(1).normal(size=(900, 3)).astype(np.float32)
    first, second = (classify(segmentation(crop)).objects[0] for _ in range(2))
    third = classify(segmentation(BOX, crop)).objects[1]
    assert first.class_scores == second.class_scores
    np.testing.assert_allclose(scores_of(third), scores_of(first), rtol=1e-5)


def test_a_class_that_the_library_lacks_keeps_its_probability_but_is_not_chosen(write_model):
    write_model(LABELS, weights(), bias=np.log([0.5, 0.4, 0.1]))
    (obj,) = classifier(Holds("table"))(segmentation(BOX)).objects
    assert obj.label == "table" and obj.score == pytest.approx(0.4)
    assert obj.class_scores["chair"] == pytest.approx(0.5)


def test_a_library_that_holds_no_class_of_the_network_makes_everything_other(write_model):
    write_model(LABELS[:2], weights()[:2], bias=[1.0, 0.0])
    (obj,) = classifier(Holds("bed"))(segmentation(BOX)).objects
    assert (obj.label, obj.score) == (OTHER, 0.0)


def test_an_improbable_class_becomes_other(write_model):
    write_model(LABELS, weights(), bias=np.log([0.46, 0.44, 0.1]))
    (sure,) = classifier(min_score=0.45)(segmentation(BOX)).objects
    (unsure,) = classifier(min_score=0.47)(segmentation(BOX)).objects
    assert sure.label == "chair"
    assert unsure.label == OTHER and unsure.score == pytest.approx(0.1)
    assert unsure.class_scores == sure.class_scores


BAD_CROPS = {
    "too few points": BOX[:31],
    "no points": BOX[:0],
    "NaN": np.where(np.arange(128)[:, None] == 3, np.nan, BOX),
    "all points equal": np.ones((64, 3), np.float32),
    "not of this room": BOX * 1e30,
}


@pytest.mark.parametrize("bad", BAD_CROPS.values(), ids=BAD_CROPS.keys())
def test_a_bad_crop_is_other_with_a_reason_and_its_neighbour_is_served(write_model, bad):
    write_model(LABELS, weights(), bias=[1.0, 0.0, 0.0])
    found = classifier()(segmentation(bad, BOX)).objects
    assert (found[0].label, found[0].score) == (OTHER, 1.0)
    assert found[0].class_scores == {OTHER: 1.0}
    assert "expected" in found[0].note
    assert (found[1].label, found[1].note) == ("chair", "")


def test_nothing_to_name_does_not_run_the_network(write_model):
    write_model(LABELS, weights())
    classify = classifier()
    sizes = counted(classify)
    assert classify(segmentation()).objects == ()
    classify(segmentation(*BAD_CROPS.values()))
    named = dataclasses.replace(segmentation(BOX).objects[0], label="sofa", score=0.9)
    given = dataclasses.replace(segmentation(), objects=(named,))
    assert classify(given).objects[0] is named
    assert sizes == []


def test_an_object_that_a_detector_named_gets_models_of_its_class(write_model):
    write_model(LABELS, weights(table=(X, 9.0)))
    classify = classifier()
    classify._config = dataclasses.replace(classify._config, retrieved=2)
    classify._retriever = lambda embedding, label, k: tuple(f"{label}_{i}" for i in range(k))
    (obj,) = segmentation(BOX).objects
    scores = {"chair": 0.9}
    chair = dataclasses.replace(obj, label="chair", score=0.9, class_scores=scores)
    has_one = dataclasses.replace(chair, cad_ids=("chair_7",))
    other = dataclasses.replace(obj, label=OTHER)
    unclear = dataclasses.replace(chair, points=chair.points[:0])
    given = dataclasses.replace(segmentation(), objects=(chair, has_one, other, unclear))
    found = classify(given).objects
    assert found[0] == dataclasses.replace(chair, cad_ids=("chair_0", "chair_1"))
    assert found[1:] == (has_one, other, unclear)


def test_a_network_that_answers_no_number_makes_the_object_other(write_model):
    write_model(LABELS, weights(chair=(X, np.nan)))
    (obj,) = classifier()(segmentation(BOX)).objects
    assert obj.label == OTHER and "no finite probability" in obj.note


def test_objects_of_equal_id_stay_apart(write_model):
    write_model(LABELS, weights())
    twins = tuple(dataclasses.replace(o, id=7) for o in segmentation(BOX, box([1, 2, 3])).objects)
    found = classifier()(dataclasses.replace(segmentation(), objects=twins)).objects
    for before, after in zip(twins, found, strict=True):
        assert after.points is before.points and after.label


def test_clouds_without_a_metric_scale_tell_no_size(write_model):
    write_model(LABELS, weights(chair=(SIZE_KNOWN, 2), table=(LOG_SIZE, 9)))
    p, _ = classifier().network([BOX], metric=False)
    np.testing.assert_allclose(p, [softmax(0, 0, 0)], rtol=1e-5)


def test_embeddings_come_with_the_probabilities(write_model):
    write_model(LABELS, weights())
    p, embeddings = classifier().network([BOX, BOX], floor_z=-1.0, votes=2)
    assert p.shape == (2, len(LABELS))
    width = 0.3 / RADIUS  # mean of both turns
    want = [width, width, 0.2 / RADIUS, 1, np.log(RADIUS / TYPICAL_RADIUS), 1, 1]
    np.testing.assert_allclose(embeddings, [want, want], rtol=1e-5)


def test_changed_settings_keep_the_network(write_model):
    write_model(LABELS, weights(chair=(X, 2.0)))
    before = classifier(engine="onnxruntime")
    config = ClassifyConfig(retrieved=0, engine="onnxruntime", min_score=0.9)
    after = make_classifier(config, LIBRARY, before)
    assert after.network is before.network
    assert after(segmentation(BOX)).objects[0].label == OTHER  # too unsure now
    assert before(segmentation(BOX)).objects[0].label != OTHER
    config = dataclasses.replace(config, engine="auto")
    assert make_classifier(config, LIBRARY, after).network is not before.network
