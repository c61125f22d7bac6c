"""Poses, cameras and gravity: hand-computed numbers and invariances."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from roomcad_core import camera, gravity, pose

K = np.array([[500.0, 0, 320], [0, 500, 240], [0, 0, 1]])


def random_pose(rng):
    return pose.rigid(
        Rotation.random(random_state=int(rng.integers(1 << 30))).as_matrix(), rng.normal(size=3)
    )


def test_a_point_on_the_axis_lands_on_the_principal_point():
    uv, depth = camera.project(np.array([[0.0, 0.0, 2.0]]), K)
    assert uv == pytest.approx(np.array([[320, 240]]))
    assert depth == pytest.approx(np.array([2.0]))


def test_unproject_is_the_inverse_of_project():
    depth = np.full((480, 640), 2.5, np.float32)
    points = camera.unproject(depth, K)
    uv, z = camera.project(points[100, 200].astype(float), K)
    assert uv == pytest.approx([200, 100], abs=1e-3)
    assert z == pytest.approx(2.5)


def test_halving_an_image_keeps_its_corners_field_of_view():
    half = camera.resize_intrinsics(K, 0.5, 0.5)
    # The left border of pixel 0 lies at -0.5 in both images.
    assert (-0.5 - half[0, 2]) / half[0, 0] == pytest.approx((-0.5 - K[0, 2]) / K[0, 0])


def test_decompose_undoes_affine():
    rng = np.random.default_rng(0)
    T, S = random_pose(rng), np.array([0.5, 1.0, 2.0])
    T_back, S_back = pose.decompose(pose.affine(T, S))
    np.testing.assert_allclose(T_back, T, atol=1e-12)
    np.testing.assert_allclose(S_back, S)


def test_decompose_refuses_a_flat_map():
    with pytest.raises(ValueError, match="vanishing"):
        pose.decompose(np.diag([1.0, 0.0, 1.0, 1.0]))


@pytest.mark.parametrize("yaw", [-3.0, -0.5, 0.0, 1.2, 3.1])
def test_upright_rotation_keeps_up_up_and_yaw_of_reads_it(yaw):
    R = pose.upright_rotation(yaw)
    np.testing.assert_allclose(R @ [0, 1, 0], [0, 0, 1], atol=1e-12)
    assert np.linalg.det(R) == pytest.approx(1)
    assert pose.yaw_of(R) == pytest.approx(yaw)


def test_at_yaw_zero_the_front_faces_plus_y():
    np.testing.assert_allclose(pose.upright_rotation(0.0) @ [0, 0, -1], [0, 1, 0], atol=1e-12)


@pytest.mark.parametrize(
    ("symmetry", "degrees", "expected"),
    [
        ("none", 180, 180),
        ("2-fold", 180, 0),
        ("2-fold", 90, 90),
        ("4-fold", 90, 0),
        ("rotational", 73, 3),
    ],
)
def test_rotation_error_minds_the_symmetry(symmetry, degrees, expected):
    turned = pose.rotation_y(np.radians(degrees))
    error = pose.rotation_error(turned, np.eye(3), symmetry)
    assert np.degrees(error) == pytest.approx(expected, abs=1e-5)


def test_pose_errors_of_a_known_shift_and_stretch():
    T = pose.rigid(np.eye(3), [0.3, 0.4, 0.0])
    t, r, s = pose.pose_errors(T, np.array([1.1, 0.9, 1.0]), np.eye(4), np.ones(3))
    assert (t, r) == (pytest.approx(0.5), pytest.approx(0.0))
    assert s == pytest.approx(0.2 / 3)


def test_the_gravity_frame_is_z_up_and_looks_along_x():
    pitch = np.radians(30)  # a camera looking 30 degrees down: up leans forward
    up_cam = np.array([0.0, -np.cos(pitch), np.sin(pitch)])
    up_cam[2] *= -1
    T = gravity.gravity_frame(up_cam)
    np.testing.assert_allclose(T[:3, :3] @ up_cam, [0, 0, 1], atol=1e-12)
    forward = T[:3, :3] @ [0, 0, 1]
    assert forward[0] > 0 and forward[1] == pytest.approx(0)
    assert np.linalg.det(T) == pytest.approx(1)


def test_a_camera_looking_straight_down_has_a_gravity_frame():
    T = gravity.gravity_frame([0.0, 0.0, -1.0])
    np.testing.assert_allclose(T[:3, :3] @ [0, 0, -1], [0, 0, 1], atol=1e-12)
    np.testing.assert_allclose(T[:3, :3] @ T[:3, :3].T, np.eye(3), atol=1e-12)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("sign", [1, -1])
def test_any_recorded_world_becomes_z_up(axis, sign):
    up = np.zeros(3)
    up[axis] = sign
    forward = np.roll(np.abs(up), 1)
    R = np.stack([np.cross(-up, forward), -up, forward], axis=1)
    T_zup_raw = gravity.up_axis_of([pose.rigid(R, np.zeros(3))])
    np.testing.assert_allclose(T_zup_raw[:3, :3] @ up, [0, 0, 1], atol=1e-12)
    assert np.linalg.det(T_zup_raw) == pytest.approx(1)


def test_a_z_up_world_stays_as_it_is():
    R = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
    np.testing.assert_array_equal(gravity.up_axis_of([pose.rigid(R, np.zeros(3))]), np.eye(4))


def test_without_any_finite_pose_up_is_unknown():
    with pytest.raises(ValueError, match="no finite camera pose"):
        gravity.up_axis_of([np.full((4, 4), -np.inf)])
