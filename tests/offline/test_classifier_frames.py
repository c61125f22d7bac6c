"""The deployed classifier trained on, on crops of frames of rooms with truth."""

import json
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from roomcad_core.classify.model_files import read_spec  # noqa: E402
from roomcad_core.crop_input import N_EXTRA  # noqa: E402
from roomcad_core.library import Library  # noqa: E402
from roomcad_core.types import OTHER  # noqa: E402
from roomcad_offline.benchmarks.real.sources import Source  # noqa: E402
from roomcad_offline.classifier.frame_crops import NEAR, WIDER, frame_rows, widened  # noqa: E402
from roomcad_offline.classifier.samples import LABELS, collect  # noqa: E402
from roomcad_offline.classifier.tune import TUNING, tune, without_places  # noqa: E402
from roomcad_offline.cli import main  # noqa: E402
from roomcad_offline.licences import SIMULATED_ONLY  # noqa: E402
from roomcad_offline.pointnet.export import save_weights  # noqa: E402
from roomcad_offline.pointnet.network import PointNet  # noqa: E402


def test_every_thing_of_a_frame_is_a_row_and_the_rest_is_other(tmp_path, write_room):
    source = Source("room0", "simulated", write_room(tmp_path / "room0", 0))
    rows = list(frame_rows([source]))
    assert sorted(r["label"] for r in rows) == ["chair"] * 2 + [OTHER] * 2 + ["table"] * 2
    chair = next(r for r in rows if r["label"] == "chair")
    assert chair["group"] == "room0/1" and chair["metric"] and chair["floor"] and chair["cut"]
    # Nothing hides the table, 0.47 to 0.57 m high at 2.0 to 2.4 m; the image ends above its feet.
    table = next(r for r in rows if r["label"] == "table")
    low, high = np.percentile(table["points"][:, 2], [3, 97])
    assert 0.1 < low < 0.36 and 0.4 < high < 0.62
    wall = next(r for r in rows if r["label"] == OTHER)
    assert wall["group"] == "room0"
    assert [r["points"].tolist() for r in frame_rows([source], every=2)] == [
        r["points"].tolist() for r in rows[:3]
    ]


def test_a_border_takes_in_what_is_near_and_nothing_behind():
    depth = np.full((40, 40), 3.0, np.float32)
    depth[10:30, 10:30] = 1.0
    depth[30:, 10:30] = 1.0 + NEAR / 2  # what the thing stands on
    mask = np.zeros((40, 40), bool)
    mask[10:30, 10:30] = True
    known = np.ones_like(mask)
    known[12, 12] = False
    for seed in range(6):
        found = widened(mask, depth, known, np.random.default_rng(seed))
        assert not found[:10].any() and not found[:, 30:].any() and not found[12, 12]
        assert found[10:30, 10:30].sum() == 399
        rows = np.flatnonzero(found[:, 20])
        assert 29 <= rows.max() <= 29 + WIDER
    assert not widened(mask & False, depth, known, np.random.default_rng(0)).any()


def test_places_are_left_out_with_all_their_rooms():
    row = {"points": np.zeros((4, 3)), "metric": True}
    groups = ("scene0001_00/3", "scene0001_01", "scene0002_00/3", "room0")
    samples = collect([{**row, "label": "chair", "group": group} for group in groups])
    assert without_places(samples, ("scene0001",)).group.tolist() == ["scene0002_00/3", "room0"]
    assert len(without_places(samples, ())) == 4 and LABELS[samples.labels[0]] == "chair"


def test_a_network_is_trained_on_and_entered_with_the_licence_of_its_rooms(
    tmp_path, write_room, monkeypatch
):
    rng = np.random.default_rng(0)
    sources = [
        Source(name, "simulated", write_room(tmp_path / "rooms" / name, k))
        for k, name in enumerate(("scene0001_00", "scene0002_00"))
    ]
    clouds = rng.standard_normal((4, 1024, 3)).astype(np.float32)
    clouds /= np.linalg.norm(clouds, axis=2).max(1)[:, None, None]
    np.savez(tmp_path / "modelnet.npz", points=clouds, label=np.arange(4) % 2,
             classes=np.array(["chair", "table"]))  # fmt: skip
    torch.manual_seed(0)
    save_weights(PointNet(len(LABELS), extra=N_EXTRA), tmp_path / "start.safetensors")
    library = Library.load()
    few = [next(m for m in library.of_class(label) if m.split != "bench")
           for label in ("chair", "table", "sofa")]  # fmt: skip
    monkeypatch.setattr("roomcad_offline.classifier.tune.Library.load", lambda path: few)
    fit = replace(TUNING.fit, epochs=1, batch=8)
    config = replace(TUNING, epoch_size=16, fit=fit)
    run, paths = tmp_path / "tune" / "run", (tmp_path / "modelnet.npz", tmp_path / "tune" / "run")
    tune(sources, "", *paths, tmp_path / "start.safetensors", ("scene0002",), config)
    about = json.loads((run / "config.json").read_text())
    assert about["training_rooms"] == {"simulated": 1} and about["left_out"] == ["scene0002"]
    assert about["samples"] == {"modelnet": 4, "scans": 3, "frames": 6}
    assert len(about["start"]) == 64
    monkeypatch.setattr("roomcad_offline.classifier.tune.Library.load", lambda path: few[1:])
    with pytest.raises(ValueError, match=r"library: got no model of chair that"):
        tune(sources, "", tmp_path / "modelnet.npz", run, tmp_path / "start.safetensors")
    models = tmp_path / "models"
    assert main(["classifier", "enter", str(run), "mine", "--models", str(models)]) == 0
    assert read_spec(models, "mine").labels == LABELS
    manifest = json.loads((models / "manifest.json").read_text())
    assert manifest["models"]["mine"]["licence"] == SIMULATED_ONLY
