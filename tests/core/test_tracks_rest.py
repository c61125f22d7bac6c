"""Settled objects take turns: some are aligned, the others stand where they stood."""

import dataclasses

import numpy as np
import pytest
from track_run import CONFIG, Run, only

from roomcad_core.pose import rigid

RESTING = dataclasses.replace(CONFIG, rest=1)
SETTLING = 8  # sightings that find an object before it may rest


@pytest.fixture
def room(track_world, true_aligner):
    """room(**settings) -> Run of an aligner that notes what it was given."""
    return lambda **settings: Run(
        track_world, true_aligner, dataclasses.replace(RESTING, **settings)
    )


def aligned_in(run, frames):
    """The sets of objects aligned in each of some frames; every one has all tracks as owners."""
    out = []
    for _ in range(frames):
        update = run()
        out.append(set(run.align.passes))
        assert len(update.owners) == len(update.alignments) == len(update.tracks)
        assert {t.state for t in update.tracks} == {"TRACKED"}
    return out


@pytest.mark.parametrize("rest", [0, 1, 3])
def test_a_settled_object_is_aligned_once_in_a_number_of_sightings(room, rest):
    run = room(rest=rest)
    thing = run.world.put("chair", 3, 0)
    run(SETTLING)
    times = [thing.id in found for found in aligned_in(run, 5 * (rest + 1))]
    assert sum(times) == 5 and all(sum(times[i : i + rest + 1]) == 1 for i in range(4 * (rest + 1)))


def test_objects_take_turns(room):
    run = room()
    things = {run.world.put("chair", 3, y).id for y in (-0.8, 0.8)}
    run(SETTLING)
    found = aligned_in(run, 8)
    assert [len(some) for some in found] == [1] * 8 and set.union(*found) == things


def test_what_rests_keeps_pose_score_and_id(room):
    run = room(rest=1000)
    thing = run.world.put("chair", 3, 0)
    before = only(run(SETTLING))
    update = run()
    after, (alignment,) = only(update), update.alignments
    assert run.align.passes == {}
    np.testing.assert_allclose(after.T_world_obj, before.T_world_obj)
    assert (after.id, after.sigma, after.found) == (before.id, before.sigma, before.found)
    assert after.seen == run.stamp and after.sightings == before.sightings + 1
    assert (alignment.object_id, alignment.score) == (thing.id, before.sigma)
    T_world_obj = run.world.T_world_cam @ alignment.T_cam_obj
    np.testing.assert_allclose(T_world_obj, before.T_world_obj, atol=1e-9)


def test_an_object_that_moves_does_not_rest(room):
    run = room(rest=1000)
    thing = run.world.put("chair", 3, 0)
    run(SETTLING)
    assert aligned_in(run, 3) == [set()] * 3
    thing.T_world_obj = rigid(np.eye(3), [0.3, 0.3, 0]) @ thing.T_world_obj
    assert aligned_in(run, 6) == [{thing.id}] * 6
    # Each alignment halves what is left, and goes into the mean.
    left = [np.linalg.norm((only(run()).T_world_obj - thing.T_world_obj)[:3, 3]) for _ in range(3)]
    assert left == sorted(left, reverse=True) and left[0] < 0.1


def test_a_doubted_object_does_not_rest(room):
    run = room(rest=1000)
    sure, doubted = (run.world.put("chair", 3, y) for y in (-0.8, 0.8))
    run(SETTLING)
    doubted.sigma = 0.45  # still followed, but no sighting that finds it
    run.tracker.config = dataclasses.replace(RESTING, rest=0)
    run()
    run.tracker.config = dataclasses.replace(RESTING, rest=1000)
    assert aligned_in(run, 4) == [{doubted.id}] * 4


def test_without_a_camera_pose_nothing_rests(room):
    run = room(rest=1000)
    thing = run.world.put("chair", 3, 0)
    for _ in range(SETTLING + 4):
        run(posed=False)
        assert set(run.align.passes) == {thing.id}
