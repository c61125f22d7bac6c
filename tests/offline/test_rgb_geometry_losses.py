"""Losses, metrics and trivial predictors of depth and normals, by hand."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch: make setup-train")

from roomcad_offline.rgb_geometry.losses import (  # noqa: E402
    angle_between,
    angular_vmf_nll,
    gaussian_nll,
    task_loss,
)
from roomcad_offline.rgb_geometry.metrics import (  # noqa: E402
    DepthMetrics,
    NormalMetrics,
    Sureness,
    expected_and_actual,
)
from roomcad_offline.rgb_geometry.trivial import DepthRows, NormalRows, trivial_map  # noqa: E402


def normals(*vectors):
    """(1, 3, 1, N) unit vectors, float64."""
    v = torch.tensor(vectors, dtype=torch.float64)
    return (v / v.norm(dim=1, keepdim=True)).T[None, :, None]


def values(*numbers):
    return torch.tensor([[numbers]], dtype=torch.float64)


def test_the_gaussian_loss_and_its_gradients_by_hand():
    mean, sigma = values(2.0).requires_grad_(), values(0.5).requires_grad_()
    loss = gaussian_nll(mean, sigma, values(3.0))
    # log 0.5 + (1 / 0.5)^2 / 2 + log(2 pi) / 2
    assert loss.item() == pytest.approx(-0.693147 + 2 + 0.918939, abs=1e-5)
    loss.sum().backward()
    assert mean.grad.item() == pytest.approx(-1 / 0.25)  # (mean - truth) / sigma^2
    assert sigma.grad.item() == pytest.approx(1 / 0.5 - 1 / 0.125)  # 1 / s - (d - m)^2 / s^3


def test_the_normal_loss_and_its_gradients_by_hand():
    angle, kappa = math.radians(30), values(4.0).requires_grad_()
    mean = normals((math.sin(angle), 0, -math.cos(angle))).requires_grad_()
    loss = angular_vmf_nll(mean, kappa, normals((0, 0, -1)))
    q = math.exp(-4 * math.pi)
    want = 4 * angle - math.log(17) + math.log(1 + q) + math.log(2 * math.pi)
    assert loss.item() == pytest.approx(want, abs=1e-9)
    loss.sum().backward()
    assert kappa.grad.item() == pytest.approx(angle - 8 / 17 - math.pi * q / (1 + q), abs=1e-9)
    along = torch.tensor([math.cos(angle), 0, math.sin(angle)], dtype=torch.float64)
    tangent = mean.grad[0, :, 0, 0] @ along  # turning the mean away by 1 rad costs kappa
    assert tangent.item() == pytest.approx(4.0, abs=1e-6)


def test_the_normal_density_integrates_to_one():
    angle = np.linspace(0, np.pi, 100_001)
    truth = normals((0, 0, 1)).expand(1, 3, 1, len(angle))
    t = torch.from_numpy(angle)
    mean = torch.stack([torch.sin(t), 0 * t, torch.cos(t)])[None, :, None]
    for kappa in (0.1, 3.0, 40.0):
        density = torch.exp(-angular_vmf_nll(mean, values(kappa), truth)).numpy()[0, 0]
        assert np.trapezoid(density * 2 * np.pi * np.sin(angle), angle) == pytest.approx(1, 1e-4)


def test_gradients_stay_finite_where_vectors_agree_or_oppose():
    truth = normals((0, 0, 1), (0, 0, 1), (1, 2, 3))
    mean = normals((0, 0, 1), (0, 0, -1), (1, 2, 3)).requires_grad_()
    found = angle_between(mean, truth)
    torch.testing.assert_close(
        found[0, 0], torch.tensor([0, math.pi, 0.0]).double(), atol=2e-6, rtol=0
    )
    found.sum().backward()
    assert torch.isfinite(mean.grad).all() and mean.grad.abs().max() <= 1 + 1e-6


def test_unknown_pixels_change_neither_loss_nor_gradient():
    truth = torch.tensor([[[2.0, 0.0]]])
    mean = torch.tensor([[[2.5, 9.0]]], requires_grad=True)
    loss = task_loss("depth", (mean, torch.ones(1, 1, 2)), truth)
    assert loss.item() == pytest.approx(0.125 + 0.918939, abs=1e-5)
    loss.backward()
    assert mean.grad.tolist() == [[[0.5, 0.0]]]
    nothing = task_loss(
        "normals", (normals((0, 0, 1)), values(1.0)), torch.zeros(1, 3, 1, 1).double()
    )
    assert nothing.item() == 0


def test_depth_metrics_by_hand():
    metrics = DepthMetrics()
    metrics.add(np.array([[2.2, 1.0, 7.0]]), np.array([[2.0, 2.0, 0.0]]))
    metrics.add(np.array([[3.0]]), np.array([[3.0]]))
    metrics.add(np.array([[3.0]]), np.array([[0.0]]))  # nothing known: no image
    got = metrics.result()
    assert got["images"] == 2
    assert got["abs_rel"] == pytest.approx((0.3 + 0) / 2)  # means of 0.1 and 0.5, and of 0
    assert got["rmse"] == pytest.approx(math.sqrt((0.04 + 1) / 2) / 2)
    assert got["delta_1.25"] == pytest.approx((0.5 + 1) / 2)
    assert got["abs_rel_scaled"] == pytest.approx((0.375 + 0) / 2)  # times 2 / 1.6


def test_normal_metrics_by_hand():
    degrees = np.radians([5, 15, 25, 80, 0])
    predicted = np.stack([np.sin(degrees), 0 * degrees, np.cos(degrees)])[:, None]
    truth = np.zeros((3, 1, 5))
    truth[2, 0, :4] = 1
    metrics = NormalMetrics()
    metrics.add(predicted, truth)
    got = metrics.result()
    assert got["mean_deg"] == pytest.approx(31.25)
    assert got["median_deg"] == pytest.approx(15, abs=0.02)
    shares = [got[f"within_{d}_deg"] for d in ("11.25", "22.5", "30")]
    assert shares == [0.25, 0.5, 0.75]


def test_what_is_expected_of_right_uncertainties_is_what_happens():
    rng = np.random.default_rng(0)
    sigma = np.repeat([0.05, 0.5], 50_000).reshape(2, -1)
    truth = 3 + sigma * rng.standard_normal(sigma.shape)
    sureness = Sureness(0.01, 5)
    sureness.add(*expected_and_actual("depth", np.full(sigma.shape, 3.0), sigma, truth))
    rows = sureness.rows()
    assert [row["pixels"] for row in rows] == [50_000, 50_000]
    for row in rows:
        assert row["actual"] == pytest.approx(row["expected"], rel=0.02)


def test_trivial_predictors_are_means_and_commonest_directions_of_rows():
    depth = DepthRows(3)
    depth.add(np.array([[1.0, 3.0], [0, 4.0], [0, 0]]))
    np.testing.assert_allclose(depth.result()["mean_by_row"], [2, 4, 8 / 3])
    normal = NormalRows(2)
    truth = np.zeros((3, 2, 3), np.float32)
    truth[2, 0] = -1
    truth[:, 1] = np.array([[0, -1, 0], [0, -1, 0], [1, 0, 0]]).T
    normal.add(truth)
    got = normal.result()
    np.testing.assert_allclose(got["mean_by_row"][1], np.array([1, -2, 0]) / math.sqrt(5))
    np.testing.assert_allclose(got["commonest_by_row"], [[0, 0, -1], [0, -1, 0]])
    assert trivial_map(got["mean_by_row"], 5).shape == (3, 2, 5)
    assert trivial_map([1.0, 2.0], 4).tolist() == [[1.0] * 4, [2.0] * 4]
