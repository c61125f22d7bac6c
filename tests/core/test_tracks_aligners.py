"""Aligners that begin where a Start says: which poses go in, with how many updates, and passes."""

from types import SimpleNamespace

import numpy as np
import pytest

from roomcad_core.align import IcpAligner, MultiSparcAligner
from roomcad_core.config import AlignConfig, ClassifyConfig, PipelineConfig, TrackConfig
from roomcad_core.multi_sparc.model_files import AlignSpec
from roomcad_core.pipeline import Pipeline
from roomcad_core.pose import inverse, pose_errors, rigid
from roomcad_core.tracks import TRACKED, Tracker
from roomcad_core.types import OTHER, Start


class FakeLoop:
    """Stands in for AlignLoop: gives the initial poses back, azimuth 0 scored best."""

    engine = SimpleNamespace(name="fake")

    def __init__(self, updates):
        self.spec = AlignSpec("live", updates, "live.onnx", "0" * 64, 2, 50, 80, 60, 1.0)
        self.calls = []

    def __call__(self, maps, slots, start):
        self.calls.append((slots, start))
        times, n = start.T.shape[:2]
        return start, np.repeat(2.0 - np.arange(times)[:, None], n, 1)


@pytest.fixture
def loops():
    return FakeLoop(3), FakeLoop(1)


@pytest.fixture
def scene(track_world):
    for y in (-1.0, 0.0, 1.0):
        track_world.put("chair", 3, y)
    return track_world.frame(0.0)


def poses_of(world, object_id):
    thing = world.things[object_id]
    return inverse(world.T_world_cam) @ thing.T_world_obj, thing.S * 1.1


def start_of(world, object_id, updates=1):
    thing = world.things[object_id]
    return Start(thing.model.id, (poses_of(world, object_id),), updates, 0.8)


def test_each_effort_runs_by_itself_and_all_passes_are_counted(track_world, scene, loops):
    align = MultiSparcAligner(AlignConfig(n_tried=1), track_world.library, *loops)
    starts = {2: start_of(track_world, 2, 1), 3: start_of(track_world, 3, 3)}
    found = {a.object_id: a for a in align(*scene, starts)}
    assert align.passes == {1: 16, 2: 2, 3: 4}
    shapes = [[start.T.shape[:2] for _, start in loop.calls] for loop in loops]
    assert shapes == [[(4, 1), (1, 1)], [(1, 1)]]
    for i in (2, 3):
        T_cam_obj, S = poses_of(track_world, i)
        np.testing.assert_allclose(found[i].T_cam_obj, T_cam_obj, atol=1e-6)
        np.testing.assert_allclose(found[i].S, S)
        assert found[i].class_score == pytest.approx(0.8)


def test_stable_objects_share_the_slots_of_one_call(track_world, scene, loops):
    align = MultiSparcAligner(AlignConfig(), track_world.library, *loops)
    align(*scene, {i: start_of(track_world, i) for i in (1, 2, 3)})
    assert loops[0].calls == []
    assert [start.T.shape for _, start in loops[1].calls] == [(1, 2, 3), (1, 1, 3)]  # two slots
    assert align.passes == {1: 2, 2: 2, 3: 2}


def test_several_initial_poses_of_a_start_are_all_tried(track_world, scene, loops):
    align = MultiSparcAligner(AlignConfig(), track_world.library, *loops)
    first = poses_of(track_world, 2)
    second = (first[0] @ rigid(np.eye(3), [0.2, 0, 0]), first[1])
    model = track_world.things[2].model
    found = align(*scene, {2: Start(model.id, (first, second), 1)})
    assert align.passes[2] == 4
    (known,) = (a for a in found if a.object_id == 2)
    np.testing.assert_allclose(known.T_cam_obj, first[0], atol=1e-6)


def test_an_object_taken_for_no_furniture_is_aligned_where_it_has_a_start(track_world, loops):
    thing = track_world.put("chair", 3, 0)
    thing.label = OTHER
    align = MultiSparcAligner(AlignConfig(), track_world.library, *loops)
    frame = track_world.frame(0.0)
    assert align(*frame) == ()
    (found,) = align(*frame, {1: start_of(track_world, 1)})
    assert found.label == "chair"


def test_a_number_of_updates_that_was_not_loaded_is_refused(track_world, scene, loops):
    align = MultiSparcAligner(AlignConfig(), track_world.library, *loops)
    with pytest.raises(ValueError, match=r"start of object 2: got 7 updates, expected one of"):
        align(*scene, {2: start_of(track_world, 2, 7)})


def test_a_start_with_an_unknown_cad_is_dropped_by_name(track_world, scene, loops):
    starts = {2: Start("nothing", (poses_of(track_world, 2),), 1)}
    network = MultiSparcAligner(AlignConfig(), track_world.library, *loops)
    for align in (network, IcpAligner(AlignConfig(), track_world.library)):
        assert sorted(a.object_id for a in align(*scene, starts)) == [1, 3]
        (dropped,) = align.dropped
        assert (dropped.object_id, dropped.reason) == (2, "no_cad")


def test_icp_goes_on_from_the_pose_of_a_start(track_world):
    pytest.importorskip("open3d")
    thing = track_world.put("sofa", 3, 0, yaw=1.0)
    frame, segmentation = track_world.frame(0.0)
    align = IcpAligner(AlignConfig(), track_world.library)
    align(frame, segmentation)
    from_scratch = align.passes[1]
    T_cam_obj, _ = poses_of(track_world, 1)
    off = rigid(np.eye(3), [0.05, -0.03, 0.04]) @ T_cam_obj
    start = Start(thing.model.id, ((off, thing.S),), 1, 0.8)
    (found,) = align(frame, segmentation, {1: start})
    assert align.passes[1] == 3 < from_scratch
    T = track_world.T_world_cam @ found.T_cam_obj
    position, turn, _ = pose_errors(T, found.S, thing.T_world_obj, thing.S, thing.model.symmetry)
    assert position < 0.06 and np.degrees(turn) < 10 and found.cad_id == thing.model.id


def test_tracks_run_around_an_aligner(track_world, scene, loops):
    align = MultiSparcAligner(AlignConfig(n_tried=1), track_world.library, *loops)
    tracker = Tracker(TrackConfig(rest=0), track_world.library)
    passes = []
    for step in range(30):
        update = tracker(*track_world.frame(0.1 * step), align)
        passes += align.passes.values()
    assert [t.state for t in update.tracks] == [TRACKED] * 3
    assert sorted(update.owners.values()) == [1, 2, 3]
    assert np.mean(passes) == pytest.approx(2 + 2 * 14 / 30)  # two searches


def test_the_pipeline_follows_objects_where_it_is_asked_to(track_world, monkeypatch):
    pytest.importorskip("open3d")
    track_world.put("chair", 3, 0)
    config = PipelineConfig(classify=ClassifyConfig(model="box_size"))
    pipeline = Pipeline(config, track_world.library)
    true = track_world.frame(0.0)[1]
    monkeypatch.setattr(pipeline, "segment", lambda frame: true)
    monkeypatch.setattr(pipeline, "classify", lambda segmentation: segmentation)
    for step in range(3):
        alignments, _ = pipeline(track_world.frame(0.1 * step)[0])
    (track,) = pipeline.tracks
    assert track.id == 1 and [a.object_id for a in alignments] == [1]
    np.testing.assert_allclose(alignments[0].T_cam_obj, track.T_cam_obj)
    assert Pipeline(config, track_world.library, before=pipeline).tracks == (track,)
