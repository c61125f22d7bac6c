"""Fused scans of simulated rooms, as the classifier is trained on them."""

from types import SimpleNamespace

import numpy as np
import pytest

from roomcad_core.library import Library
from roomcad_core.pose import rigid, upright_rotation
from roomcad_core.types import Placed
from roomcad_offline.classifier.fused import SHOWN, VOXEL, fuse, object_rows, voxels


def test_voxels_hold_the_mean_of_their_points_and_the_owner_of_most():
    points = np.array([[0.001, 0.001, 0.001], [0.003, 0.001, 0.001], [0.005, 0.001, 0.001],
                       [1.001, 0.001, 0.001]])  # fmt: skip
    scan = voxels(points, np.array([7, 2, 7, 3]))
    assert np.allclose(scan.points, [[0.003, 0.001, 0.001], [1.001, 0.001, 0.001]], atol=1e-6)
    assert scan.ids.tolist() == [7, 3]


def test_points_further_apart_than_a_voxel_stay_apart():
    grid = np.stack(np.meshgrid(*[np.arange(4) * 2 * VOXEL] * 3), -1).reshape(-1, 3)
    scan = voxels(grid, np.arange(len(grid)))
    assert len(scan.points) == len(grid)
    assert sorted(scan.ids) == list(range(len(grid)))


def test_frames_from_two_sides_meet_in_the_world():
    """Two cameras 4 m apart see both faces of a wall halfway between, to within the drift."""
    K = np.array([[40.0, 0, 20], [0, 40, 15], [0, 0, 1]])
    forward = np.array([[0.0, 0, 1], [-1, 0, 0], [0, -1, 0]])  # camera along world x
    turned = np.array([[-1.0, 0, 0], [0, -1, 0], [0, 0, 1]]) @ forward
    frames = [
        SimpleNamespace(depth=np.full((30, 40), 2.0), K=K, T_world_cam=rigid(R, eye),
                        instances=np.full((30, 40), 5))
        for R, eye in ((forward, [-2.0, 0, 0]), (turned, [2.0, 0, 0]))
    ]  # fmt: skip
    scan = fuse(frames, np.random.default_rng(0))
    assert np.abs(scan.points[:, 0]).max() < 0.08
    assert set(scan.ids) == {5}


@pytest.fixture(scope="module")
def chair():
    library = Library.load()
    return next(m for m in library if m.label == "chair")


def placed_scan(model, share):
    """A Placed model at (1, 2), and the FusedScan of the lowest `share` of it on a floor."""
    S = np.array(model.size)
    T = rigid(upright_rotation(0.3), [1.0, 2.0, S[1] / 2])
    rng = np.random.default_rng(1)
    own = (model.points * S) @ T[:3, :3].T + T[:3, 3]
    own = np.repeat(own[own[:, 2] <= np.quantile(own[:, 2], share)], 4, 0)
    own += rng.normal(0, 0.01, own.shape)
    floor = np.column_stack([rng.uniform(0, 3, (20_000, 2)), np.zeros(20_000)])
    ids = np.repeat([1, 0], [len(own), len(floor)])
    return Placed(1, model.label, model.id, T, S), voxels(np.concatenate([own, floor]), ids)


def test_an_object_comes_alone_and_with_the_floor_around_it(chair):
    placed, scan = placed_scan(chair, 1.0)
    alone, among = object_rows(scan, placed, chair, "room", np.random.default_rng(0))
    assert alone["label"] == "chair" and alone["group"] == f"room/{chair.id}"
    assert not alone.get("cut") and among["cut"]
    assert len(among["points"]) > len(alone["points"])
    grown = np.ptp(among["points"], axis=0) - np.ptp(alone["points"], axis=0)
    assert (grown[:2] > 0.02).all() and (grown[:2] < 0.35).all()


def test_a_scan_that_shows_too_little_of_an_object_is_left_out(chair):
    placed, scan = placed_scan(chair, SHOWN / 4)
    assert not list(object_rows(scan, placed, chair, "room", np.random.default_rng(0)))
