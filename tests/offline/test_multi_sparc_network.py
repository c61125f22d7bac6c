"""The network: size, the absorbed form, masks, which object may influence which, and the loop."""

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from roomcad_offline.multi_sparc.batch import cat  # noqa: E402
from roomcad_offline.multi_sparc.config import (  # noqa: E402
    PRESETS,
    InputConfig,
    ModelConfig,
    NetworkConfig,
    config_from_dict,
    preset,
)
from roomcad_offline.multi_sparc.inputs import sample_pattern  # noqa: E402
from roomcad_offline.multi_sparc.network import MultiSparc, parameter_count  # noqa: E402
from roomcad_offline.multi_sparc.pose import Pose, true_pose  # noqa: E402
from roomcad_offline.multi_sparc.refine import (  # noqa: E402
    best,
    initial_pose,
    refine,
    sensed_position,
)

SMALL = NetworkConfig(
    n_mul=3, n_latent=6, width=32, blocks=2, cross_heads=1, self_heads=2, head_width=8, ff_mult=2
)
VARIANTS = {
    "separate": {},
    "joint encoding": {"joint_encoding": True},
    "joint decoding": {"joint_decoding": True},
    "several heads": {"cross_heads": 3},
    "tied": {"tied": True, "blocks": 3},
    "Fourier rows": {"fourier_rows": True},
    "MLP": {"head": "mlp"},
}


def network_of(seed=0, **changes):
    """A small network in float64 none of whose parameters is at a special value."""
    torch.manual_seed(seed)
    network = MultiSparc(ModelConfig(replace(SMALL, **changes), InputConfig(30, 20))).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return network


def rows_mask_valid(images=2, seed=1):
    """Random rows of three slots: one has no row left, one of the last image's is empty."""
    torch.manual_seed(seed)
    rows, mask = torch.randn(images, 3, 70, 13).double(), torch.rand(images, 3, 70) < 0.7
    valid = torch.ones(images, 3, dtype=torch.bool)
    valid[-1, 2] = mask[-1, 2] = mask[0, 1] = False
    return torch.where(mask[..., None], rows, 0.0), mask, valid


def test_parameter_counts_are_the_known_ones():
    # With LayerNorm and one Linear as decoder, GEGLU of four times the width, no Fourier rows.
    assert parameter_count(MultiSparc(preset("main"))) == 10_383_065
    assert parameter_count(MultiSparc(preset("tied"))) == 6_929_983


def test_presets_are_the_papers_settings():
    assert PRESETS["main"].inputs.n_input == 3000
    assert PRESETS["sparse-joint"].network.joint_encoding
    assert PRESETS["mul-10-latents-20"].network.n_mul == 10
    assert config_from_dict({"network": {"n_latent": 40}}) == preset("latents-40")
    with pytest.raises(ValueError, match="no preset 'mian'; there are main"):
        preset("mian")
    with pytest.raises(ValueError, match="n_latents"):
        config_from_dict({"network": {"n_latents": 40}})
    with pytest.raises(ValueError, match="NetworkConfig.head: expected one of linear, mlp"):
        NetworkConfig(head="conv")
    with pytest.raises(ValueError, match="InputConfig.n_cad: expected a whole number"):
        InputConfig(n_cad=0)


@pytest.mark.parametrize("name", VARIANTS)
def test_the_absorbed_form_equals_the_plain_one(name):
    network = network_of(**VARIANTS[name])
    inputs = rows_mask_valid()
    results = {}
    for absorbed in (True, False):
        network.absorbed = absorbed
        network.zero_grad()
        output = network(*inputs)
        output.square().sum().backward()
        results[absorbed] = output, {n: p.grad.clone() for n, p in network.named_parameters()}
    valid = inputs[2]
    torch.testing.assert_close(results[True][0][valid], results[False][0][valid])
    for n, gradient in results[True][1].items():
        torch.testing.assert_close(gradient, results[False][1][n], rtol=1e-5, atol=1e-5, msg=n)


@pytest.mark.parametrize("absorbed", (True, False))
def test_masked_rows_and_empty_slots_do_not_matter(absorbed):
    network = network_of()
    network.absorbed = absorbed
    rows, mask, valid = rows_mask_valid()
    want = network(rows, mask, valid)
    changed = torch.where(mask[..., None], rows, torch.full_like(rows, 7.0).cumsum(-1))
    changed[0, 1] = 0  # all of this object's rows are masked, so that only zeros are defined
    got = network(changed, mask, valid)
    torch.testing.assert_close(got[valid], want[valid])
    torch.testing.assert_close(network(rows[1:, :2], mask[1:, :2], valid[1:, :2]), want[1:, :2])


def test_the_order_of_rows_does_not_matter_and_objects_are_treated_alike():
    network = network_of()
    rows, mask, valid = rows_mask_valid()
    want = network(rows, mask, valid)
    order = torch.randperm(70)
    torch.testing.assert_close(network(rows[:, :, order], mask[:, :, order], valid), want)
    swap = [1, 0, 2]
    torch.testing.assert_close(
        network(rows[:, swap], mask[:, swap], valid[:, swap])[valid[:, swap]],
        want[:, swap][valid[:, swap]],
    )


@pytest.mark.parametrize("blocks", ({}, {"joint_encoding": True}, {"joint_decoding": True}))
def test_objects_of_one_image_influence_each_other_and_no_other_image(blocks):
    network = network_of(**blocks)
    rows, mask, valid = rows_mask_valid()
    rows.requires_grad_()
    network(rows, mask, valid)[1, 0].sum().backward()
    assert rows.grad[1, 1].abs().sum() > 0
    assert rows.grad[0].abs().sum() == 0


def test_more_objects_than_n_mul_are_split():
    network, single = network_of(), network_of(n_mul=1)
    rows, mask, valid = rows_mask_valid()
    six = [x.reshape(1, 6, *x.shape[2:]) for x in (rows, mask, valid)]
    torch.testing.assert_close(network(*six)[0], network(rows, mask, valid).flatten(0, 1))
    alone = single(rows[:, :1], mask[:, :1], valid[:, :1])
    torch.testing.assert_close(single(rows, mask, valid)[:, :1], alone)
    with pytest.raises(ValueError, match="expected a multiple of n_mul = 3 objects, got 4"):
        network(*(x[:, :4] for x in six))
    joint = network_of(joint_encoding=True)
    with pytest.raises(ValueError, match="expected a multiple of n_mul = 3 objects, got 2"):
        joint(rows[:, :2], mask[:, :2], valid[:, :2])


def test_an_image_without_any_object_gives_finite_outputs():
    network = network_of()
    rows, mask, valid = rows_mask_valid()
    zeros = torch.zeros_like(rows), torch.zeros_like(mask), torch.zeros_like(valid)
    assert torch.isfinite(network(*zeros)).all()


def test_bfloat16_stays_near_float32():
    network = network_of().float()
    rows, mask, valid = rows_mask_valid()
    want = network(rows.float(), mask, valid)
    with torch.autocast("cpu", torch.bfloat16):
        got = network(rows.float(), mask, valid)
    assert got.dtype == torch.float32
    torch.testing.assert_close(got[valid], want[valid], rtol=0.05, atol=0.05)


def test_initialisations_of_mode_rgbd_stand_upright_near_the_object(make_batch):
    batch = make_batch(4, seed=3)
    pose = initial_pose(batch, "rgbd", sample_pattern(200))
    assert pose.T.shape == (4, 4, 3, 3)
    valid = batch.valid
    up = (pose.R[..., :, 1] * batch.up[:, None, None]).sum(-1)
    torch.testing.assert_close(up.transpose(1, 2)[valid], torch.ones(valid.sum(), 4))
    offset = (pose.T[:, 0] - batch.T_gt)[valid].norm(dim=-1)
    assert offset.max() < 0.6 and offset.median() < 0.4
    torch.testing.assert_close(pose.S[:, 2][valid], batch.size[valid])
    # Azimuth 0 has its back (+z) towards the camera; the others follow in quarter turns.
    back = (pose.R[..., :, 2] * pose.T).sum(-1).transpose(1, 2)[valid]
    assert (back[:, 0] < -1).all() and (back[:, 2] > 1).all()
    assert (back[:, [1, 3]].abs() < 1e-3).all()


def test_initialisations_of_mode_rgb_use_the_box_alone(make_batch):
    batch = make_batch()
    batch.depth.zero_()
    batch.box[0, 0] = torch.tensor([20.0, 10, 43, 37])  # around the principal point
    pose = initial_pose(batch, "rgb", sample_pattern(50))
    torch.testing.assert_close(pose.T[0, :, 0], torch.tensor([0.0, 0, 3]).expand(4, 3))
    torch.testing.assert_close(pose.S[0, 0, 0], torch.tensor([0.65, 0.65, 0.65]))
    up = pose.R[0, 0, 0, :, 1]
    torch.testing.assert_close(up, torch.tensor([0.0, -(0.75**0.5), -0.5]))
    with pytest.raises(ValueError, match="mode: expected one of rgbd, rgb, got 'depth'"):
        initial_pose(batch, "depth", sample_pattern(50))


def test_a_mask_without_depth_starts_at_the_depth_of_its_box_or_at_3_m(make_batch):
    batch, pattern = make_batch(), sample_pattern(200)
    batch.box[:] = torch.tensor([20.0, 10, 43, 37])
    batch.size[:] = 1e-9  # so that the centre lies on the surface
    batch.depth[0] = torch.where(batch.instance[0, None] == 1, 0.0, 4.0)
    batch.depth[1] = 0.0
    found = sensed_position(batch, pattern)
    assert found[0, 0, 2] == 4.0 and found[1, 0, 2] == 3.0
    torch.testing.assert_close(found[1, 0], torch.tensor([0.0, 0, 3]))


def test_the_loop_is_the_same_for_one_initialisation_or_many(make_batch):
    batch, pattern = make_batch(), sample_pattern(30)
    network = network_of().float().eval()
    start = initial_pose(batch, "rgbd", pattern)
    with torch.no_grad():
        pose, logits = refine(network, batch, start, 2, pattern)
        for i in range(4):
            alone = start.map(lambda x, i=i: x[:, i : i + 1])
            one, logit = refine(network, batch, alone, 2, pattern)
            torch.testing.assert_close(logit[:, 0], logits[:, i], rtol=1e-4, atol=1e-4)
            for a, b in zip(one, pose, strict=True):
                torch.testing.assert_close(a[:, 0], b[:, i], rtol=1e-4, atol=1e-4)
        same, _ = refine(network, batch, start, 0, pattern)
        twice, _ = refine(network, cat([batch, batch]), cat_poses(start, start), 2, pattern)
    assert all(torch.equal(a, b) for a, b in zip(same, start, strict=True))
    torch.testing.assert_close(twice.T[2:], pose.T, rtol=1e-4, atol=1e-4)
    chosen, score = best(pose, logits)
    assert torch.equal(score, logits.amax(1))
    winner = logits[0, :, 1].argmax()
    assert torch.equal(chosen.R[0, 1], pose.R[0, winner, 1])


def cat_poses(a, b):
    return Pose(*map(torch.cat, zip(a, b, strict=True)))


def test_a_network_that_answers_zero_leaves_every_pose(make_batch):
    batch, pattern = make_batch(), sample_pattern(30)
    network = network_of().float()
    with torch.no_grad():
        network.head[-1].weight.zero_()
        network.head[-1].bias.zero_()
        start = true_pose(batch).map(lambda x: x[:, None])
        pose, logits = refine(network, batch, start, 3, pattern)
    for got, want in zip(pose, start, strict=True):
        torch.testing.assert_close(got, want, rtol=1e-5, atol=1e-6)
    assert not logits.any()
