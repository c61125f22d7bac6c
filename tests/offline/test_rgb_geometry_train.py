"""Training depth and normal networks: a few images are learnt by heart, runs resume and ship."""

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch: make setup-train")
pytest.importorskip("safetensors", reason="training needs safetensors: make setup-train")

from roomcad_core.rgb_geometry import load_depth_network  # noqa: E402
from roomcad_offline.cli import main  # noqa: E402
from roomcad_offline.rgb_geometry.config import (  # noqa: E402
    NetworkConfig,
    SampleConfig,
    TrainConfig,
)
from roomcad_offline.rgb_geometry.encoders import (  # noqa: E402
    EfficientNetLite0,
    MobileNetV2,
    ResNet18,
    load_efficientnet,
    load_torchvision,
    old_names,
)
from roomcad_offline.rgb_geometry.export import load_weights, save_onnx  # noqa: E402
from roomcad_offline.rgb_geometry.losses import task_loss  # noqa: E402
from roomcad_offline.rgb_geometry.metrics import make_metrics  # noqa: E402
from roomcad_offline.rgb_geometry.network import GeometryNetwork  # noqa: E402
from roomcad_offline.rgb_geometry.samples import Samples  # noqa: E402
from roomcad_offline.rgb_geometry.scenes import View  # noqa: E402
from roomcad_offline.rgb_geometry.ship import check_file  # noqa: E402
from roomcad_offline.rgb_geometry.train import Trainer  # noqa: E402
from roomcad_offline.weights import save_weights  # noqa: E402

SMALL = {"thin": 0.25, "decoder": (16, 16, 16, 16), "width": 64, "height": 48}
STEPS = 180
K = np.array([[57.6, 0, 31.5], [0, 57.6, 23.5], [0, 0, 1]])


class Views(list):
    """Views in a list, as Images are."""

    def check(self, task):
        pass


@pytest.fixture(scope="module")
def views():
    """Four pictures of a coloured block before a wall, each with depth and normals."""
    rng = np.random.default_rng(2)
    made = Views()
    for _ in range(4):
        color = np.full((48, 64, 3), 60, np.uint8)
        depth = np.full((48, 64), 3, np.float32)
        normal = np.zeros((48, 64, 3), np.float32)
        normal[..., 2] = -1
        x, y = 2 * rng.integers(2, 14), 2 * rng.integers(2, 8)  # whole pixels of the maps
        block = np.s_[y : y + 24, x : x + 28]
        color[block], depth[block] = rng.integers(120, 255, 3), rng.uniform(1, 2)
        normal[block] = [0.6, 0, -0.8]
        made.append(View(color, K, depth, normal))
    return made


@pytest.mark.parametrize("task", ["depth", "normals"])
def test_a_few_images_are_learnt_by_heart(views, task):
    torch.manual_seed(0)
    larger = SMALL | {"thin": 0.5, "decoder": (32, 32, 24, 24)}
    network = GeometryNetwork(NetworkConfig(task, **larger)).train()
    samples = Samples(views, network.config, SampleConfig())
    rgb, truth, _ = (torch.stack(t) for t in zip(*(samples[0, i] for i in range(4)), strict=True))
    optimiser = torch.optim.AdamW(network.parameters(), 3e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=STEPS)
    for _ in range(STEPS):
        loss = task_loss(task, network(rgb), truth)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
    metrics = make_metrics(task)
    # Of the batch itself: statistics over the four pixels that the deepest layer has of a picture
    # are too rough to be carried over.
    for predicted, true in zip(network(rgb)[0].detach().numpy(), truth.numpy(), strict=True):
        metrics.add(predicted, true)
    got = metrics.result()
    if task == "depth":
        assert got["abs_rel"] < 0.015 and got["delta_1.25"] > 0.99
    else:
        assert got["mean_deg"] < 1 and got["within_11.25_deg"] > 0.99


@pytest.fixture
def trainer(views, tmp_path):
    network = NetworkConfig("depth", **SMALL)

    def make(folder="run", **changed):
        config = TrainConfig(network, **{"epochs": 2, "images": 2, "log_every": 1} | changed)
        training = Samples(views, network, config.samples, config.seed)
        fixed = Samples(views, network, config.samples)
        return Trainer(config, training, fixed, tmp_path / folder)

    return make


def test_an_interrupted_run_goes_on_to_the_same_weights(trainer):
    whole = trainer("whole")
    whole.run()
    parts = trainer("parts")
    loader = iter(parts._loader())
    for _ in range(3):  # into the second epoch
        parts.train_step(next(loader))
    parts.log.append(parts._row([1.0], 1.0))
    parts._save()
    resumed = trainer("parts")
    assert resumed.step == 3
    resumed.run()
    assert resumed.step == whole.step == 4
    for a, b in zip(whole.network.parameters(), resumed.network.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


def test_the_rate_rises_to_the_highest_and_falls_to_almost_nothing(trainer):
    run, rates = trainer(epochs=10), []
    for _ in range(run.steps):
        rates.append(run.optimiser.param_groups[0]["lr"])
        run.optimiser.step()
        run.schedule.step()
    assert len(rates) == 20 and rates.index(max(rates)) == 5  # after 30 % of the steps
    want = [3.5e-4 / 25, 3.5e-4, 3.5e-4 / 25e4]
    assert [rates[0], rates[5], rates[-1]] == pytest.approx(want)


def test_a_folder_holds_one_run(trainer):
    trainer()
    with pytest.raises(ValueError, match="weight_decay"):
        trainer(weight_decay=0.5)


@pytest.mark.parametrize("encoder", ["mobilenet_v2", "resnet18"])
@pytest.mark.parametrize("task", ["depth", "normals"])
def test_the_onnx_file_does_what_torch_does_also_for_odd_sizes(tmp_path, encoder, task):
    pytest.importorskip("onnxruntime")
    torch.manual_seed(1)
    odd = SMALL | {"encoder": encoder, "width": 74, "height": 50}
    network = GeometryNetwork(NetworkConfig(task, **odd))
    with torch.no_grad():  # gives the batch norms statistics to fold
        network.train()(torch.rand(2, 3, 50, 74))
    network.eval()
    save_onnx(network, tmp_path / "n.onnx")
    assert check_file(network, tmp_path / "n.onnx") < 1e-4
    save_weights(network, tmp_path / "n.safetensors", {"run": "x"})
    again = load_weights(tmp_path / "n.safetensors")
    assert again.config == network.config
    rgb = torch.rand(1, 3, 50, 74)
    torch.testing.assert_close(again(rgb)[0], network(rgb)[0], rtol=0, atol=0)
    other = GeometryNetwork(NetworkConfig(task, **odd)).eval()
    with pytest.raises(ValueError, match="differs from torch"):
        check_file(other, tmp_path / "n.onnx")


def test_encoders_take_torchvisions_weights_and_refuse_others(tmp_path):
    from safetensors.torch import save_file

    for made, name, shape in (
        (MobileNetV2(), "features.14.conv.1.0.weight", (576, 1, 3, 3)),
        (ResNet18(), "layer2.0.downsample.0.weight", (128, 64, 1, 1)),
    ):
        state = {k: torch.full_like(v, 0.5) for k, v in made.state_dict().items()}
        assert state[name].shape == shape  # torchvision's names
        extra = {"classifier.1.weight": torch.zeros(2, 2), "fc.weight": torch.zeros(2, 2)}
        given = {k: v for k, v in state.items() if "num_batches" not in k}
        save_file(given | extra, tmp_path / "w.safetensors")
        load_torchvision(made, tmp_path / "w.safetensors")
        assert (made.state_dict()[name] == 0.5).all()
    with pytest.raises(ValueError, match="not the weights of MobileNetV2"):
        load_torchvision(MobileNetV2(), tmp_path / "w.safetensors")
    with pytest.raises(ValueError, match=r"\.safetensors"):
        load_torchvision(MobileNetV2(), tmp_path / "w.pth")


def test_efficientnet_is_filled_by_the_names_of_its_package(tmp_path):
    """Names and shapes as `efficientnet-lite0-57934424.pth` has them."""
    from safetensors.torch import save_file

    made = EfficientNetLite0()
    assert made.widths == [16, 24, 40, 112, 320]
    features = made(torch.zeros(1, 3, 32, 64))
    assert [tuple(f.shape[2:]) for f in features] == [(16, 32), (8, 16), (4, 8), (2, 4), (1, 2)]
    names = dict(old_names(made))
    assert names["features.1.conv.0.0.weight"] == "_blocks.0._depthwise_conv.weight"
    assert names["features.16.conv.1.1.running_var"] == "_blocks.15._bn1.running_var"
    state = {name: torch.full_like(t, 0.5) for name, t in made.state_dict().items()}
    given = {names[name]: t for name, t in state.items()} | {"_fc.weight": torch.zeros(2, 2)}
    save_file(given, tmp_path / "w.safetensors")
    load_efficientnet(made, tmp_path / "w.safetensors")
    assert (made.state_dict()["features.9.conv.2.weight"] == 0.5).all()
    assert made.features[3].conv[0][1].eps == 1e-3
    del given["_bn0.weight"]
    save_file(given, tmp_path / "w.safetensors")
    with pytest.raises(ValueError, match="not the weights of EfficientNetLite0: 1 of"):
        load_efficientnet(made, tmp_path / "w.safetensors")


def test_the_commands_train_judge_and_ship(tmp_path, write_recording, capsys):
    pytest.importorskip("onnxruntime")
    rng = np.random.default_rng(0)
    for name in ("train/a", "train/b", "val/c"):
        depths = [np.full((48, 64), z, np.float32) for z in (1.5, 2.5)]
        colors = rng.integers(0, 255, (2, 48, 64, 3), np.uint8)
        write_recording(tmp_path / name, K, depths, colors)
    run, data = tmp_path / "run", tmp_path / "train"
    train = ["rgb", "train-depth", str(run), "--train", str(data), "--size", "64x48",
             "--validation", str(tmp_path / "val"), "--epochs", "1", "--images", "2"]  # fmt: skip
    assert main(train) == 0
    assert {p.name for p in run.iterdir()} >= {"log.csv", "curves.png", "config.json"}
    assert (
        main(
            ["rgb", "ship", str(run), "d", "--models", str(tmp_path / "models"), "--licence", "CC0"]
        )
        == 1
    )
    assert "rgb evaluate" in capsys.readouterr().err
    assert main(["rgb", "evaluate", str(run), str(tmp_path / "val")]) == 0
    found = json.loads((run / "val" / "results.json").read_text())
    assert found["mean_by_row"]["abs_rel"] > 0.15  # 2 m, of 1.5 and 2.5
    assert {p.name for p in (run / "val").iterdir()} == {
        "results.json", "uncertainty.png", "examples.png"}  # fmt: skip
    report = ["rgb", "report", str(run), "--out", str(tmp_path / "out")]
    assert main(report) == 0
    assert not list((tmp_path / "out").glob("*examples*"))  # they may be nobody's to show
    assert main([*report, "--examples", "val"]) == 0
    (record,) = json.loads((tmp_path / "out" / "rgb.json").read_text())
    gain = 1 - found["network"]["abs_rel"] / found["mean_by_row"]["abs_rel"]
    assert record["margin"] == pytest.approx(gain) and record["held"] == (gain >= 0.1)
    assert "![depth, val](rgb_depth_val_examples.png)" in (tmp_path / "out" / "rgb.md").read_text()
    assert (tmp_path / "out" / "rgb_depth_val_uncertainty.png").is_file()
    assert (
        main(
            ["rgb", "ship", str(run), "d", "--models", str(tmp_path / "models"), "--licence", "CC0"]
        )
        == 0
    )
    network = load_depth_network("d", "onnxruntime", folder=tmp_path / "models")
    torch_network = load_weights(tmp_path / "models" / "rgb_d.safetensors")
    rgb = rng.integers(0, 255, (48, 64, 3), np.uint8)
    wanted = torch_network(torch.from_numpy(rgb.transpose(2, 0, 1)[None] / np.float32(255)))
    np.testing.assert_allclose(network.maps(rgb)[0], wanted[0][0].detach(), atol=1e-4)
    assert network(rgb)[0].shape == (48, 64)
    card = (tmp_path / "models" / "rgb_d.md").read_text()
    assert "| mean_by_row |" in card and "| licence | CC0 |" in card
    assert main([*train, "--validation", str(data / "a")]) == 1
    assert main([*train[:6], "64", *train[7:]]) == 1
