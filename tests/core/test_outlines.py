"""Outlines of posed CADs: where they run, and what hides what."""

import numpy as np
import pytest

from roomcad_core.classes import COLORS
from roomcad_core.outlines import Outliner
from roomcad_core.pose import rigid
from roomcad_core.types import Alignment

K = np.array([[100.0, 0, 79.5], [0, 100, 59.5], [0, 0, 1]])
SHAPE = (120, 160, 3)


class Cube:
    """A CAD model that fills its box."""

    def load_mesh(self):
        corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) / 2
        quads = [[0, 1, 3, 2], [4, 5, 7, 6], [0, 1, 5, 4], [2, 3, 7, 6], [0, 2, 6, 4], [1, 3, 7, 5]]
        triangles = np.array([t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))])
        return corners, triangles, np.zeros((12, 3), np.uint8)


@pytest.fixture
def outliner():
    return Outliner({"cube": Cube()})


def alignment(label, x, z, size):
    """A cube whose front side is `z` before the camera."""
    T = rigid(np.eye(3), [x, 0, z + size / 2])
    return Alignment(1, label, "cube", T, np.full(3, size), 0.875)


def pixels(picture, label):
    return np.argwhere((picture == COLORS[label]).all(-1))


def test_the_outline_runs_along_the_border_of_the_projected_model(outliner):
    color = np.zeros(SHAPE, np.uint8)
    picture = outliner(color, K, [alignment("chair", 0, 2.0, 1.0)])
    line = pixels(picture, "chair")
    # The front side is 0.5 m / 2 m * 100 px = 25 px around the centre, the line 2 px wide.
    np.testing.assert_allclose(line.min(0), [59.5 - 25, 79.5 - 25], atol=2)
    np.testing.assert_allclose(line.max(0), [59.5 + 25, 79.5 + 25], atol=2)
    away = np.abs(line - [59.5, 79.5]).max(1)
    assert away.min() > 21  # nothing inside
    assert not color.any()  # the input stays as it is


def test_a_nearer_model_hides_the_one_behind(outliner):
    near, far = alignment("bed", 0, 1.0, 0.4), alignment("table", 0, 3.0, 1.2)
    for order in ([near, far], [far, near]):
        picture = outliner(np.zeros(SHAPE, np.uint8), K, order)
        inside = np.abs(pixels(picture, "table") - [59.5, 79.5]).max(1) < 17
        assert not inside.any() and len(pixels(picture, "bed"))


def test_what_is_out_of_view_or_behind_the_camera_draws_nothing(outliner):
    color = np.full(SHAPE, 7, np.uint8)
    hidden = [alignment("chair", 50, 2.0, 1.0), alignment("chair", 0, -3.0, 1.0)]
    assert (outliner(color, K, hidden) == 7).all()
    assert (outliner(color, K, []) == 7).all()


def test_a_model_that_reaches_behind_the_camera_is_drawn_as_far_as_it_is_before_it(outliner):
    picture = outliner(np.zeros(SHAPE, np.uint8), K, [alignment("chair", 0.6, -0.5, 1.0)])
    line = pixels(picture, "chair")
    assert len(line) and line.min(0)[1] == pytest.approx(79.5 + 100 * 0.1 / 0.5, abs=2)
