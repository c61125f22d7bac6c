"""The Multi-SPARC aligner around a stand-in for the network: slots, groups, choices, bad input."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from roomcad_core.config import AlignConfig
from roomcad_core.engine import TensorSpec, check_feeds
from roomcad_core.gravity import gravity_frame
from roomcad_core.library import Library
from roomcad_core.multi_sparc.aligner import MultiSparcAligner
from roomcad_core.multi_sparc.loop import AlignLoop, expected_inputs, expected_outputs, unit_surface
from roomcad_core.multi_sparc.model_files import AlignSpec
from roomcad_core.types import OTHER, Frame, Object, Segmentation

K = np.array([[550.0, 0, 319.5], [0, 550, 239.5], [0, 0, 1]])
SPEC = AlignSpec("live", 3, "live.onnx", "0" * 64, 5, 50, 160, 120, temperature=2.0)
CONFIG = AlignConfig(aligner="multi_sparc", n_tried=1)


def tensors(named):
    free = {"A": "initialisations"}
    return {
        name: TensorSpec(np.dtype(dtype), tuple(free.get(size, size) for size in shape))
        for name, (dtype, shape) in named.items()
    }


class FakeEngine:
    """Gives the poses it gets; `judge(feeds)` says their logits (A, M), `spoil` changes outputs."""

    name = "fake"
    inputs, outputs = tensors(expected_inputs(SPEC)), tensors(expected_outputs(SPEC))

    def __init__(self, judge=None, spoil=None):
        self.calls = []
        self._judge = judge or (lambda feeds: np.zeros(feeds["T"].shape[:2], np.float32))
        self._spoil = spoil or (lambda out: None)

    def __call__(self, feeds):
        check_feeds("live.onnx", self.inputs, feeds)
        assert all(np.isfinite(array).all() for array in feeds.values())
        self.calls.append(feeds)
        out = {f"{name}_out": feeds[name].copy() for name in "TRS"}
        out["logit"] = np.float32(self._judge(feeds))
        self._spoil(out)
        return out


@pytest.fixture(scope="module")
def library():
    return Library.load()


def thing(object_id, library, label="chair", place=0, **changed):
    """An Object that owns the 100 x 120 px tile number `place` of the image."""
    row, column = divmod(place, 5)
    box = np.array([column * 120, row * 160, column * 120 + 100, row * 160 + 120], np.float32)
    points = np.random.default_rng(object_id).uniform(-0.4, 0.4, (64, 3)).astype(np.float32)
    ids = tuple(m.id for m in library.of_class(label)[:3])
    values = {"label": label, "score": 1.0, "class_scores": {label: 1.0}, "cad_ids": ids}
    return Object(object_id, box, points, **values | changed)


def scene(*objects, z=2.0, up=(0.1, -0.9, -0.3)):
    """Frame and Segmentation of a wall at depth z before which nothing stands out."""
    depth = np.full((480, 640), z, np.float32)
    frame = Frame(0.0, np.zeros((480, 640, 3), np.uint8), depth, K)
    ids = np.zeros((480, 640), np.uint16)
    for obj in objects:
        if np.isfinite(obj.box).all():
            left, top, right, bottom = np.clip(obj.box, 0, 640).astype(int)
            ids[top:bottom, left:right] = obj.id
    return frame, Segmentation(ids, objects, gravity_frame(up), -1.2)


def aligner(library, engine, config=CONFIG, spec=SPEC):
    return MultiSparcAligner(config, library, AlignLoop(spec, engine))


def test_an_alignment_is_the_pose_that_sigma_prefers(library):
    def judge(feeds):  # the third initialisation
        return np.array([-1.0, 0.5, 3.0, 1.0])[:, None] * np.ones(5)

    engine = FakeEngine(judge)
    align = aligner(library, engine)
    (found,) = align(*scene(thing(7, library)))
    feeds = engine.calls[0]
    np.testing.assert_allclose(found.T_cam_obj[:3, :3], feeds["R"][2, 0], atol=1e-6)
    np.testing.assert_allclose(found.T_cam_obj[:3, 3], feeds["T"][2, 0])
    assert found.score == pytest.approx(1 / (1 + np.exp(-3 / 2)))  # temperature 2
    model = library.of_class("chair")[0]
    assert (found.object_id, found.label, found.cad_id) == (7, "chair", model.id)
    np.testing.assert_allclose(found.S, model.size, rtol=1e-6)
    assert found.class_score == pytest.approx(1) and align.dropped == ()
    assert align.engine == "fake"


def test_alignments_start_upright_in_the_gravity_frame(library):
    (found,) = aligner(library, FakeEngine())(*scene(thing(1, library)))
    T_grav_cam = scene()[1].T_grav_cam
    np.testing.assert_allclose((T_grav_cam @ found.T_cam_obj)[:3, 1], [0, 0, 1], atol=1e-6)


def test_the_network_gets_each_object_in_its_own_slot(library):
    engine = FakeEngine()
    first, second = thing(9, library, place=3), thing(4, library, "sofa", place=6)
    aligner(library, engine)(*scene(first, second))
    (feeds,) = engine.calls
    assert feeds["valid"].tolist() == [True, True, False, False, False]
    assert feeds["T"].shape == (4, 5, 3)
    for slot, obj in enumerate((first, second)):
        rows, columns = np.nonzero(feeds["instance"] == slot + 1)
        seen = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        np.testing.assert_allclose(np.multiply(seen, 4), obj.box)
        np.testing.assert_allclose(feeds["box"][slot], np.array(seen) - 0.5, atol=0.13)
        points, normals = unit_surface(library.of_class(obj.label)[0], 50)
        assert np.array_equal(feeds["cad_points"][slot], points)
        assert np.array_equal(feeds["cad_normals"][slot], normals)
    np.testing.assert_allclose(feeds["K"], [[137.5, 0, 79.5], [0, 137.5, 59.5], [0, 0, 1]])


def test_unit_normals_pose_to_the_metric_normals(library):
    model = library.of_class("sofa")[0]
    _, normals = unit_surface(model, 50)
    posed = normals / model.size
    posed /= np.linalg.norm(posed, axis=1, keepdims=True)
    np.testing.assert_allclose(posed, model.normals[:50], atol=1e-3)


def test_more_objects_than_slots_are_split_into_groups(library):
    engine = FakeEngine()
    objects = [thing(10 + k, library, place=k) for k in range(12)]
    found = aligner(library, engine)(*scene(*objects))
    assert [a.object_id for a in found] == [obj.id for obj in objects]
    assert [int(feeds["valid"].sum()) for feeds in engine.calls] == [5, 5, 2]
    assert len({tuple(a.T_cam_obj[:3, 3]) for a in found}) == 12


def test_without_furniture_the_network_is_not_asked(library):
    engine = FakeEngine()
    align = aligner(library, engine)
    assert align(*scene()) == ()
    assert align(*scene(thing(1, library, OTHER), thing(2, library, ""))) == ()
    assert engine.calls == [] and align.dropped == ()


def prefers(model):
    """Logits of a network that likes one CAD model only."""
    points, _ = unit_surface(model, 50)

    def judge(feeds):
        same = np.abs(feeds["cad_points"] - points).max((1, 2)) < 1e-6
        return np.where(same, 2.0, -2.0)[None] * np.ones((len(feeds["T"]), 1))

    return judge


def test_sigma_decides_between_the_retrieved_models(library):
    wanted = library.of_class("chair")[2]
    engine = FakeEngine(prefers(wanted))
    config = AlignConfig(aligner="multi_sparc", n_tried=3)
    (found,) = aligner(library, engine, config)(*scene(thing(1, library)))
    assert found.cad_id == wanted.id and len(engine.calls) == 3
    (found,) = aligner(library, engine, CONFIG)(*scene(thing(1, library)))
    assert found.cad_id == library.of_class("chair")[0].id


@pytest.mark.parametrize(("doubt", "label"), [(0.4, "sofa"), (0.2, "chair")])
def test_a_class_wins_by_sigma_times_its_probability(library, doubt, label):
    sofa = library.of_class("sofa")[0]
    chairs = tuple(m.id for m in library.of_class("chair")[:2])
    scores = {"chair": 0.9 - doubt, "sofa": doubt, OTHER: 0.1}
    obj = thing(1, library, cad_ids=(*chairs, sofa.id), class_scores=scores)

    def judge(feeds):  # sigma: 0.73 for the sofa, 0.27 for others
        return prefers(sofa)(feeds)

    config = AlignConfig(aligner="multi_sparc", n_tried=9)
    (found,) = aligner(library, FakeEngine(judge), config)(*scene(obj))
    sigma = 1 / (1 + np.exp([1.0, -1.0]))
    support = np.array([0.9 - doubt, doubt]) * sigma
    assert found.label == label
    assert found.class_score == pytest.approx(0.9 * support.max() / support.sum())


def test_without_retrieval_models_of_the_class_nearest_in_size_are_tried(library):
    engine = FakeEngine()
    (found,) = aligner(library, engine)(*scene(thing(1, library, cad_ids=())))
    assert library[found.cad_id].label == "chair"


@pytest.mark.parametrize("second, best", [(2.0, 0), (4.0, 1)])
def test_the_second_model_starts_where_the_first_one_came_to_stand(library, second, best):
    def judge(feeds):
        logits = [1.0, 3.0, 0.0, 0.0] if len(feeds["T"]) == 4 else [second]
        return np.array(logits)[:, None] * np.ones(5)

    engine, models = FakeEngine(judge), library.of_class("chair")
    align = aligner(library, engine, AlignConfig(aligner="multi_sparc", n_tried=2))
    (found,) = align(*scene(thing(7, library)))
    first, then = engine.calls
    np.testing.assert_array_equal(then["cad_points"][0], unit_surface(models[1], 50)[0])
    for name in "TRS":
        np.testing.assert_allclose(then[name][0, 0], first[name][1, 0], atol=1e-6)
    assert align.passes == {7: 4 * 4 + 4}
    assert found.cad_id == models[best].id
    assert found.score == pytest.approx(1 / (1 + np.exp(-max(3, second) / 2)))


def test_poses_below_the_smallest_score_are_not_returned(library):
    def judge(feeds):
        return np.where(np.arange(5) == 0, 3.0, -3.0)[None] * np.ones((len(feeds["T"]), 1))

    config = AlignConfig(aligner="multi_sparc", min_score=0.5)
    objects = thing(1, library), thing(2, library, place=1)
    align = aligner(library, FakeEngine(judge), config)
    assert [a.object_id for a in align(*scene(*objects))] == [1]
    assert align.dropped == ()


def nan_in(name, *index):
    def spoil(out):
        out[name][index] = np.nan

    return spoil


@pytest.mark.parametrize("name", ["T_out", "R_out", "S_out", "logit"])
def test_an_initialisation_that_becomes_nan_is_not_chosen(library, name):
    def judge(feeds):
        return np.array([5.0, 1.0, 0.0, 0.0])[:, None] * np.ones(5)

    engine = FakeEngine(judge, nan_in(name, 0, 0))
    (found,) = aligner(library, engine)(*scene(thing(1, library)))
    assert found.score == pytest.approx(1 / (1 + np.exp(-1 / 2)))
    assert np.isfinite(found.T_cam_obj).all()


@pytest.mark.parametrize("name", ["T_out", "R_out", "S_out", "logit"])
def test_an_object_whose_outputs_are_nan_is_dropped_by_name_and_the_others_stay(library, name):
    align = aligner(library, FakeEngine(spoil=nan_in(name, slice(None), 1)))
    objects = [thing(k, library, place=k) for k in (1, 2, 3)]
    assert [a.object_id for a in align(*scene(*objects))] == [1, 3]
    assert [(d.object_id, d.reason) for d in align.dropped] == [(2, "not_finite")]
    align(*scene())
    assert align.dropped == ()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda out: out["S_out"].fill(-1),
        lambda out: out["R_out"].fill(0),
        lambda out: out["R_out"].__imul__(-1),
        lambda out: out["R_out"].fill(np.float32(3e38)),
    ],
)
def test_outputs_that_are_no_poses_are_dropped(library, spoil):
    align = aligner(library, FakeEngine(spoil=spoil))
    assert align(*scene(thing(1, library))) == ()
    assert align.dropped[0].reason == "not_finite"


def test_rounded_rotations_come_out_as_rotations(library):
    def spoil(out):
        out["R_out"] *= 1.002

    (found,) = aligner(library, FakeEngine(spoil=spoil))(*scene(thing(1, library)))
    R = found.T_cam_obj[:3, :3]
    np.testing.assert_allclose(R.T @ R, np.eye(3), atol=1e-9)


@pytest.mark.parametrize(
    ("box", "why"),
    [
        ([700, 10, 900, 90], "lies outside the 640 x 480 image"),
        ([10, -90, 60, 0], "lies outside"),
        ([10, 10, 10, 90], "is empty"),
        ([60, 10, 10, 90], "is empty"),
        ([np.nan, 10, 60, 90], "expected 4 finite numbers"),
    ],
)
def test_an_object_with_an_impossible_box_is_dropped_by_name(library, box, why):
    engine = FakeEngine()
    align = aligner(library, engine)
    bad = dataclasses.replace(thing(3, library), box=np.array(box, np.float32))
    found = align(*scene(thing(1, library), bad))
    assert [a.object_id for a in found] == [1]
    assert [(d.object_id, d.reason) for d in align.dropped] == [(3, "bad_box")]
    assert why in align.dropped[0].text and engine.calls[0]["valid"].sum() == 1


def test_a_box_that_reaches_far_outside_is_cut_and_aligned(library):
    far = Object(1, np.array([-1e9, -50, 1e9, 300], np.float32), np.zeros((0, 3), np.float32),
                 "chair", 1.0, {}, (library.of_class("chair")[0].id,))  # fmt: skip
    (found,) = aligner(library, FakeEngine())(*scene(far))
    assert np.isfinite(found.T_cam_obj).all()


def test_a_mask_without_depth_starts_at_3_m(library):
    frame, segmentation = scene(thing(1, library), z=0.0)
    (found,) = aligner(library, FakeEngine())(frame, segmentation)
    assert found.T_cam_obj[2, 3] == pytest.approx(3.1, abs=0.15)


def test_an_object_without_mask_starts_from_its_boxs_depth(library):
    frame, segmentation = scene(thing(1, library))
    segmentation.instances[:] = 0
    (found,) = aligner(library, FakeEngine())(frame, segmentation)
    assert found.T_cam_obj[2, 3] == pytest.approx(2.1, abs=0.1)


def test_a_class_the_library_lacks_is_dropped_by_name(library):
    chairs = Library(library.of_class("chair"))
    align = aligner(chairs, FakeEngine())
    assert align(*scene(thing(1, library, "sofa"))) == ()
    (dropped,) = align.dropped
    assert dropped.reason == "no_cad" and "sofa" in dropped.text


def test_a_crop_without_points_and_without_retrieval_is_dropped_by_name(library):
    align = aligner(library, FakeEngine())
    bare = Object(1, np.array([0, 0, 90, 90.0]), np.zeros((2, 3), np.float32), "chair", 1.0)
    assert align(*scene(bare)) == ()
    assert align.dropped[0].reason == "bad_crop" and "(2, 3)" in align.dropped[0].text


def test_sizes_that_differ_are_an_error(library):
    frame, segmentation = scene(thing(1, library))
    small = Segmentation(
        segmentation.instances[::2, ::2], segmentation.objects, segmentation.T_grav_cam, None
    )
    with pytest.raises(ValueError, match="instances"):
        aligner(library, FakeEngine())(frame, small)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"objects": 4}, r"'valid': got bool \(5\), expected bool \(4\)"),
        ({"cad_points": 60}, r"'cad_points': got float32 \(5, 50, 3\), expected .*\(5, 60, 3\)"),
        ({"height": 96}, r"'rgb': got float32 \(3, 120, 160\), expected float32 \(3, 96, 160\)"),
    ],
)
def test_a_graph_of_another_configuration_is_refused(changed, why):
    spec = dataclasses.replace(SPEC, **changed)
    with pytest.raises(ValueError, match=f"live.onnx: {why}"):
        AlignLoop(spec, FakeEngine())


def test_a_graph_with_other_inputs_or_a_fixed_number_of_initialisations_is_refused():
    engine = SimpleNamespace(inputs=dict(FakeEngine.inputs), outputs=dict(FakeEngine.outputs))
    engine.inputs["T"] = TensorSpec(np.dtype("float32"), (4, 5, 3))
    with pytest.raises(ValueError, match=r"'T': got float32 \(4, 5, 3\), expected .*A is free"):
        AlignLoop(SPEC, engine)
    del engine.inputs["T"]
    with pytest.raises(ValueError, match=r"inputs: got .* expected .*'T'"):
        AlignLoop(SPEC, engine)
