"""The scan-gap command from data to README, on toy data and two epochs."""

import argparse
import csv
import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch: make setup-train")
pytest.importorskip("h5py", reason="make setup-train")
pytest.importorskip("safetensors", reason="make setup-train")
pytest.importorskip("onnx", reason="make setup-train")

from roomcad_core.crop_input import fixed_size  # noqa: E402
from roomcad_offline.classifier.ship import shipped  # noqa: E402
from roomcad_offline.pointnet.export import save_weights  # noqa: E402
from roomcad_offline.pointnet.network import PointNet, parameter_count  # noqa: E402
from roomcad_offline.scan_gap import cli, evaluate, published  # noqa: E402
from roomcad_offline.scan_gap.clouds import CLASSES_8, unit_sphere  # noqa: E402
from roomcad_offline.scan_gap.config import StudyConfig  # noqa: E402
from roomcad_offline.scan_gap.networks import load_exported, load_run  # noqa: E402
from roomcad_offline.scan_gap.recipe_names import RECIPE_NAMES  # noqa: E402
from roomcad_offline.scan_gap.recipes import RECIPES  # noqa: E402
from roomcad_offline.scan_gap.state import load_study  # noqa: E402

MODELNET = (*CLASSES_8, "bathtub", "wardrobe")


def run(*arguments):
    """Run `scan-gap ...`; returns the exit status."""
    parser = argparse.ArgumentParser()
    cli.add_parser(parser.add_subparsers(required=True))
    args = parser.parse_args(["scan-gap", *map(str, arguments)])
    return args.run(args)


def toy_clouds(rng, labels, n=1024):
    """Boxes whose proportions tell the class."""
    sizes = np.array([(1, 1 + k % 3, 1 + k // 3) for k in range(len(MODELNET))], float)
    return unit_sphere(rng.uniform(-1, 1, (len(labels), n, 3)) * sizes[labels][:, None])


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Folder with the data sets of the study, tiny."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    for split, n in (("train", 60), ("test", 20)):
        labels = np.arange(n) % len(MODELNET)
        np.savez(
            folder / f"modelnet40_{split}.npz",
            points=toy_clouds(rng, labels),
            label=labels.astype(np.int16),
            classes=MODELNET,
        )
    labels = np.array([1, 2, 2, 5, 6])
    rows = np.concatenate(toy_clouds(rng, labels, 90))
    offsets = np.arange(6) * 90
    masked = np.c_[rows, np.zeros((len(rows), 3)), np.arange(len(rows)) % 4 > 0]
    real = {"label": labels, "classes": np.array(CLASSES_8)}
    np.savez(
        folder / "real_scannet_dev.npz",
        **{"obj_only": rows, "obj_only_off": offsets, "obj_bg": masked, "obj_bg_off": offsets},
        **real,
    )
    return folder


@pytest.fixture(scope="module")
def finished(data, tmp_path_factory):
    """Folder of a whole study: baseline and yaw32_bg, two epochs each, 11 classes as well."""
    folder = tmp_path_factory.mktemp("study")
    options = ["--data", data, "--runs", folder / "runs", "--out", folder / "out"]
    options += ["--recipes", "baseline", "yaw32_bg", "--epochs", "2", "--eleven"]
    assert run("study", *options) == 0
    return folder, options


def test_one_command_leaves_tables_figures_and_configuration(finished):
    folder, _ = finished
    out = folder / "out"
    names = {p.name for p in out.iterdir()}
    assert {"scan-eval-by-variant.csv", "scan-eval-bg-aug.csv", "per-class-by-variant.csv"} <= names
    figures = sorted(n for n in names if n.endswith(".png"))
    assert [n[:5] for n in figures] == [f"fig0{k}" for k in range(1, 10)]
    assert all((out / n).stat().st_size < 300_000 for n in figures)
    text = (out / "README.md").read_text()
    assert all(f"]({name})" in text for name in figures)
    assert "2 epochs (the post: 200)" in text and "real_scannet_dev" in text
    state = json.loads((out / "predictions" / "study.json").read_text())
    assert state["config"]["epochs"] == 2 and state["config"]["seed"] == 42
    assert json.loads((folder / "runs/baseline/config.json").read_text())["epochs"] == 2


def test_absent_variants_and_recipes_are_rows_that_say_why(finished):
    with open(finished[0] / "out" / "scan-eval-bg-aug.csv", newline="") as file:
        table = list(csv.DictReader(file))
    notes = {(r["recipe"], r["variant"]): r["note"] for r in table}
    assert "augmentedrot_scale75.h5" in notes["baseline", "pb_t50_rs"]
    assert notes["rot32", "obj_bg"].startswith("not run: recipe rot32 is not trained")
    assert notes["baseline", "sunrgbd"].endswith("real_sunrgbd_dev.npz is missing")
    measured = {(r["recipe"], r["variant"], r["column"]) for r in table if r["top1"]}
    for recipe in ("baseline", "yaw32_bg"):
        assert (recipe, "modelnet40", "aligned") in measured
        assert (recipe, "obj_bg", "as_published") in measured


def test_networks_know_eight_or_all_classes_and_eleven_are_judged(finished):
    folder, _ = finished
    _, facts = load_run(folder / "runs" / "baseline")
    assert facts["classes"] == list(CLASSES_8) and facts["clouds"] == 48
    assert facts["parameters"] == published.PARAMETERS_8
    _, facts = load_run(folder / "runs" / "baseline_11")
    assert facts["classes"] == list(MODELNET) and facts["clouds"] == 60
    text = (folder / "out" / "modelnet-to-scanobjectnn-11.csv").read_text()
    assert '"ours, baseline",obj_only,aligned,real_scannet_dev/obj_only,5,' in text
    assert "PDG (PointNet),obj_only,,,,,,,0.676" in text


def test_complete_runs_are_not_trained_again_and_give_the_same_predictions(
    finished, tmp_path, monkeypatch
):
    folder, options = finished

    def never(*_):
        raise AssertionError("a complete run was trained again")

    monkeypatch.setattr("roomcad_offline.scan_gap.recipes.train", never)
    options = [*options, "--out", tmp_path, "--recipes", "yaw32_bg"]
    assert run("train", *options) == run("evaluate", *options) == 0
    for name in ("yaw32_bg.json", "yaw32_bg_11.json"):
        again, first = (f / "predictions" / name for f in (tmp_path, folder / "out"))
        assert again.read_text() == first.read_text()


def test_another_number_of_epochs_is_refused(finished):
    _, options = finished
    with pytest.raises(ValueError, match="baseline: holds a run of 2 epochs, wanted 3"):
        run("train", *options, "--epochs", "3")


def test_tables_are_rebuilt_from_predictions_without_networks_or_data(finished, tmp_path, caplog):
    folder, _ = finished
    out = tmp_path / "out"
    (out / "predictions").mkdir(parents=True)
    for path in (folder / "out" / "predictions").iterdir():
        (out / "predictions" / path.name).write_bytes(path.read_bytes())
    (tmp_path / "empty").mkdir()
    assert run("tables", "--data", tmp_path / "empty", "--out", out) == 0
    assert (out / "summary.json").read_text() == (folder / "out/summary.json").read_text()
    assert "fig01_classes.png is not drawn" in caplog.text and (out / "fig09_finding.png").exists()


def test_exported_weights_give_the_predictions_of_the_run(finished, data, tmp_path):
    folder, _ = finished
    network, _ = load_run(folder / "runs" / "baseline")
    save_weights(network, tmp_path / "pointnet_baseline.safetensors")
    out = tmp_path / "out"
    options = ["--data", data, "--weights", tmp_path, "--out", out, "--recipes", "baseline"]
    assert run("evaluate", *options) == 0
    ours, theirs = (
        json.loads((f / "predictions" / "baseline.json").read_text())["predictions"]
        for f in (out, folder / "out")
    )
    assert ours == theirs
    assert load_study(out).trained("baseline") == "weights pointnet_baseline.safetensors"


def test_official_files_take_the_place_of_the_stand_in(finished, data, tmp_path):
    import h5py

    labels = np.array([8, 4, 4, 13, 9, 0])  # shelf, two chairs, sofa, table, bag
    classes = [MODELNET.index(c) for c in ("bookshelf", "chair", "chair", "sofa", "table", "bed")]
    clouds = toy_clouds(np.random.default_rng(1), np.array(classes), 2048)
    path = tmp_path / "son/h5_files/main_split/test_objectdataset_augmentedrot_scale75.h5"
    path.parent.mkdir(parents=True)
    with h5py.File(path, "w") as file:
        file["data"] = np.stack([clouds[..., 0], clouds[..., 2], -clouds[..., 1]], -1)  # y up
        file["label"], file["mask"] = labels, np.zeros((6, 2048))
    out = tmp_path / "out"
    _, options = finished
    options = [*options, "--scanobjectnn", tmp_path / "son", "--out", out]
    assert run("evaluate", *options, "--recipes", "yaw32_bg") == 0
    found = json.loads((out / "predictions" / "yaw32_bg.json").read_text())["predictions"]
    hard = [p for p in found if p["variant"] == "pb_t50_rs"]
    assert [p["column"] for p in hard] == ["as_published", "aligned"]
    assert [CLASSES_8[i] for i in hard[0]["labels"]] == [
        "bookshelf",
        "chair",
        "chair",
        "sofa",
        "table",
    ]
    assert "obj_bg" not in {p["variant"] for p in found}


@pytest.mark.parametrize("damage", ["truncated", "absent"])
def test_damaged_runs_are_named(finished, tmp_path, damage):
    source = finished[0] / "runs" / "baseline"
    (tmp_path / "config.json").write_bytes((source / "config.json").read_bytes())
    if damage == "absent":
        with pytest.raises(FileNotFoundError, match="checkpoint.pt: no such file"):
            load_run(tmp_path)
        return
    content = (source / "checkpoint.pt").read_bytes()
    (tmp_path / "checkpoint.pt").write_bytes(content[: len(content) // 2])
    with pytest.raises(ValueError, match="not a run of the study"):
        load_run(tmp_path)


def test_damaged_or_foreign_weights_are_named(tmp_path):
    path = tmp_path / "pointnet_baseline.safetensors"
    path.write_bytes(b"no header")
    with pytest.raises(ValueError, match="pointnet_baseline.safetensors: unreadable"):
        load_exported(path, CLASSES_8)
    save_weights(PointNet(5), path)
    with pytest.raises(ValueError, match="does not fit"):
        load_exported(path, CLASSES_8)


def test_absent_folders_and_wrong_numbers_are_usage_errors(tmp_path):
    with pytest.raises(FileNotFoundError, match="--scanobjectnn: .*no such folder"):
        run("study", "--scanobjectnn", tmp_path / "nowhere")
    with pytest.raises(ValueError, match="--modelnet is needed"):
        run("cache", "--runs", tmp_path)
    with pytest.raises(SystemExit):
        run("study", "--epochs", "0")


def test_cache_command_samples_off_folders_once(tmp_path):
    cube = "OFF8 6 0\n" + "\n".join(f"{x} {y} {z}" for x in (0, 1) for y in (0, 1) for z in (0, 1))
    cube += "\n4 0 1 3 2\n4 4 6 7 5\n4 0 4 5 1\n4 2 3 7 6\n4 0 2 6 4\n4 1 5 7 3\n"
    for name in CLASSES_8:
        for split in ("train", "test"):
            path = tmp_path / f"mn/{name}/{split}/{name}_0001.off"
            path.parent.mkdir(parents=True)
            path.write_text(cube)
    options = ["--modelnet", tmp_path / "mn", "--runs", tmp_path / "runs"]
    assert run("cache", *options) == 0
    caches = sorted((tmp_path / "runs" / "cache").iterdir())
    assert [c.name for c in caches] == ["modelnet40_test_8.npz", "modelnet40_train_8.npz"]
    stamps = [c.stat().st_mtime_ns for c in caches]
    assert run("cache", *options) == 0
    assert [c.stat().st_mtime_ns for c in caches] == stamps


def test_parameter_counts_and_recipe_names():
    assert parameter_count(PointNet(8)) == published.PARAMETERS_8 == 971_720
    assert parameter_count(PointNet(40)) == published.PARAMETERS_40 == 979_944
    assert tuple(RECIPES) == RECIPE_NAMES == StudyConfig.recipes


def test_prediction_does_not_depend_on_the_batch():
    torch.manual_seed(0)
    points = toy_clouds(np.random.default_rng(2), np.arange(8), 64)
    network = PointNet(8, widths=(3, 8, 16), head=(8,))
    said = evaluate.predict(network, points, batch=3)
    np.testing.assert_array_equal(said, evaluate.predict(network, points, batch=64))
    assert not network.training


def test_finished_networks_are_shipped_to_the_robot_and_others_named(finished, tmp_path, caplog):
    folder, options = finished
    assert run("ship", *options, "--models", tmp_path) == 0
    assert "rot32 is not shipped" in caplog.text
    robot = shipped(tmp_path, "baseline")
    assert robot.spec.labels == CLASSES_8 and robot.spec.cloud == "unit_sphere"
    network, facts = load_exported(tmp_path / "pointnet_baseline.safetensors", CLASSES_8)
    assert facts["epochs"] == 2 and facts["seed"] == 42
    crop = np.random.default_rng(0).random((200, 3)).astype(np.float32)
    index = np.random.default_rng(0)  # the robot's choice of points
    cloud = unit_sphere(fixed_size(crop, 1024, index))[None]
    p = torch.softmax(network(torch.from_numpy(cloud)), 1).detach().numpy()
    assert np.abs(robot([crop])[0] - p).max() < 1e-4


def test_nothing_to_ship_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="no finished training"):
        run("ship", "--runs", tmp_path / "none", "--models", tmp_path)
