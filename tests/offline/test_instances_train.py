"""The instance network learns a few frames by heart, resumes, is judged, ships and segments."""

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch: make setup-train")
pytest.importorskip("safetensors", reason="training needs safetensors: make setup-train")
pytest.importorskip("onnxruntime")

from roomcad_core.config import SegmentConfig  # noqa: E402
from roomcad_core.datasets import open_dataset  # noqa: E402
from roomcad_core.engine.shipped import shipped_models  # noqa: E402
from roomcad_core.segment import Segmenter  # noqa: E402
from roomcad_core.segment.instances import load_instance_network  # noqa: E402
from roomcad_core.segment.instances.channels import CHANNELS  # noqa: E402
from roomcad_core.segment.instances.model_files import INPUT  # noqa: E402
from roomcad_offline.benchmarks.real.sources import Source  # noqa: E402
from roomcad_offline.cli import main  # noqa: E402
from roomcad_offline.instances.config import (  # noqa: E402
    NetworkConfig,
    SampleConfig,
    TrainConfig,
)
from roomcad_offline.instances.evaluate import judge_methods  # noqa: E402
from roomcad_offline.instances.export import (  # noqa: E402
    answers,
    check_file,
    export,
    input_shapes,
    load_weights,
    save_onnx,
)
from roomcad_offline.instances.network import VoteNetwork  # noqa: E402
from roomcad_offline.instances.train import (  # noqa: E402
    judge,
    load_trained,
    start_weights,
    train,
    widened,
)
from roomcad_offline.instances.views import RoomViews  # noqa: E402
from roomcad_offline.licences import SIMULATED_ONLY, licence_of  # noqa: E402
from roomcad_offline.pointnet.fit import FitConfig  # noqa: E402

FIGURE = {"value": 0.71, "interval_95": [0.6, 0.8]}
JUDGED = ("recall_0.5", "class_right", "both_right", "false_share")
REAL = {"command": "real evaluate",
        "kinds": {"scan": {"frames": dict.fromkeys(JUDGED, FIGURE)}}}  # fmt: skip
SMALL = NetworkConfig(64, 48, (16, 24, 32), (0, 1, 1), (24, 16))
STILL = SampleConfig(flip=0, smallest_window=1, largest_window=1, size=0, tilt=0, floor_error=0,
                     floor_lost=0, holes=0, rough=0, waves=0, bend=0,
                     colour_lost=0, grey=0, swapped=0, shifted=0, light=0, tint=0, shade=0,
                     grain=0)  # fmt: skip


def config(epochs, **changed):
    fit = FitConfig(epochs=epochs, batch=4, learning_rate=0.01, seed=1, bf16=False, save_every=100)
    return TrainConfig(network=SMALL, samples=STILL, fit=fit, **changed)


def test_a_few_frames_are_learnt_by_heart_and_found_by_the_segmenter(tmp_path, write_room):
    rooms = [write_room(tmp_path / "rooms" / f"room{k}", k) for k in range(2)]
    views = RoomViews(
        [Source(r.name, "simulated", r) for r in rooms],
        tmp_path / "cells",
        (48, 64),
        progress=False,
    )
    network, log = train(views, views, tmp_path / "run", config(100))
    assert max(log[-1][name] for name in ("offset", "overlap", "seed")) < 0.03
    assert log[-1]["kinds"] < 0.2 < 1.5 < log[0]["kinds"]
    assert log[-1]["recall"] == 1 and log[-1]["precision"] > 0.9 and log[-1]["mean_iou"] > 0.9
    assert {p.name for p in (tmp_path / "run").iterdir()} == {
        "checkpoint.pt", "config.json", "curves.png", "log.csv"}  # fmt: skip
    export(network, "net", tmp_path / "models")
    finder = load_instance_network("net", "onnxruntime", folder=tmp_path / "models")
    segment = Segmenter(SegmentConfig(), instances=finder)
    found = judge_methods({"net": segment}, rooms)["net"]
    assert (found["objects"], found["recall"], found["precision"]) == (8, 1, 1)
    objects = segment(open_dataset(rooms[0])[0]).objects
    assert len(objects) == 2 and all(len(o.points) > 100 for o in objects)


def test_an_interrupted_run_goes_on_to_the_same_weights(tmp_path, write_room, monkeypatch):
    room = Source("room0", "simulated", write_room(tmp_path / "rooms" / "room0", 0))
    views = RoomViews([room, room], tmp_path / "cells", (48, 64), progress=False)
    short = TrainConfig(network=SMALL, fit=FitConfig(epochs=4, batch=4, bf16=False, save_every=2))
    whole, _ = train(views, views, tmp_path / "whole", short)

    def interrupted(network, views, most):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return judge(network, views, most)

    calls = []
    monkeypatch.setattr("roomcad_offline.instances.train.judge", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(views, views, tmp_path / "parts", short)
    assert len(load_trained(tmp_path / "parts").log) == 2
    resumed, log = train(views, views, tmp_path / "parts", short)
    assert len(log) == 4
    for a, b in zip(whole.parameters(), resumed.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)
    tensors, kinds = start_weights(tmp_path / "parts")
    assert kinds == SMALL.kinds
    torch.testing.assert_close(tensors["head.bias"], resumed.head.bias.detach(), rtol=0, atol=0)
    with pytest.raises(ValueError, match="another config"):
        train(views, views, tmp_path / "parts", config(5))
    with pytest.raises(ValueError, match=r"got 2 frames, expected a batch: 4"):
        few = RoomViews([room], tmp_path / "cells", (48, 64), progress=False)
        train(few, views, tmp_path / "few", short)


def test_the_file_does_what_torch_does_also_for_odd_grids(tmp_path):
    torch.manual_seed(1)
    network = VoteNetwork(NetworkConfig(74, 50, (8, 8, 8, 8, 8), (0, 1, 1, 1, 1), (8, 8, 8, 8)))
    with torch.no_grad():  # gives the batch norms statistics to fold
        for join in network.joins:
            torch.nn.init.normal_(join[1].weight)
        network.train()(torch.rand(2, len(CHANNELS), 50, 74), torch.rand(2, 3, 100, 148))
    network.eval()
    save_onnx(network, tmp_path / "n.onnx")
    assert check_file(network, tmp_path / "n.onnx") < 1e-4
    other = VoteNetwork(network.config).eval()
    with pytest.raises(ValueError, match="differs from torch"):
        check_file(other, tmp_path / "n.onnx")
    network.head.bias.data[3] = np.nan
    with pytest.raises(ValueError, match=r"not finite: head\.bias"):
        save_onnx(network, tmp_path / "bad.onnx")
    assert not (tmp_path / "bad.onnx").exists()


def test_wrong_network_settings_are_refused():
    with pytest.raises(ValueError, match="one decoder level less"):
        NetworkConfig(decoder=(8, 8))
    with pytest.raises(ValueError, match="32 x 32"):
        NetworkConfig(width=16)


def test_the_commands_train_judge_and_ship(tmp_path, write_room, capsys):
    for k in range(4):
        write_room(tmp_path / "train" / f"room{k}", k)
    write_room(tmp_path / "val" / "room0", 9)
    run, models = tmp_path / "run", tmp_path / "models"
    command = ["instances", "train", str(run), "--train", str(tmp_path / "train"),
               "--validation", str(tmp_path / "val"), "--size", "64x48", "--epochs", "1",
               "--batch", "8"]  # fmt: skip
    assert main(command) == 0
    assert "recall" in capsys.readouterr().out
    assert len(list((run / "cells").iterdir())) == 5
    out = tmp_path / "results"
    (tmp_path / "real.json").write_text(json.dumps(REAL))
    ship = ["instances", "ship", str(run), "instances", "--models", str(models),
            "--real", str(tmp_path / "real.json"),
            "--results", str(out / "segmentation.json")]  # fmt: skip
    assert main(ship) == 1
    assert "instances evaluate" in capsys.readouterr().err
    judged = ["instances", "evaluate", "default", str(run), "--rooms", str(tmp_path / "val"),
              "--sequence", str(tmp_path / "val" / "room0"), str(tmp_path / "recorded.png"),
              "--out", str(out)]  # fmt: skip
    assert main(judged) == 0
    record = json.loads((out / "segmentation.json").read_text())
    assert set(record["methods"]) == {"default", "run"}
    assert record["methods"]["default"]["objects"] == 4
    assert {p.name for p in out.iterdir()} == {"segmentation.json", "segmentation.md",
        "segmentation_rooms.png"}  # fmt: skip
    assert (tmp_path / "recorded.png").is_file()
    assert main(ship) == 0
    assert {p.name for p in models.iterdir()} == {
        "manifest.json", "instances.onnx", "instances.safetensors", "instances.md"}  # fmt: skip
    assert [file.task for file in shipped_models(models)] == ["instances"]
    text = (models / "instances.md").read_text()
    assert "| recall, IoU 0.5 | 0.71 (0.60-0.80) |" in text and "of 4 simulated rooms" in text
    licence = json.loads((models / "manifest.json").read_text())["models"]["instances"]["licence"]
    assert licence == SIMULATED_ONLY and f"| licence | {licence} |" in text
    assert "not commercial" in licence_of({"simulated": 3, "scan": 1})
    shipped = load_weights(models / "instances.safetensors")
    feeds = {
        name: np.zeros(shape, np.float32) for name, shape in input_shapes(shipped.config).items()
    }
    wanted = answers(load_trained(run).network, feeds)
    np.testing.assert_array_equal(answers(shipped, feeds)["offset"], wanted["offset"])
    engine = load_instance_network("instances", "onnxruntime", folder=models).engine
    np.testing.assert_allclose(engine(feeds)["seed"], wanted["seed"], atol=1e-4)
    assert main([*command, "--validation", str(tmp_path / "train" / "room0")]) == 1
    assert "is trained on" in capsys.readouterr().err
    assert main([*command[:7], "--size", "64"]) == 1
    assert main([*judged[:2], "nothing", *judged[4:]]) == 1


def test_a_network_that_never_saw_colour_begins_as_it_was(tmp_path):
    torch.manual_seed(0)
    network = VoteNetwork(SMALL).eval()
    first = next(name for name, t in network.state_dict().items() if t.ndim == 4)
    before = {**network.state_dict(), first: network.state_dict()[first][:, :10].clone()}
    start = widened(before, network.state_dict())
    assert (start[first][:, 10:] == 0).all() and start[first].shape[1] == len(CHANNELS)
    network.load_state_dict(start)
    rng = np.random.default_rng(0)
    feeds = {name: rng.uniform(-1, 1, shape).astype(np.float32)
             for name, shape in input_shapes(network.config).items()}  # fmt: skip
    grey = {name: np.zeros_like(array) for name, array in feeds.items()}
    grey[INPUT][:, :10] = feeds[INPUT][:, :10]
    np.testing.assert_array_equal(
        answers(network, feeds)["offset"], answers(network, grey)["offset"]
    )
    with pytest.raises(FileNotFoundError, match="checkpoint"):
        start_weights(tmp_path)
    unlike = widened({"other": torch.zeros(2, 2, 3, 3)}, network.state_dict())
    with pytest.raises(RuntimeError, match="other"):
        network.load_state_dict(unlike)
