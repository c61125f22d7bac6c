"""Batch and sparse inputs: every channel by hand, masks, and nothing that becomes NaN."""

from dataclasses import fields, replace

import pytest

torch = pytest.importorskip("torch")

from roomcad_offline.multi_sparc import inputs  # noqa: E402
from roomcad_offline.multi_sparc.batch import Batch, cat  # noqa: E402
from roomcad_offline.multi_sparc.config import InputConfig  # noqa: E402
from roomcad_offline.multi_sparc.pose import (  # noqa: E402
    Pose,
    pose_points,
    rotation_about,
    true_pose,
)

CONFIG = InputConfig(n_bbox=50, n_cad=40)
PATTERN = inputs.sample_pattern(50)


def rows_of(batch, pose=None, config=CONFIG, pattern=PATTERN):
    pose = true_pose(batch) if pose is None else pose
    return inputs.sparse_inputs(inputs.view_of(batch), pose, pattern, config, n_mul=5)


def test_a_wrong_shape_or_type_is_named(make_batch):
    batch = make_batch()
    with pytest.raises(ValueError, match=r"batch.box: expected shape \(2, 3, 4\), got \(2, 3, 5\)"):
        replace(batch, box=torch.zeros(2, 3, 5))
    with pytest.raises(ValueError, match="batch.valid: expected bool, got torch.float32"):
        replace(batch, valid=torch.ones(2, 3))
    with pytest.raises(ValueError, match="batch.symmetry: expected an integer type"):
        replace(batch, symmetry=torch.ones(2, 3))
    with pytest.raises(ValueError, match="batch.up: expected rgb's type torch.float32"):
        replace(batch, up=batch.up.double())


def test_batches_are_picked_repeated_and_joined_by_image(make_batch):
    a, b = make_batch(2, seed=1), make_batch(1, seed=2)
    joined = cat([a, b])
    assert len(joined) == 3 and len(joined[1]) == 1
    for field in fields(Batch):
        assert torch.equal(getattr(joined[2], field.name), getattr(b, field.name))
        assert torch.equal(getattr(a.repeat(2)[[1, 2]], field.name), getattr(a, field.name))
    with pytest.raises(ValueError, match="differ in"):
        cat([a, make_batch(1, points=61)])


def test_the_pattern_covers_the_unit_square_evenly():
    for n in (50, 200, 2000):
        pattern = inputs.sample_pattern(n)
        assert pattern.shape == (n, 2) and pattern.min() >= 0 and pattern.max() < 1
        counts = torch.histogramdd(pattern, [4, 4], range=[0, 1, 0, 1]).hist
        assert (counts - n / 16).abs().max() <= 3 + n / 100


def test_box_rows_hold_the_image_under_the_enlarged_box(make_batch):
    batch = make_batch()
    batch.box[0, 0] = torch.tensor([10.0, 10, 30, 20])
    pattern = torch.tensor([[0.5, 0.5], [0.0, 0.0], [1.0, 1.0]])
    rows, mask = rows_of(batch, config=InputConfig(3, 40), pattern=pattern)
    # 10 % wider: 9..31 and 9.5..20.5; halves are rounded up.
    for i, (u, v) in enumerate([(20, 15), (9, 10), (31, 21)]):
        got = rows[0, 0, i]
        torch.testing.assert_close(got[0:3], batch.rgb[0, :, v, u])
        torch.testing.assert_close(got[3:6], batch.normal[0, :, v, u])
        assert got[6] == batch.depth[0, 0, v, u]
        assert got[7] == (batch.instance[0, v, u] == 1)
        ray = torch.linalg.solve(batch.K[0], torch.tensor([u, v, 1.0]))
        torch.testing.assert_close(got[8:11], ray / ray.norm())
        assert got[11] == 0
    assert mask[0, 0, :3].all()


def test_image_and_cad_rows_agree_where_the_surface_is_seen(make_batch):
    batch = make_batch(points=400)
    rows, mask = rows_of(batch, config=InputConfig(50, 400))
    image, cad = rows[:, :, 50:450], rows[:, :, 450:]
    both = mask[:, :, 50:450] & mask[:, :, 450:] & (image[..., 7] == 1)
    facing = both & ((cad[..., 3:6] * cad[..., 8:11]).sum(-1) < -0.3)
    gap = (image[..., 6] - cad[..., 6])[facing].abs()
    assert gap.numel() > 200 and gap.quantile(0.8) < 0.06
    alike = (image[..., 3:6] * cad[..., 3:6]).sum(-1)[facing]
    assert (alike > 0.99).float().mean() > 0.75
    assert (image[both][:, 11] == 1).all() and (cad[both][:, 11] == 2).all()


def test_cad_rows_by_hand(make_batch):
    batch = make_batch()
    rows, mask = rows_of(batch)
    cad = rows[:, :, 90:]
    points = pose_points(true_pose(batch), batch.cad_points[:, :, :40])
    slots = torch.arange(3) / 4
    for b in range(2):
        for m in range(2):
            assert mask[b, m, 90:].all()
            torch.testing.assert_close(cad[b, m, :, 6], points[b, m, :, 2])
            torch.testing.assert_close(cad[b, m, :, 3:6].norm(dim=-1), torch.ones(40))
            want = torch.nn.functional.normalize(points[b, m], dim=-1)
            torch.testing.assert_close(cad[b, m, :, 8:11], want)
            assert not cad[b, m, :, :3].any() and not cad[b, m, :, 7].any()
            assert (cad[b, m, :, 12] == slots[m]).all()


def test_paired_rows_carry_their_partners_normal_and_the_gap(make_batch):
    batch = make_batch()
    plain, mask = rows_of(batch)
    pose = true_pose(batch)._replace(T=batch.T_gt - torch.tensor([0.0, 0, 0.1]))
    rows, mask = rows_of(batch, pose, InputConfig(50, 40, paired=True))
    plain, _ = rows_of(batch, pose)
    assert torch.equal(rows[..., :13], plain) and not rows[:, :, :50, 13:].any()
    image, cad = rows[:, :, 50:90], rows[:, :, 90:]
    both = mask[:, :, 50:90]
    assert torch.equal(image[both][:, 13:16], cad[both][:, 3:6])
    assert torch.equal(cad[both][:, 13:16], image[both][:, 3:6])
    measured = both & (image[..., 6] > 0)
    want = ((image[..., 6] - cad[..., 6]) / 0.25).clamp(-2, 2)
    torch.testing.assert_close(cad[measured][:, 16], want[measured])
    # The CAD is 10 cm too near, which is what seen points find.
    facing = measured & (image[..., 7] == 1) & ((cad[..., 3:6] * cad[..., 8:11]).sum(-1) < -0.3)
    assert float(cad[facing][:, 16].median()) == pytest.approx(0.4, abs=0.1)
    assert not rows[~mask].any()


def test_rows_tell_where_they_lie_in_the_frame_of_the_object(make_batch):
    batch, config = make_batch(points=400), InputConfig(50, 400, object_frame=True)
    rows, mask = rows_of(batch, config=config)
    plain, _ = rows_of(batch, config=InputConfig(50, 400))
    assert rows.shape[-1] == config.channels == 19 and torch.equal(rows[..., :13], plain)
    image, cad = rows[:, :, 50:450, 13:], rows[:, :, 450:, 13:]
    ahead = mask[:, :, 450:]
    torch.testing.assert_close(cad[ahead][:, :3], batch.cad_points[ahead], atol=1e-5, rtol=0)
    scaled = batch.cad_normals / batch.S_gt[:, :, None]
    want = torch.nn.functional.normalize(scaled, dim=-1)[ahead]
    torch.testing.assert_close(cad[ahead][:, 3:], want, atol=1e-5, rtol=0)
    # At the true pose an image sample lies where its CAD point does, unless that is hidden.
    own = mask[:, :, 50:450] & (plain[:, :, 50:450, 7] == 1)
    facing = own & ((plain[:, :, 450:, 3:6] * plain[:, :, 450:, 8:11]).sum(-1) < -0.3)
    apart = (image - cad)[facing][:, :3].abs().amax(-1)
    assert facing.sum() > 200 and (apart < 0.12).float().mean() > 0.7
    assert not rows[rows[..., 6] == 0][:, 13:16].any() and rows[..., 13:16].abs().max() <= 1.5
    # Turned by a quarter about the vertical: x of the CAD's frame becomes z.
    turned = true_pose(batch)._replace(R=batch.R_gt @ rotation_about(1, torch.tensor(torch.pi / 2)))
    turned = turned._replace(S=torch.ones_like(batch.S_gt))
    moved, _ = rows_of(batch, turned, config)
    unit, got = rows[:, :2, :50, 13:16], moved[:, :2, :50, 13:16]
    metric = unit * batch.S_gt[:, :2, None]
    near = (metric.abs() < 0.7).all(-1) & (unit.abs() < 1.5).all(-1)
    want = torch.stack([-metric[..., 2], metric[..., 1], metric[..., 0]], -1)
    torch.testing.assert_close(got[near], want[near], atol=1e-5, rtol=0)


def test_empty_slots_and_what_lies_outside_are_zero_and_masked(make_batch):
    batch = make_batch()
    rows, mask = rows_of(batch)
    assert not mask[:, 2].any() and not rows[:, 2].any()
    batch.box[0, 0] = torch.tensor([500.0, 500, 600, 600])
    pose = true_pose(batch).map(torch.clone)
    pose.T[0, 0] = torch.tensor([0.0, 0, -3])  # behind the camera
    pose.T[0, 1] = torch.tensor([50.0, 0, 3])  # beside the image
    rows, mask = rows_of(batch, pose)
    assert not mask[0, 0].any() and not rows[0, 0].any()
    assert not mask[0, 1, 50:90].any() and mask[0, 1, 90:].all()
    assert not rows[~mask].any()


def test_no_pose_gives_nan(make_batch):
    batch = make_batch()
    for bad in (0.0, 1e-30, 1e30, -1e30, torch.inf, torch.nan):
        for part in range(3):
            pose = list(true_pose(batch))
            pose[part] = torch.full_like(pose[part], bad)
            rows, mask = rows_of(batch, Pose(*pose))
            assert torch.isfinite(rows).all(), (bad, part)
            assert not rows[~mask].any()


def test_several_initialisations_share_one_table(make_batch):
    batch = make_batch()
    view = inputs.view_of(batch)
    pose = true_pose(batch).map(lambda x: x.repeat_interleave(2, 0))
    once, _ = rows_of(batch)
    twice, _ = inputs.sparse_inputs(view.repeat(2), pose, PATTERN, CONFIG, n_mul=5)
    assert torch.equal(twice, once.repeat_interleave(2, 0))


def test_too_few_cad_points_are_an_error(make_batch):
    with pytest.raises(ValueError, match="cad_points: expected at least 61, got 60"):
        rows_of(make_batch(), config=InputConfig(50, 61))
