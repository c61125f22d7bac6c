"""The parts of the tracks on numbers worked out by hand."""

import numpy as np
import pytest

from roomcad_core.config import TrackConfig
from roomcad_core.pose import affine, rigid, rotation_error, rotation_y, upright_rotation
from roomcad_core.tracks.associate import (
    associate,
    box_ious_2d,
    class_agreement,
    projected_box,
    shares_in_box,
)
from roomcad_core.tracks.ghosts import HIDDEN, OUTSIDE, THROUGH, VISIBLE, Look, look, verdict
from roomcad_core.tracks.judge import Sighting, born, doubted, ending
from roomcad_core.tracks.overlap import doubles
from roomcad_core.tracks.smooth import blended, nearest_equivalent, off
from roomcad_core.tracks.start import choose_start, is_challenged
from roomcad_core.tracks.track import LOST, Track
from roomcad_core.types import OTHER, Alignment, Object

SIZE = np.array([1.0, 0.7, 0.5])
HERE = rigid(upright_rotation(0.3), [1.0, 2.0, 0.5])


def turned(T, angle):
    return T @ rigid(rotation_y(angle), np.zeros(3))


@pytest.mark.parametrize(
    ("symmetry", "turn"),
    [("2-fold", np.pi), ("4-fold", np.pi / 2), ("4-fold", -np.pi / 2), ("rotational", 1.234)],
)
def test_the_nearest_equal_pose_undoes_a_symmetric_turn(symmetry, turn):
    T, S = nearest_equivalent(turned(HERE, turn), SIZE, HERE, symmetry)
    np.testing.assert_allclose(T, HERE, atol=1e-9)
    assert S[1] == SIZE[1]


def test_a_pose_turned_by_a_quarter_shows_the_same_thing_with_its_sides_exchanged():
    T_turned = turned(HERE, np.pi / 2)
    T, S = nearest_equivalent(T_turned, SIZE, HERE, "4-fold")
    np.testing.assert_allclose(S, [0.5, 0.7, 1.0])
    corner = np.array([0.5, 0.5, 0.5, 1])  # one of a 4-fold model's equal corners
    other = np.array([-0.5, 0.5, 0.5, 1])
    same = [affine(T_turned, SIZE) @ c for c in (corner, other)]
    here = affine(T, S) @ corner
    assert min(np.linalg.norm(here - c) for c in same) < 1e-9


def test_a_model_without_symmetry_keeps_its_pose():
    T_turned = turned(HERE, np.pi)
    T, S = nearest_equivalent(T_turned, SIZE, HERE, "none")
    assert T is T_turned and S is SIZE


@pytest.mark.parametrize("turn", [0.2, -0.2])
def test_a_small_turn_of_a_two_fold_model_is_left_as_it_is(turn):
    T, _ = nearest_equivalent(turned(HERE, turn), SIZE, HERE, "2-fold")
    assert rotation_error(HERE[:3, :3], T[:3, :3]) == pytest.approx(0.2)


def test_a_blend_lies_between_the_poses():
    new = turned(HERE, 0.4), SIZE * 4
    new[0][:3, 3] += [0.4, 0, 0]
    T, S = blended((HERE, SIZE), new, 0.25)
    distance, turn = off(HERE, T)
    assert (distance, turn) == (pytest.approx(0.1), pytest.approx(0.1))
    np.testing.assert_allclose(S, SIZE * np.sqrt(2))


def test_a_look_tells_standing_hidden_and_gone_apart(track_world, at):
    thing = track_world.put("cabinet", 3, 0)
    frame, _ = track_world.frame(0.0)
    T_cam_obj = np.linalg.inv(at()) @ thing.T_world_obj

    def seen(**changed):
        frame.depth[:] = changed.get("depth", drawn)
        return look(thing.model, changed.get("pose", T_cam_obj), thing.S, frame)

    drawn = frame.depth.copy()
    here = seen()
    assert here.in_view > 0.9 and here.through == 0
    assert here.in_view == pytest.approx(here.hidden + here.occupied)  # its inside is hidden
    assert verdict(here, 0.6) == VISIBLE
    assert verdict(seen(depth=1.0), 0.6) == HIDDEN
    assert verdict(seen(depth=6.0), 0.6) == THROUGH
    assert verdict(seen(depth=0.0), 0.6) == HIDDEN  # nothing measured, nothing known
    assert verdict(seen(depth=np.nan), 0.6) == HIDDEN
    behind = np.diag([-1.0, 1, -1, 1]) @ T_cam_obj
    assert verdict(seen(pose=behind), 0.6) == OUTSIDE


def test_the_ghost_share_is_of_what_can_be_seen():
    half = Look(in_view=1.0, hidden=0.5, occupied=0.2, through=0.3)
    assert verdict(half, 0.6) == THROUGH
    assert verdict(half, 0.61) == VISIBLE


def test_a_projected_box_is_that_of_its_corners(track_world):
    frame, _ = track_world.frame(0.0)
    T_cam_obj = rigid(np.eye(3), [0, 0, 2.5])
    box = projected_box(T_cam_obj, [1.0, 0.5, 1.0], frame)
    # The nearer face at 2 m: 140 px * 0.5 m / 2 m to either side of the principal point.
    np.testing.assert_allclose(box, [80 - 35, 60 - 17.5, 80 + 35, 60 + 17.5])
    assert projected_box(rigid(np.eye(3), [0, 0, -2.5]), SIZE, frame) is None
    assert projected_box(rigid(np.eye(3), [9, 0, 2.5]), SIZE, frame) is None
    around = projected_box(rigid(np.eye(3), [0, 0, 0.2]), SIZE, frame)
    np.testing.assert_allclose(around, [0, 0, 160, 120])


def test_overlaps_by_hand():
    others = np.array([[1, 0, 3, 2], [0, 0, 2, 2], [5, 5, 6, 6], [2, 2, 1, 1], [np.nan, 0, 1, 1]])
    found = box_ious_2d(np.array([0, 0, 2, 2]), others)
    np.testing.assert_allclose(found, [1 / 3, 1, 0, 0, 0])
    np.testing.assert_array_equal(box_ious_2d(None, others), np.zeros(5))
    points = np.array([[0, 0, 0], [0.55, 0, 0], [0.65, 0, 0], [0, 0, 9]], np.float32)
    found = shares_in_box([points, points[:0], points[:2]], np.eye(4), SIZE, 0.1)
    np.testing.assert_array_equal(found, [0.5, 0, 1])


def test_a_class_that_is_half_as_likely_counts_three_quarters():
    obj = Object(1, np.zeros(4), np.zeros((0, 3)), "desk", 0.6, {"desk": 0.6, "table": 0.3})
    assert class_agreement("desk", obj) == 1
    assert class_agreement("table", obj) == 0.75
    assert class_agreement("sofa", obj) == 0.5


def track_of(thing, frame, T_cam_world, number=1, **changed):
    T_cam_obj = T_cam_world @ thing.T_world_obj
    a = Alignment(thing.id, thing.model.label, thing.model.id, T_cam_obj, thing.S, 0.9, 1.0)
    sighting = Sighting(a, thing.model.symmetry, None, frame, None)
    made = born(number, sighting, TrackConfig(confirm=1))
    return made.changed(**changed)


def test_two_chairs_side_by_side_keep_their_places(track_world, at):
    left, right = track_world.put("chair", 3, 0.5), track_world.put("chair", 3, -0.5)
    frame, segmentation = track_world.frame(0.0)
    T_cam_world = np.linalg.inv(at())
    tracks = track_of(left, frame, T_cam_world, 7), track_of(right, frame, T_cam_world, 8)
    poses = {t.id: t.T_cam_obj for t in tracks}
    assert associate(tracks, poses, segmentation, frame, ({}, {}), TrackConfig()) == (
        {1: 7, 2: 8},
        set(),
    )
    turned = associate(tracks[::-1], poses, segmentation, frame, ({}, {}), TrackConfig())
    assert turned == ({1: 7, 2: 8}, set())
    assert associate(tracks, {}, segmentation, frame, ({}, {}), TrackConfig()) == ({}, set())


def test_the_class_decides_between_things_in_one_place(track_world, at):
    chair = track_world.put("chair", 3, 0)
    frame, segmentation = track_world.frame(0.0)
    T_cam_world = np.linalg.inv(at())
    right = track_of(chair, frame, T_cam_world, 1)
    wrong = right.changed(id=2, label="table")
    poses = {1: right.T_cam_obj, 2: right.T_cam_obj}
    owners, _ = associate((wrong, right), poses, segmentation, frame, ({}, {}), TrackConfig())
    assert owners == {1: 1}


def test_what_was_a_track_s_the_last_time_is_it_again_whatever_class_this_frame_sees(
    track_world, at
):
    chair = track_world.put("chair", 3, 0)
    frame, segmentation = track_world.frame(0.0)
    right = track_of(chair, frame, np.linalg.inv(at()), 1)
    tracks = right, right.changed(id=2, label="table")
    poses = {1: right.T_cam_obj, 2: right.T_cam_obj}
    for last, owner in (({1: {2: 1.0}}, 2), ({1: {1: 1.0}}, 1), ({1: {1: 0.5, 2: 0.5}}, 1)):
        owners, _ = associate(tracks, poses, segmentation, frame, ({}, last), TrackConfig())
        assert owners == {1: owner}
    far = {1: right.T_cam_obj, 2: rigid(np.eye(3), [5.0, 0, 9])}  # no other ground: not the track's
    owners, _ = associate(tracks[1:], far, segmentation, frame, ({}, {1: {2: 1.0}}), TrackConfig())
    assert owners == {}


def test_votes_are_heard_when_they_are_two_to_one_and_enough(track_world, at):
    chair = track_world.put("chair", 3, 0)
    frame, _ = track_world.frame(0.0)
    track = track_of(chair, frame, np.linalg.inv(at()))
    even = track.changed(votes={"chair": 3.0, "sofa": 6.0})
    against = track.changed(votes={"chair": 2.9, "sofa": 6.0})
    assert not is_challenged(even) and is_challenged(against)
    assert not is_challenged(against.changed(challenges=1))  # asks for 10 votes now
    assert choose_start(against, track.T_cam_obj, False, TrackConfig()) is None
    start = choose_start(even, track.T_cam_obj, False, TrackConfig())
    assert start.class_score == pytest.approx(1 / 3)


def test_the_younger_of_two_tracks_in_one_place_is_the_double(track_world, at):
    chair, far = track_world.put("chair", 3, 0), track_world.put("chair", 3, 1)
    frame, _ = track_world.frame(0.0)
    T_cam_world = np.linalg.inv(at())
    tracks = [track_of(t, frame, T_cam_world, n) for t, n in ((chair, 4), (chair, 2), (far, 3))]
    poses = {t.id: t.T_cam_obj for t in tracks}
    z_up = rigid(np.array([[0, 0, 1], [-1, 0, 0], [0, -1, 0]]), np.zeros(3))
    assert doubles(tracks, poses, z_up) == {4: 2}
    other_class = [tracks[0].changed(label="sofa"), *tracks[1:]]
    assert doubles(other_class, poses, z_up) == {}


def test_the_probability_of_a_class_is_its_mean_over_the_sightings(track_world, at):
    chair = track_world.put("chair", 3, 0)
    frame, _ = track_world.frame(0.0)
    track = track_of(chair, frame, np.linalg.inv(at()))
    assert track.class_score == 1
    doubtful = track.changed(votes={"chair": 0.6 + 0.4, OTHER: 0.4 + 0.6})
    assert doubtful.class_score == pytest.approx(0.5)
    assert not is_challenged(doubtful.changed(votes={"chair": 1.0, OTHER: 50.0}))


def test_a_doubted_track_that_is_seen_through_is_searched_for_before_it_ends():
    config = TrackConfig(ghost_frames=4)
    track = Track(1, "chair", "c", "none", SIZE, HERE, HERE, "camera", 0.0, 0.1, LOST, True,
                  retry_in=100)  # fmt: skip
    due = []
    for _ in range(4):
        track = doubted(track, THROUGH, config)
        due.append(track.retry_in == 0)
    assert due == [False, False, True, True] and ending(track, 0.1, config) == "seen_through"
    assert doubted(track, VISIBLE, config).ghost == 0
    assert doubted(track, HIDDEN, config).ghost == 4
