"""Parts of the simulated rooms by themselves: depth sensor, footprints, camera path, options."""

import argparse
from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from roomcad_offline.rooms import cli, path, sensor
from roomcad_offline.rooms.config import RoomConfig
from roomcad_offline.rooms.footprint import Footprint, inside, overlap
from roomcad_offline.rooms.layout import Furnisher, facing
from roomcad_offline.rooms.plan import Plan
from roomcad_offline.rooms.render import View

PARALLAX = 550 * 0.075  # focal length [px] times baseline [m]
QUIET = sensor.Sensor("structured_light", parallax=PARALLAX, border=9.0, grazing=0.17)


def wall_view(depth, cosine=1.0, dropout=0.0):
    """View of a depth image (H, W) or of a plane at one depth."""
    depth = np.broadcast_to(np.float32(depth), (120, 160)).copy()
    same = np.ones_like(depth)
    return View(depth, same.astype(np.uint16), same * cosine, same * dropout, depth[..., None])


def spread(sensor_, z, seed=0):
    measured = sensor.measure(wall_view(z), sensor_, np.random.default_rng(seed))
    return (measured[measured > 0] - z).std()


def test_noise_grows_with_the_square_of_the_distance():
    sigma = 0.05 / PARALLAX
    noisy = replace(QUIET, noise=(0.0, 0.0, sigma))
    for z in (1.0, 2.0, 4.0):
        assert spread(noisy, z) == pytest.approx(sigma * z**2, rel=0.1)
    assert spread(noisy, 4.0) / spread(noisy, 1.0) == pytest.approx(16, rel=0.1)


def test_depth_comes_in_whole_steps_of_disparity():
    stepped = replace(QUIET, step=0.125 / PARALLAX, noise=(0.0, 0.0, 0.1 / PARALLAX))
    depth = sensor.measure(wall_view(3.0), stepped, np.random.default_rng(0))
    steps = PARALLAX / depth[depth > 0].astype(float) / 0.125
    assert steps == pytest.approx(np.rint(steps), abs=1e-3)
    assert len(np.unique(np.rint(steps))) > 3


def test_quiet_sensor_returns_the_truth_where_it_measures():
    depth = sensor.measure(wall_view(2.0), QUIET, np.random.default_rng(0))
    assert (depth[depth > 0] == 2.0).all()
    assert (depth > 0).mean() > 0.99


@pytest.mark.parametrize(
    ("view", "share"),
    [
        (wall_view(0.2), 0.0),
        (wall_view(9.0), 0.0),
        (wall_view(2.0, cosine=0.05), 0.0),
        (wall_view(2.0, dropout=0.6), 0.4),
        (wall_view(0.0), 0.0),
    ],
    ids=["too near", "too far", "grazing", "black", "nothing there"],
)
def test_share_of_pixels_measured(view, share):
    pictures = [sensor.measure(view, QUIET, np.random.default_rng(seed)) for seed in range(60)]
    # Gaps are large patches: one picture alone says little of their share.
    assert np.mean([(p > 0).mean() for p in pictures]) == pytest.approx(share, abs=0.05)


def test_projector_shadow_is_as_wide_as_the_disparity_step():
    true = np.full((4, 640), 2.0, np.float32)
    true[:, 300:] = 1.0
    shadow = sensor.unlit(true, QUIET)
    # 550 px * 0.075 m * (1/1 m - 1/2 m) = 20.6 px, left of the near surface
    assert np.flatnonzero(shadow[0]).tolist() == list(range(281, 300))


def test_flying_pixels_lie_between_the_two_depths_at_an_edge_only():
    true = np.full((120, 160), 3.0, np.float32)
    true[:, 80:] = 1.5
    flying = replace(QUIET, kind="tof", parallax=0.0, flying=1.0, edge_loss=0.0)
    depth = sensor.measure(wall_view(true), flying, np.random.default_rng(0))
    between = (depth > 1.51) & (depth < 2.99)
    assert set(np.flatnonzero(between.any(0))) == {79, 80}


def test_every_drawn_sensor_is_noisier_farther_away():
    for seed in range(4):
        for kind in sensor.KINDS:
            drawn = sensor.draw_sensor(kind, np.random.default_rng(seed))
            assert sensor.axial_sigma(drawn, 4.0) > 1.9 * sensor.axial_sigma(drawn, 1.0)


def test_turned_footprints_overlap_only_where_their_sides_cross():
    square = Footprint(0, 0, 0, 0.5, 0.5)
    assert overlap(square, Footprint(0.9, 0, 0, 0.5, 0.5))
    assert not overlap(square, Footprint(1.1, 0, 0, 0.5, 0.5))
    assert overlap(square, Footprint(1.1, 0, 0, 0.5, 0.5), gap=0.2)
    # A corner of the turned square reaches 0.707 to the left: it touches at x < 1.207.
    assert overlap(square, Footprint(1.15, 0, np.pi / 4, 0.5, 0.5))
    assert not overlap(square, Footprint(1.25, 0, np.pi / 4, 0.5, 0.5))
    # Their axis-aligned bounds overlap, they do not.
    assert not overlap(square, Footprint(0.95, 0.95, np.pi / 4, 0.5, 0.5))
    assert inside(square, 1, 1) is False
    assert inside(Footprint(0.5, 0.5, 0, 0.5, 0.5), 1, 1)


def test_yaw_zero_faces_plus_y_and_walls_are_backed():
    assert facing(np.array([0.0, 1.0])) == 0
    plan = Plan(4.0, 3.0, 2.5, "living")
    for wall, back in enumerate(((1, 0), (4, 1), (3, 3), (0, 2))):
        place = plan.at_wall(wall, 1.0, 0.4, 0.3)
        assert place.at(0, -0.3) == pytest.approx(back)


def test_unknown_class_is_left_out_of_a_room():
    class Nothing:
        def of_class(self, label):
            return ()

    plan = Plan(4.0, 3.0, 2.5, "living")
    Furnisher(plan, Nothing(), RoomConfig(), np.random.default_rng(0)).furnish()
    assert plan.items == []


@pytest.fixture
def walk():
    plan = Plan(5.0, 4.0, 2.5, "living")
    obstacles = [Footprint(2.5, 2.0, 0.3, 0.7, 0.5), Footprint(2.5, 0.4, 0, 1.0, 0.4)]
    return path.Walk(plan, obstacles), obstacles


def camera_poses(walk, seed, **settings):
    config = RoomConfig(frames=120, fps=15.0, **settings)
    targets = np.array([[2.5, 2.0, 0.4], [2.5, 0.4, 0.4], [0.3, 3.5, 0.5]])
    return path.camera_path(walk, targets, np.full(3, 0.5), config, np.random.default_rng(seed))


@pytest.mark.parametrize("seed", range(3))
def test_camera_walks_smoothly_upright_and_clear_of_furniture(walk, seed):
    free, obstacles = walk
    poses = camera_poses(free, seed)
    R, position = poses[:, :3, :3], poses[:, :3, 3]
    assert R @ R.transpose(0, 2, 1) == pytest.approx(np.broadcast_to(np.eye(3), R.shape), abs=1e-9)
    assert np.linalg.det(R) == pytest.approx(1)
    assert (-R[:, 2, 1] > 0.6).all()
    assert np.linalg.norm(np.diff(position, axis=0), axis=1).max() < 0.08
    turns = Rotation.from_matrix(R[1:]) * Rotation.from_matrix(R[:-1]).inv()
    assert np.rad2deg(turns.magnitude()).max() * 15 < 150  # [deg/s]
    for x, y in position[:, :2]:
        spot = Footprint(x, y, 0, 0.1, 0.1)
        assert not any(overlap(spot, o) for o in obstacles)
        assert inside(spot, 5.0, 4.0)


@pytest.mark.parametrize(("viewpoint", "low", "high"), [("robot", 0.5, 1.0), ("head", 1.4, 1.8)])
def test_camera_height_follows_the_viewpoint(walk, viewpoint, low, high):
    z = camera_poses(walk[0], 0, viewpoint=viewpoint)[:, 2, 3]
    assert low - 0.05 < z.min() and z.max() < high + 0.05


def parse(*words):
    parser = argparse.ArgumentParser()
    cli.add_arguments(parser)
    return cli.config_from(parser.parse_args(words))


def test_options_become_the_config_and_defaults_stay():
    config = parse("out", "--size", "160x120", "--no-noise", "--seed", "7", "--theme", "office")
    assert config == RoomConfig(width=160, height=120, noise=False, seed=7, theme="office")
    assert parse("out") == RoomConfig()


def test_bad_options_name_the_field():
    with pytest.raises(ValueError, match="--size: got 'big'"):
        parse("out", "--size", "big")
    with pytest.raises(ValueError, match="RoomConfig.frames: got 0"):
        parse("out", "--frames", "0")
