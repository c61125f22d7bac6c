"""Initial poses: where an object starts, upright, in turns about its up axis."""

import numpy as np
import pytest

from roomcad_core.multi_sparc.start import initial_poses, sample_pattern, surface_depths

K = np.array([[140.0, 0, 79.5], [0, 140, 59.5], [0, 0, 1]])
UP = np.array([0.0, -1, 0])
SIZE = np.array([[0.6, 0.9, 0.6]])
CENTRED = np.array([[59.5, 39.5, 99.5, 79.5]], np.float32)


def wall(z=2.0):
    """Depth and instance map of a wall at z that is object 1 all over."""
    return np.full((120, 160), z, np.float32), np.ones((120, 160), np.int32)


def start(box=CENTRED, size=SIZE, up=UP, n_yaw=4, maps=None):
    depth, instance = wall() if maps is None else maps
    return initial_poses(depth, instance, K, box, size, up, n_yaw)


def test_an_object_ahead_starts_a_fifth_of_its_size_behind_its_surface():
    T, _, S = start()
    np.testing.assert_allclose(T, np.broadcast_to([0, 0, 2 + 0.2 * 0.7], (4, 1, 3)), atol=1e-6)
    np.testing.assert_allclose(S, np.broadcast_to(SIZE, (4, 1, 3)))


def test_azimuth_0_turns_its_back_to_the_camera_and_the_others_are_quarter_turns():
    _, R, _ = start()
    front = -R[:, 0, :, 2]
    expected = [[0, 0, 1], [-1, 0, 0], [0, 0, -1], [1, 0, 0]]
    np.testing.assert_allclose(front, expected, atol=1e-3)
    np.testing.assert_allclose(R[:, 0, :, 1], np.broadcast_to(UP, (4, 3)), atol=1e-9)
    np.testing.assert_allclose(np.linalg.det(R), 1)


@pytest.mark.parametrize("n_yaw", [1, 6])
def test_any_number_of_azimuths_shares_a_full_turn(n_yaw):
    _, R, _ = start(n_yaw=n_yaw)
    assert R.shape == (n_yaw, 1, 3, 3)
    step = np.arccos((np.trace(R[0, 0].T @ R[-1, 0]) - 1) / 2)
    assert step == pytest.approx(0 if n_yaw == 1 else 2 * np.pi / n_yaw)


def test_a_tilted_camera_keeps_models_upright():
    up = np.array([0.1, -0.9, -0.4])
    _, R, _ = start(up=up)
    np.testing.assert_allclose(R[:, 0, :, 1], np.tile(up / np.linalg.norm(up), (4, 1)))
    np.testing.assert_allclose(R[:, 0].swapaxes(1, 2) @ R[:, 0], np.tile(np.eye(3), (4, 1, 1)),
                               atol=1e-9)  # fmt: skip


def test_the_median_is_that_of_the_mask_alone():
    depth, instance = wall(4.0)
    depth[50:70, 70:90], instance[:] = 1.5, 0
    instance[50:70, 70:90] = 1
    assert surface_depths(depth, instance, CENTRED) == [1.5]


def test_a_mask_without_depth_takes_its_boxs_depth_and_an_empty_box_3_m():
    depth, instance = wall(2.5)
    depth[instance == 1] = 0
    depth[:, :75] = 2.5
    instance[:, :75] = 0
    np.testing.assert_allclose(surface_depths(depth, instance, CENTRED), [2.5])
    np.testing.assert_allclose(surface_depths(np.zeros_like(depth), instance, CENTRED), [3.0])


def test_a_box_beside_the_maps_starts_on_its_ray_at_3_m():
    box = np.array([[170.0, 40, 190, 80]], np.float32)
    T, R, _ = start(box)
    np.testing.assert_allclose(T[0, 0, 0] / T[0, 0, 2], (180 - 79.5) / 140, rtol=1e-6)
    assert np.isfinite(R).all() and T[0, 0, 2] > 3


def test_slots_are_numbered_as_the_objects_are():
    depth, instance = wall(2.0)
    instance[:, 80:], depth[:, 80:] = 2, 3.0
    box = np.array([[20, 30, 70, 90], [90, 30, 140, 90]], np.float32)
    assert surface_depths(depth, instance, box).tolist() == [2, 3]


def test_the_pattern_covers_the_box_evenly():
    pattern = sample_pattern(200)
    counts, _, _ = np.histogram2d(*pattern.T, bins=5, range=[[0, 1], [0, 1]])
    assert counts.min() >= 6 and counts.max() <= 10
