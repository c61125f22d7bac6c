"""The post's perturbations: what they keep, what they change, and that they are repeatable."""

import numpy as np
import pytest

from roomcad_offline.scan_gap import ablations, perturb
from roomcad_offline.scan_gap.clouds import unit_sphere
from roomcad_offline.scan_gap.scanobjectnn import y_up, z_up


@pytest.fixture
def clouds():
    return unit_sphere(np.random.default_rng(0).normal(size=(3, 1024, 3)))


@pytest.mark.parametrize("pool", [perturb.rotation_pool(32, 42), perturb.yaw_pool(32)])
def test_pools_are_rotations(pool):
    np.testing.assert_allclose(
        pool @ pool.transpose(0, 2, 1), np.tile(np.eye(3), (32, 1, 1)), atol=1e-6
    )
    np.testing.assert_allclose(np.linalg.det(pool), 1, atol=1e-6)


def test_rotation_pool_is_fixed_by_its_seed_and_covers_the_sphere():
    pool = perturb.rotation_pool(2000, 42)
    np.testing.assert_array_equal(pool, perturb.rotation_pool(2000, 42))
    assert not np.allclose(pool[:32], perturb.rotation_pool(32, 43))
    # uniform over SO(3): every image of an axis averages to nothing, its square to a third
    np.testing.assert_allclose(pool[:, :, 2].mean(0), 0, atol=0.05)
    np.testing.assert_allclose((pool[:, :, 2] ** 2).mean(0), 1 / 3, atol=0.03)


def test_yaw_pool_keeps_the_up_axis_and_holds_the_quarter_turn():
    pool = perturb.yaw_pool(32)
    np.testing.assert_allclose(pool @ [0, 0, 1], np.tile([0, 0, 1], (32, 1)), atol=1e-7)
    np.testing.assert_allclose(pool[8] @ [1, 0, 0], [0, 1, 0], atol=1e-6)


def test_rotated_clouds_keep_their_distances(clouds):
    turned = perturb.rotate(clouds, perturb.rotation_pool(32, 42), np.random.default_rng(1))
    np.testing.assert_allclose(
        np.linalg.norm(turned, axis=2), np.linalg.norm(clouds, axis=2), atol=1e-6
    )
    assert not np.allclose(turned, clouds)


def test_noise_has_the_wanted_deviation(clouds):
    moved = perturb.add_noise(clouds, 0.04, np.random.default_rng(1)) - clouds
    assert moved.std() == pytest.approx(0.04, rel=0.05) and abs(moved.mean()) < 0.002


@pytest.mark.parametrize("fraction", [0.1, 0.5, 0.9])
def test_occlusion_keeps_the_size_and_drops_the_lowest_along_one_axis(clouds, fraction):
    kept = perturb.occlude(clouds, fraction, np.random.default_rng(5))
    assert kept.shape == clouds.shape
    axes = np.random.default_rng(5).standard_normal((3, 3), np.float32)
    for cloud, left, axis in zip(clouds, kept, axes, strict=True):
        limit = np.quantile(cloud @ axis, fraction)
        assert (left @ axis).min() >= limit - 0.01
        distinct = np.unique(left, axis=0)
        assert len(distinct) == 1024 - round(fraction * 1024)
        assert {tuple(p) for p in distinct} <= {tuple(p) for p in cloud}


@pytest.mark.parametrize("n", [0, 1, 100, 1024])
def test_background_replaces_exactly_n_points_outside_the_ball(clouds, n):
    inside = clouds * 0.99
    found = perturb.attach_background(inside, n, np.random.default_rng(1))
    changed = (found != inside).any(2)
    assert changed.sum(1).tolist() == [n] * 3
    assert (np.linalg.norm(found[changed], axis=1) > 1).all() and np.abs(found[changed]).max(
        initial=0
    ) <= 1


def test_background_augmentation_touches_about_half_the_clouds():
    clouds = np.zeros((400, 512, 3), np.float32)
    found = perturb.augment_background(clouds, np.random.default_rng(3))
    counts = found.any(2).sum(1)
    assert set(counts) == {0, *perturb.N_BACKGROUND}
    assert 0.42 < (counts > 0).mean() < 0.58


def test_turning_y_up_is_a_rotation_undone_by_z_up(clouds):
    np.testing.assert_array_equal(z_up(y_up(clouds)), clouds)
    np.testing.assert_array_equal(y_up(np.array([0, 0, 1])), [0, 1, 0])  # up is y now
    assert np.linalg.det(y_up(np.eye(3)).T) == pytest.approx(1)  # no reflection


@pytest.mark.parametrize("curve", ablations.CURVES)
def test_controlled_perturbations_are_repeatable_and_leave_the_input_alone(clouds, curve):
    before = clouds.copy()
    value = ablations.CURVES[curve][2]
    first, again = (ablations.perturbed(clouds, curve, value) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(clouds, before)
    assert first.shape == clouds.shape and not np.array_equal(first, clouds)


def test_shape_of_a_curve_by_hand():
    shape = ablations.shape_of((0, 100, 250, 500), (0.9, 0.3, 0.2, 0.1))
    assert shape == {
        "monotone": True,
        "drop": 0.8,
        "cliff": (0, 100),
        "steepest": (0, 100),
        "first": 0.75,
    }
    assert not ablations.shape_of((0, 1, 2), (0.9, 0.5, 0.6))["monotone"]


def test_the_posts_own_points_bear_out_its_claims_and_other_curves_do_not():
    occlusion = {0.1: 0.95, 0.25: 0.85, 0.5: 0.64, 0.75: 0.35, 0.9: 0.27}
    background = {0: 0.96, 100: 0.18, 250: 0.13, 500: 0.13, 750: 0.13}
    for curve, points in (("occlusion", occlusion), ("background", background)):
        claims = ablations.claims(curve, list(points), list(points.values()))
        assert all(holds for _, holds, _ in claims), claims
    slow = ablations.claims("background", (0, 100, 250, 500, 750), (0.96, 0.9, 0.7, 0.4, 0.1))
    assert [holds for _, holds, _ in slow] == [True, False, False]
