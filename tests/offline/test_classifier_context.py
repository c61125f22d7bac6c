"""How classes by crop and by surroundings are judged: hand-made frames, objects and answers."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from roomcad_core.types import OTHER, Frame, Object, Segmentation
from roomcad_offline.classifier import context
from roomcad_offline.classifier.context import figures, judged_objects, markdown, true_label

FURNITURE = {1: "chair", 2: "table"}


def test_the_true_class_is_of_what_seven_tenths_of_the_pixels_show():
    assert true_label(np.repeat([1, 2], [7, 3]), FURNITURE) == "chair"
    assert true_label(np.repeat([1, 2], [6, 4]), FURNITURE) == ""
    assert true_label(np.repeat([0, 9, 1], [4, 3, 3]), FURNITURE) == OTHER  # wall and clutter
    assert true_label(np.repeat([0, 1], [4, 6]), FURNITURE) == ""
    assert true_label(np.repeat([9, 1], [6, 4]), FURNITURE) == ""


def test_figures_of_four_answers():
    """Two chairs, one of them called other; a table called chair; a wall called other."""
    found = figures([
        ("chair", {"chair": 0.6, "table": 0.2, OTHER: 0.2}),
        ("chair", {"chair": 0.3, "table": 0.2, OTHER: 0.5}),
        ("table", {"chair": 0.8, "table": 0.2, OTHER: 0.0}),
        (OTHER, {"chair": 0.1, "table": 0.0, OTHER: 0.9}),
    ])  # fmt: skip
    assert found["right"] == pytest.approx(2 / 3) and found["kept"] == pytest.approx(2 / 3)
    assert found["rejected"] == 1
    assert found["nll"] == pytest.approx(-np.log(0.6 * 0.3 * 0.2) / 3)
    assert found["right_by_class"]["chair"] == 1 and found["right_by_class"]["table"] == 0
    assert found["right_by_class"]["bed"] is None
    gaps = abs(0.6 - 1), abs(0.5 - 0), abs(0.8 - 0), abs(0.9 - 1)  # each in a bin of its own
    assert found["calibration_error"] == pytest.approx(sum(gaps) / 4)


def test_an_object_without_an_answer_counts_as_wrong():
    found = figures([("chair", {}), (OTHER, {})])
    assert (found["right"], found["kept"], found["rejected"]) == (0, 0, 0)
    assert found["nll"] is None and found["calibration_error"] is None


class Room(list):
    """A dataset of frames with what room.json says."""

    room = {"objects": [{"id": 1, "label": "chair"}]}  # noqa: RUF012


def frame():
    """A chair in the left half, a wall in the right."""
    ids = np.zeros((4, 8), np.uint16)
    ids[:, :4] = 1
    depth, color = np.ones((4, 8), np.float32), np.zeros((4, 8, 3), np.uint8)
    return Frame(0.0, color, depth, np.eye(3), np.eye(4), instances=ids)


def segment(frame):
    """Both halves, and what their surroundings say."""
    instances = (2 - frame.instances).astype(np.uint16)
    says = {1: {"chair": 0.9, OTHER: 0.1}, 2: {"chair": 0.2, OTHER: 0.8}}
    objects = tuple(
        Object(i, np.zeros(4, np.float32), np.zeros((9, 3), np.float32), class_scores=says[i])
        for i in (1, 2)
    )
    return Segmentation(instances, objects, np.eye(4), None)


def classify(segmentation):
    """The crops say nothing: half and half, unless the surroundings say more."""
    scores = [o.class_scores or {"chair": 0.5, OTHER: 0.5} for o in segmentation.objects]
    objects = tuple(
        replace(o, label="chair", class_scores=s)
        for o, s in zip(segmentation.objects, scores, strict=True)
    )
    return replace(segmentation, objects=objects)


def test_a_rooms_objects_are_classified_with_and_without_their_surroundings(monkeypatch):
    monkeypatch.setattr(context, "open_room", lambda folder: Room([frame()] * 3))
    found = list(judged_objects("room", segment, classify, most=2))
    assert [o.label for o in found] == ["chair", OTHER] * 2
    chair = found[0].scores
    assert chair["crop"] == {"chair": 0.5, OTHER: 0.5}
    assert chair["surroundings"] == chair["both"] == {"chair": 0.9, OTHER: 0.1}


def test_the_page_and_the_file_tell_the_same(monkeypatch, tmp_path):
    monkeypatch.setattr(context, "open_room", lambda folder: Room([frame()]))
    monkeypatch.setattr(context, "Segmenter", lambda config: segment)
    monkeypatch.setattr(context, "make_classifier", lambda config, library: classify)
    monkeypatch.setattr(context, "Library", SimpleNamespace(load=lambda: None))
    text = context.write_context([tmp_path / "rooms" / "a"], tmp_path / "out")
    record = json.loads((tmp_path / "out" / "context.json").read_text())
    assert (record["objects"]["chair"], record["objects"][OTHER]) == (1, 1)
    assert record["methods"]["both"]["nll"] == pytest.approx(-np.log(0.9), abs=1e-4)
    assert text == (tmp_path / "out" / "context.md").read_text() == markdown(record)
    assert "| both | 1.000 | 1.000 | 1.000 | 0.105 | 0.150 |" in text
