"""What the instance network says of the classes of objects by their surroundings."""

import dataclasses
import functools

import numpy as np
import pytest

from roomcad_core.classes import CLASSES
from roomcad_core.config import SegmentConfig
from roomcad_core.detect import Detection
from roomcad_core.segment import Segmenter
from roomcad_core.segment.instances import context_classes, load_instance_network
from roomcad_core.segment.instances.cells import fit_cells
from roomcad_core.segment.instances.model_files import KINDS
from roomcad_core.segment.instances.seen import Seen
from roomcad_core.types import OTHER, Frame

SHAPE = 4, 12
# Objects of 4 x 4 cells, each of them seen at the depth of its own number [m].
LABELS = np.repeat([[1, 2, 3]], 4, axis=0).repeat(4, axis=1)


def seen(kinds):
    """Seen of LABELS; each object is of its kind for certain (a logit of 20)."""
    logits = np.zeros((len(KINDS), *SHAPE), np.float32)
    for i, kind in enumerate(kinds, 1):
        logits[KINDS.index(kind), np.equal(LABELS, i)] = 20
    q = (1 / LABELS).astype(np.float32)
    return Seen(q, fit_cells(q, SHAPE), np.zeros((*SHAPE, 3)), {"kinds": logits}, KINDS)


def test_the_classes_of_an_object_are_the_mean_over_its_cells_and_walls_are_other():
    ids = np.where(LABELS == 3, 7, 2)
    found = context_classes(ids, seen(("chair", "wall", "bed")))
    assert list(found) == [2, 7] and set(found[2]) == {*CLASSES, OTHER}
    assert found[2]["chair"] == pytest.approx(0.5, abs=1e-6)
    assert found[2][OTHER] == pytest.approx(0.5, abs=1e-6)
    assert found[7]["bed"] == pytest.approx(1, abs=1e-6)
    assert sum(found[7].values()) == pytest.approx(1)


def test_an_object_that_no_cell_shows_has_no_classes():
    view = seen(("chair",) * 3)
    view.q[LABELS == 3] = 0
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


def test_objects_without_a_label_carry_what_their_surroundings_say():
    (obj,) = Segmenter(SegmentConfig(), instances=shipped())(box_frame()).objects
    assert (obj.label, obj.score) == ("", 0.0) and set(obj.class_scores) == {*CLASSES, OTHER}
    assert sum(obj.class_scores.values()) == pytest.approx(1, abs=1e-5)


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
