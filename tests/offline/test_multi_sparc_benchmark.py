"""The alignment benchmark: truth scores 100 %, what is off does not, and nothing trained leaks in.

A tiny benchmark of one room of the built-in library stands in for the real one.
"""

import argparse
import dataclasses
import json
from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the benchmark needs torch: make setup-train")
pytest.importorskip("open3d")

from roomcad_core.camera import project  # noqa: E402
from roomcad_core.config import AlignConfig  # noqa: E402
from roomcad_core.library import CadModel, Library  # noqa: E402
from roomcad_core.pose import affine, rotation_y, transform  # noqa: E402
from roomcad_core.types import Alignment, Object, Segmentation  # noqa: E402
from roomcad_offline.multi_sparc import calibrate  # noqa: E402
from roomcad_offline.multi_sparc import config as configs  # noqa: E402
from roomcad_offline.multi_sparc.benchmark import judge, outcomes, report, rooms, stages, views  # noqa: E402
from roomcad_offline.multi_sparc.benchmark.cli import add_parser  # noqa: E402
from roomcad_offline.multi_sparc.benchmark.maps import frame_batches, true_maps  # noqa: E402
from roomcad_offline.multi_sparc.benchmark.network import load_trained  # noqa: E402
from roomcad_offline.multi_sparc.benchmark.run import Benchmark  # noqa: E402
from roomcad_offline.multi_sparc.network import MultiSparc  # noqa: E402
from roomcad_offline.multi_sparc.train import TrainConfig  # noqa: E402
from roomcad_offline.rooms.config import RoomConfig  # noqa: E402

TINY = configs.ModelConfig(
    configs.NetworkConfig(n_mul=2, n_latent=4, width=32, blocks=1, self_layers=1, self_heads=2,
                          head_width=8, ff_mult=1),
    configs.InputConfig(20, 20, paired=True),
)  # fmt: skip
SETTINGS = RoomConfig(rooms=1, frames=2, width=320, height=240, fps=0.4, seed=3, shadows=False,
                      theme="office", clutter=0.3)  # fmt: skip


@pytest.fixture(scope="module")
def source():
    full = Library.load()
    labels = ("desk", "chair", "bookshelf", "cabinet", "table")
    return Library([m for c in labels for m in full.of_class(c)[:8]], full.folder)


@pytest.fixture(scope="module")
def benchmark(source, tmp_path_factory):
    folder = tmp_path_factory.mktemp("benchmark")
    listed = [m.id for m in source if m.split == "bench"]
    library, folders = rooms.build(folder, source, SETTINGS, listed=listed)
    found = views.all_views(folder, folders, library)
    out = folder / "results"
    out.mkdir()
    return Benchmark(folder, library, folders, found, out, SETTINGS)


@pytest.fixture
def training(tmp_path, monkeypatch):
    """Folder of a training of a tiny network with random weights."""
    monkeypatch.setitem(configs.PRESETS, "tiny", TINY)
    return write_training(tmp_path)


@pytest.fixture(scope="module")
def judged(benchmark, tmp_path_factory):
    """The benchmark after the baseline and a network were judged."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(configs.PRESETS, "tiny", TINY)
        benchmark.network(write_training(tmp_path_factory.mktemp("run")), "tiny", updates=1)
    benchmark.aligner("icp", AlignConfig(aligner="icp"))
    return benchmark


def write_training(tmp_path):
    torch.manual_seed(0)
    config = dataclasses.asdict(TrainConfig(preset="tiny"))
    (tmp_path / "config.json").write_text(json.dumps(config))
    weights = MultiSparc(TINY).state_dict()
    torch.save({"averaged": weights, "step": 7}, tmp_path / "checkpoint.pt")
    return tmp_path


def one_view(symmetry="none", **changed):
    T = np.eye(4)
    T[:3, 3] = 0.1, 0.2, 2.5
    values = {"room": "r", "frame": 0, "id": 1, "label": "chair", "cad_id": "c",
              "symmetry": symmetry, "T_cam_obj": T, "S": np.array([0.5, 0.9, 0.6]),
              "pixels": 100, "visible": 0.9, "agreeing": 1.0, "centred": True}  # fmt: skip
    return views.ObjectView(**values | changed)


def moved(view, turn_deg=0.0, shift=0.0, scale=1.0):
    """Poses of one view: its truth turned about the CAD's y, moved along x and resized."""
    truth = judge.true_poses([view])
    R = truth.R @ rotation_y(np.radians(turn_deg))
    return judge.Poses(truth.T + [shift, 0, 0], R, truth.S * scale, truth.score)


def test_the_listed_models_are_the_held_out_half_only():
    ids = rooms.listed_ids()
    assert len(ids) == len(set(ids)) == 113
    split = CadModel.split.fget  # the id alone decides
    assert {split(SimpleNamespace(id=i)) for i in ids} == {"bench"}


def test_rooms_hold_no_model_of_the_training_half(benchmark, source):
    placed = [p for room in benchmark.rooms for p in rooms.read_room(room).ground_truth]
    assert placed
    assert {source[p.cad_id].split for p in placed} == {"bench"}


def test_another_library_is_refused(source, tmp_path):
    with pytest.raises(ValueError, match=r"lacks 1 of \d+ \(no-such-model\)"):
        listed = [m.id for m in source if m.split == "bench"]
        rooms.held_out_library(tmp_path, source, [*listed, "no-such-model"])
    with pytest.raises(FileNotFoundError, match="name the Sweet Home 3D one"):
        rooms.held_out_library(tmp_path / "empty", None)


def test_views_are_read_back_as_they_were_made(benchmark):
    again = views.all_views(benchmark.folder, benchmark.rooms, benchmark.library)
    assert views.digest(again) == views.digest(benchmark.views)
    assert all(v.pixels >= views.MIN_PIXELS and v.visible >= 0.08 for v in benchmark.views)
    assert sum(v.counted for v in benchmark.views) >= 4


def test_visibility_of_a_cube(benchmark):
    frame = rooms.read_room(benchmark.rooms[0])[0]
    maps = true_maps(frame)
    T = np.eye(4)
    T[2, 3] = 2.5
    corners = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)])
    quads = [(0, 1, 3, 2), (4, 5, 7, 6), (0, 1, 5, 4), (2, 3, 7, 6), (0, 2, 6, 4), (1, 3, 7, 5)]
    faces = np.array([t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))])
    side = maps.K[0, 0] / 2.0  # the near face is 2 m away

    def seen(depth, shift=0.0, share=1.0):
        where = T.copy()
        where[0, 3] = shift
        here = dataclasses.replace(maps, depth=np.full_like(maps.depth, depth))
        return views.visibility(here, where, np.ones(3), (corners, faces), share * side**2)

    assert seen(2.2) == {"visible": pytest.approx(1, abs=0.05), "agreeing": 1.0, "centred": True}
    assert seen(2.2, share=0.5)["visible"] == pytest.approx(0.5, abs=0.03)
    assert seen(1.6)["agreeing"] == 0.0
    assert not seen(2.2, shift=3.0)["centred"]


def test_true_poses_score_100_percent(benchmark):
    is_right = judge.right(judge.true_poses(benchmark.views), benchmark.views)[:, 0]
    table = judge.accuracy_table(is_right, benchmark.views)
    assert table["counted"]["accuracy"] == table["all"]["accuracy"] == table["class_mean"] == 1.0
    assert sum(row["n"] for row in table["by_visibility"]) == len(benchmark.views)
    assert sum(row["n"] for row in table["per_class"].values()) == table["counted"]["n"]


@pytest.mark.parametrize(
    "symmetry, change, expected",
    [
        ("none", {"turn_deg": 19}, True),
        ("none", {"turn_deg": 25}, False),
        ("none", {"turn_deg": 180}, False),
        ("2-fold", {"turn_deg": 180}, True),
        ("2-fold", {"turn_deg": 205}, False),
        ("4-fold", {"turn_deg": 100}, True),
        ("rotational", {"turn_deg": 25}, True),
        ("none", {"shift": 0.19}, True),
        ("none", {"shift": 0.21}, False),
        ("none", {"scale": 1.19}, True),
        ("none", {"scale": 1.21}, False),
    ],
)
def test_limits_of_a_right_pose(symmetry, change, expected):
    view = one_view(symmetry)
    assert judge.right(moved(view, **change), [view])[0, 0] == expected


def test_no_pose_is_wrong_and_uncounted_views_do_not_enter():
    pair = [one_view(), one_view(agreeing=0.4)]
    is_right = np.append(judge.right(judge.Poses.none(1), pair[:1])[:, 0], True)
    table = judge.accuracy_table(is_right, pair)
    assert (table["counted"]["n"], table["counted"]["accuracy"]) == (1, 0.0)
    assert table["all"]["accuracy"] == 0.5


def test_a_score_that_is_the_share_of_right_poses_has_no_calibration_error():
    score = np.repeat([0.05, 0.95], 200)
    is_right = np.concatenate([np.arange(200) < 10, np.arange(200) < 190])
    found = judge.judge_score(score, is_right)
    assert found["ece"] == pytest.approx(0, abs=1e-9)
    assert found["auc"] == pytest.approx((190 * 190 + (190 * 10 + 10 * 190) / 2) / 200**2)
    assert found["sorted_accuracy"][-1] == (1.0, 0.5)
    assert judge.judge_score(np.repeat(0.9, 10), np.zeros(10, bool))["ece"] == pytest.approx(0.9)


def test_batches_hold_every_object_of_a_frame_where_it_is_seen(benchmark):
    (room, number), index = max(views.by_frame(benchmark.views).items(), key=lambda i: len(i[1]))
    frame = rooms.read_room(benchmark.folder / "rooms" / room)[number]
    mine = [benchmark.views[k] for k in index]
    groups = list(frame_batches(frame, mine, benchmark.library, n_mul=2, n_points=500))
    assert sorted(k for _, group in groups for k in group) == list(range(len(mine)))
    for batch, group in groups:
        assert batch.valid[0].tolist() == [True] * len(group) + [False] * (2 - len(group))
        for slot, k in enumerate(group):
            assert (batch.instance[0] == slot + 1).sum() == mine[k].pixels
            M = affine(mine[k].T_cam_obj, mine[k].S)
            uv, z = project(transform(M, batch.cad_points[0, slot].numpy()), batch.K[0].numpy())
            low, high = batch.box[0, slot, :2].numpy(), batch.box[0, slot, 2:].numpy()
            # What is seen of an object lies within the whole of it.
            assert (uv.min(0) < low + 4).all() and (uv.max(0) > high - 4).all()
            own = batch.depth[0, 0][batch.instance[0] == slot + 1]
            measured = own[own > 0].median().item()
            assert z.min() - 0.1 < measured < z.max() + 0.1


def test_a_network_is_judged_from_its_training_folder(judged):
    record = json.loads((judged.folder / "judged" / "method.tiny.json").read_text())
    chosen = record["selection"]
    assert record["steps"] == 7 and len(record["by_updates"]) == 5
    assert chosen["sigma"] == record["counted"]["accuracy"] == record["by_updates"][1]["sigma"]
    assert max(chosen.values()) == chosen["best_of_four"]
    counted = sum(v.counted for v in judged.views)
    assert sum(row[1] for row in record["sigma"]["reliability"]) == counted
    assert (judged.out / "alignment_calibration_tiny.png").exists()


def test_spoilt_weights_are_named(training):
    state = torch.load(training / "checkpoint.pt", weights_only=True)
    next(iter(state["averaged"].values())).fill_(float("nan"))
    torch.save(state, training / "checkpoint.pt")
    with pytest.raises(ValueError, match="not finite"):
        load_trained(training)
    state["averaged"].popitem()
    torch.save(state, training / "checkpoint.pt")
    with pytest.raises(ValueError, match="of another network"):
        load_trained(training)


def test_the_baseline_aligns_once_and_is_then_read(judged, monkeypatch):
    record = json.loads((judged.folder / "judged" / "method.icp.json").read_text())
    assert 0.2 < record["all"]["accuracy"] <= 1
    monkeypatch.setattr(stages.Stages, "frame", lambda *_: pytest.fail("aligned again"))
    chain = stages.Stages(judged.library, "icp")
    found = outcomes.run_stages(chain, judged.folder, judged.views, ("cad",), "icp")
    table = outcomes.judge_stages(found, judged.views)["cad"]
    assert table["per_class"] == record["per_class"]


def test_an_aligner_that_knows_the_truth_loses_nothing_but_what_the_stages_lose(benchmark):
    chain = stages.Stages(benchmark.library, "icp", classifier="box_size")
    (room, number), index = next(iter(views.by_frame(benchmark.views).items()))
    mine = [benchmark.views[k] for k in index]

    def truth(frame, segmentation):
        return tuple(
            Alignment(o.id, o.label, o.cad_ids[0], v.T_cam_obj, v.S, 1.0)
            for o, v in zip(segmentation.objects, mine, strict=True)
        )

    chain.align = truth
    frame = rooms.read_room(benchmark.folder / "rooms" / room)[number]
    table = outcomes.judge_stages(chain.frame(frame, mine, ("cad",)), mine)["cad"]
    assert table["all"]["accuracy"] == table["cad_right"] == table["class_right"] == 1.0


def test_own_stages_give_an_outcome_for_every_view(benchmark):
    chain = stages.Stages(benchmark.library, "icp", classifier="box_size")
    found = outcomes.run_stages(chain, benchmark.folder, benchmark.views, stages.GIVEN, "chain")
    table = outcomes.judge_stages(found, benchmark.views)
    assert set(table) == set(stages.GIVEN)
    assert table["own"]["segmented"] <= table["mask"]["segmented"] == 1.0
    assert table["mask"]["class_right"] <= table["class"]["class_right"] == 1.0
    assert table["class"]["cad_right"] <= table["cad"]["cad_right"]


def test_an_alignment_belongs_to_the_view_of_its_class_that_it_overlaps_most():
    pair = [one_view(id=1), one_view(id=2), one_view(id=3, label="table")]
    boxes = {1: [0, 0, 10, 10], 2: [20, 0, 30, 10], 3: [0, 0, 10, 10]}
    boxes = {i: np.array(b, float) for i, b in boxes.items()}
    objects = tuple(Object(i, boxes[j], np.zeros((0, 3))) for i, j in ((7, 1), (8, 1), (9, 3)))
    segmentation = Segmentation(np.zeros((1, 1), np.uint16), objects, np.eye(4), None)
    labels = {7: ("chair", 0.3), 8: ("chair", 0.6), 9: ("bed", 0.9)}
    aligned = [Alignment(i, c, "x", np.eye(4), np.ones(3), s) for i, (c, s) in labels.items()]
    found = stages.owners(aligned, segmentation, pair, boxes)
    assert {k: a.object_id for k, a in found.items()} == {0: 8}


def test_the_report_shows_every_method_on_the_same_views(judged):
    text = judged.report()
    record = json.loads((judged.out / "alignment.json").read_text())
    assert list(record["methods"]) == ["icp", "tiny"]
    for needed in ("| icp |", "| tiny |", "2D confidence", "**", "| 4 |"):
        assert needed in text
    report.save_part(judged.folder, "method", "stale", {"views_sha256": "other"})
    again = report.read_parts(judged.folder, "method", views.digest(judged.views))
    assert list(again) == ["icp", "tiny"]


def test_the_command_takes_several_networks():
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    words = ["benchmark", "work", "--icp", "--network", "live=runs/a", "--network", "runs/b"]
    args = parser.parse_args(words)
    assert args.network == ["live=runs/a", "runs/b"] and args.icp and not args.stages


def test_an_untrained_network_cannot_be_calibrated_and_its_frames_are_all_tried(
    benchmark, training, monkeypatch
):
    seen = []
    fit = calibrate.fit_calibration
    monkeypatch.setattr(calibrate, "fit_calibration", lambda *a: seen.append(a) or fit(*a))
    with pytest.raises(ValueError, match="does not tell right poses from wrong ones"):
        calibrate.calibrate_run(training, benchmark.rooms)
    ((logits, is_right),) = seen
    # Only an object of which no pixel has a depth cannot be tried.
    measured = [
        ((frame := dataset[number]).instances == view.id)[frame.depth > 0].any()
        for dataset, number, views_of_frame in calibrate.frames_of(benchmark.rooms)
        for view in views_of_frame
    ]
    assert len(logits) == len(is_right) == sum(measured)
    assert len(measured) == len(benchmark.views)
    assert not (training / calibrate.FILE).exists()
