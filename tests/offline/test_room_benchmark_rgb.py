"""The room benchmark from colour alone: what is predicted is all that the methods see."""

import dataclasses
import json
import logging

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the benchmark needs torch: make setup-train")
pytest.importorskip("open3d")

from roomcad_core.config import RgbConfig  # noqa: E402
from roomcad_core.library import Library  # noqa: E402
from roomcad_core.multi_sparc.start import initial_poses  # noqa: E402
from roomcad_core.rgb_geometry import RgbGeometry  # noqa: E402
from roomcad_offline.cli import main  # noqa: E402
from roomcad_offline.evaluation.roca_files import read_per_frame  # noqa: E402
from roomcad_offline.multi_sparc import config as configs  # noqa: E402
from roomcad_offline.multi_sparc.network import MultiSparc  # noqa: E402
from roomcad_offline.multi_sparc.train import TrainConfig  # noqa: E402
from roomcad_offline.rgb_geometry.config import NetworkConfig, SampleConfig  # noqa: E402
from roomcad_offline.rgb_geometry.engine import trained_network  # noqa: E402
from roomcad_offline.rgb_geometry.network import GeometryNetwork  # noqa: E402
from roomcad_offline.room_benchmark.build import build  # noqa: E402
from roomcad_offline.room_benchmark.config import BenchmarkConfig  # noqa: E402
from roomcad_offline.room_benchmark.frames import DetectedFrames  # noqa: E402
from roomcad_offline.room_benchmark.predict import predict  # noqa: E402
from roomcad_offline.room_benchmark.rgb_input import RgbInput, far_start  # noqa: E402
from roomcad_offline.room_benchmark.variant import Variant  # noqa: E402
from roomcad_offline.rooms.config import RoomConfig  # noqa: E402

ROOMS = RoomConfig(rooms=1, frames=2, width=160, height=120, fps=0.5, seed=3, shadows=False,
                   theme="office", clutter=0.3)  # fmt: skip
SCENE = "scene8000_00"
TINY = configs.ModelConfig(
    configs.NetworkConfig(n_mul=2, n_latent=4, width=32, blocks=1, self_layers=1, self_heads=2,
                          head_width=8, ff_mult=1),
    configs.InputConfig(20, 20, paired=True),
)  # fmt: skip


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    full = Library.load()
    labels = ("desk", "chair", "bookshelf", "cabinet", "table")
    source = Library([m for c in labels for m in full.of_class(c)[:8]], full.folder)
    listed = [m.id for m in source if m.split == "bench"]
    return build(tmp_path_factory.mktemp("rooms"), source, BenchmarkConfig(rooms=ROOMS), listed)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Folders of trainings with random weights: {"depth", "normals", "align"}."""
    folders = {name: tmp_path_factory.mktemp(name) for name in ("depth", "normals", "align")}
    torch.manual_seed(0)
    for task in ("depth", "normals"):
        network = GeometryNetwork(
            NetworkConfig(task, thin=0.25, decoder=(8, 8, 8, 8), width=64, height=48)
        )
        config = {"network": dataclasses.asdict(network.config)}
        config |= {"samples": dataclasses.asdict(SampleConfig())}
        (folders[task] / "config.json").write_text(json.dumps(config))
        (folders[task] / "trivial.json").write_text("{}")
        torch.save({"network": network.state_dict(), "step": 3}, folders[task] / "checkpoint.pt")
    config = dataclasses.asdict(TrainConfig()) | {"model": dataclasses.asdict(TINY)}
    (folders["align"] / "config.json").write_text(json.dumps(config))
    state = {"averaged": MultiSparc(TINY).state_dict(), "step": 7}
    torch.save(state, folders["align"] / "checkpoint.pt")
    return {name: str(folder) for name, folder in folders.items()}


@pytest.fixture
def rgb(runs):
    """rgb(method, **changed): Variant of input rgb with the random networks."""

    def make(method, **changed):
        given = {"input": "rgb", "updates": 1, "depth": runs["depth"], "normals": runs["normals"]}
        given |= changed
        return Variant(runs.get(method, method), **given)

    return make


def test_a_training_answers_as_its_network_does(runs):
    network = trained_network(runs["depth"], "depth")
    depth, sigma = network(np.zeros((96, 128, 3), np.uint8))
    assert depth.shape == sigma.shape == (96, 128) and (depth > 0).all()
    normal, _ = trained_network(runs["normals"], "normals")(np.zeros((48, 64, 3), np.uint8))
    np.testing.assert_allclose(np.linalg.norm(normal, axis=2), 1, atol=1e-5)
    with pytest.raises(ValueError, match="a training of depth, expected one of normals"):
        trained_network(runs["depth"], "normals")


def test_nothing_of_the_sensors_depth_is_left(built, rgb):
    given = DetectedFrames(built, "true").scene(SCENE)[0]
    dark = dataclasses.replace(given.frame, depth=np.zeros_like(given.frame.depth))
    see = RgbInput(rgb("align"))
    seen, blind = see(given), see(dataclasses.replace(given, frame=dark))
    assert not seen.frame.measured and seen.frame.normals is not None
    np.testing.assert_array_equal(seen.frame.depth, blind.frame.depth)
    assert np.abs(seen.frame.depth - given.frame.depth).mean() > 0.1
    np.testing.assert_allclose(seen.rows.t[:, 2], 3)  # where rows without a result stay


@pytest.mark.parametrize("seed", [0, 1])
def test_objects_start_3_m_away_as_on_the_robot(make_batch, seed):
    batch = make_batch(images=1, slots=3, seed=seed)
    up = np.array([0.1, -0.9, -0.2 - seed])
    batch.up[:] = torch.from_numpy(up / np.linalg.norm(up))
    batch.valid[:] = True
    one = {n: getattr(batch, n)[0].numpy() for n in ("depth", "instance", "K", "box", "size", "up")}
    one["depth"] = one["depth"][0]
    wanted = initial_poses(*one.values(), 4, distance=3.0)
    got = far_start(batch, torch.rand(20, 2))
    for name, array, tensor in zip("TRS", wanted, got, strict=True):
        np.testing.assert_allclose(tensor[0].numpy(), array, atol=1e-5, err_msg=name)
    np.testing.assert_allclose(got.T[0, :, :, 2], 3)


@pytest.mark.parametrize("method", ["align", "robot"])
def test_every_detection_gets_a_row_and_the_file_says_what_was_run(
    built, rgb, runs, caplog, method
):
    with caplog.at_level(logging.WARNING):
        path = predict(built, f"{method}-rgb", rgb(method))
    assert "was trained for input rgbd and gets rgb" in caplog.text
    found, given = read_per_frame(path), read_per_frame(built.folder / "detections.json")
    assert len(found) == len(given) and not found.bad.any()
    about = json.loads((path.parent / "variant.json").read_text())
    assert about["variant"]["input"] == "rgb" and about["variant"]["rgb_start"] == "3m"
    assert about["variant"]["depth"] == runs["depth"]
    assert {len(sha) for sha in about["rgb_sha256"].values()} == {64}
    other = dataclasses.replace(rgb(method), rgb_start="depth")
    with pytest.raises(ValueError, match="predictions of something else"):
        predict(built, f"{method}-rgb", other)


def test_with_the_true_depth_and_its_start_results_are_those_of_a_sensor(
    built, rgb, runs, monkeypatch
):
    monkeypatch.setattr(
        RgbGeometry, "__call__", lambda self, frame: dataclasses.replace(frame, measured=False)
    )
    same = predict(built, "same", rgb("align", rgb_start="depth"))
    sensor = predict(built, "sensor", Variant(runs["align"], updates=1))
    assert json.loads(same.read_text()) == json.loads(sensor.read_text())
    assert "input" not in json.loads((sensor.parent / "variant.json").read_text())["variant"]


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"method": "icp", "input": "rgb"}, "expected 'rgbd' with method 'icp'"),
        ({"method": "robot", "depth": "x"}, "used with input rgb only"),
        ({"method": "robot", "input": "grey"}, "input: got 'grey', expected one of rgbd, rgb"),
        ({"method": "robot", "rgb_start": "4m"}, "rgb_start: got '4m'"),
    ],
)
def test_variants_that_make_no_sense_are_refused(values, why):
    with pytest.raises(ValueError, match=why):
        Variant(**values)


def test_the_command_names_its_predictions_and_says_which_network_is_missing(
    built, runs, tmp_path, monkeypatch, capsys
):
    command = ["eval", "rooms-predict", str(built.folder), runs["align"], "--input", "rgb"]
    given = [f"--{task}={runs[task]}" for task in ("depth", "normals")]
    assert main([*command, *given, "--updates", "1"]) == 0
    assert f"{runs['align'].rsplit('/', 1)[-1]}-rgb" in capsys.readouterr().out
    monkeypatch.setenv("ROOMCAD_MODELS", str(tmp_path))
    assert main([*command, given[0], "--name", "x"]) == 1
    assert f"no network '{RgbConfig().normals}'" in capsys.readouterr().err
