"""Losses, sampling and Lamb: numbers by hand, ranges, gradients, and that a network learns."""

import math
from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")
from scipy.spatial.transform import Rotation  # noqa: E402

from roomcad_offline.multi_sparc.config import InputConfig, ModelConfig, NetworkConfig  # noqa: E402
from roomcad_offline.multi_sparc.inputs import sample_pattern, view_of  # noqa: E402
from roomcad_offline.multi_sparc.lamb import Lamb  # noqa: E402
from roomcad_offline.multi_sparc.losses import point_distance, training_losses  # noqa: E402
from roomcad_offline.multi_sparc.network import MultiSparc  # noqa: E402
from roomcad_offline.multi_sparc.pose import (  # noqa: E402
    LOGIT,
    correct,
    pose_errors,
    rotation_about,
    true_pose,
)
from roomcad_offline.multi_sparc.refine import predict  # noqa: E402
from roomcad_offline.multi_sparc.sampling import (  # noqa: E402
    REGIONS,
    SamplingConfig,
    classifier_poses,
    euler,
    update_poses,
)

PATTERN = sample_pattern(40)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def losses_of(output, start, batch, judged):
    return training_losses(output, start, batch, torch.tensor(judged), "2sigmoid")


def test_a_shift_costs_its_length_and_true_poses_cost_nothing(make_batch):
    batch = make_batch()
    true = true_pose(batch)
    zeros = torch.zeros(2, 3, 11)
    assert losses_of(zeros, true, batch, [False, False]).align < 1e-5
    shifted = true._replace(T=true.T + torch.tensor([0.1, -0.2, 0.3]))
    losses = losses_of(zeros, shifted, batch, [False, False])
    assert float(losses.align) == pytest.approx(0.6, abs=1e-5)
    assert float(losses.classify) == 0
    want = point_distance(shifted, true, batch.cad_points)[batch.valid]
    torch.testing.assert_close(want, torch.full((4,), 0.6))


def test_the_judgement_costs_the_cross_entropy_of_the_label(make_batch):
    batch = make_batch()
    start = true_pose(batch).map(torch.clone)
    start.T[0, 0, 2] += 0.3  # wrong
    output = torch.zeros(2, 3, 11)
    output[..., LOGIT] = 1.0
    losses = losses_of(output, start, batch, [True, False])
    right, wrong = math.log(1 + math.exp(-1)), math.log(1 + math.exp(1))
    assert float(losses.classify) == pytest.approx((right + wrong) / 2, abs=1e-5)
    assert losses.label.tolist() == [[False, True, False], [True, True, False]]
    assert float(losses.total) == pytest.approx(float(losses.align + losses.classify))


def test_no_loss_flows_across_the_two_kinds_of_examples(make_batch):
    batch = make_batch()
    start = classifier_poses(batch, generator())
    output = torch.zeros(2, 3, 11, requires_grad=True)
    losses_of(output, start, batch, [True, False]).total.backward()
    judged, updated = output.grad
    assert not judged[:2, :LOGIT].any() and judged[:2, LOGIT].all()
    assert updated[:2, :LOGIT].any(-1).all() and not updated[:2, LOGIT].any()
    assert not output.grad[:, 2].any()  # empty slots
    for judged in ([True, True], [False, False]):
        output.grad = None
        losses_of(output, start, batch, judged).total.backward()
        assert torch.isfinite(output.grad).all()


def test_the_symmetric_truth_next_to_the_start_is_the_target(make_batch):
    batch = make_batch()
    square = batch.S_gt.clone()
    square[..., 2] = square[..., 0]
    batch = replace(batch, S_gt=square)
    true, zeros = true_pose(batch), torch.zeros(2, 3, 11)
    start = true._replace(R=true.R @ rotation_about(1, torch.tensor(torch.pi / 2)))
    plain = losses_of(zeros, start, batch, [False, False])
    batch = replace(batch, symmetry=torch.full((2, 3), 4))
    turned = losses_of(zeros, start, batch, [False, False])
    assert plain.align > 0.2 and turned.align < 1e-5
    assert not plain.label.any() and turned.label[batch.valid].all()


def test_euler_angles_are_tilt_then_azimuth_then_elevation():
    angles = torch.tensor([0.1, -0.5, 0.3], dtype=torch.float64)
    want = Rotation.from_euler("zyx", angles.numpy()).as_matrix()
    torch.testing.assert_close(euler(angles), torch.from_numpy(want))


def test_poses_to_be_judged_come_from_table_3(make_batch):
    assert sum(region.share for region in REGIONS) == pytest.approx(1)
    batch = make_batch(1).repeat(1500)
    valid = batch.valid
    pose, true = classifier_poses(batch, generator()), true_pose(batch)
    shift = (pose.T - true.T)[valid].abs().amax(-1)
    assert shift.max() <= 0.6 and (pose.S / true.S - 1)[valid].abs().max() <= 0.6
    # All within 13 cm: 60 % of regions 1 and 2, and a few others.
    assert (shift < 0.13).float().mean() == pytest.approx(0.634, abs=0.03)
    angle = pose_errors(pose, true, batch.symmetry)[1][valid]
    # Three of four turns of 40 % of the poses.
    assert (angle > torch.pi * 0.36).float().mean() == pytest.approx(0.28, abs=0.03)
    share = correct(pose, true, batch.symmetry)[valid].float().mean()
    assert 0.35 < share < 0.65


def test_poses_to_be_updated_lie_on_a_ray_through_the_box(make_batch):
    batch = make_batch(1).repeat(300)
    config, valid = SamplingConfig(mode="rgb"), batch.valid
    pose = update_poses(batch, config, PATTERN, generator())
    z = pose.T[valid][:, 2]
    assert 1 <= z.min() < 1.1 and 4.9 < z.max() <= 5
    uv = (pose.T @ batch.K.mT)[valid]
    uv, box = uv[:, :2] / uv[:, 2:], batch.box[valid]
    assert (uv >= box[:, :2] - 1e-3).all() and (uv <= box[:, 2:] + 1e-3).all()
    assert pose.S[valid].min() >= 0.3 and pose.S[valid].max() <= 1
    E = (batch.R_gt.mT @ pose.R)[valid].double().numpy()
    angles = Rotation.from_matrix(E).as_euler("zyx", degrees=True)
    assert (abs(angles).max(0) <= [10.01, 45.01, 20.01]).all()
    assert (abs(angles).max(0) >= [9.5, 43, 19]).all()


def test_poses_of_mode_rgbd_start_near_the_surface_within_45_degrees(make_batch):
    batch = make_batch(20)
    valid = batch.valid
    pose = update_poses(batch, SamplingConfig(), PATTERN, generator())
    assert (pose.T - batch.T_gt)[valid].norm(dim=-1).max() < 0.8
    assert (pose.S / batch.size - 1)[valid].abs().max() <= 0.1001
    angle = pose_errors(pose, true_pose(batch), batch.symmetry)[1][valid].rad2deg()
    assert angle.max() < 47 and angle.max() > 30
    assert torch.equal(pose.T[~valid][:, 2], torch.full(((~valid).sum(),), 3.0))


def test_sampling_is_repeatable_and_its_settings_are_checked(make_batch):
    batch = make_batch()
    for mode in ("rgb", "rgbd"):
        a, b = (update_poses(batch, SamplingConfig(mode), PATTERN, generator(5)) for _ in range(2))
        assert all(torch.equal(x, y) for x, y in zip(a, b, strict=True))
    with pytest.raises(ValueError, match="SamplingConfig.mode"):
        SamplingConfig(mode="depth")
    with pytest.raises(ValueError, match="nearest <= farthest"):
        SamplingConfig(nearest=5.0, farthest=1.0)


def test_a_step_of_lamb_by_hand():
    weight = torch.nn.Parameter(torch.tensor([[3.0, 4.0]]))
    vector = torch.nn.Parameter(torch.tensor([3.0, 4.0]))
    optimiser = Lamb([weight, vector], 0.1, betas=(0.9, 0.99), eps=1e-6, weight_decay=0.2)
    for parameter in (weight, vector):
        parameter.grad = torch.tensor([2.0, -1.0]).view(parameter.shape)
    optimiser.step()
    # Bias-corrected, the first direction is the gradient's sign: (1, -1), and for the matrix the
    # decay 0.2·(3, 4) is added: (1.6, -0.2) of length 1.61245; |w| = 5.
    step = 0.1 * 5 / 2.6**0.5
    want = torch.tensor([[3 - step * 1.6, 4 + step * 0.2]])
    torch.testing.assert_close(weight.detach(), want, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(vector.detach(), torch.tensor([2.9, 4.1]), rtol=1e-5, atol=1e-5)
    # Second step with gradient zero: mean 0.9·0.1·g / (1-0.81), square 0.99·0.01·g² / (1-0.9801).
    vector.grad = torch.zeros(2)
    weight.grad = None
    optimiser.step()
    move = 0.1 * (0.09 / 0.19) / (0.0099 / 0.0199) ** 0.5
    torch.testing.assert_close(vector.detach(), torch.tensor([2.9 - move, 4.1 + move]))


def test_lamb_moves_zero_weights_and_refuses_bad_settings():
    weight = torch.nn.Parameter(torch.zeros(2, 2))
    weight.grad = torch.ones(2, 2)
    Lamb([weight], 0.1).step()
    torch.testing.assert_close(weight.detach(), torch.full((2, 2), -0.1), rtol=1e-4, atol=1e-4)
    with pytest.raises(ValueError, match="Lamb"):
        Lamb([weight], -1.0)


def test_a_small_network_learns_four_images(make_batch):
    batch = make_batch(4, points=100)
    torch.manual_seed(0)
    network = MultiSparc(
        ModelConfig(
            NetworkConfig(n_mul=3, n_latent=8, width=48, blocks=2, self_layers=1, ff_mult=2),
            InputConfig(40, 60, paired=True),
        )
    )
    optimiser = torch.optim.Adam(network.parameters(), 3e-3)
    view, judged, draws = view_of(batch), torch.zeros(4, dtype=torch.bool), generator()
    history = []
    for i in range(300):
        if i % 3 == 0:
            pose = update_poses(batch, SamplingConfig(), PATTERN, draws)
        output = predict(network, view, pose, PATTERN)
        losses = training_losses(output, pose, batch, judged, "2sigmoid")
        optimiser.zero_grad()
        losses.total.backward()
        optimiser.step()
        pose = losses.moved
        history.append(losses.align.item())
    assert sum(history[-15:]) < 0.4 * sum(history[:15])
