"""Fusing frames into a room."""

import dataclasses

import numpy as np
import pytest

from roomcad_core.library import Library
from roomcad_core.pose import inverse, rigid, upright_rotation
from roomcad_core.scene import SceneMap, box_iou
from roomcad_core.types import Alignment, Frame


@pytest.fixture(scope="module")
def library():
    return Library.load()


def standing(x, y, yaw=0.0, height=1.0):
    return rigid(upright_rotation(yaw), [x, y, height / 2])


def frame(x=0.0, depth=9.0):
    """A camera at (x, 0, 0.5) that looks along +x at a wall `depth` away."""
    R = np.array([[0.0, 0, 1], [-1, 0, 0], [0, -1, 0]])
    image = np.full((60, 80), depth, np.float32)
    K = np.array([[40.0, 0, 39.5], [0, 40, 29.5], [0, 0, 1]])
    return Frame(1.0, np.zeros((60, 80, 3), np.uint8), image, K, rigid(R, [x, 0, 0.5]))


def seen(library, label, x, y, score=0.8, class_score=0.9, view=None):
    """An alignment that stands at world (x, y) for the camera of `view`."""
    model = library.of_class(label)[0]
    T_cam_obj = inverse((view or frame()).T_world_cam) @ standing(x, y)
    return Alignment(1, label, model.id, T_cam_obj, np.ones(3), score, class_score)


def test_box_iou_of_known_overlaps():
    S = np.array([1.0, 1.0, 1.0])
    assert box_iou(standing(0, 0), S, standing(0, 0), S) == pytest.approx(1, abs=1e-4)
    assert box_iou(standing(0, 0), S, standing(0.5, 0), S) == pytest.approx(1 / 3, abs=1e-3)
    assert box_iou(standing(0, 0), S, standing(0, 0, np.pi / 2), S) == pytest.approx(1, abs=1e-3)
    assert box_iou(standing(0, 0), S, standing(3, 0), S) == 0


def test_an_object_seen_often_enough_appears_once_with_its_best_pose(library):
    scene = SceneMap(library, min_views=3)
    for i, score in enumerate([0.5, 0.9, 0.7]):
        scene.add([seen(library, "chair", 3 + 0.05 * i, 0, score)], frame())
    (chair,) = scene.objects()
    assert (chair.id, chair.label) == (1, "chair")
    assert chair.T_world_obj[0, 3] == pytest.approx(3.05)


def test_what_is_found_once_is_left_out(library):
    scene = SceneMap(library, min_views=2)
    scene.add([seen(library, "chair", 3, 0)], frame())
    assert scene.objects() == ()


def test_two_pieces_of_an_object_in_one_frame_count_as_one_view(library):
    scene = SceneMap(library, min_views=2)
    scene.add([seen(library, "chair", 3, 0), seen(library, "chair", 3.1, 0)], frame())
    assert scene.objects() == ()


def test_what_most_frames_see_through_is_left_out(library):
    found = [seen(library, "chair", 3, 0)]
    scene = SceneMap(library, min_views=2, min_support=0.5)
    for n in range(10):
        scene.add(found if n < 2 else [], frame())
    assert scene.objects() == ()


def test_frames_in_which_it_is_hidden_do_not_speak_against_an_object(library):
    found = [seen(library, "chair", 3, 0)]
    scene = SceneMap(library, min_views=2, min_support=0.5)
    for n in range(10):
        scene.add(found if n < 2 else [], frame(depth=9.0 if n < 2 else 1.0))
    assert len(scene.objects()) == 1


def test_neighbours_stay_apart_and_classes_are_voted(library):
    scene = SceneMap(library, min_views=2)
    for label in ("chair", "toilet", "chair"):
        scene.add([seen(library, label, 3, 0), seen(library, "bin", 5, 0)], frame())
    assert sorted(p.label for p in scene.objects()) == ["bin", "chair"]


def test_a_piece_inside_a_better_supported_object_goes(library):
    big = seen(library, "sofa", 3, 0)
    small = dataclasses.replace(seen(library, "bin", 3.3, 0, 0.5), S=np.array([0.3, 0.9, 0.3]))
    scene = SceneMap(library, min_views=2)
    for _ in range(3):
        scene.add([big, small], frame())
    assert [p.label for p in scene.objects()] == ["sofa"]


def test_camera_poses_bring_sightings_together(library):
    scene = SceneMap(library, min_views=2)
    for x in (0.0, 1.0):
        scene.add([seen(library, "chair", 3, 0, view=frame(x))], frame(x))
    (chair,) = scene.objects()
    assert chair.T_world_obj[0, 3] == pytest.approx(3)
