"""Synthetic scenes: what a batch says of poses, masks and boxes agrees with its maps."""

from dataclasses import fields, replace

import cad_bank
import pytest

torch = pytest.importorskip("torch")

from roomcad_offline.multi_sparc.scenes import SceneConfig, SceneGenerator  # noqa: E402
from roomcad_offline.multi_sparc.scenes.camera import project, rays  # noqa: E402
from roomcad_offline.multi_sparc.scenes.window import lowest  # noqa: E402

library, bank = cad_bank.library, cad_bank.bank  # fixtures


@pytest.fixture(scope="module")
def ideal(bank):
    return SceneGenerator(bank, SceneConfig().ideal(), seed=5).batch(24)


@pytest.fixture(scope="module")
def noisy(bank):
    return SceneGenerator(bank, SceneConfig(), seed=5).batch(24)


def posed(batch, points, image, slot):
    """CAD points (P, 3) in the camera frame."""
    scaled = points * batch.S_gt[image, slot]
    return scaled @ batch.R_gt[image, slot].T + batch.T_gt[image, slot]


def valid_slots(batch):
    return batch.valid.nonzero().tolist()


def test_pixels_of_a_mask_lie_on_their_object(ideal):
    view = rays(ideal.K, *ideal.depth.shape[2:])
    for image, slot in valid_slots(ideal):
        mask = ideal.instance[image] == slot + 1
        points = view[image][mask] * ideal.depth[image, 0][mask][:, None]
        unit = (points - ideal.T_gt[image, slot]) @ ideal.R_gt[image, slot]
        outside = (unit.abs() - ideal.S_gt[image, slot] / 2).clamp(min=0)
        assert mask.sum() >= SceneConfig().min_pixels
        assert outside.max() < 0.005


def test_true_cad_points_agree_with_depth_and_normals(ideal):
    errors, cosines, before = [], [], []
    surface = ideal.depth[:, 0]
    nearest = lowest(torch.where(surface > 0, surface, torch.inf), 1)
    for image, slot in valid_slots(ideal):
        points = posed(ideal, ideal.cad_points[image, slot], image, slot)
        normals = (ideal.cad_normals[image, slot] / ideal.S_gt[image, slot]) @ (
            ideal.R_gt[image, slot].T
        )
        normals = normals / normals.norm(dim=1, keepdim=True)
        u, v = project(points[None], ideal.K[image : image + 1])[0].round().long().unbind(1)
        inside = (points[:, 2] > 0.1) & (u >= 0) & (u < 160) & (v >= 0) & (v < 120)
        points, normals, u, v = points[inside], normals[inside], u[inside], v[inside]
        depth = ideal.depth[image, 0, v, u]
        before.append(points[:, 2] < nearest[image, v, u] - 0.03)
        facing = (points * normals).sum(1) / points.norm(dim=1) < -0.2
        seen = (ideal.instance[image, v, u] == slot + 1) & facing & (points[:, 2] < depth + 0.1)
        errors.append((points[:, 2] - depth)[seen].abs())
        cosines.append((normals * ideal.normal[image, :, v, u].T).sum(1)[seen])
    errors, cosines, before = torch.cat(errors), torch.cat(cosines), torch.cat(before)
    assert len(errors) > 2000
    assert (errors < 0.03).float().mean() > 0.93
    assert errors.median() < 0.01
    assert (cosines > 0.9).float().mean() > 0.85
    assert before.float().mean() < 0.005  # nothing is before the depth map


def test_boxes_without_errors_hold_their_mask(ideal):
    for image, slot in valid_slots(ideal):
        v, u = (ideal.instance[image] == slot + 1).nonzero().T
        expected = [u.min() - 0.5, v.min() - 0.5, u.max() + 0.5, v.max() + 0.5]
        assert ideal.box[image, slot].tolist() == [float(e) for e in expected]


def test_detected_boxes_and_masks_differ_from_the_true_ones_but_not_by_much(ideal, noisy):
    # The detector draws after everything else: both batches show the same scenes.
    torch.testing.assert_close(ideal.K, noisy.K)
    both = ideal.valid & noisy.valid & (ideal.T_gt == noisy.T_gt).all(-1)
    assert both.sum() > 20
    a, b = ideal.box[both], noisy.box[both]
    low, high = torch.maximum(a[:, :2], b[:, :2]), torch.minimum(a[:, 2:], b[:, 2:])
    shared = (high - low).clamp(min=0).prod(1)
    union = (a[:, 2:] - a[:, :2]).prod(1) + (b[:, 2:] - b[:, :2]).prod(1) - shared
    iou = shared / union
    assert iou.median() > 0.8 and (iou < 1).all()
    for image, slot in both.nonzero().tolist():
        before = (ideal.instance[image] == slot + 1).sum()
        after = (noisy.instance[image] == slot + 1).sum()
        assert after >= 0.3 * before


def test_room_objects_are_upright_on_one_floor_and_random_ones_lean(bank):
    config = replace(SceneConfig().ideal(), room_share=1.0)
    room = SceneGenerator(bank, config, seed=1).batch(16)
    y_axis = room.R_gt[..., 1][room.valid]
    up = room.up[:, None].expand_as(room.T_gt)
    torch.testing.assert_close(y_axis, up[room.valid])
    bottom = (room.T_gt * up).sum(-1) - room.S_gt[..., 1] / 2
    for image in range(16):
        low = bottom[image][room.valid[image]]
        lowest = low.min() if len(low) else torch.tensor(0.0)
        raised = low > lowest + 1e-3
        assert raised.float().sum() <= 3  # monitors on tables and walls
    random = SceneGenerator(bank, replace(config, room_share=0.0), seed=1).batch(16)
    up = random.up[:, None].expand_as(random.T_gt)
    lean = (random.R_gt[..., 1] * up).sum(-1)[random.valid].clamp(max=1).acos()
    assert 0.02 < lean.max() <= 1.5 * config.random_tilt


def test_empty_slots_are_last_and_harmless(noisy):
    assert not noisy.valid.all()
    assert (noisy.valid.int().diff(dim=1) <= 0).all()
    empty = ~noisy.valid
    assert (noisy.box[empty] == 0).all()
    assert (noisy.T_gt[empty] == torch.tensor([0.0, 0, 1])).all()
    for image in range(len(noisy)):
        assert noisy.instance[image].max() <= noisy.valid[image].sum()


def test_missed_objects_leave_their_slot_but_not_the_picture(bank):
    config = SceneConfig().ideal()
    shown = SceneGenerator(bank, config, seed=2).batch(6)
    hidden = SceneGenerator(bank, replace(config, missed=1.0), seed=2).batch(6)
    assert shown.valid.any() and not hidden.valid.any()
    assert (hidden.instance == 0).all()
    torch.testing.assert_close(hidden.depth, shown.depth)


def test_cameras_are_those_of_the_config(noisy):
    config = SceneConfig()
    focal = noisy.K[:, 0, 0] * 640 / config.width
    assert (focal >= config.focal_low).all() and (focal <= config.focal_high).all()
    assert ((noisy.K[:, 0, 2] - 79.5).abs() <= config.centre_shift * 160).all()
    torch.testing.assert_close(noisy.up.norm(dim=1), torch.ones(len(noisy)))


def test_symmetric_objects_keep_their_symmetry(noisy):
    assert set(noisy.symmetry.flatten().tolist()) <= {1, 2, 4, 36}
    turned = noisy.valid & (noisy.symmetry > 2)
    factor = noisy.S_gt / noisy.size
    torch.testing.assert_close(factor[turned][:, 0], factor[turned][:, 2])
    config = SceneConfig()
    assert (factor > config.scale_low - 1e-3).all() and (factor < config.scale_high + 1e-3).all()
    assert (noisy.size >= noisy.size_low).all() and (noisy.size <= noisy.size_high).all()


def test_noise_leaves_holes_and_grows_with_distance(ideal, noisy):
    measured = (noisy.depth > 0) & (ideal.depth > 0)
    error = (noisy.depth - ideal.depth).abs()
    near = error[measured & (ideal.depth < 1.5)].quantile(0.5)
    far = error[measured & (ideal.depth > 3) & (ideal.depth < 5)].quantile(0.5)
    assert 0 < near < 0.01 and far > 3 * near
    assert ((noisy.depth == 0) & (ideal.depth > 0)).float().mean() > 0.02
    assert ideal.depth.dtype == torch.float32


def test_equal_seeds_give_equal_batches_and_steps_and_ranks_differ(bank):
    config = SceneConfig(width=64, height=48)
    first = SceneGenerator(bank, config, seed=3).batch(4, step=7)
    again = SceneGenerator(bank, config, seed=3)
    for f in fields(first):
        assert torch.equal(getattr(first, f.name), getattr(again.batch(4, step=7), f.name)), f.name
    assert not torch.equal(first.depth, again.batch(4, step=8).depth)
    other = SceneGenerator(bank, config, seed=3, rank=1)
    assert not torch.equal(first.depth, other.batch(4, step=7).depth)
    assert torch.equal(first.depth, next(again.batches(4, first=7)).depth)


OFF = {
    "depth_noise": 0.0, "holes": 0.0, "texture": 0.0, "exposure": 0.0, "grain": 0.0,
    "mask_warp": 0.0, "mask_grow": 0.0, "mask_bleed": 0.0, "mask_holes": 0.0, "clutter": 0,
    "others": 0, "wall_share": 0.0, "bare_share": 1.0, "clean_share": 0.0, "missed": 0.0,
}  # fmt: skip
MOST = {
    "depth_noise": 10.0, "holes": 10.0, "texture": 1.0, "exposure": 2.0, "grain": 1.0,
    "mask_warp": 10.0, "mask_grow": 1.0, "mask_bleed": 1.0, "mask_holes": 1.0, "clutter": 30,
    "others": 8, "random_tilt": 1.0, "random_roll": 3.2, "box_jitter": 1.0, "box_amodal": 1.0,
    "min_pixels": 1, "min_seen": 0.0, "fewest": 5, "normal_noise": 1.0,
}  # fmt: skip


@pytest.mark.parametrize(
    "changed",
    [
        OFF,
        MOST,
        {"n_mul": 1, "others": 0, "room_share": 0.0},
        {"n_mul": 1, "others": 4, "room_share": 1.0},
        {"predicted_share": 1.0, "clean_share": 0.0, "depth_normals": 1.0},
        {"width": 16, "height": 12, "points": 1},
        {"nearest": 0.3, "farthest": 0.5, "room_low": 0.5, "room_high": 1.0},
    ],
    ids=lambda changed: next(iter(changed)) + str(len(changed)),
)
def test_every_configuration_gives_finite_batches_in_range(bank, changed):
    batch = SceneGenerator(bank, replace(SceneConfig(width=64, height=48), **changed)).batch(6)
    for f in fields(batch):
        assert torch.isfinite(getattr(batch, f.name).float()).all(), f.name
    assert batch.rgb.min() >= 0 and batch.rgb.max() <= 1
    assert batch.depth.min() >= 0
    length = batch.normal.norm(dim=1)
    assert ((length < 1e-6) | ((length - 1).abs() < 1e-4)).all()
    assert (batch.box[..., 2:] >= batch.box[..., :2]).all()
    assert batch.instance.min() >= 0 and batch.instance.max() <= batch.valid.shape[1]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_the_same_code_runs_on_a_gpu(bank):
    generator = SceneGenerator(bank.to("cuda"), SceneConfig())
    batch, again = generator.batch(8), generator.batch(8)
    assert batch.device.type == "cuda" and batch.valid.any()
    assert torch.equal(batch.depth, again.depth)
