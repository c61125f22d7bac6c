"""The aligner that every frontend calls: with tracks around it, or without."""

import pytest

from roomcad_core.config import AlignConfig, TrackConfig
from roomcad_core.tracks import Follower, aligner_settings

FOLLOWING, OFF = TrackConfig(), TrackConfig(enabled=False)


@pytest.fixture
def chair(track_world):
    return track_world.put("chair", 2.5, 0)


def test_objects_are_followed_where_the_config_says_so(track_world, true_aligner, chair):
    align = true_aligner(track_world)
    follower = Follower(align, track_world.library, FOLLOWING)
    for step in range(2):
        found = follower(*track_world.frame(0.1 * step))
    assert follower.follows and [t.id for t in follower.tracks] == [1]
    assert follower.update.owners == {chair.id: 1} and found == follower.update.alignments
    assert set(align.asked[1]) == {chair.id}


def test_otherwise_every_frame_is_aligned_from_scratch(track_world, true_aligner, chair):
    align = true_aligner(track_world)
    follower = Follower(align, track_world.library, OFF)
    for step in range(2):
        (found,) = follower(*track_world.frame(0.1 * step))
    assert found.object_id == chair.id and align.asked == [{}, {}]
    assert not follower.follows and follower.tracks == () and follower.update is None
    assert follower.reset() == ()


def test_what_was_found_too_seldom_is_not_shown(track_world, true_aligner, chair):
    align = true_aligner(track_world)
    follower = Follower(align, track_world.library, TrackConfig(confirm=3))
    shown = []
    for step in range(4):
        found = follower(*track_world.frame(0.1 * step))
        assert len(found) == 1
        shown.append(follower.shown(found))
    assert shown[:2] == [((), {})] * 2
    assert all(owners == {chair.id: 1} and len(some) == 1 for some, owners in shown[2:])
    alone = Follower(align, track_world.library, OFF)
    found = alone(*track_world.frame(1.0))
    assert alone.shown(found) == (found, {})


def test_tracks_go_on_under_new_settings(track_world, true_aligner, chair):
    align = true_aligner(track_world)
    before = Follower(align, track_world.library, FOLLOWING)
    before(*track_world.frame(0.0))
    strict = TrackConfig(updates_stable=2)
    after = Follower(align, track_world.library, strict, before)
    after(*track_world.frame(0.1))
    assert [t.id for t in after.tracks] == [1]
    assert align.asked[-1][chair.id].updates == 2
    off = Follower(align, track_world.library, OFF, before)
    assert not off.follows


def test_a_reset_ends_all_tracks_with_its_reason_and_uses_no_id_again(
    track_world, true_aligner, chair
):
    follower = Follower(true_aligner(track_world), track_world.library, FOLLOWING)
    follower(*track_world.frame(0.0))
    assert [(e.id, e.reason) for e in follower.reset("test")] == [(1, "test")]
    assert follower.tracks == ()
    follower(*track_world.frame(0.1))
    assert [t.id for t in follower.tracks] == [2]


def test_only_where_objects_are_followed_the_numbers_of_updates_are_those_of_the_tracks():
    align = AlignConfig(updates=3, n_yaw=2)
    tracks = TrackConfig(updates_search=2, updates_stable=1, updates_unsure=4)
    assert aligner_settings(align, tracks) == (AlignConfig(updates=2, n_yaw=2), (1, 4))
    assert aligner_settings(align, OFF) == (align, ())
