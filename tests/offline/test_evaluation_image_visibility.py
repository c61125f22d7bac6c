"""Rendered CADs against sensor depth, counted by hand."""

import numpy as np
import pytest
from cube_world import CHAIR, CUBE, FACES, SHAPE, K

from roomcad_core.pose import affine, rigid, rotation_y
from roomcad_offline.evaluation.image_visibility import CadRenderer, visible_share

pytest.importorskip("open3d")


def cube(category, cad_id):
    return CUBE, FACES


def at(z, x=0.0, size=1.0):
    """A cube in front of the camera."""
    return affine(rigid(np.eye(3), np.array([x, 0.0, z])), np.full(3, size))


def test_front_face_of_a_cube_is_rendered_at_its_depth_and_place():
    # The front face, 1 m wide at 2 m: 50 pixels wide around 49.5, so columns 25..74.
    rendered = CadRenderer(cube)(CHAIR, "cube", at(2.5), K, SHAPE)
    assert rendered.box == pytest.approx([25, 15, 75, 65])
    assert rendered.depth[np.isfinite(rendered.depth)] == pytest.approx(2.0)


def test_depth_of_an_anisotropic_turned_cad_is_metric_z():
    turned = affine(rigid(rotation_y(np.pi / 2), np.array([0, 0, 3.0])), np.array([2.0, 1, 1]))
    rendered = CadRenderer(cube)(CHAIR, "cube", turned, K, SHAPE)  # 2 m along the view
    assert rendered.depth[np.isfinite(rendered.depth)] == pytest.approx(2.0, abs=1e-5)


def test_cube_half_hidden_counts_and_one_column_more_hides_it():
    rendered = CadRenderer(cube)(CHAIR, "cube", at(2.5), K, SHAPE)
    sensor = np.full(SHAPE, 2.0, np.float32)
    sensor[:, 50:] = 1.0
    assert visible_share(rendered, sensor, 0.30) == pytest.approx(0.5)
    sensor[:, 49] = 1.0
    assert visible_share(rendered, sensor, 0.30) == pytest.approx(24 / 50)


def test_depth_differences_count_below_30_cm_only():
    rendered = CadRenderer(cube)(CHAIR, "cube", at(2.5), K, SHAPE)
    for difference, share in ((0.29, 1.0), (-0.29, 1.0), (0.31, 0.0), (-0.31, 0.0)):
        assert visible_share(rendered, np.full(SHAPE, 2 + difference), 0.30) == share


def test_pixels_without_sensor_depth_say_nothing():
    rendered = CadRenderer(cube)(CHAIR, "cube", at(2.5), K, SHAPE)
    sensor = np.full(SHAPE, 2.0, np.float32)
    sensor[:, 50:] = 0
    assert visible_share(rendered, sensor, 0.30) == 1.0
    assert visible_share(rendered, np.zeros(SHAPE), 0.30) == 0.0


def test_cad_beside_or_behind_the_camera_is_not_rendered():
    render = CadRenderer(cube)
    assert render(CHAIR, "cube", at(2.5, x=9.0), K, SHAPE) is None
    assert render(CHAIR, "cube", at(-2.5), K, SHAPE) is None
    around = render(CHAIR, "cube", at(0.2), K, SHAPE)  # the camera is inside the cube
    assert around.depth.shape == SHAPE and around.depth == pytest.approx(0.7)
