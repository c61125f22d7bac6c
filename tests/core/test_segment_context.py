"""A network beside geometry: pieces that it joins, and what it says of their surroundings."""

import dataclasses
import functools

import numpy as np
import pytest

from roomcad_core.classes import CLASSES
from roomcad_core.config import SegmentConfig
from roomcad_core.detect import Detection
from roomcad_core.segment import Segmenter
from roomcad_core.segment.instances import context_classes, joined, load_instance_network
from roomcad_core.segment.instances.cells import fit_cells
from roomcad_core.segment.instances.join import hue
from roomcad_core.segment.instances.model_files import KINDS
from roomcad_core.segment.instances.seen import Seen
from roomcad_core.types import OTHER, Frame

SHAPE = 4, 12
FURNITURE = list(CLASSES)
# Pieces of 4 x 4 cells, each of them seen at the depth of its own number [m].
LABELS = np.repeat([[1, 2, 3]], 4, axis=0).repeat(4, axis=1)


def piece(i):
    """(4, 12) bool of a piece."""
    return np.equal(LABELS, i)


def logits(kinds):
    """(16, 4, 12) logits: 20 for the kind of each piece, which is taken for certain."""
    out = np.zeros((len(KINDS), *SHAPE), np.float32)
    for i, kind in enumerate(kinds):
        out[KINDS.index(kind), piece(i + 1)] = 20
    return out


def seen(centres, spreads=(0.2, 0.2, 0.2), kinds=("chair",) * 3, foreground=None, colors=None):
    """Seen of LABELS whose pieces vote for these centres (3, 3), with these spreads, kinds and
    colours (3, 3), if any."""
    q = (1 / LABELS).astype(np.float32)
    points = np.random.default_rng(0).normal(size=(*SHAPE, 3))
    offset = np.moveaxis(np.array(centres, float)[LABELS - 1] - points, 2, 0)
    out = {
        "foreground": np.ones(SHAPE) if foreground is None else foreground,
        "offset": offset,
        "spread": np.array(spreads)[LABELS - 1],
        "kinds": logits(kinds),
    }
    color = None if colors is None else np.array(colors, np.uint8)[LABELS - 1]
    return Seen(q, fit_cells(q, SHAPE), points, out, KINDS, color)


def groups(view, labels=LABELS, reach=1.5):
    """Label of each of the three pieces after joining."""
    out = joined(labels, view, reach)
    assert out.dtype == labels.dtype
    for i in (1, 2, 3):
        assert len(set(out[piece(i)])) == 1
    return [int(out[piece(i)][0]) for i in (1, 2, 3)]


def test_pieces_that_vote_for_one_centre_are_one_thing():
    """Of 0.2 m spread: 0.25 m between the centres is within 1.5 of them, 1.2 m is not."""
    assert groups(seen([(0, 0, 0), (1.2, 0, 0), (0.25, 0, 0)])) == [1, 2, 1]
    assert groups(seen([(0, 0, 0), (1.2, 0, 0), (0.35, 0, 0)])) == [1, 2, 3]
    assert groups(seen([(0, 0, 0), (1.2, 0, 0), (0.35, 0, 0)]), reach=2.0) == [1, 2, 1]


def test_the_narrower_of_two_spreads_counts_and_all_of_a_thing_agree_with_each_other():
    """A cup at a table's centre knows that it is small."""
    chain = [(0, 0, 0), (0.25, 0, 0), (0.5, 0, 0)]
    assert len(set(groups(seen(chain)))) == 2  # the middle one goes with one of both
    assert groups(seen([(0, 0, 0), (0.1, 0, 0), (0.2, 0, 0)])) == [1, 1, 1]
    assert groups(seen(chain, spreads=(0.2, 0.2, 0.1))) == [1, 1, 2]


def test_pieces_of_one_hue_may_vote_farther_apart_and_those_of_two_must_vote_closer():
    """The factor of the same hue is sqrt(2 / 10) = 0.45; red and green differ by more than 8."""
    red, dark_red, green = (160, 30, 30), (80, 15, 15), (30, 160, 30)
    apart = [(0, 0, 0), (0.6, 0, 0), (5, 0, 0)]  # 3 spreads, 1.34 where the hue is the same
    assert groups(seen(apart)) == [1, 2, 3]
    assert groups(seen(apart, colors=(red, red, red))) == [1, 1, 2]
    assert groups(seen(apart, colors=(red, green, red))) == [1, 2, 3]
    close = [(0, 0, 0), (0.25, 0, 0), (5, 0, 0)]
    assert groups(seen(close)) == [1, 1, 2]
    assert groups(seen(close, colors=(red, green, red))) == [1, 2, 3]
    a, b = hue(np.array([[red, dark_red]], np.uint8))[0]
    assert np.linalg.norm(a - b) < 0.6 * np.linalg.norm(a)  # shadow takes some of it


def test_pieces_of_different_classes_and_of_no_furniture_stay_apart():
    one = [(0, 0, 0)] * 3
    assert groups(seen(one, kinds=("chair", "table", "chair"))) == [1, 2, 1]
    assert groups(seen(one, kinds=(OTHER,) * 3)) == [1, 2, 3]
    assert groups(seen(one, kinds=("wall",) * 3)) == [1, 2, 3]


def test_pieces_without_enough_cells_of_a_thing_join_none():
    foreground = np.where(piece(2) & (np.arange(12) != 4) & (np.arange(12) != 5), 0.2, 0.9)
    assert groups(seen([(0, 0, 0)] * 3, foreground=foreground)) == [1, 1, 1]  # eight are enough
    foreground[:, 5] = 0.2
    assert groups(seen([(0, 0, 0)] * 3, foreground=foreground)) == [1, 2, 1]
    assert groups(seen([(0, 0, 0)] * 3), labels=np.zeros_like(LABELS)) == [0, 0, 0]


def test_the_classes_of_an_object_are_the_mean_over_its_cells_and_walls_are_other():
    ids = np.where(piece(3), 7, 2)
    found = context_classes(ids, seen([(0, 0, 0)] * 3, kinds=("chair", "wall", "bed")))
    assert list(found) == [2, 7] and set(found[2]) == {*FURNITURE, OTHER}
    assert found[2]["chair"] == pytest.approx(0.5, abs=1e-6)
    assert found[2][OTHER] == pytest.approx(0.5, abs=1e-6)
    assert found[7]["bed"] == pytest.approx(1, abs=1e-6)
    assert sum(found[7].values()) == pytest.approx(1)


def test_an_object_that_no_cell_shows_has_no_classes():
    view = seen([(0, 0, 0)] * 3)
    view.q[piece(3)] = 0
    hidden = dataclasses.replace(view, cells=fit_cells(view.q, SHAPE))
    assert list(context_classes(LABELS, hidden)) == [1, 2]


DEPTH, BOX_HEIGHT, CAMERA = 2.0, 0.8, 1.4


def box_frame():
    """A box of 0.8 x 0.8 m, 2 m before a level camera, on a floor 1.4 m below it."""
    K = np.array([[280.0, 0, 159.5], [0, 280.0, 119.5], [0, 0, 1]])
    v, u = np.indices((240, 320))
    x, y = (u - K[0, 2]) / K[0, 0], (v - K[1, 2]) / K[1, 1]
    floor = np.where(y > 0.2, CAMERA / np.maximum(y, 0.2), 0)
    front = (np.abs(x * DEPTH) < 0.4) & (y * DEPTH < CAMERA) & (y * DEPTH > CAMERA - BOX_HEIGHT)
    depth = np.where(front, DEPTH, np.where(floor < 6, floor, 0)).astype(np.float32)
    T_world_cam = np.array([[0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, CAMERA], [0, 0, 0, 1.0]])
    return Frame(0.0, np.zeros((240, 320, 3), np.uint8), depth, K, T_world_cam)


@functools.cache
def shipped():
    pytest.importorskip("onnxruntime")
    return load_instance_network("instances", "onnxruntime")


def test_objects_without_a_label_carry_what_their_surroundings_say_unless_told_not_to():
    frame, first = box_frame(), Segmenter(SegmentConfig(), instances=shipped())
    (obj,) = first(frame).objects
    assert (obj.label, obj.score) == ("", 0.0) and set(obj.class_scores) == {*FURNITURE, OTHER}
    assert sum(obj.class_scores.values()) == pytest.approx(1, abs=1e-5)
    off = Segmenter(SegmentConfig(context=False), before=first)
    assert off(frame).objects[0].class_scores == {}
    on = Segmenter(SegmentConfig(join=0.0, engine="onnxruntime"), before=off)
    assert on(frame).objects[0].class_scores == pytest.approx(obj.class_scores, abs=1e-4)
    votes = Segmenter(SegmentConfig(instances="network"), before=first)
    assert all(sum(o.class_scores.values()) > 0.99 for o in votes(frame).objects)


def test_a_detectors_name_stands_alone():
    frame = box_frame()
    mask = frame.depth == DEPTH

    def detector(frame):
        return (Detection(np.zeros(4, np.float32), "desk", 0.8, mask, ()),)

    for names, scores in (("detector", {"desk": 0.8}), ("classifier", None)):
        config = SegmentConfig(detector="given", detector_names=names)
        (obj,) = Segmenter(config, detector, instances=shipped())(frame).objects
        assert (obj.class_scores == scores) if scores else (OTHER in obj.class_scores)


def test_a_frame_without_depth_has_no_objects_with_a_network_either():
    frame = box_frame()
    blind = dataclasses.replace(frame, depth=np.zeros_like(frame.depth))
    found = Segmenter(SegmentConfig(), instances=shipped())(blind)
    assert found.objects == () and found.floor_z is None


@pytest.mark.parametrize(("setting", "done", "value"),
                         [("join", "joined", 2.0), ("divide", "divided", 0.7)])  # fmt: skip
def test_settings_decide_whether_the_network_joins_and_divides(monkeypatch, setting, done, value):
    asked = []
    monkeypatch.setattr(
        f"roomcad_core.segment.segmenter.{done}",
        lambda labels, seen, limit: asked.append(limit) or labels,
    )
    frame, first = box_frame(), Segmenter(SegmentConfig(**{setting: value}), instances=shipped())
    off = SegmentConfig(**{setting: 0.0})
    for config in (off, SegmentConfig(context=False), first._config):
        Segmenter(config, before=first)(frame)
    assert asked == [value]
