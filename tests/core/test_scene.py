"""Boxes that overlap in the world."""

import numpy as np
import pytest

from roomcad_core.pose import rigid, upright_rotation
from roomcad_core.scene import box_iou, share_inside


def standing(x, y, yaw=0.0, height=1.0):
    return rigid(upright_rotation(yaw), [x, y, height / 2])


def test_box_iou_of_known_overlaps():
    S = np.array([1.0, 1.0, 1.0])
    assert box_iou(standing(0, 0), S, standing(0, 0), S) == pytest.approx(1, abs=1e-4)
    assert box_iou(standing(0, 0), S, standing(0.5, 0), S) == pytest.approx(1 / 3, abs=1e-3)
    assert box_iou(standing(0, 0), S, standing(0, 0, np.pi / 2), S) == pytest.approx(1, abs=1e-3)
    assert box_iou(standing(0, 0), S, standing(3, 0), S) == 0


def test_share_of_the_smaller_box_inside_the_larger():
    S, small = np.ones(3), np.array([0.4, 1.0, 0.4])
    assert share_inside(standing(0, 0), S, standing(0.2, 0), small) == pytest.approx(1, abs=1e-4)
    assert share_inside(standing(0, 0), S, standing(0.5, 0), small) == pytest.approx(0.5, abs=1e-3)
    assert share_inside(standing(0.5, 0), small, standing(0, 0), S) == pytest.approx(0.5, abs=1e-3)
    assert share_inside(standing(0, 0), S, standing(3, 0), small) == 0
