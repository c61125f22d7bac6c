"""The torch PointNet: the fast pooling is exact, training resumes exactly, exports agree."""

import copy
import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch: make setup-train")
pytest.importorskip("safetensors", reason="make setup-train")

from roomcad_core.engine import make_engine  # noqa: E402
from roomcad_offline.pointnet.export import load_weights, save_onnx, save_weights  # noqa: E402
from roomcad_offline.pointnet.fit import FitConfig, fit  # noqa: E402
from roomcad_offline.pointnet.network import PointNet, parameter_count  # noqa: E402
from roomcad_offline.pointnet.pooled import pooled_linear_norm  # noqa: E402

SMALL = {"widths": (3, 8, 16), "head": (8,)}


@pytest.fixture
def layer():
    """Linear and batch norm in float64, with gains of both signs."""
    torch.manual_seed(1)
    linear, norm = torch.nn.Linear(5, 7).double(), torch.nn.BatchNorm1d(7).double()
    with torch.no_grad():
        norm.weight.copy_(torch.randn(7))
        norm.bias.copy_(torch.randn(7))
    return linear, norm


def trained_like(network, seed=0):
    """The network with statistics and gains as after training, some gains negative."""
    torch.manual_seed(seed)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            torch.nn.init.uniform_(module.weight, -1, 1)
            torch.nn.init.uniform_(module.bias, -1, 1)
            module.running_mean.uniform_(-0.5, 0.5)
            module.running_var.uniform_(0.5, 1.5)
    return network.eval()


def test_the_post_s_network_has_972_thousand_parameters():
    assert parameter_count(PointNet(8)) == 971_720
    assert parameter_count(PointNet(40)) == 979_944


def test_pooling_without_the_layer_output_gives_the_plain_values_and_gradients(layer):
    linear, norm = layer
    plain_norm = copy.deepcopy(norm)
    h = torch.randn(3, 11, 5, dtype=torch.float64, requires_grad=True)
    fast = pooled_linear_norm(h, linear, norm)
    plain = plain_norm(linear(h).flatten(0, 1)).view(3, 11, 7).amax(1)
    torch.testing.assert_close(fast, plain)
    towards = torch.randn_like(plain)
    got = torch.autograd.grad(fast, [h, linear.weight, norm.weight, norm.bias], towards)
    expected = torch.autograd.grad(
        plain, [h, linear.weight, plain_norm.weight, plain_norm.bias], towards
    )
    for g, e in zip(got, expected, strict=True):
        torch.testing.assert_close(g, e)
    torch.testing.assert_close(norm.running_mean, plain_norm.running_mean)
    torch.testing.assert_close(norm.running_var, plain_norm.running_var)


def test_evaluation_does_not_depend_on_the_order_of_points_or_on_the_batch():
    network = trained_like(PointNet(4, **SMALL))
    points = torch.randn(3, 20, 3)
    with torch.no_grad():
        together = network(points)
        alone = network(points[1:2, torch.randperm(20)])
    torch.testing.assert_close(together[1:2], alone)


def two_blobs(n):
    """n clouds of two classes: flat and upright."""
    rng = np.random.default_rng(0)
    labels = rng.integers(2, size=n)
    points = rng.normal(size=(n, 16, 3)).astype(np.float32)
    points[labels == 0] *= (1, 1, 0.05)
    points[labels == 1] *= (0.05, 1, 1)
    return torch.from_numpy(points), torch.from_numpy(labels)


def run_fit(folder, epochs, stop_at=None):
    """Fit a small network; `stop_at`: raise in that epoch, as an interruption does."""
    points, labels = two_blobs(64)
    torch.manual_seed(0)
    network = PointNet(2, **SMALL)

    def batches(rng):
        order = torch.from_numpy(rng.permutation(64))
        for index in order.split(16):
            yield points[index], labels[index]

    calls = []

    def loss_of(network, batch):
        calls.append(1)
        if stop_at is not None and len(calls) > 4 * stop_at:
            raise KeyboardInterrupt
        logits = network(batch[0]).float()
        loss = torch.nn.functional.cross_entropy(logits, batch[1])
        return loss, {"accuracy": (logits.argmax(1) == batch[1]).float().mean()}

    config = FitConfig(epochs=epochs, batch=16, save_every=2)
    return network, fit(network, batches, loss_of, config, folder)


def test_training_learns_and_writes_its_configuration(tmp_path):
    network, log = run_fit(tmp_path / "run", 40)
    assert log[-1]["accuracy"] > 0.9 > log[0]["accuracy"]
    assert json.loads((tmp_path / "run" / "config.json").read_text())["epochs"] == 40
    assert len((tmp_path / "run" / "log.csv").read_text().splitlines()) == 41


def test_an_interrupted_training_goes_on_to_the_same_weights(tmp_path):
    whole, _ = run_fit(tmp_path / "whole", 6)
    with pytest.raises(KeyboardInterrupt):
        run_fit(tmp_path / "parts", 6, stop_at=3)
    resumed, log = run_fit(tmp_path / "parts", 6)
    assert [row["epoch"] for row in log] == list(range(6))
    for a, b in zip(whole.parameters(), resumed.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


def test_a_folder_with_another_configuration_is_refused(tmp_path):
    run_fit(tmp_path / "run", 2)
    with pytest.raises(ValueError, match="another config"):
        run_fit(tmp_path / "run", 3)


@pytest.mark.parametrize("extra", [0, 4])
def test_onnx_agrees_with_torch_to_1e_4(tmp_path, extra):
    network = trained_like(PointNet(12, extra=extra))
    save_onnx(network, tmp_path / "net.onnx")
    rng = np.random.default_rng(0)
    feeds = {"points": rng.uniform(-1, 1, (5, 200, 3)).astype(np.float32)}
    if extra:
        feeds["extra"] = rng.normal(size=(5, extra)).astype(np.float32)
    out = make_engine(tmp_path / "net.onnx", "onnxruntime")(feeds)
    tensors = [torch.from_numpy(a) for a in feeds.values()]
    with torch.no_grad():
        embedding = network.features(network.pool(tensors[0]), *tensors[1:])
        logits = network.classifier(embedding)
    assert np.abs(out["logits"] - logits.numpy()).max() < 1e-4
    assert np.abs(out["embedding"] - embedding.numpy()).max() < 1e-4


def test_weights_come_back_and_do_not_fit_another_network(tmp_path):
    network = trained_like(PointNet(4, **SMALL))
    save_weights(network, tmp_path / "w.safetensors")
    again = load_weights(PointNet(4, **SMALL), tmp_path / "w.safetensors")
    points = torch.randn(2, 9, 3)
    with torch.no_grad():
        torch.testing.assert_close(again(points), network(points))
    with pytest.raises(ValueError, match=r"w\.safetensors"):
        load_weights(PointNet(5, **SMALL), tmp_path / "w.safetensors")
