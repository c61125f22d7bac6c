"""The room benchmark: files that read back, truth that scores 100 %, methods run once and resumed.

A tiny benchmark of one room of the built-in library stands in for the real one.
"""

import dataclasses
import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the benchmark needs torch: make setup-train")
pytest.importorskip("open3d")

from roomcad_core.datasets import open_dataset  # noqa: E402
from roomcad_core.library import Library  # noqa: E402
from roomcad_offline.cli import main  # noqa: E402
from roomcad_offline.evaluation.annotations import read_annotations  # noqa: E402
from roomcad_offline.evaluation.appearances import read_appearances  # noqa: E402
from roomcad_offline.evaluation.csv_files import read_raw_results  # noqa: E402
from roomcad_offline.evaluation.image_evaluation import evaluate  # noqa: E402
from roomcad_offline.evaluation.image_truth import truth_of_instances  # noqa: E402
from roomcad_offline.evaluation.poses import matrices, scan_poses  # noqa: E402
from roomcad_offline.evaluation.roca_files import read_per_frame  # noqa: E402
from roomcad_offline.evaluation.roca_instances import read_instances  # noqa: E402
from roomcad_offline.evaluation.scannet25k import (  # noqa: E402
    FrameTree,
    read_image_list,
    read_split,
)
from roomcad_offline.multi_sparc import config as configs  # noqa: E402
from roomcad_offline.multi_sparc.network import MultiSparc  # noqa: E402
from roomcad_offline.multi_sparc.train import TrainConfig  # noqa: E402
from roomcad_offline.room_benchmark.build import Built, build  # noqa: E402
from roomcad_offline.room_benchmark.config import BenchmarkConfig  # noqa: E402
from roomcad_offline.room_benchmark.frames import DetectedFrames  # noqa: E402
from roomcad_offline.room_benchmark.masks import decode_mask  # noqa: E402
from roomcad_offline.room_benchmark.predict import predict  # noqa: E402
from roomcad_offline.room_benchmark.records import predictions  # noqa: E402
from roomcad_offline.room_benchmark.score import score_run, summary  # noqa: E402
from roomcad_offline.room_benchmark.variant import Variant  # noqa: E402
from roomcad_offline.rooms.config import RoomConfig  # noqa: E402

ROOMS = RoomConfig(rooms=1, frames=4, width=320, height=240, fps=0.5, seed=3, shadows=False,
                   theme="office", clutter=0.3)  # fmt: skip
SCENE = "scene8000_00"
TINY = configs.ModelConfig(
    configs.NetworkConfig(n_mul=2, n_latent=4, width=32, blocks=1, self_layers=1, self_heads=2,
                          head_width=8, ff_mult=1),
    configs.InputConfig(20, 20, paired=True),
)  # fmt: skip


@pytest.fixture(scope="module")
def source():
    full = Library.load()
    labels = ("desk", "chair", "bookshelf", "cabinet", "table")
    return Library([m for c in labels for m in full.of_class(c)[:8]], full.folder)


@pytest.fixture(scope="module")
def built(source, tmp_path_factory):
    listed = [m.id for m in source if m.split == "bench"]
    config = BenchmarkConfig(rooms=ROOMS)
    return build(tmp_path_factory.mktemp("rooms"), source, config, listed)


@pytest.fixture(scope="module")
def training(tmp_path_factory):
    """Folder of a training of a tiny network with random weights."""
    folder = tmp_path_factory.mktemp("tiny")
    torch.manual_seed(0)
    config = dataclasses.asdict(TrainConfig()) | {"model": dataclasses.asdict(TINY)}
    (folder / "config.json").write_text(json.dumps(config))
    torch.save({"averaged": MultiSparc(TINY).state_dict(), "step": 7}, folder / "checkpoint.pt")
    return folder


def test_frames_read_back_as_those_of_the_room(built):
    tree = FrameTree(built.folder / "scannet_frames_25k")
    assert tree.scenes() == [SCENE] == list(read_split(built.folder / "scannetv2_val.txt"))
    assert tree.frames(SCENE) == ["000000", "000100", "000200", "000300"]
    listed = read_image_list(built.folder / "val_images.txt")
    assert listed == tuple((SCENE, name) for name in tree.frames(SCENE))
    room = open_dataset(built.folder / "rooms" / "room0000")
    as_scan = open_dataset(tree.root / SCENE)
    for k, frame in enumerate(room):
        np.testing.assert_array_equal(as_scan[k].color, frame.color)
        np.testing.assert_array_equal(as_scan[k].depth, frame.depth)
        np.testing.assert_allclose(tree.pose(SCENE, f"{100 * k:06d}"), frame.T_world_cam)
    np.testing.assert_allclose(tree.intrinsics(SCENE), room.K)


def test_annotated_models_are_those_of_the_room_that_a_frame_shows(built):
    a = read_annotations(built.folder / "full_annotations.json")
    assert a.scenes == (SCENE,) and len(a) >= 2
    room = open_dataset(built.folder / "rooms" / "room0000")
    placed = [p for p in room.ground_truth if p.cad_id in a.cad_id]
    M = matrices(*scan_poses(a))
    true = np.stack([p.T_world_obj @ np.diag([*p.S, 1]) for p in placed])
    for one in M:
        assert np.abs(true - one).max((1, 2)).min() < 1e-6
    assert not {"03179701", "04446276"} & set(a.category)  # desks are tables, toilets are left out
    counts = read_appearances(built.folder / "cad_appearances.json")
    assert sum(counts[SCENE].values()) == len(a)


def test_instances_have_the_poses_and_masks_of_the_annotations(built):
    found = read_instances(built.folder / "scan2cad_instances_val.json")
    a = read_annotations(built.folder / "full_annotations.json")
    tree = FrameTree(built.folder / "scannet_frames_25k")
    assert len(found.images) == 4 and len(set(found.instance_id)) == len(found) > 0
    M = matrices(found.t, found.q, found.s)
    in_scan = matrices(*scan_poses(a))
    room = open_dataset(built.folder / "rooms" / "room0000")
    for row in range(len(found)):
        T = tree.pose(SCENE, found.frame[row])
        np.testing.assert_allclose(T @ M[row], in_scan[found.model_index[row]], atol=1e-6)
        mask = decode_mask(found.segmentation[row])
        assert mask.sum() == found.area[row]
        instances = room[int(found.frame[row]) // 100].instances
        assert len(np.unique(instances[mask])) == 1 and instances[mask][0] > 0
        assert (instances == instances[mask][0]).sum() == mask.sum()


def test_detections_name_what_the_scene_holds_and_lie_where_something_is(built):
    a = read_annotations(built.folder / "full_annotations.json")
    for name in ("detections.json", "detections_true.json"):
        found = read_per_frame(built.folder / name)
        assert len(found) and not found.bad.any() and not found.problems
        assert len(found.frames) == 4
        annotated = set(zip(a.category, a.cad_id, strict=True))
        assert set(zip(found.category, found.cad_id, strict=True)) <= annotated
        assert (found.score > 0.5).all()
        boxes = np.stack([_box(decode_mask(m)) for m in found.segmentation])
        assert np.abs(boxes - found.bbox).max() < (1e-6 if "true" in name else 60)
    seen = DetectedFrames(built, "true").scene(SCENE)
    assert [len(s.models) for s in seen] == [len(s.rows) for s in seen]
    assert all(set(np.unique(s.instances)) <= set(range(len(s.models) + 1)) for s in seen)


def _box(mask):
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])


def test_making_it_again_changes_nothing_and_other_settings_are_refused(built, source):
    before = {p.name: p.read_bytes() for p in built.folder.glob("*.json")}
    again = build(built.folder, config=BenchmarkConfig(rooms=ROOMS), listed=_ids(source))
    assert again.scenes == built.scenes == Built.open(built.folder).scenes
    assert {n: (built.folder / n).read_bytes() for n in before} == before
    other = BenchmarkConfig(rooms=dataclasses.replace(ROOMS, seed=4))
    with pytest.raises(ValueError, match="holds another benchmark; different: rooms"):
        build(built.folder, config=other, listed=_ids(source))


def _ids(source):
    return [m.id for m in source if m.split == "bench"]


def test_the_same_seed_gives_the_same_detections(built, source, tmp_path):
    again = build(tmp_path, source, BenchmarkConfig(rooms=ROOMS), _ids(source))
    for name in ("detections.json", "scan2cad_instances_val.json", "full_annotations.json"):
        assert (again.folder / name).read_bytes() == (built.folder / name).read_bytes()


def test_the_whole_set_is_as_large_as_promised():
    rooms = BenchmarkConfig().rooms
    assert rooms.rooms >= 60 and rooms.rooms * rooms.frames >= 2000
    assert BenchmarkConfig().smaller(32).rooms.rooms == 2
    with pytest.raises(ValueError, match="expected at least 1"):
        BenchmarkConfig().smaller(0)


def test_truth_scores_100_per_scene_in_every_preset_and_per_image(built):
    predict(built, "gt", Variant("gt"))
    scores = score_run(built, "gt")
    for way in ("best frame", "fused"):
        for preset, figures in scores["scene"][way].items():
            assert (figures["class"], figures["instance"]) == (100, 100), (way, preset)
    image = scores["image"]
    assert image["instance"] == {"predictions": 100, "objects": 100}
    assert image["class"] == {"predictions": 100, "objects": 100}
    assert "per scene, fused" in summary("gt", scores)


def test_truth_in_the_instances_file_scores_100_per_image(built):
    truth = read_instances(built.folder / "scan2cad_instances_val.json")
    names = ("scene", "frame", "category", "cad_id", "t", "q", "s", "bbox")
    rows = [{n: getattr(truth, n)[i] for n in names} | {"score": 1.0} for i in range(len(truth))]
    frames = list(dict.fromkeys((r["scene"], r["frame"]) for r in rows))
    result = evaluate(predictions(rows, frames), truth_of_instances(truth))
    assert result.accuracy["mean_of_abs"]["instance"] == {"predictions": 100, "objects": 100}


def test_moved_truth_scores_0(built):
    predict(built, "gt", Variant("gt"))
    path = built.folder / "predictions" / "gt" / "per_frame_preds.json"
    moved = json.loads(path.read_text())
    for detections in moved.values():
        for d in detections:
            d["t"][2] += 0.3
    folder = built.folder / "predictions" / "moved"
    folder.mkdir(exist_ok=True)
    (folder / path.name).write_text(json.dumps(moved))
    (folder / "variant.json").write_text((path.parent / "variant.json").read_text())
    scores = score_run(built, "moved")
    assert scores["image"]["instance"]["predictions"] == 0


@pytest.mark.parametrize("method", ["icp", "robot"])
def test_every_detection_is_in_the_file_of_a_robots_aligner_with_its_2d_score(built, method):
    path = predict(built, method, Variant(method, detections="true"))
    found, given = read_per_frame(path), read_per_frame(built.folder / "detections_true.json")
    assert len(found) == len(given) and found.frames == given.frames
    assert [e["score_2d"] for e in found.extra] == given.score.tolist()
    scores = score_run(built, method)
    assert scores["scene"].keys() == {"best frame", "best frame, 2D score", "fused"}
    assert scores["image"]["instance"]["predictions"] > 0
    fused = read_raw_results(built.folder / "predictions" / method / "fused_results.csv")
    assert 0 < len(fused) < len(found)


@pytest.mark.parametrize(
    ("settings", "passes", "tried"),
    [
        ({}, {16}, 4),
        ({"initialisations": "one", "updates": 1}, {2}, None),
        ({"select": "2d", "updates": 0, "joint": False}, {4}, 4),
    ],
)
def test_a_network_writes_what_it_tried(built, training, settings, passes, tried):
    path = predict(built, f"tiny-{len(settings)}", Variant(str(training), **settings))
    found, given = read_per_frame(path), read_per_frame(built.folder / "detections.json")
    assert len(found) == len(given) and not found.bad.any()
    assert {e["passes"] for e in found.extra} == passes
    for row, values in enumerate(found.extra):
        entries = values.get("initialisations")
        assert (None if entries is None else len(entries)) == tried
        if settings.get("select") == "2d":
            assert found.score[row] == values["score_2d"]
        elif entries:
            best = max(entries, key=lambda e: e["score"])
            assert found.score[row] == pytest.approx(best["score"], abs=1e-6)
            np.testing.assert_allclose(found.t[row], best["t"], atol=1e-6)


def test_tracks_save_passes_where_sigma_is_high_enough(built, training):
    easy = Variant(str(training), "true", "temporal", min_sigma=0.0)
    hard = Variant(str(training), "true", "temporal", min_sigma=1.0)
    spent = {}
    for name, variant in (("easy", easy), ("hard", hard)):
        found = read_per_frame(predict(built, name, variant))
        spent[name] = [e["passes"] for e in found.extra]
    assert set(spent["hard"]) == {16}  # nothing is ever certain enough to become a track
    assert set(spent["easy"]) == {16, 2}  # a new object has no track yet


def test_an_interrupted_prediction_goes_on_and_another_is_refused(built, training):
    variant = Variant(str(training), initialisations="one")
    path = predict(built, "again", variant)
    before = path.read_bytes()
    part = path.parent / "scenes" / f"{SCENE}.json"
    stamp = part.stat().st_mtime_ns
    assert predict(built, "again", variant).read_bytes() == before
    assert part.stat().st_mtime_ns == stamp  # kept
    part.unlink()
    assert predict(built, "again", variant).read_bytes() == before  # the same again
    with pytest.raises(ValueError, match="predictions of something else"):
        predict(built, "again", Variant("icp"))


def test_commands_predict_and_score(built, capsys):
    assert main(["eval", "rooms-predict", str(built.folder), "gt", "--name", "by-hand"]) == 0
    assert main(["eval", "rooms-score", str(built.folder), "by-hand"]) == 0
    assert "sparc 100.0 / 100.0" in capsys.readouterr().out
    assert main(["eval", "rooms-score", str(built.folder / "nothing")]) == 1
    assert "no finished room benchmark" in capsys.readouterr().err
