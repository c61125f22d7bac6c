"""The stack's NumPy inputs are those of training, and the whole stack aligns as torch does."""

import copy
import hashlib
import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from roomcad_core.align import make_aligner  # noqa: E402
from roomcad_core.config import AlignConfig  # noqa: E402
from roomcad_core.engine import TensorSpec, check_feeds  # noqa: E402
from roomcad_core.gravity import gravity_frame  # noqa: E402
from roomcad_core.library import Library  # noqa: E402
from roomcad_core.multi_sparc import MultiSparcAligner  # noqa: E402
from roomcad_core.multi_sparc.loop import (  # noqa: E402
    AlignLoop,
    expected_inputs,
    expected_outputs,
    unit_surface,
)
from roomcad_core.multi_sparc.maps import make_maps  # noqa: E402
from roomcad_core.multi_sparc.model_files import AlignSpec  # noqa: E402
from roomcad_core.multi_sparc.normals import RADIUS, normals_from_depth  # noqa: E402
from roomcad_core.multi_sparc.start import SAMPLES, initial_poses, sample_pattern  # noqa: E402
from roomcad_core.types import Frame, Object, Segmentation  # noqa: E402
from roomcad_offline.multi_sparc import inputs, refine  # noqa: E402
from roomcad_offline.multi_sparc.config import preset  # noqa: E402
from roomcad_offline.multi_sparc.network import MultiSparc  # noqa: E402
from roomcad_offline.multi_sparc.pose import Pose  # noqa: E402
from roomcad_offline.multi_sparc.scenes import (  # noqa: E402
    CadBank,
    SceneConfig,
    SceneGenerator,
    Source,
)
from roomcad_offline.multi_sparc.scenes import normals as trained_normals  # noqa: E402
from roomcad_offline.multi_sparc.scenes.window import highest, lowest  # noqa: E402

UPDATES = 2
SPEC = AlignSpec("live", UPDATES, "-", "0" * 64, 5, 200, 160, 120, temperature=1.0)
# Fields of a Batch: what initial poses depend on, and what a reduced picture is compared by.
FIELDS = ("depth", "instance", "K", "box", "size", "up")
SEEN = ("K", "depth", "instance", "rgb", "normal", "box", "valid")


@pytest.mark.parametrize("radius", [1, 2])
def test_normals_are_those_of_training(radius):
    rng = np.random.default_rng(radius)
    K = np.array([[133.0, 0, 31], [0, 135, 22], [0, 0, 1]], np.float32)
    v, u = np.indices((48, 64))
    depth = 2 + 0.01 * u - 0.005 * v + 1.5 * ((u > 20) & (v > 10)) + rng.normal(0, 0.02, u.shape)
    depth[rng.random(u.shape) < 0.2] = 0
    depth = depth.astype(np.float32)
    wanted = trained_normals.normals_from_depth(
        torch.from_numpy(depth)[None], torch.from_numpy(K)[None], radius
    )[0].numpy()
    np.testing.assert_allclose(normals_from_depth(depth, K, radius), wanted, atol=1e-5)
    assert 0.5 < wanted.any(-1).mean() < 1


def test_the_radius_of_normals_is_that_of_training():
    assert SceneConfig().normal_radius == RADIUS


def test_the_sample_pattern_is_that_of_training():
    assert preset("live").inputs.n_bbox == SAMPLES
    assert np.array_equal(sample_pattern(), inputs.sample_pattern(SAMPLES).numpy())


@pytest.mark.parametrize("seed", range(4))
def test_initial_poses_are_those_of_training(make_batch, seed):
    batch = make_batch(images=1, slots=3, seed=seed)
    rng = np.random.default_rng(seed)
    up = np.array([0.0, -1, 0]) + rng.normal(0, 0.3, 3)
    batch.up[:] = torch.from_numpy(up / np.linalg.norm(up))
    batch.depth[0, 0, rng.random(batch.depth.shape[2:]) < 0.3] = 0
    if seed == 1:  # a mask without depth
        batch.depth[0, 0][batch.instance[0] == 1] = 0
    if seed == 2:  # no depth at all
        batch.depth[:] = 0
    if seed == 3:  # boxes that reach beside the image
        batch.box[0] += torch.tensor([-30.0, 10, -30, 40])
    batch.valid[:] = True
    wanted = refine.initial_pose(batch, "rgbd", inputs.sample_pattern(SAMPLES))
    one = SimpleNamespace(**{k: getattr(batch, k)[0].numpy() for k in FIELDS})
    got = initial_poses(one.depth[0], one.instance, one.K, one.box, one.size, one.up, 4)
    for name, array, tensor in zip("TRS", got, wanted, strict=True):
        np.testing.assert_allclose(array, tensor[0].numpy(), atol=1e-5, err_msg=name)


def test_cad_surfaces_are_those_of_training():
    library = Library(Library.load().of_class("toilet")[:2])
    bank = CadBank.build([Source(library)])
    for k, model in enumerate(library):
        points, normals = unit_surface(model, 4096)
        wanted = np.concatenate([bank.points[k].numpy(), bank.normals[k].numpy()], 1)
        got = np.concatenate([points, normals], 1).astype(np.float16)
        # The bank has them in an order of its own.
        got, wanted = (a[np.lexsort(a[:, :3].T)].astype(float) for a in (got, wanted))
        np.testing.assert_allclose(got, wanted, atol=1e-3)


def test_a_reduced_picture_is_the_picture_that_training_draws():
    """One synthetic scene, drawn in full size and then reduced, and drawn at the maps' size."""
    cads = Library.load()
    cads = Library(cads.of_class("chair")[:3] + cads.of_class("table")[:2])
    bank = CadBank.build([Source(cads)])
    small = SceneConfig().ideal()
    large = replace(small, width=640, height=480, min_pixels=16 * small.min_pixels)
    wanted = SceneGenerator(bank, small, seed=3).batch(2)
    full = SceneGenerator(bank, large, seed=3).batch(2)
    for k in range(2):
        maps = reduced(full, k)
        one = {name: getattr(wanted, name)[k].numpy() for name in SEEN}
        np.testing.assert_allclose(maps.K, one["K"], atol=1e-4)
        assert np.isclose(maps.depth, one["depth"][0], rtol=0.01).mean() > 0.93
        differs = maps.ids != one["instance"]
        border = (highest(wanted.instance, 1) != lowest(wanted.instance, 1))[k].numpy()
        assert differs.mean() < 0.05 and differs[~border].mean() < 0.001
        assert np.abs(maps.rgb - one["rgb"]).mean() < 0.02
        # As near to the drawn normals as those that training computes from its own depth.
        own = trained_normals.normals_from_depth(wanted.depth[k], wanted.K[k : k + 1])[0].numpy()
        ours, trained = (agreement(n, one["normal"]) for n in (maps.normal, own.transpose(2, 0, 1)))
        assert ours > trained - 0.05 and trained > 0.6
        boxes = [maps.grid.box(box + 0.5) for box in full.box[k].numpy()]
        np.testing.assert_allclose(boxes, np.where(one["valid"][:, None], one["box"], boxes),
                                   atol=1)  # fmt: skip


def agreement(normal, true):
    """Share of the known normals (3, H, W) within 18 degrees of the true ones."""
    known = normal.any(0) & true.any(0)
    return ((normal * true).sum(0)[known] > 0.95).mean()


def reduced(batch, k):
    """Maps of image `k` of a Batch, taken for a Frame."""
    ids = batch.instance[k].numpy().astype(np.uint16)
    return make_maps(frame_of(batch, k), ids, (120, 160))


def frame_of(batch, k):
    """Frame of image `k` of a Batch."""
    color = (batch.rgb[k].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
    return Frame(0.0, color, batch.depth[k, 0].numpy(), batch.K[k].numpy().astype(float))


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return MultiSparc(preset("live")).eval()


@pytest.fixture(scope="module")
def picture():
    """A synthetic picture as the stack gets it: library, Frame and Segmentation."""
    cads = Library(
        tuple(m for c in ("chair", "sofa", "bin") for m in Library.load().of_class(c)[:1])
    )
    bank = CadBank.build([Source(cads)])
    config = SceneConfig(width=640, height=480, min_pixels=640, clutter=0)
    batch = SceneGenerator(bank, config, seed=1).batch(1)
    objects = [
        Object(10 + slot, batch.box[0, slot].numpy() + 0.5, np.zeros((0, 3)), *named(cads, slot))
        for slot in torch.nonzero(batch.valid[0]).flatten().tolist()
    ]
    ids = batch.instance[0].numpy().astype(np.uint16)
    T_grav_cam = gravity_frame(batch.up[0].numpy())
    segmentation = Segmentation(np.where(ids, ids + 9, 0), tuple(objects), T_grav_cam, None)
    return cads, frame_of(batch, 0), segmentation


def named(cads, slot):
    """label, score, class_scores and cad_ids of an object; which model it is does not matter."""
    model = cads.models[slot % len(cads)]
    return model.label, 1.0, {model.label: 1.0}, (model.id,)


class TorchEngine:
    """The contract of the exported loop, by refine.refine."""

    name = "torch"

    def __init__(self, network, spec):
        self.inputs, self.outputs = (
            {
                name: TensorSpec(np.dtype(d), tuple("axis" if n == "A" else n for n in shape))
                for name, (d, shape) in tensors.items()
            }
            for tensors in (expected_inputs(spec), expected_outputs(spec))
        )
        self._network, self._n = network, spec.updates

    @torch.no_grad()
    def __call__(self, feeds):
        check_feeds("loop", self.inputs, feeds)
        one = {name: torch.from_numpy(array)[None] for name, array in feeds.items()}
        pose = Pose(one.pop("T"), one.pop("R"), one.pop("S"))
        pattern = inputs.sample_pattern(self._network.config.inputs.n_bbox)
        out = refine.refine(self._network, SimpleNamespace(**one), pose, self._n, pattern)
        names = ("T_out", "R_out", "S_out", "logit")
        return {n: x[0].numpy() for n, x in zip(names, (*out[0], out[1]), strict=True)}


@torch.no_grad()
def reference(network, cads, frame, segmentation, n):
    """T, R, S and logit of the best initialisations, all in torch but for the maps."""
    maps = make_maps(frame, segmentation.instances, (120, 160))
    count, points = network.config.network.n_mul, network.config.inputs.n_cad
    rows = {"box": np.zeros((count, 4)), "size": np.ones((count, 3))}
    rows |= {name: np.zeros((count, points, 3)) for name in ("cad_points", "cad_normals")}
    instance = np.zeros(maps.ids.shape)
    for slot, obj in enumerate(segmentation.objects):
        model = cads[obj.cad_ids[0]]
        instance[maps.ids == obj.id] = slot + 1
        rows["box"][slot], rows["size"][slot] = maps.grid.box(obj.box), model.size
        rows["cad_points"][slot], rows["cad_normals"][slot] = unit_surface(model, points)
    up = segmentation.T_grav_cam[2, :3]
    image = {"rgb": maps.rgb, "normal": maps.normal, "depth": maps.depth[None], "K": maps.K}
    arrays = {**rows, **image, "instance": instance, "up": up}
    batch = SimpleNamespace(**{n: torch.tensor(a)[None].float() for n, a in arrays.items()})
    batch.valid = torch.arange(count)[None] < len(segmentation.objects)
    pattern = inputs.sample_pattern(network.config.inputs.n_bbox)
    start = refine.initial_pose(batch, "rgbd", pattern)
    pose, logit = refine.best(*refine.refine(network, batch, start, n, pattern))
    return [x[0].numpy() for x in (*pose, logit)]


def assert_same(found, wanted, objects, atol):
    assert [a.object_id for a in found] == [obj.id for obj in objects]
    T, R, S, logit = wanted
    for slot, a in enumerate(found):
        np.testing.assert_allclose(a.T_cam_obj[:3, 3], T[slot], atol=atol)
        np.testing.assert_allclose(a.T_cam_obj[:3, :3], R[slot], atol=atol)
        np.testing.assert_allclose(a.S, S[slot], atol=atol)
        assert a.score == pytest.approx(1 / (1 + np.exp(-logit[slot])), abs=atol)


@pytest.fixture
def models(network, tmp_path, monkeypatch):
    """A models folder with the exported loop of `network` as aligner `live`, 2 updates."""
    pytest.importorskip("onnxruntime")
    onnx = pytest.importorskip("onnx")
    from roomcad_offline.multi_sparc.export_loop import loop_model

    path = tmp_path / "align_live_n2.onnx"
    onnx.save(loop_model(network, UPDATES, 120, 160), path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    entry = {
        "task": "align",
        "updates": {str(UPDATES): {"onnx": path.name, "sha256": digest}},
        "objects": 5,
        "cad_points": 200,
        "width": 160,
        "height": 120,
        "mode": "rgbd",
        "temperature": 1.0,
    }
    (tmp_path / "manifest.json").write_text(json.dumps({"version": 1, "models": {"live": entry}}))
    monkeypatch.setenv("ROOMCAD_MODELS", str(tmp_path))


def test_the_stack_with_the_exported_loop_aligns_as_torch_does(network, picture, models):
    cads, frame, segmentation = picture
    assert len(segmentation.objects) >= 2
    config = AlignConfig("multi_sparc", updates=UPDATES, engine="onnxruntime", n_tried=1)
    found = make_aligner(config, cads)(frame, segmentation)
    wanted = reference(network, cads, frame, segmentation, UPDATES)
    assert_same(found, wanted, segmentation.objects, 1e-3)
    # The network moved the poses: it is not the start that agrees.
    still = reference(network, cads, frame, segmentation, 0)
    assert np.abs(still[0] - wanted[0]).max() > 0.01


def test_with_weights_of_nan_every_object_is_dropped_by_name(network, picture):
    cads, frame, segmentation = picture
    broken = copy.deepcopy(network)
    with torch.no_grad():
        broken.head[-1].weight.fill_(float("nan"))
    loop = AlignLoop(SPEC, TorchEngine(broken, SPEC))
    align = MultiSparcAligner(AlignConfig(n_tried=1), cads, loop)
    assert align(frame, segmentation) == ()
    assert {d.reason for d in align.dropped} == {"not_finite"}
    assert [d.object_id for d in align.dropped] == [obj.id for obj in segmentation.objects]


def test_masks_and_models_that_nobody_sees_still_give_finite_poses(network, picture):
    cads, frame, segmentation = picture
    unseen = replace(frame, depth=np.zeros_like(frame.depth))
    edge = np.array([-5000.0, -50, 1, 9000], np.float32)
    objects = tuple(replace(obj, box=edge) for obj in segmentation.objects)
    segmentation = replace(segmentation, objects=objects)
    loop = AlignLoop(SPEC, TorchEngine(network, SPEC))
    align = MultiSparcAligner(AlignConfig(n_tried=1), cads, loop)
    found = align(unseen, segmentation)
    assert len(found) == len(objects) and align.dropped == ()
    assert all(np.isfinite(a.T_cam_obj).all() and 0 <= a.score <= 1 for a in found)
