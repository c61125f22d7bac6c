"""The whole evaluation: the truth fed back scores everything, predictions are made once."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from roomcad_core.classes import CLASSES
from roomcad_core.config import PipelineConfig
from roomcad_core.library import Library
from roomcad_core.types import Object, Segmentation
from roomcad_offline.benchmarks.real import figures, report
from roomcad_offline.benchmarks.real.evaluate import evaluate
from roomcad_offline.benchmarks.real.folds import Robots, read_folds
from roomcad_offline.benchmarks.real.predictions import Predictions
from roomcad_offline.benchmarks.real.sources import find_sources
from roomcad_offline.cli import main
from roomcad_offline.rooms.config import RoomConfig
from roomcad_offline.rooms.make import make_rooms
from roomcad_offline.scans.config import ScanConfig

ROOMS = RoomConfig(rooms=2, frames=4, width=160, height=120, fps=1.0, seed=3, shadows=False)


@pytest.fixture(scope="module")
def rooms(tmp_path_factory):
    folder = tmp_path_factory.mktemp("real")
    make_rooms(ROOMS, folder / "rooms")
    return find_sources([folder / "rooms"], folder / "rendered", ScanConfig())


class Oracle:
    """A pipeline that knows the truth of simulated rooms; counts what it is asked."""

    def __init__(self, labels=None):
        """`labels`: {true class: class given}; others are given their own."""
        self.config, self.library = PipelineConfig(), Library.load()
        self.follower = SimpleNamespace(reset=lambda reason: None, room=lambda: self.placed)
        self.placed, self.served, self._labels = (), 0, labels or {}

    def __call__(self, frame):
        self.served += 1
        truth = {p.id: p for p in self.room.ground_truth}
        instances = np.where(np.isin(frame.instances, list(truth)), frame.instances, 0)
        objects = tuple(
            Object(int(i), np.zeros(4), np.zeros((0, 3)), self.label(truth[i].label), 0.9)
            for i in np.unique(instances[instances > 0])
        )
        self.placed = self.room.ground_truth
        return (), Segmentation(instances.astype(np.uint16), objects, np.eye(4), None)

    def label(self, true):
        return self._labels.get(true, true)


@pytest.fixture
def oracle(monkeypatch):
    """oracle(labels=None): an Oracle that is told which room it is in."""
    from roomcad_offline.benchmarks.real import evaluate as module

    def make(labels=None):
        made, predict = Oracle(labels), module.predict_room

        def told(room, pipeline, *rest):
            pipeline.room = room.dataset
            return predict(room, pipeline, *rest)

        monkeypatch.setattr(module, "predict_room", told)
        monkeypatch.setattr(module, "predict_cads", lambda *_: [])
        return made

    return make


def judged(rooms, robot, out, every=1):
    return evaluate(rooms, lambda name: robot, out, every)


def test_the_truth_fed_back_scores_everything(rooms, oracle, tmp_path):
    (kind,) = judged(rooms, oracle(), tmp_path).values()
    record = figures.kind_record(kind)
    frames, objects = record["frames"], record["objects"]
    assert record["rooms"] == record["places"] == 2 and frames["frames"] == 8
    for name in ("recall_0.25", "recall_0.5", "class_right", "both_right", "precision"):
        assert frames[name]["value"] == 1.0, name
        assert frames[name]["interval_95"] == [1.0, 1.0]
    assert frames["false_share"]["value"] == 0.0 and frames["shown_false"] == {}
    assert [frames["ap"][t]["value"] for t in ("0.25", "0.5")] == pytest.approx([1.0, 1.0])
    for t in (0.25, 0.5):
        assert objects[f"recall_{t}"]["value"] == 1.0
        assert objects[f"map_{t}"]["value"] == pytest.approx(1.0)
        assert objects[f"f1_{t}"]["counts"][0] == objects[f"recall_{t}"]["counts"][1]
    assert set(frames["confusion"]) <= {*CLASSES}
    assert all(set(row) == {true} for true, row in frames["confusion"].items())
    fates = objects["fates"]
    assert fates["duplicate"] == fates["wrong class"] == fates["ghost"] == 0
    assert objects["frames_until_right"]["median"] == 1


def test_a_class_that_is_always_taken_for_another_shows_in_every_figure(rooms, oracle, tmp_path):
    (kind,) = judged(rooms, oracle(dict.fromkeys(CLASSES, "toilet")), tmp_path).values()
    frames = figures.kind_record(kind)["frames"]
    assert frames["recall_0.5"]["value"] == 1.0
    assert frames["class_right"]["value"] == frames["both_right"]["value"] == 0.0
    assert all(set(row) == {"toilet"} for row in frames["confusion"].values())


def test_predictions_are_made_once_and_again_where_settings_change(rooms, oracle, tmp_path):
    first = oracle()
    judged(rooms, first, tmp_path)
    again = oracle()
    judged(rooms, again, tmp_path)
    assert (first.served, again.served) == (8, 0)
    judged(rooms, again, tmp_path, every=2)
    assert again.served == 4
    assert len(Predictions(tmp_path / "predictions" / "room0000")) == 2
    (tmp_path / "predictions" / "room0000" / "identity.json").unlink()
    with pytest.raises(FileNotFoundError, match="not predicted to its end"):
        Predictions(tmp_path / "predictions" / "room0000")


def test_places_of_a_fold_are_judged_by_its_robot(tmp_path):
    (tmp_path / "fold.yaml").write_text("segment: {min_points: 200}\n")
    folds = tmp_path / "folds.yaml"
    folds.write_text("- {config: fold.yaml, places: [scene0001, room0001]}\n")
    robots = Robots(PipelineConfig(), read_folds(folds))
    points = [robots(n).config.segment.min_points for n in ("scene0001_02", "room0000", "room0001")]
    assert points == [200, PipelineConfig().segment.min_points, 200]
    folds.write_text("- {config: fold.yaml, places: [a]}\n- {config: fold.yaml, places: [a]}\n")
    with pytest.raises(ValueError, match="folds.yaml: a is in two folds"):
        read_folds(folds)
    folds.write_text("- {places: [a]}\n")
    with pytest.raises(ValueError, match="folds.yaml: got KeyError: 'config', expected a list"):
        read_folds(folds)


def test_scans_of_one_place_are_one_place():
    assert figures.place_of("scene0001_00") == figures.place_of("scene0001_01") == "scene0001"
    assert figures.place_of("room0000") == "room0000"


def test_average_precision_over_rooms_by_hand():
    box, far = np.array([0, 0, 0, 1, 1, 1.0]), np.array([9, 0, 0, 1, 1, 1.0])
    one = {c: ([], [], 0) for c in CLASSES}
    one["chair"] = ([0.9, 0.2], [True, False], 1)
    two = {c: ([], [], 0) for c in CLASSES} | {"chair": ([0.5], [False], 1)}
    # Ranked: right, false, false; two true: recall 1/2 at precision 1.
    assert figures.class_ap([one, two], "chair") == pytest.approx(0.5)
    assert figures.class_ap([one, two], "bed") is None
    shown = [
        SimpleNamespace(label="chair", score=score, box=at, fate={0.25: fate})
        for score, at, fate in ((0.9, box, "right"), (0.8, far, "ghost"), (0.7, far, "not judged"))
    ]
    scores = SimpleNamespace(shown=shown, true=[("chair", box)])
    assert figures._detections(scores, 0.25)["chair"] == ([0.9, 0.8], [True, False], 1)


def test_the_command_writes_tables_and_pictures_of_the_shipped_pipeline(rooms, tmp_path, capsys):
    folder = rooms[0].folder
    assert main(["real", "evaluate", str(folder), "--out", str(tmp_path), "--every", "2"]) == 0
    record = json.loads((tmp_path / "real.json").read_text())
    page = (tmp_path / "real.md").read_text()
    assert page == report.markdown(record) and page in capsys.readouterr().out
    assert record["command"] == "roomcad-offline real evaluate room0000 --out OUT --every 2"
    assert record["kinds"]["simulated"]["frames"]["frames"] == 2
    assert "| recall, IoU 0.5 |" in page and "single views, true masks" in page
    names = {path.name for path in (tmp_path / "pictures").iterdir()}
    assert names == {"room0000_frames.jpg", "room0000_top.jpg", "reliability.png"}


def test_what_is_wrong_is_said_before_anything_is_predicted(tmp_path, capsys, rooms):
    def error(*arguments):
        assert main(["real", "evaluate", *map(str, arguments), "--out", str(tmp_path / "o")]) == 1
        return capsys.readouterr().err

    assert "nowhere: no such folder" in error(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    assert "no room with truth here or below" in error(tmp_path / "empty")
    folder = rooms[0].folder
    assert "room0000: found more than once" in error(folder, folder)
    assert "--every: got 0" in error(folder, "--every", 0)
