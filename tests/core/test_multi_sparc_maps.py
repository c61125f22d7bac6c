"""Frames reduced to the network's maps: geometry, edges, holes, boxes and normals."""

import numpy as np
import pytest

from roomcad_core.camera import project, unproject
from roomcad_core.multi_sparc.maps import Grid, make_maps
from roomcad_core.multi_sparc.normals import normals_from_depth
from roomcad_core.segment.crops import bounding_boxes
from roomcad_core.types import Frame

MAPS = (120, 160)
SHAPES = [(480, 640), (240, 320), (720, 1280), (480, 848), (600, 500), (120, 160), (97, 143)]
PLANE = np.array([0.2, -0.5, -0.8])  # normal; towards the camera
DISTANCE = 2.0  # PLANE @ x = -DISTANCE


def intrinsics(shape):
    height, width = shape
    return np.array([[0.86 * width, 0, 0.48 * width], [0, 0.87 * width, 0.53 * height], [0, 0, 1]])


def plane_depth(shape, K):
    """(H, W) float32 depth of the plane."""
    rays = unproject(np.ones(shape, np.float32), K)
    return (-DISTANCE / (rays @ PLANE)).astype(np.float32)


def frame_of(depth, color=None, K=None):
    color = np.zeros((*depth.shape, 3), np.uint8) if color is None else color
    return Frame(0.0, color, depth, intrinsics(depth.shape) if K is None else K)


def maps_of(depth, ids=None, color=None):
    ids = np.zeros(depth.shape, np.uint16) if ids is None else ids
    return make_maps(frame_of(depth, color), ids, MAPS)


@pytest.mark.parametrize("shape", SHAPES)
def test_map_depths_lie_on_the_plane_under_the_maps_intrinsics(shape):
    maps = maps_of(plane_depth(shape, intrinsics(shape)))
    seen = maps.depth > 0
    error = (unproject(maps.depth, maps.K) @ PLANE + DISTANCE)[seen]
    # The image's own pixels are coarser than the maps' samples in the small images.
    assert np.abs(error).max() < 0.03 and abs(error.mean()) < 1e-3
    height, width = shape
    share = min(120 / height, 160 / width) ** 2 * height * width / (120 * 160)
    assert seen.mean() == pytest.approx(share, abs=0.02)


@pytest.mark.parametrize("shape", SHAPES)
def test_pixels_and_boxes_go_to_the_maps_as_intrinsics_do(shape):
    K, points = intrinsics(shape), np.array([[0.1, -0.2, 2.0], [-0.3, 0.25, 1.5]])
    grid = Grid.fitting(shape, MAPS)
    image, _ = project(points, K)
    wanted, _ = project(points, grid.intrinsics(K))
    # Boxes count from the first pixel's outer edge, pixels from its centre.
    box = grid.box(np.concatenate([image[0], image[1]]) + 0.5)
    np.testing.assert_allclose(box, wanted.ravel(), atol=1e-4)


def test_of_a_4_to_3_image_nothing_is_lost():
    grid = Grid.fitting((480, 640), MAPS)
    assert (grid.factor, grid.shift) == (0.25, (0, 0))
    np.testing.assert_allclose(grid.box([0, 0, 640, 480]), [-0.5, -0.5, 159.5, 119.5])


def test_a_wide_image_is_centred_between_empty_bands():
    depth = np.full((720, 1280), 2, np.float32)
    ids, color = np.ones(depth.shape, np.uint16), np.full((*depth.shape, 3), 255, np.uint8)
    maps = maps_of(depth, ids, color)
    band = np.ones(MAPS, bool)
    band[15:105] = False
    assert np.array_equal(maps.depth == 0, band) and np.array_equal(maps.ids == 0, band)
    assert np.array_equal(maps.rgb.max(0) == 0, band)
    assert maps.rgb[:, ~band].min() == 1


def test_an_edge_within_a_map_pixel_is_not_averaged():
    depth = np.full((480, 640), 3, np.float32)
    ids = np.full(depth.shape, 7, np.uint16)
    depth[:, :302], ids[:, :302] = 1, 4  # half of map column 75
    depth[:, 400:401], ids[:, 400:401] = 2, 5  # thin, and beside the centre of map column 100
    maps = maps_of(depth, ids)
    assert set(np.unique(maps.depth)) == {1, 3}
    assert np.array_equal(maps.ids == 4, maps.depth == 1)
    assert np.array_equal(maps.ids == 7, maps.depth == 3)


def test_a_hole_is_filled_from_within_its_map_pixel_only():
    depth = np.zeros((480, 640), np.float32)
    depth[43, 80] = 2.5
    depth[80, 81], depth[81, 82] = 5.0, 3.0  # the second one is nearer to the centre
    maps = maps_of(depth)
    assert maps.depth[10, 20] == 2.5 and maps.depth[20, 20] == 3.0
    assert np.count_nonzero(maps.depth) == 2


def test_noise_within_a_surface_is_averaged():
    rng = np.random.default_rng(0)
    depth = rng.normal(2, 0.01, (480, 640)).astype(np.float32)
    assert maps_of(depth).depth.std() < 0.004


def test_depth_that_is_no_depth_is_missing():
    depth = np.full((480, 640), 2, np.float32)
    bad = (np.nan, np.inf, -np.inf, -1.0, 0.0, 1e30)
    for k, value in enumerate(bad):
        depth[:4, 4 * k : 4 * k + 4] = value
    maps = maps_of(depth)
    assert np.all(maps.depth[0, : len(bad)] == 0) and np.all(maps.depth[0, len(bad) :] == 2)
    assert np.isfinite(maps.normal).all()


def test_colours_are_means_of_their_pixels():
    color = np.zeros((480, 640, 3), np.uint8)
    color[8:12, 4:6] = (255, 0, 102)
    rgb = maps_of(np.ones((480, 640), np.float32), color=color).rgb
    np.testing.assert_allclose(rgb[:, 2, 1], [0.5, 0, 0.2], atol=0.003)
    assert np.count_nonzero(rgb.any(0)) == 1


@pytest.mark.parametrize("shape", [(480, 640), (720, 1280), (240, 320)])
def test_boxes_fit_the_reduced_masks(shape):
    ids = np.zeros(shape, np.uint16)
    height, width = shape
    ids[height // 5 : height // 2, width // 7 : width // 3] = 3
    maps = maps_of(np.ones(shape, np.float32), ids)
    rows, columns = np.nonzero(maps.ids == 3)
    seen = [columns.min() - 0.5, rows.min() - 0.5, columns.max() + 0.5, rows.max() + 0.5]
    np.testing.assert_allclose(maps.grid.box(bounding_boxes(ids)[3]), seen, atol=0.51)


def test_a_box_ends_half_a_map_beside_the_maps():
    box = Grid.fitting((480, 640), MAPS).box([-1e30, 40, 1e30, 1e6])
    np.testing.assert_allclose(box, [-80, 9.5, 240, 180])


def test_instances_of_another_size_are_refused():
    frame = frame_of(np.ones((48, 64), np.float32))
    with pytest.raises(ValueError, match=r"instances \(24, 32\), expected \(48, 64\)"):
        make_maps(frame, np.zeros((24, 32), np.uint16), MAPS)


def test_normals_of_a_plane_are_its_normal_towards_the_camera():
    K = intrinsics(MAPS)
    normal = normals_from_depth(plane_depth(MAPS, K), K)
    unit = PLANE / np.linalg.norm(PLANE)
    np.testing.assert_allclose(normal, np.broadcast_to(unit, normal.shape), atol=2e-3)


def test_normals_are_not_taken_across_edges_and_vanish_in_holes():
    K = intrinsics(MAPS)
    depth = np.full(MAPS, 1.5, np.float32)
    depth[:, 80:] = 3.0
    depth[10:20, 30:40] = 0
    normal = normals_from_depth(depth, K)
    hole = np.zeros(MAPS, bool)
    hole[10:20, 30:40] = True
    np.testing.assert_allclose(normal[~hole], np.broadcast_to([0, 0, -1], normal[~hole].shape))
    assert not normal[hole].any()


def test_a_lone_depth_has_no_normal():
    depth = np.zeros(MAPS, np.float32)
    depth[60, 80] = 2
    assert not normals_from_depth(depth, intrinsics(MAPS)).any()
