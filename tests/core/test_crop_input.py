"""Crops on their way into a network: hand-computed boxes, spheres and reasons to refuse."""

import re

import numpy as np
import pytest

from roomcad_core.crop_input import (
    LIMIT,
    TYPICAL_RADIUS,
    crop_fault,
    extra_numbers,
    fixed_size,
    normalise,
    unit_sphere,
)


def corners(extents, centre=(0, 0, 0), times=16):
    """(8 * times, 3) the corners of a box, each several times."""
    unit = np.stack(np.meshgrid([-0.5, 0.5], [-0.5, 0.5], [-0.5, 0.5]), -1).reshape(-1, 3)
    return np.repeat(unit * extents + centre, times, axis=0).astype(np.float32)


def test_a_box_is_centred_and_scaled_by_its_half_diagonal():
    unit, centre, radius = normalise(corners([2, 4, 4], [7, 8, 9]))
    np.testing.assert_allclose(centre, [7, 8, 9])
    assert radius == pytest.approx(3)
    np.testing.assert_allclose(np.abs(unit), np.tile([1 / 3, 2 / 3, 2 / 3], (128, 1)), rtol=1e-6)
    assert unit.dtype == np.float32


def test_one_stray_point_neither_moves_nor_shrinks_the_object():
    box = corners([2, 4, 4])
    stray = np.vstack([box, [[100, 0, 0]]]).astype(np.float32)
    unit, centre, radius = normalise(stray)
    np.testing.assert_allclose(centre, 0, atol=1e-6)
    assert radius == pytest.approx(3)
    np.testing.assert_allclose(unit[-1], [LIMIT, 0, 0], rtol=1e-5)


def test_a_batch_gives_what_its_clouds_give_alone():
    clouds = np.random.default_rng(0).normal(size=(3, 50, 3)).astype(np.float32)
    together = normalise(clouds)
    for k, cloud in enumerate(clouds):
        for batch, alone in zip(together, normalise(cloud), strict=True):
            np.testing.assert_array_equal(batch[k], alone)


def test_points_that_are_all_equal_become_zeros():
    unit, centre, radius = normalise(np.full((40, 3), 2.5))
    assert not unit.any() and radius == 0
    np.testing.assert_array_equal(centre, 2.5)
    assert not unit_sphere(np.full((40, 3), 2.5)).any()


def test_the_unit_sphere_has_its_mean_in_the_middle_and_its_farthest_point_on_the_shell():
    clouds = np.zeros((2, 3, 3))
    clouds[0, 0, 0], clouds[1, 1, 1] = 3, 6
    unit = unit_sphere(clouds)
    np.testing.assert_allclose(unit[0, :, 0], [1, -0.5, -0.5])
    np.testing.assert_allclose(unit[1, :, 1], [-0.5, 1, -0.5])
    assert unit.dtype == np.float32


def test_extra_numbers_are_zero_where_nothing_is_known():
    radius = np.array([TYPICAL_RADIUS, np.e * TYPICAL_RADIUS, 1.0, 1.0])
    numbers = extra_numbers(
        radius, [0.5, 0.25, 0.5, 0.5], [True, True, False, False], [True, True, True, False]
    )
    np.testing.assert_allclose(
        numbers, [[1, 0, 1, 0.5], [1, 1, 1, 0.25], [0, 0, 1, 0.5], [0, 0, 0, 0]], atol=1e-6
    )
    assert numbers.dtype == np.float32
    assert np.isfinite(extra_numbers(0.0, 0.0, True, True)).all()


def test_fixed_size_repeats_rows_only_where_there_are_too_few():
    rng = np.random.default_rng(0)
    rows = np.arange(300.0).reshape(100, 3)
    few = fixed_size(rows, 64, rng)
    assert len(np.unique(few[:, 0])) == len(few) == 64
    many = fixed_size(rows, 250, rng)
    np.testing.assert_array_equal(many[:100], rows)
    assert len(many) == 250 and np.isin(many, rows).all()


BOX = corners([1, 1, 1])
BAD = {
    "few": (BOX[:31], "got 31 points, expected at least 32"),
    "none": (BOX[:0], "got 0 points"),
    "NaN": (np.where(np.arange(128)[:, None] == 3, np.nan, BOX), "NaN or infinity in 1 of 128"),
    "infinity": (np.where(np.arange(128)[:, None] < 2, np.inf, BOX), "NaN or infinity in 2 of"),
    "equal": (np.ones((64, 3), np.float32), "longest side of 0 m, expected 0.001 to 100 m"),
    "huge": (BOX * 1e30, "longest side of 1e[+]30 m"),
}


@pytest.mark.parametrize(("points", "reason"), BAD.values(), ids=BAD.keys())
def test_an_unusable_crop_is_refused_with_got_and_expected(points, reason):
    assert re.search(reason, crop_fault(points))


def test_a_usable_crop_has_no_fault():
    assert crop_fault(BOX) == ""
    assert crop_fault(BOX[::4]) == ""  # 32 points
    assert crop_fault(BOX * [1, 0, 0]) == ""  # thin things exist
