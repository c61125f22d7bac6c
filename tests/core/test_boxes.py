"""Upright boxes of crops."""

import numpy as np
import pytest

from roomcad_core.boxes import fit_upright_box


def box_points(extents, yaw, center, rng, n=4000):
    points = rng.uniform(-0.5, 0.5, (n, 3)) * extents
    c, s = np.cos(yaw), np.sin(yaw)
    return points @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]]) + center


def test_a_turned_box_is_measured_along_its_own_sides():
    points = box_points([1.6, 0.8, 0.7], 0.4, [2, 1, 0.35], np.random.default_rng(0))
    box = fit_upright_box(points)
    assert np.sort(box.extents) == pytest.approx([0.7, 0.8, 1.6], rel=0.05)
    assert box.center == pytest.approx([2, 1, 0.35], abs=0.03)
    assert box.yaw % (np.pi / 2) == pytest.approx(0.4, abs=0.05)


def test_a_few_stray_points_do_not_grow_the_box():
    rng = np.random.default_rng(1)
    points = box_points([1.0, 1.0, 1.0], 0.0, [0, 0, 0], rng)
    strays = np.array([[9.0, 9, 9]] * 10)
    assert fit_upright_box(np.vstack([points, strays])).extents.max() < 1.3


def test_bottom_and_top_bracket_the_points():
    box = fit_upright_box(box_points([1, 1, 2.0], 0.2, [0, 0, 1], np.random.default_rng(2)))
    assert box.bottom == pytest.approx(0, abs=0.05)
    assert box.top == pytest.approx(2, abs=0.05)


@pytest.mark.parametrize("points", [np.zeros((3, 3)), np.full((9, 3), np.nan), np.zeros((5, 2))])
def test_unusable_points_are_refused(points):
    with pytest.raises(ValueError, match="points"):
        fit_upright_box(points)


def test_equal_points_give_a_tiny_box():
    assert fit_upright_box(np.ones((50, 3))).extents.max() < 0.01
