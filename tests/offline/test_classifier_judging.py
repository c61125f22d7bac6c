"""How the deployed classifier is judged, calibrated, shipped; retrieval by embedding."""

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch: make setup-train")
pytest.importorskip("safetensors", reason="make setup-train")

from roomcad_core.classify.crop_network import CropNetwork, softmax  # noqa: E402
from roomcad_core.classify.model_files import read_spec  # noqa: E402
from roomcad_core.crop_input import N_EXTRA  # noqa: E402
from roomcad_core.engine import make_engine  # noqa: E402
from roomcad_core.library import Library  # noqa: E402
from roomcad_core.retrieve import Retriever, model_views  # noqa: E402
from roomcad_offline.classifier import calibrate, real, retrieval  # noqa: E402
from roomcad_offline.classifier.contrast import contrastive_loss  # noqa: E402
from roomcad_offline.classifier.draw import Drawer, sample_chance  # noqa: E402
from roomcad_offline.classifier.room_crops import RoomCrop  # noqa: E402
from roomcad_offline.classifier.rooms_test import judge_rooms  # noqa: E402
from roomcad_offline.classifier.samples import LABELS, collect  # noqa: E402
from roomcad_offline.classifier.ship import as_robot, ship  # noqa: E402
from roomcad_offline.classifier.train import TrainConfig, loss_and_accuracy  # noqa: E402
from roomcad_offline.pointnet.network import PointNet  # noqa: E402

OTHER = LABELS.index("other")


def write_real(path, **changes):
    """A file like real_scannet_dev.npz with two objects."""
    rows = np.random.default_rng(0).random((100, 7)).astype(np.float32)
    rows[:, 6] = np.arange(100) % 2
    arrays = {
        "obj_bg": rows, "obj_bg_off": np.array([0, 60, 100]), "label": np.array([1, 0]),
        "classes": np.array(["bed", "chair"]), **changes,
    }  # fmt: skip
    np.savez(path, **arrays)
    return path


def test_real_objects_come_with_labels_and_object_masks(tmp_path):
    objects = real.read_real(write_real(tmp_path / "r.npz"), "obj_bg")
    assert [len(c) for c in objects.clouds] == [60, 40]
    assert objects.labels.tolist() == [1, 0] and objects.classes == ("bed", "chair")
    assert objects.is_object[0].mean() == 0.5


def test_damaged_real_objects_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"r\.npz"):
        real.read_real(tmp_path / "r.npz", "obj_bg")
    with pytest.raises(ValueError, match=r"r\.npz.*no obj_only"):
        real.read_real(write_real(tmp_path / "r.npz"), "obj_only")
    (tmp_path / "r.npz").write_bytes((tmp_path / "r.npz").read_bytes()[:300])
    with pytest.raises(ValueError, match=r"r\.npz: unreadable"):
        real.read_real(tmp_path / "r.npz", "obj_bg")


def test_true_probabilities_score_100_percent(tmp_path):
    objects = real.read_real(write_real(tmp_path / "r.npz"), "obj_bg")
    record = real.judge(np.eye(2)[objects.labels], objects)
    assert record["accuracy"] == 1 and record["interval_95"] == [1, 1] and record["n"] == 2
    wrong = real.judge(np.array([[0.4, 0.6], [0.4, 0.6]]), objects)
    assert wrong["accuracy"] == 0.5
    assert wrong["per_class"] == {
        "bed": {"n": 1, "accuracy": 0.0}, "chair": {"n": 1, "accuracy": 1.0}
    }  # fmt: skip


def test_the_temperature_that_spoiled_logits_is_found():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (4000, 5))
    labels = np.array([rng.choice(5, p=p) for p in softmax(logits)])
    assert calibrate.fit_temperature(3 * logits, labels) == pytest.approx(3, rel=0.06)


def test_the_bias_of_other_keeps_the_furniture_asked_for():
    rng = np.random.default_rng(0)
    logits, labels = rng.normal(size=(2000, 12)), rng.integers(0, 12, 2000)
    bias = calibrate.fit_other_bias(logits, labels, keep=0.9)
    logits[:, OTHER] += bias
    kept = (logits.argmax(1) != OTHER)[labels != OTHER].mean()
    assert kept == pytest.approx(0.9, abs=0.002)


def test_reliability_of_four_answers_by_hand():
    confidence = np.array([0.95, 0.95, 0.55, 0.55])
    rows, ece = calibrate.reliability(confidence, np.array([True, True, True, False]))
    assert [(n, a) for _, n, _, a in rows] == [(2, 0.5), (2, 1.0)]
    assert ece == pytest.approx(0.5 * 0.05 + 0.5 * 0.05)


def test_perfect_answers_keep_and_reject_everything():
    points = np.zeros((40, 3), np.float32)
    crops = [
        RoomCrop(points, 0.0, "furniture", "chair", "c", "r"),
        RoomCrop(points, 0.0, "background", "", "", "r"),
        RoomCrop(points, 0.0, "fragment", "table", "t", "r"),
    ]
    p = np.eye(12)[[LABELS.index("chair"), OTHER, OTHER]]
    record = judge_rooms(p, crops)
    assert record["furniture_kept"] == record["background_rejected"] == 1
    assert record["fragments_rejected"] == record["class_accuracy"] == 1
    assert judge_rooms(np.roll(p, 1, axis=0), crops)["furniture_kept"] == 0


def test_contrastive_loss_by_hand_and_without_partners():
    embedding = torch.tensor([[1.0, 0], [2.0, 0], [0, 1.0], [0, 3.0]])
    group, labels = torch.tensor([4, 4, 5, -1]), torch.tensor([0, 0, 0, 1])
    expected = -np.log(np.exp(10) / (np.exp(10) + 1))
    assert contrastive_loss(embedding, group, labels).item() == pytest.approx(expected, rel=0.02)
    lonely = torch.tensor([-1, -1, 3, 2])
    assert contrastive_loss(embedding, lonely, labels).item() == 0


def test_crops_of_other_classes_do_not_count_in_the_contrastive_loss():
    embedding = torch.tensor([[1.0, 0], [1.0, 0.1], [1.0, 0.05]])
    group = torch.tensor([4, 4, 5])
    alone = contrastive_loss(embedding, group, torch.tensor([0, 0, 1])).item()
    among = contrastive_loss(embedding, group, torch.tensor([0, 0, 0])).item()
    assert alone == pytest.approx(0, abs=1e-6) and among > 0.5


def samples_of(labels, groups):
    points = np.random.default_rng(0).random((40, 3))
    return collect(
        {"points": points, "label": label, "metric": True, "floor": True, "whole": False,
         "group": group} for label, group in zip(labels, groups, strict=True)
    )  # fmt: skip


def test_batches_hold_two_crops_of_a_model_and_all_sources():
    a = samples_of(["chair"] * 6, ["m1", "m1", "m2", "m2", "m3", "m3"])
    b = samples_of(["other"] * 4, ["room"] * 4)
    draw = Drawer({"scans": a, "rooms": b}, TrainConfig(shares={"scans": 0.5, "rooms": 0.5}))
    samples, group = draw(64, np.random.default_rng(0))
    assert 0.3 < (samples.labels == OTHER).mean() < 0.7
    assert (group[samples.labels == OTHER] == -1).all()
    _, counts = np.unique(group[group >= 0], return_counts=True)
    assert counts.min() >= 2


def test_rare_classes_are_drawn_more_often_than_they_occur():
    labels = np.array([LABELS.index("chair")] * 90 + [LABELS.index("toilet")] * 10)
    p = sample_chance(labels, class_power=0.5, other_share=0.2)
    assert p.sum() == pytest.approx(1)
    assert 0.1 < p[labels == LABELS.index("toilet")].sum() < 0.5


def test_other_gets_the_share_asked_for():
    labels = np.array([LABELS.index("chair")] * 9 + [OTHER])
    p = sample_chance(labels, class_power=0.5, other_share=0.45)
    assert p[labels == OTHER].sum() == pytest.approx(0.45) and p.sum() == pytest.approx(1)


def test_a_source_that_is_not_asked_for_is_no_source():
    with pytest.raises(ValueError, match="no source"):
        Drawer({"scans": samples_of(["chair"], ["a"])}, TrainConfig(shares={"rooms": 1.0}))


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return PointNet(12, extra=N_EXTRA).eval()


def test_the_loss_of_a_batch_reports_its_accuracy(network):
    batch = (torch.randn(4, 64, 3), torch.zeros(4, N_EXTRA), torch.zeros(4, dtype=torch.long),
             torch.tensor([0, 0, 1, -1]))  # fmt: skip
    loss, report = loss_and_accuracy(network, batch, TrainConfig())
    assert loss.item() > 0 and 0 <= report["accuracy"].item() <= 1


def test_a_shipped_network_is_what_the_robot_loads(network, tmp_path):
    spec = ship(network, tmp_path, "deployed", LABELS, 64, "trimmed_box", temperature=2.0)
    assert read_spec(tmp_path, "deployed") == spec
    robot = CropNetwork(spec, make_engine(spec.onnx))
    ship(network, tmp_path, "baseline", LABELS[:8], 64, "trimmed_box")
    names = json.loads((tmp_path / "manifest.json").read_text())["models"]
    assert sorted(names) == ["baseline", "deployed"]
    crop = np.random.default_rng(0).random((80, 3))
    assert robot([crop])[0].sum() == pytest.approx(1, abs=1e-5)


def test_the_bias_of_other_is_part_of_the_shipped_weights(network, tmp_path):
    crop = [np.random.default_rng(0).random((80, 3))]
    plain = np.log(as_robot(network, tmp_path / "a", "x", LABELS, 64)(crop)[0])
    biased = np.log(as_robot(network, tmp_path / "b", "x", LABELS, 64, other_bias=1.5)(crop)[0])
    change = (biased - plain)[0] - (biased - plain)[0, 0]
    assert change[OTHER] == pytest.approx(1.5, abs=1e-4)
    assert change[:OTHER] == pytest.approx(0, abs=1e-4)


def test_a_view_of_a_library_model_finds_that_model(network, tmp_path):
    full = Library.load()
    library = Library([*full.of_class("chair")[:4], *full.of_class("bed")[:3]], full.folder)
    robot = as_robot(network, tmp_path, "x", LABELS, 256)
    retriever = Retriever(robot, library)
    for model in library:
        _, embedding = robot(model_views(model)[2:3], floor_z=0.0)
        ranked = retriever(embedding[0], model.label, 2)
        assert ranked[0] == model.id and len(ranked) == 2
    assert retriever(embedding[0], "toilet", 3) == ()


def test_chamfer_distance_of_a_model_to_itself_is_least():
    library = Library(Library.load().of_class("chair")[:3])
    table = retrieval.chamfer_table(list(library), library)
    for model in library:
        assert table[model.id][model.id] == 0
        assert sorted(table[model.id].values())[1] > 0.005
