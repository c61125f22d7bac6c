"""Point clouds become depth images that the segmenter takes."""

import numpy as np
import pytest

from roomcad_core.camera import unproject
from roomcad_core.segment import depth_from_cloud

K = np.array([[60.0, 0, 31.5], [0, 62.0, 23.5], [0, 0, 1]])


@pytest.fixture
def depth():
    """(48, 64) a slanted plane with a nearer block and a missing corner."""
    rows, cols = np.mgrid[:48, :64]
    depth = (2 + 0.01 * cols + 0.005 * rows).astype(np.float32)
    depth[10:20, 20:40] = 1.2
    depth[:5, :5] = 0
    return depth


@pytest.fixture
def cloud(depth):
    points = unproject(depth, K)
    points[depth == 0] = np.nan
    return points


def test_an_organised_cloud_gives_back_its_depth_and_intrinsics(depth, cloud):
    found, K_found = depth_from_cloud(cloud)
    np.testing.assert_array_equal(found, depth)
    np.testing.assert_allclose(K_found, K, atol=1e-2)


def test_an_unorganised_cloud_is_drawn_into_a_given_camera(depth, cloud):
    points = cloud.reshape(-1, 3)
    points = np.random.default_rng(0).permutation(points)
    found, K_found = depth_from_cloud(points, K, depth.shape)
    np.testing.assert_array_equal(K_found, K)
    np.testing.assert_allclose(found[depth > 0], depth[depth > 0], atol=1e-6)


def test_the_nearest_point_wins():
    points = np.array([[0, 0, 3], [0, 0, 1], [0, 0, 2.0]])
    found, _ = depth_from_cloud(points, K, (48, 64))
    assert found.max() == 1


def test_a_single_hole_is_closed_and_a_large_one_stays(depth, cloud):
    cloud[30, 30] = np.nan
    cloud[35:45, 45:55] = np.nan
    found, _ = depth_from_cloud(cloud.reshape(-1, 3), K, depth.shape)
    assert found[30, 30] == pytest.approx(depth[30, 30], abs=0.02)
    assert not found[37:43, 47:53].any()


def test_a_virtual_camera_holds_the_whole_cloud(cloud):
    points = cloud.reshape(-1, 3)
    found, K_found = depth_from_cloud(points)
    seen = unproject(found, K_found)[found > 0]
    finite = points[np.isfinite(points).all(axis=1)]
    np.testing.assert_allclose(seen.min(axis=0), finite.min(axis=0), atol=0.1)
    np.testing.assert_allclose(seen.max(axis=0), finite.max(axis=0), atol=0.1)
    assert np.mean(found > 0) > 0.9


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (np.zeros((0, 3)), "no finite point"),
        (np.full((4, 5, 3), np.nan), r"cloud \(4, 5, 3\): no finite point"),
        (np.array([[0, 0, -1.0]]), "no finite point in front of the camera"),
        (np.zeros((4, 4)), r"got shape \(4, 4\), expected"),
        (np.zeros(3), r"got shape \(3,\)"),
    ],
)
def test_an_empty_or_misshapen_cloud_is_refused(points, message):
    with pytest.raises(ValueError, match=message):
        depth_from_cloud(points)


def test_a_cloud_in_a_frame_that_is_not_optical_is_refused(cloud):
    body = np.stack([cloud[..., 2], -cloud[..., 0], -cloud[..., 1]], axis=-1)  # x forward, z up
    body[..., 2] += 3
    with pytest.raises(ValueError, match="optical frame"):
        depth_from_cloud(body)


def test_intrinsics_without_image_size_or_with_nothing_in_view_are_refused(cloud):
    points = cloud.reshape(-1, 3)
    with pytest.raises(ValueError, match="needs the shape"):
        depth_from_cloud(points, K)
    with pytest.raises(ValueError, match="no point falls into the image"):
        depth_from_cloud(np.array([[9, 0, 1.0]]), K, (48, 64))
