"""Tracks over hand-built sequences: their poses, with and without a camera's pose, and clocks."""

import numpy as np
import pytest
import track_run
from track_run import Run, only

from roomcad_core.pose import rotation_error
from roomcad_core.tracks import TRACKED
from roomcad_core.tracks.tracker import NO_WORLD_POSE

run = track_run.run  # the fixture


@pytest.mark.parametrize("symmetry", ["2-fold", "4-fold", "rotational"])
def test_symmetric_poses_do_not_flip(run, symmetry):
    label = {"2-fold": "table", "4-fold": "table", "rotational": "bin"}[symmetry]
    thing = run.world.put(label, 2.5, 0, yaw=0.4, symmetry=symmetry)
    last = only(run())
    for _ in range(6):
        # Every search gives another of the equal poses.
        frame, segmentation = run.world.frame(run.stamp)
        alignments = run.align(frame, segmentation)
        track = only(run.tracker.update(frame, segmentation, alignments))
        assert rotation_error(last.T_world_obj[:3, :3], track.T_world_obj[:3, :3]) < 1e-6
        np.testing.assert_allclose(sorted(track.S), sorted(thing.S), rtol=1e-6)
        last = track


def test_jitter_of_a_static_object_is_less_than_half(track_world, true_aligner):
    run = Run(track_world, true_aligner, noise=0.03)
    thing = track_world.put("chair", 2.5, 0)
    raw, smooth = [], []
    for _ in range(60):
        frame, segmentation = track_world.frame(run.stamp)
        (alone,) = run.align(frame, segmentation)
        raw.append(track_world.T_world_cam @ alone.T_cam_obj)
        smooth.append(only(run()).T_world_obj)
    raw, smooth = (np.array(x)[10:, :3, 3] for x in (raw, smooth))

    def jitter(x):
        return np.linalg.norm(np.diff(x, axis=0), axis=1).mean()

    assert jitter(smooth) < 0.3 * jitter(raw)
    assert np.linalg.norm(smooth.mean(0) - thing.T_world_obj[:3, 3]) < 0.03


def test_one_pose_far_off_is_noise_and_two_are_a_move(run):
    thing = run.world.put("chair", 2.5, 0)
    run(5)
    thing.T_world_obj = thing.T_world_obj.copy()
    thing.T_world_obj[1, 3] += 0.4
    assert only(run()).T_world_obj[1, 3] == pytest.approx(0)
    assert only(run()).T_world_obj[1, 3] == pytest.approx(0.2)  # one update goes half the way
    assert only(run(12)).T_world_obj[1, 3] == pytest.approx(0.4, abs=0.1)
    assert only(run()).id == 1


def test_without_a_world_pose_tracks_hold_while_in_view_and_the_limitation_is_named(run, at):
    thing = run.world.put("chair", 2.5, 0)
    update = run(posed=False)
    assert update.limitation == NO_WORLD_POSE and only(update).T_world_obj is None
    for step in range(1, 8):  # a slowly turning camera
        update = run(T_world_cam=at(heading=0.03 * step), posed=False)
        assert update.owners == {thing.id: 1} and run.starts[thing.id].updates == 1
    with pytest.raises(ValueError, match="no world pose"):
        only(update).placed()
    away = run(12, T_world_cam=at(heading=np.pi), posed=False)
    assert away.tracks == () and (1, "no_world_pose") not in [(e.id, e.reason) for e in away.ended]
    assert only(run(posed=False)).id == 2


def test_a_gap_in_the_world_pose_is_bridged_in_the_camera_frame(run, at):
    thing = run.world.put("chair", 2.5, 0)
    before = only(run(3)).T_world_obj
    for step in range(1, 6):
        update = run(T_world_cam=at(heading=0.03 * step), posed=False)
        assert update.owners == {thing.id: 1} and run.starts[thing.id].updates == 1
    np.testing.assert_allclose(only(update).T_world_obj, before)
    update = run(T_world_cam=at(heading=0.2))
    assert update.owners == {thing.id: 1}
    np.testing.assert_allclose(only(update).T_world_obj, before, atol=1e-6)


def test_a_clock_going_back_resets_cleanly(run):
    run.world.put("chair", 2.5, 0)
    run(3)
    run.stamp = 0.0
    update = run()
    assert [(e.id, e.reason) for e in update.ended] == [(1, "clock_went_back")]
    assert only(update).id == 2 and run.starts == {}  # ids are not used again
    assert run().ended == ()


def test_a_single_stamp_ahead_of_its_time_resets_nothing(run):
    run.world.put("chair", 2.5, 0)
    run(3)
    stamp = run.stamp
    run.stamp += 20.0
    assert run().ended == ()
    run.stamp = stamp
    for _ in range(3):
        assert run().ended == ()
    run.stamp = 0.0  # the clock, this time
    assert [e.reason for e in run().ended] == ["clock_went_back"]


def test_a_frame_that_is_a_little_late_resets_nothing(run):
    run.world.put("chair", 2.5, 0)
    run(3)
    run.stamp -= 0.4
    update = run()
    assert update.ended == () and only(update).id == 1


def test_two_cameras_feed_one_tracker(run, at):
    thing = run.world.put("chair", 2.5, 0)
    sofa = run.world.put("sofa", 2.5, -2.4)  # in view of the right camera only
    left = {"frame_id": "left", "T_world_cam": at()}
    right = {"frame_id": "right", "T_world_cam": at(x=5.5, y=-1.2, heading=np.pi)}
    assert run(**left).owners == {thing.id: 1}
    seen = run(**right)
    assert seen.owners == {thing.id: 1, sofa.id: 2} and run.starts[thing.id].updates == 1
    for _ in range(5):
        update = run(**left)
        assert update.owners == {thing.id: 1}
        assert [t.state for t in update.tracks] == [TRACKED, TRACKED]
        assert run(**right).owners == {thing.id: 1, sofa.id: 2}


def test_a_camera_whose_clock_is_behind_does_not_reset_the_other(run, at):
    run.world.put("chair", 2.5, 0)
    run(3, frame_id="left")
    run.stamp -= 5.0
    assert run(frame_id="right").ended == ()
