"""Tracks know their things by where they were seen, whatever box and class a frame suggests."""

import dataclasses

import numpy as np
import pytest
import track_run
from track_run import only

from roomcad_core.camera import unproject
from roomcad_core.config import TrackConfig
from roomcad_core.pose import rigid, transform, upright_rotation
from roomcad_core.tracks.claims import (
    beside_known,
    claimed_parts,
    claims,
    filled_cubes,
    same_thing,
)
from roomcad_core.tracks.parts import Surfaces, find_parts
from roomcad_core.tracks.places import MOST, Places, cubes
from roomcad_core.tracks.start import choose_start
from roomcad_core.tracks.track import LOST, TRACKED, Track, alike
from roomcad_core.types import OTHER, Object, Segmentation

run = track_run.run  # the fixture
A, B = np.array([1, 2, 3]), np.array([7, 8])


def track(i, votes, state=TRACKED, confirmed=True, **more):
    S, T = np.ones(3), np.eye(4)
    return Track(i, max(votes, key=votes.get), "c", "none", S, T, T, "camera", 0.0, 0.9, state,
                 confirmed, votes=votes, **more)  # fmt: skip


def obj(i, scores):
    return Object(i, np.zeros(4, np.float32), np.zeros((0, 3)), "", 0.0, scores)


def owned(places, keys):
    return places.owned({"it": keys})["it"]


def last_seen(places, keys):
    return places.last_seen({"it": keys})["it"]


def test_a_cube_of_ten_centimetres_has_one_key_and_its_neighbours_have_others():
    one = cubes(np.array([[0.01, 0.02, 0.03], [0.09, 0.09, 0.09]]))
    assert len(one) == 1
    others = cubes(np.array([[-0.01, 0.02, 0.03], [0.01, 0.12, 0.03], [0.01, 0.02, 0.13]]))
    assert len({*one, *others}) == 4
    assert len(cubes(np.array([[1e30, 0, 0], [0, np.inf, 0], [np.nan, 0, 0]]))) == 0


def test_a_room_in_the_coordinates_of_a_map_has_cubes_too():
    """Metres of a UTM zone: 500 km east, 5,000 km north."""
    corner = np.array([[5e5, 5e6, 0]])
    points = corner + [[0.05, 0.05, 0.05], [0.06, 0.05, 0.05], [1.05, 0.05, 0.05]]
    assert len(cubes(points)) == 2


def test_a_cube_is_owned_by_the_track_that_was_seen_there_most_often():
    places = Places()
    assert owned(places, A) == {}
    places.add(4, A)
    places.add(5, np.array([3, 7]))
    assert owned(places, A) == {4: 1.0}  # the older one where both were seen as often
    places.add(5, np.array([3, 7]))
    assert owned(places, A) == {4: pytest.approx(2 / 3), 5: pytest.approx(1 / 3)}
    assert owned(places, B) == {5: 0.5}  # 8 is nobody's
    assert owned(places, A[:0]) == {}


def test_groups_of_cubes_are_told_apart():
    places = Places()
    assert (
        places.owned({"a": A, "b": B}) == {"a": {}, "b": {}} == places.last_seen({"a": A, "b": B})
    )
    places.add(4, A)
    places.add(5, B[:1])
    groups = {"b": B, "none": A[:0], "a": A}
    shares = {"b": {5: 0.5}, "none": {}, "a": {4: 1.0}}
    assert places.owned(groups) == shares and places.owned({}) == places.last_seen({}) == {}
    assert places.last_seen(groups) == {"b": {4: 0.0, 5: 0.5}, "none": {}, "a": {4: 1.0, 5: 0.0}}


def test_what_moves_in_is_owner_some_day_however_long_another_stood_there():
    places = Places()
    for _ in range(5 * MOST):
        places.add(1, A)
    for _ in range(MOST):
        places.add(2, A)
    assert owned(places, A) == {1: 1.0}
    places.keep({2})  # the first one ended
    assert owned(places, A) == {2: 1.0} and len(places.of(1)) == 0


def test_a_track_takes_over_the_places_of_another():
    places = Places()
    places.add(1, A)
    places.add(2, B)
    places.join(1, 2)
    assert owned(places, np.concatenate([A, B])) == {1: 1.0}
    places.join(1, 3)  # which was seen nowhere
    assert list(places.of(1)) == [1, 2, 3, 7, 8]


def test_cubes_touch_across_faces_edges_corners_and_the_origin():
    places = Places()
    places.add(1, cubes(np.array([[0.05, 0.05, 0.05]])))
    for point, touches in (
        ((0.05, 0.05, 0.05), True),
        ((-0.05, -0.05, -0.05), True),
        ((0.15, 0.05, -0.05), True),
        ((0.25, 0.05, 0.05), False),
        ((0.05, -0.15, 0.05), False),
    ):
        assert places.is_beside(1, cubes(np.array([point]))) == touches
    assert not places.is_beside(1, A[:0]) and not places.is_beside(2, A)


def test_what_touches_a_known_thing_of_its_kind_is_beside_it():
    """A sofa's end, seen for the first time: the sofa, its cushion and a new thing of its own."""
    places = Places()
    places.add(1, cubes(np.array([[0.05, 0.05, 0.05]])))
    near, far = (cubes(np.array([[x, 0.05, 0.05]])) for x in (0.15, 0.55))
    sofa = {"sofa": 1.0}
    tracks = {1: track(1, sofa), 2: track(2, {"bin": 1.0}, confirmed=False)}
    objects = obj(5, {"sofa": 0.6, OTHER: 0.4}), obj(6, {"bin": 1.0}), obj(7, sofa), obj(8, sofa)
    segmentation = Segmentation(np.zeros((4, 4), np.uint16), objects, np.eye(4), None)
    filled = {5: near, 6: near, 7: far, 8: near}
    assert beside_known(places, filled, segmentation, {8: 1}, tracks) == {5}
    assert beside_known(places, filled, segmentation, {5: 2, 8: 1}, tracks) == set()  # a bin
    unsure = {1: tracks[1].changed(confirmed=False), 2: tracks[2]}
    assert beside_known(places, filled, segmentation, {8: 1}, unsure) == set()


def test_what_is_beside_a_known_thing_takes_twice_as_many_sightings(run):
    run.tracker.config = dataclasses.replace(run.tracker.config, confirm=2)
    run.world.put("cabinet", 2.5, 0)
    assert [only(run()).confirmed for _ in range(2)] == [False, True]
    known = only(run())
    run.world.put("cabinet", 2.5, known.S[2] + 0.02)
    confirmed = [max(run().tracks, key=lambda t: t.id).confirmed for _ in range(4)]
    assert confirmed == [False] * 3 + [True]


def test_the_last_sighting_of_a_track_is_where_it_was_seen_the_last_time():
    places = Places()
    places.add(1, np.concatenate([A, B]))
    places.add(1, A)
    places.add(1, A[:0])  # a sighting without a place
    places.add(2, B)
    assert last_seen(places, A) == {1: 1.0, 2: 0.0} and last_seen(places, A[:0]) == {}
    places.join(2, 1)
    assert last_seen(places, np.concatenate([A, B])) == {2: 1.0}
    places.keep(set())
    assert last_seen(places, A) == {}


def test_tracks_that_were_seen_nowhere_own_nothing():
    places = Places()
    places.join(1, 2)  # as where no camera pose was known
    places.add(3, A[:0])
    assert owned(places, A) == {} and len(places.of(1)) == len(places.of(3)) == 0


def test_votes_are_alike_by_their_common_share_of_furniture():
    assert alike({"bed": 2.0, "sofa": 2.0}, {"bed": 0.3, OTHER: 0.7}) == 0.5
    assert alike({"bed": 3.0}, {"sofa": 1.0}) == 0
    assert alike({"bed": 1.0}, {OTHER: 1.0}) == 0 and alike({}, {"bed": 1.0}) == 0


def test_who_differs_in_class_claims_less_of_a_place():
    places = Places()
    places.add(1, A)
    tracks = {1: track(1, {"desk": 1.0, "monitor": 0.0})}
    segmentation = Segmentation(
        np.zeros((4, 4), np.uint16),
        (obj(5, {"desk": 1.0}), obj(6, {"desk": 0.25, "monitor": 0.75}), obj(7, {"monitor": 1.0})),
        np.eye(4), None,
    )  # fmt: skip
    claimed = claims(places, dict.fromkeys((5, 6, 7), A), segmentation, tracks)
    assert claimed == {5: {1: 1.0}, 6: {1: 0.5}, 7: {1: 0.0}}
    assert claimed_parts(claimed, {}, tracks, 0.5) == {5: 1, 6: 1}
    assert claimed_parts(claimed, {5}, tracks, 0.6) == {}
    unsure = {1: tracks[1].changed(confirmed=False)}
    assert claimed_parts(claimed, {}, unsure, 0.5) == {}


def test_of_two_tracks_in_one_place_the_owner_is_the_thing_if_they_are_alike():
    places = Places()
    places.add(1, A)
    for _ in range(2):
        places.add(2, np.concatenate([A, B]))
    bed, sofa = {"bed": 1.0}, {"sofa": 1.0}
    assert same_thing(places, {1: track(1, bed), 2: track(2, bed)}, 0.5) == [(1, 2)]
    assert same_thing(places, {1: track(1, sofa), 2: track(2, bed)}, 0.5) == []
    assert same_thing(places, {1: track(1, bed, confirmed=False), 2: track(2, bed)}, 0.5) == []
    assert same_thing(Places(), {1: track(1, bed), 2: track(2, bed)}, 0.5) == []
    # A chair at a desk is another thing, however alike their votes are.
    desk, chair = {"desk": 0.6, "chair": 0.4}, {"desk": 0.4, "chair": 0.6}
    assert same_thing(places, {1: track(1, chair), 2: track(2, desk)}, 0.5) == []


def test_nothing_is_claimed_where_the_camera_s_place_is_unknown(run):
    run.world.put("chair", 3, 0)
    frame, segmentation = run.world.frame(0.0, posed=False)
    assert filled_cubes(frame, segmentation) == {}
    frame, segmentation = run.world.frame(0.0)
    (keys,) = filled_cubes(frame, segmentation).values()
    seen = unproject(frame.depth, frame.K)[frame.instances == 1]
    np.testing.assert_array_equal(keys, cubes(transform(frame.T_world_cam, seen)))


def test_a_track_with_a_wrong_pose_knows_its_thing_by_its_place(run):
    run.world.put("sofa", 2.5, 0)
    run(4)
    (found,) = run.tracker.tracks
    aside = rigid(np.eye(3), [0, 3.0, 0]) @ found.T_world_obj
    run.tracker._tracks[1] = found.changed(T_world_obj=aside)
    update = run(8)
    assert only(update).id == 1 and only(update).state == TRACKED
    np.testing.assert_allclose(only(update).T_world_obj[:3, 3], found.T_world_obj[:3, 3], atol=0.2)


def test_two_tracks_in_one_place_become_one_that_keeps_the_older_id(run):
    run.world.put("sofa", 2.5, 0)
    run(4)
    (found,) = run.tracker.tracks
    run.tracker._tracks[1] = found.changed(S=2 * found.S)  # a wrong idea of it
    run.tracker._tracks[2] = found.changed(id=2)
    for _ in range(10):
        run.tracker._places.add(2, run.tracker._places.of(1))
    run.tracker._last_id = 2
    update = run(1)
    assert [(e.id, e.reason) for e in update.ended] == [(2, "part")]
    assert only(update).id == 1 and set(update.owners.values()) == {1}
    np.testing.assert_allclose(only(update).S, found.S, rtol=0.05)
    assert only(run(3)).id == 1


def test_a_search_for_a_displaced_object_waits_where_one_was_in_vain():
    config, here = TrackConfig(confirm=1), np.eye(4)
    lost = track(1, {"sofa": 1.0}, LOST, reason="low_score", retry_in=9)
    assert choose_start(lost, here, True, config) is None
    assert choose_start(lost.changed(failures=1), here, True, config) is not None
    assert choose_start(lost.changed(failures=1, retry_in=0), here, True, config) is None
    settled = track(1, {"sofa": 1.0})
    assert choose_start(settled, here, True, config) is not None
    assert choose_start(settled.changed(away=1), here, True, config) is None
    assert choose_start(settled.changed(away=1), here, False, config) is not None


def test_a_part_of_a_part_belongs_to_the_whole(cad_library):
    """Three tracks of one table: its CAD in place explains what the other two see."""
    table = cad_library.of_class("table")[0]
    T = rigid(upright_rotation(0.4), [2.5, 0.2, 0.1])
    points = transform(T, table.points * table.size)
    thirds = np.array_split(np.argsort(table.points[:, 0]), 3)
    pieces = [Object(i, np.float32([0, 0, 10 * i, 10]), points[mine], "table", 1.0)
              for i, mine in enumerate(thirds, 1)]  # fmt: skip
    S = table.size
    whole = dataclasses.replace(track(3, {"table": 1.0}), cad_id=table.id, S=S)
    small = [dataclasses.replace(track(i, {"table": 1.0}), cad_id=table.id, S=S * (0.4, 1, 1))
             for i in (1, 2)]  # fmt: skip
    poses = {3: T} | {i: rigid(T[:3, :3], points[thirds[i - 1]].mean(0)) for i in (1, 2)}
    segmentation = Segmentation(np.zeros((4, 4), np.uint16), tuple(pieces), np.eye(4), None)
    surfaces = Surfaces(segmentation, (*small, whole), poses, cad_library, 0.1)
    parts, ended = find_parts(surfaces, {1: 1, 2: 2, 3: 3}, 0.5)
    assert not set(parts.values()) & set(ended)
    assert set(ended) == {1, 2} and set(parts) == {1, 2} and set(parts.values()) == {3}
