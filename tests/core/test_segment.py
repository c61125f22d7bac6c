"""Segmentation of a room of boxes, whose depth image is computed exactly."""

import dataclasses

import numpy as np
import pytest
from oracle import oracle

from roomcad_core.camera import rays, unproject
from roomcad_core.config import SegmentConfig
from roomcad_core.detect import Detection
from roomcad_core.gravity import up_from_pose
from roomcad_core.pose import rigid
from roomcad_core.segment import Segmenter
from roomcad_core.segment.crops import full_resolution
from roomcad_core.types import Frame

SHAPE = 240, 320
K = np.array([[280.0, 0, 159.5], [0, 280.0, 119.5], [0, 0, 1]])
CAMERA_XY, CAMERA_HEIGHT = (-0.3, 0.0), 1.4
TABLE, CHAIR, CABINET = 1, 2, 3


def box(x, y, z):
    """(2, 3) corners from three (low, high) ranges."""
    return np.array([x, y, z], float).T


def legs(x, y, top, side=0.05):
    """Four legs inside the corners of the plan box x, y."""
    return [
        box((a, a + side), (b, b + side), (0, top))
        for a in (x[0], x[1] - side)
        for b in (y[0], y[1] - side)
    ]


def room_boxes():
    """[(id, box)]: floor, back wall, side wall; a table, a chair, a cabinet at the back wall."""
    table = [box((1.6, 2.4), (0.1, 1.3), (0.70, 0.74)), *legs((1.6, 2.4), (0.1, 1.3), 0.70)]
    chair = [box((1.9, 2.35), (-0.9, -0.45), (0.42, 0.47)), *legs((1.9, 2.35), (-0.9, -0.45), 0.42),
             box((2.31, 2.35), (-0.9, -0.45), (0.47, 0.95))]  # fmt: skip
    cabinet = [box((3.55, 4.0), (-1.1, -0.1), (0, 1.1))]
    walls = [box((-2, 4.2), (-3, 3), (-0.1, 0)), box((4.0, 4.2), (-3, 3), (0, 3)),
             box((-2, 4.2), (1.9, 2.1), (0, 3))]  # fmt: skip
    parts = zip((0, TABLE, CHAIR, CABINET), (walls, table, chair, cabinet), strict=True)
    return [(i, b) for i, boxes in parts for b in boxes]


def segmenter(boxes=None, find=None, **settings):
    """Segmenter whose network knows the things of a room.

    Args:
        boxes: [(id, box)] of it, id 0 = no thing; None = room_boxes.
        find: the detector.
        settings: of SegmentConfig.
    """
    things = {}
    for i, corners in boxes or room_boxes():
        if i:
            things.setdefault(i, []).append(corners)
    return Segmenter(SegmentConfig(**settings), find, instances=oracle(things, CAMERA_XY))


def camera_pose(pitch=0.42, yaw=0.0, roll=0.0, position=(*CAMERA_XY, CAMERA_HEIGHT)):
    """T_world_cam looking along the world's x axis, pitched down."""
    c, s = np.cos(pitch), np.sin(pitch)
    forward, down = np.array([c, 0, -s]), np.array([-s, 0, -c])
    R = np.column_stack([np.cross(down, forward), down, forward])
    c, s = np.cos(roll), np.sin(roll)
    R = R @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    c, s = np.cos(yaw), np.sin(yaw)
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    return rigid(turn @ R, turn @ np.array(position, float))


def render(boxes, T_world_cam, noise=0.0015, seed=0):
    """Frame of axis-aligned boxes by the slab method, with z² noise and true instances."""
    view = rays(SHAPE, K).reshape(-1, 3).astype(float) @ T_world_cam[:3, :3].T
    start = T_world_cam[:3, 3]
    depth, ids = np.full(len(view), np.inf), np.zeros(len(view), np.uint16)
    with np.errstate(divide="ignore", invalid="ignore"):
        for i, (low, high) in boxes:
            t = np.sort([(low - start) / view, (high - start) / view], axis=0)
            enter, leave = t[0].max(axis=1), t[1].min(axis=1)
            hit = (enter > 0.05) & (enter <= leave) & (enter < depth)
            depth[hit], ids[hit] = enter[hit], i
    depth[np.isinf(depth)] = 0
    depth += noise * depth**2 * np.random.default_rng(seed).normal(size=len(depth))
    depth = depth.reshape(SHAPE).astype(np.float32)
    color = np.zeros((*SHAPE, 3), np.uint8)
    return Frame(0.0, color, depth, K, T_world_cam, instances=ids.reshape(SHAPE))


def overlaps(truth, found):
    """{true id: (best IoU, found id)}."""
    out = {}
    for i in np.unique(truth[truth > 0]):
        mask = truth == i
        ids = np.unique(found[mask & (found > 0)])
        ious = [np.count_nonzero(mask & (found == k)) / np.count_nonzero(mask | (found == k))
                for k in ids]  # fmt: skip
        out[int(i)] = max(zip(ious, ids.tolist(), strict=True), default=(0.0, 0))
    return out


def assert_all_found(truth, segmentation):
    for i, (iou, _) in overlaps(truth, segmentation.instances).items():
        assert iou >= 0.5, f"object {i}: IoU {iou:.2f}"


@pytest.fixture(scope="module")
def frame():
    return render(room_boxes(), camera_pose())


@pytest.fixture(scope="module")
def segmentation(frame):
    return segmenter()(frame)


def test_table_chair_and_cabinet_are_found_whole_and_nothing_else(frame, segmentation):
    ious = {i: iou for i, (iou, _) in overlaps(frame.instances, segmentation.instances).items()}
    print("\nmask IoU:", {i: round(iou, 2) for i, iou in ious.items()})
    assert min(ious.values()) > 0.8
    assert len(segmentation.objects) == 3


def test_floor_and_walls_are_background(frame, segmentation):
    background = (frame.instances == 0) & (frame.depth > 0)
    assert np.mean(segmentation.instances[background] == 0) > 0.98


def test_the_floor_lies_as_deep_as_the_camera_is_high(segmentation):
    assert segmentation.floor_z == pytest.approx(-CAMERA_HEIGHT, abs=0.02)


def test_objects_agree_with_their_masks(frame, segmentation):
    T_cam_grav = segmentation.T_grav_cam[:3, :3].T
    for obj in segmentation.objects:
        rows, cols = np.nonzero(segmentation.instances == obj.id)
        box_xyxy = [cols.min(), rows.min(), cols.max() + 1, rows.max() + 1]
        np.testing.assert_array_equal(obj.box, box_xyxy)
        assert obj.points.dtype == np.float32 and 0 < len(obj.points) <= 2048
        points_cam = obj.points @ T_cam_grav.T
        uv = np.round((points_cam / points_cam[:, 2:]) @ K.T).astype(int)
        assert np.all(segmentation.instances[uv[:, 1], uv[:, 0]] == obj.id)
        assert obj.label == "" and obj.cad_ids == ()


def test_legs_reach_the_floor_and_sizes_are_metric(frame, segmentation):
    found = {i: k for i, (_, k) in overlaps(frame.instances, segmentation.instances).items()}
    tops = {TABLE: 0.74, CHAIR: 0.95, CABINET: 1.1}
    for obj in segmentation.objects:
        i = next(t for t, k in found.items() if k == obj.id)
        height = obj.points[:, 2] - segmentation.floor_z
        assert height.max() == pytest.approx(tops[i], abs=0.04)
        assert height.min() < 0.06


def test_a_crop_holds_no_more_points_than_asked(frame):
    found = segmenter(max_points=100)(frame)
    assert {len(o.points) for o in found.objects} == {100}


def test_the_same_frame_gives_the_same_result(frame, segmentation):
    again = segmenter()(frame)
    np.testing.assert_array_equal(again.instances, segmentation.instances)
    for a, b in zip(again.objects, segmentation.objects, strict=True):
        np.testing.assert_array_equal(a.points, b.points)


def test_turning_the_world_changes_nothing(frame, segmentation):
    turned = dataclasses.replace(frame, T_world_cam=camera_pose(yaw=1.1, position=(5, -3, 1.4)))
    found = segmenter()(turned)
    np.testing.assert_allclose(found.T_grav_cam, segmentation.T_grav_cam, atol=1e-9)
    assert np.mean(found.instances == segmentation.instances) > 0.999


@pytest.mark.parametrize("roll", [-0.5, 0.4])
def test_a_tilted_camera_finds_the_same_things(roll):
    frame = render(room_boxes(), camera_pose(roll=roll))
    assert_all_found(frame.instances, segmenter()(frame))


@pytest.mark.parametrize("roll", [0.0, 0.2])
def test_without_a_pose_the_up_direction_comes_from_the_surfaces(roll):
    frame = render(room_boxes(), camera_pose(roll=roll))
    found = segmenter()(dataclasses.replace(frame, T_world_cam=None))
    up_true, up = up_from_pose(frame.T_world_cam), found.T_grav_cam[2, :3]
    assert np.degrees(np.arccos(up @ up_true)) < 1.5
    assert found.floor_z == pytest.approx(-CAMERA_HEIGHT, abs=0.05)
    assert_all_found(frame.instances, found)


def test_a_given_up_direction_overrides_the_pose(frame):
    wrong = dataclasses.replace(frame, T_world_cam=rigid(np.eye(3), np.zeros(3)))
    found = segmenter()(wrong, up_cam=up_from_pose(frame.T_world_cam))
    assert_all_found(frame.instances, found)


def test_regular_pin_holes_and_nan_do_no_harm(frame):
    depth = frame.depth.copy()
    depth[::5, ::4] = 0
    depth[2::7] = np.nan
    found = segmenter()(dataclasses.replace(frame, depth=depth))
    assert_all_found(frame.instances, found)
    assert len(found.objects) == 3


@pytest.mark.parametrize(
    ("thing", "limit"),
    [
        (box((1.2, 1.25), (-0.3, -0.25), (0, 0.13)), {"min_points": 16, "min_size": 0.0}),
        (box((1.2, 1.5), (0.3, 0.6), (0, 0.08)), {"min_height": 0.0}),
        (box((1.2, 1.32), (0.3, 0.42), (0, 0.13)), {"min_size": 0.0}),
    ],
    ids=["few pixels", "low", "short"],
)
def test_small_and_flat_things_are_dropped_also_where_the_network_sees_them(thing, limit):
    boxes = [*room_boxes(), (7, thing)]
    frame = render(boxes, camera_pose())
    found = segmenter(boxes)(frame)
    assert len(found.objects) == 3 and not found.instances[frame.instances == 7].any()
    kept = segmenter(boxes, **limit)(frame)
    assert len(kept.objects) == 4 and kept.instances[frame.instances == 7].any()


def test_a_table_top_without_floor_in_view_is_no_floor_above_the_rest():
    near = camera_pose(pitch=0.9, position=(1.4, 0.7, 1.3))
    found = segmenter()(render(room_boxes(), near))
    assert found.floor_z == pytest.approx(-1.3, abs=0.03)


@pytest.mark.parametrize("value", [0.0, np.nan, 50.0])
def test_a_frame_without_usable_depth_gives_no_objects_and_the_cameras_own_up(value):
    depth = np.full(SHAPE, value, np.float32)
    found = segmenter()(Frame(0.0, np.zeros((*SHAPE, 3), np.uint8), depth, K))
    assert found.objects == () and found.floor_z is None and not found.instances.any()
    np.testing.assert_allclose(found.T_grav_cam[2, :3], [0, -1, 0], atol=1e-9)


def test_an_odd_image_size_is_served(frame):
    cut = dataclasses.replace(
        frame, depth=frame.depth[:-1, :-3], color=frame.color[:-1, :-3], instances=None
    )
    found = segmenter(work_width=160)(cut)
    assert found.instances.shape == cut.depth.shape and len(found.objects) == 3


def test_a_detector_splits_and_names(frame, segmentation):
    table = frame.instances == TABLE
    left = table & (np.arange(SHAPE[1]) < np.median(np.nonzero(table)[1]))

    def detector(frame):
        return (Detection(np.zeros(4, np.float32), "desk", 0.8, left, ("desk_1",)),)

    found = segmenter(find=detector)(frame)
    (desk,) = [o for o in found.objects if o.label]
    assert (desk.label, desk.score, desk.class_scores) == ("desk", 0.8, {"desk": 0.8})
    assert desk.cad_ids == ("desk_1",)
    assert overlaps(left.astype(int), found.instances)[1] == (pytest.approx(1, abs=0.1), desk.id)
    assert len(found.objects) == len(segmentation.objects) + 1

    unnaming = segmenter(find=detector, detector="given", detector_names="classifier")
    unnamed = unnaming(frame)
    np.testing.assert_array_equal(unnamed.instances, found.instances)
    assert {(o.label, o.cad_ids) for o in unnamed.objects} == {("", ())}

    again = Segmenter(SegmentConfig(detector="given"), before=unnaming)(frame)
    assert again.objects[desk.id - 1].label == "desk"
    only = SegmentConfig(detector="given", detector_only=True)
    assert [o.label for o in Segmenter(only, before=unnaming)(frame).objects] == ["desk"]


def test_points_of_the_frame_are_those_of_unproject(frame, segmentation):
    obj = segmentation.objects[0]
    points = unproject(frame.depth, K)[segmentation.instances == obj.id]
    points_grav = points @ segmentation.T_grav_cam[:3, :3].T
    distance = np.abs(points_grav[None] - obj.points[:50, None]).max(axis=2).min(axis=1)
    assert distance.max() < 1e-4


def test_pixels_past_an_edge_do_not_belong_to_the_object_before_it():
    labels = np.array([[1, 0]], np.int32)  # a working grid of two pixels, each a 2 x 2 block
    depth = np.array([[1.0, 1.02, 2.0, 2.0], [0.0, 1.5, 2.0, 2.0]], np.float32)
    ids = full_resolution(labels, 2, depth)
    assert ids.tolist() == [[1, 1, 0, 0], [1, 0, 0, 0]]
