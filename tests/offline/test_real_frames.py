"""Single frames against true masks, by hand."""

import numpy as np
import pytest

from roomcad_offline.benchmarks.real.frames import (
    NOT_FOUND,
    NOT_FURNITURE,
    FrameScores,
    frame_ap,
    score_frame,
)
from roomcad_offline.benchmarks.real.predictions import Piece
from roomcad_offline.scannet.categories import by_name
from roomcad_offline.scannet.frames import FrameTruth

SHAPE = (30, 40)
KNOWN = np.ones(SHAPE, bool)
WALL, CHAIR, SOFA, OTHER_CHAIR, OBJECT, FRIDGE = 1, 2, 3, 4, 5, 6
NAMES = {WALL: "wall", CHAIR: "office chair", SOFA: "couch", OTHER_CHAIR: "armchair",
         OBJECT: "otherprop", FRIDGE: "refrigerator"}  # fmt: skip


def filled(**places):
    """(H, W) ids: {name of a constant: (rows, columns) slices}; the rest is wall."""
    ids = np.full(SHAPE, WALL)
    for name, (rows, columns) in places.items():
        ids[slice(*rows), slice(*columns)] = globals()[name]
    return ids


def truth_of(ids):
    return FrameTruth(ids, {i: by_name(NAMES[i]) for i in np.unique(ids[ids > 0]).tolist()})


def counted(truth, segments, pieces, known=KNOWN):
    scores = FrameScores()
    score = score_frame(truth, segments, tuple(pieces), known)
    scores.add(score)
    return scores, score


TWO = filled(CHAIR=((0, 10), (0, 10)), SOFA=((15, 30), (15, 35)))


def test_the_truth_itself_scores_everything():
    segments = np.where(TWO == WALL, 0, TWO)
    scores, score = counted(
        truth_of(TWO), segments, [Piece(CHAIR, "chair", 0.9), Piece(SOFA, "sofa", 0.8)]
    )
    for what in ("found_0.25", "found_0.5", "right"):
        assert scores.total(what) == scores.total("true") == 2
    assert (scores.false, scores.judged, scores.shown_matched) == (0, 2, 2)
    assert scores.confusion == {
        ("chair", "chair"): 1,
        ("sofa", "sofa"): 1,
        (NOT_FURNITURE, "other"): 0,
    }
    ap = frame_ap()
    ap.add(score.masks)
    found = ap.ap()
    assert np.nanmean(found) == pytest.approx(1.0) and np.isfinite(found).sum() == 4


def test_a_wall_shown_as_a_sofa_is_false_and_named():
    segments = np.where(TWO == WALL, 9, 0)
    scores, _ = counted(truth_of(TWO), segments, [Piece(9, "sofa", 0.8)])
    assert (scores.false, scores.judged) == (1, 1)
    assert dict(scores.shown) == {("sofa", "wall", "structure"): 1}
    assert scores.confusion[NOT_FURNITURE, "sofa"] == 1
    assert scores.confusion["chair", NOT_FOUND] == scores.confusion["sofa", NOT_FOUND] == 1
    assert scores.total("found_0.25") == 0


def test_a_wall_that_is_called_other_is_not_shown():
    segments = np.where(TWO == WALL, 9, 0)
    scores, _ = counted(truth_of(TWO), segments, [Piece(9, "other", 0.8)])
    assert (scores.false, scores.judged) == (0, 0)
    assert scores.confusion[NOT_FURNITURE, "other"] == 1


def test_one_thing_in_two_pieces_is_found_once_and_the_rest_is_a_piece_too_many():
    segments = np.zeros(SHAPE, int)
    segments[0:6, 0:10], segments[6:10, 0:10] = 1, 2  # 60 and 40 of the chair's 100 pixels
    pieces = [Piece(1, "chair", 0.5), Piece(2, "chair", 0.9)]
    scores, _ = counted(truth_of(TWO), segments, pieces)
    assert scores.total("found_0.5", "chair") == scores.total("right", "chair") == 1
    # Both lie on furniture, so none is false; one of two is a true piece.
    assert (scores.shown_matched, scores.judged, scores.false) == (1, 2, 0)


def test_two_chairs_as_one_are_one_found_chair_at_most():
    ids = filled(CHAIR=((0, 10), (0, 10)), OTHER_CHAIR=((0, 10), (10, 18)))
    segments = np.where(ids == WALL, 0, 1)
    scores, _ = counted(truth_of(ids), segments, [Piece(1, "chair", 0.5)])
    # IoU 100 / 180 and 80 / 180: the larger is found, the other one has no piece of its own.
    assert scores.total("true") == 2
    assert scores.total("found_0.5") == scores.total("found_0.25") == 1
    assert scores.confusion["chair", NOT_FOUND] == 1


def test_a_found_thing_of_another_class_is_found_and_not_right():
    segments = np.where(TWO == SOFA, 1, 0)
    scores, _ = counted(truth_of(TWO), segments, [Piece(1, "bed", 0.5)])
    assert (scores.total("found_0.5", "sofa"), scores.total("right", "sofa")) == (1, 0)
    assert scores.confusion["sofa", "bed"] == 1 and scores.false == 0


def test_what_nobody_knows_or_is_no_class_of_ours_is_neither_asked_for_nor_false():
    ids = filled(OBJECT=((0, 10), (0, 10)), FRIDGE=((15, 30), (15, 35)))
    segments = np.where(ids == WALL, 0, ids)
    pieces = [Piece(OBJECT, "monitor", 0.9), Piece(FRIDGE, "cabinet", 0.9)]
    scores, score = counted(truth_of(ids), segments, pieces)
    assert (scores.total("true"), scores.false, scores.judged) == (0, 0, 0)
    assert scores.shown_kind("unknown", "other furniture") == 2
    ap = frame_ap()
    ap.add(score.masks)
    # A true chair elsewhere: the ignored detections do not count against it.
    segments = np.where(TWO == CHAIR, 1, 0)
    ap.add(counted(truth_of(TWO), segments, [Piece(1, "chair", 0.1)])[1].masks)
    chair = ap.ap()[1][np.isfinite(ap.ap()[1])]
    assert chair.max() == pytest.approx(1.0)


def test_the_parts_of_a_wall_count_together():
    ids = filled(CHAIR=((0, 10), (0, 10)))
    ids[10:20, 20:], ids[20:, 20:] = 7, 8  # three parts of 100, 200, 200 pixels beside a chair
    categories = {WALL: by_name("wall"), 7: by_name("wall"), 8: by_name("wall"),
                  CHAIR: by_name("chair")}  # fmt: skip
    segments = np.zeros(SHAPE, int)
    segments[0:10, 0:10] = 1  # 100 px of chair
    segments[10:13, 20:40] = segments[20:23, 20:40] = 1  # 60 and 60 px of two parts of the wall
    scores, _ = counted(FrameTruth(ids, categories), segments, [Piece(1, "sofa", 0.5)])
    assert dict(scores.shown) == {("sofa", "wall", "structure"): 1}


def test_only_pixels_with_a_depth_count_and_small_things_are_not_asked_for():
    known = KNOWN.copy()
    known[0:10, 0:10] = False
    known[0, 0:5] = True  # 5 of the chair's pixels: less than a 150th of the image
    segments = np.where(TWO == SOFA, 1, 0)
    scores, _ = counted(truth_of(TWO), segments, [Piece(1, "sofa", 0.5)], known)
    assert (scores.total("true"), scores.total("right")) == (1, 1)


def test_a_frame_without_pieces_or_without_truth():
    scores, _ = counted(truth_of(TWO), np.zeros(SHAPE, int), [])
    assert (scores.total("true"), scores.total("found_0.25"), scores.judged) == (2, 0, 0)
    segments = np.where(TWO == SOFA, 1, 0)
    scores, _ = counted(FrameTruth(np.zeros(SHAPE, int), {}), segments, [Piece(1, "sofa", 0.5)])
    assert (scores.total("true"), scores.judged) == (0, 0)
