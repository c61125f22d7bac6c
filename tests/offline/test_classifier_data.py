"""Training samples of the deployed classifier: virtual scans, room crops, augmentation."""

import dataclasses

import numpy as np
import pytest

from roomcad_core.crop_input import N_EXTRA, normalise
from roomcad_core.library import Library
from roomcad_core.pose import rigid
from roomcad_core.types import OTHER, Placed
from roomcad_core.views import seen_from
from roomcad_offline.classifier import surroundings
from roomcad_offline.classifier.augment import AugmentConfig, augment, choose, thinned
from roomcad_offline.classifier.data import make_libraries
from roomcad_offline.classifier.room_crops import (
    RoomCrop,
    judge,
    main_instance,
    sample_rows,
    shown,
)
from roomcad_offline.classifier.samples import LABELS, N_STORED, Samples, collect, join
from roomcad_offline.classifier.scans import camera_poses, look_at, scan_model
from roomcad_offline.classifier.self_occlusion import visible
from roomcad_offline.classifier.sources import class_radii, modelnet_samples
from roomcad_offline.scan_gap.clouds import Clouds

CALM = AugmentConfig(
    stretch=0, tilt=0, scan=0, part_drop=0, truncate=0, density=0, surroundings=0, clutter=0,
    noise=0, size=1, floor=1, room_size=1, room_floor=1,
)  # fmt: skip


def test_the_libraries_are_built_once_and_without_sweet_home_3d_where_it_is_not(tmp_path, caplog):
    libraries = make_libraries(tmp_path / "cad", tmp_path, 1000)
    assert {name: len(library) for name, library in libraries.items()} == {
        "scans": 66, "rooms": 66, "val": 66
    }  # fmt: skip
    assert "training without Sweet Home 3D models" in caplog.text
    built = (tmp_path / "cad" / "val" / "points.npz").stat().st_mtime_ns
    make_libraries(tmp_path / "cad", tmp_path, 1000)
    assert (tmp_path / "cad" / "val" / "points.npz").stat().st_mtime_ns == built


def row(label="chair", scale=1.0, **fields):
    """A sample row: a box of random points on the floor, 0.4 x 0.5 x 1 m times `scale`."""
    points = np.random.default_rng(3).random((500, 3)) * (0.4, 0.5, 1.0) * scale
    return {"points": points, "label": label, "metric": True, "floor": True, "group": "box",
            **fields}  # fmt: skip


def test_samples_survive_saving_and_repeat_points_of_small_crops(tmp_path):
    samples = collect([row(), row("table", group="t")])
    samples.save(tmp_path / "s.npz")
    again = Samples.load(tmp_path / "s.npz")
    assert again.points.shape == (2, N_STORED, 3)
    assert np.abs(again.points - samples.points).max() < 1e-3
    assert [LABELS[i] for i in again.labels] == ["chair", "table"]
    assert again.group.tolist() == ["box", "t"]
    assert len(np.unique(samples.points[0], axis=0)) == 500


def test_damaged_or_missing_samples_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"s\.npz"):
        Samples.load(tmp_path / "s.npz")
    (tmp_path / "s.npz").write_bytes(b"PK\x03\x04 not a zip")
    with pytest.raises(ValueError, match=r"s\.npz: unreadable"):
        Samples.load(tmp_path / "s.npz")


def test_a_view_sees_the_near_face_of_a_box_and_not_the_far_one():
    rng = np.random.default_rng(0)
    face = rng.uniform(-0.5, 0.5, (600, 2))
    near = np.column_stack([np.full(600, 0.5), face])
    far = np.column_stack([np.full(600, -0.5), face])
    cloud = np.concatenate([near, far])[None].astype(np.float32)
    seen = seen_from(cloud, np.array([0.0]), np.array([0.0]))[0]
    assert seen[:600].all()
    assert seen[600:].mean() < 0.2  # through pixels in which no near point lies


def test_more_views_see_more_and_never_everything_of_a_closed_box():
    rng = np.random.default_rng(0)
    side = rng.uniform(-0.5, 0.5, (6, 300, 2))
    faces = [np.insert(side[k], k // 2, (k % 2) - 0.5, axis=1) for k in range(6)]
    cloud = np.concatenate(faces).astype(np.float32)
    shares = visible(np.stack([cloud] * 40), rng).mean(1)
    assert 0.15 < shares.min() < shares.max() < 0.95


def test_a_camera_looks_at_its_target_upright():
    T = look_at(np.array([2.0, 0, 1.5]), np.array([0.0, 0, 0.5]))
    target_cam = np.linalg.inv(T) @ np.array([0, 0, 0.5, 1])
    assert target_cam[:2] == pytest.approx([0, 0], abs=1e-9) and target_cam[2] > 0
    assert T[2, 0] == pytest.approx(0) and T[2, 1] < 0  # right is level, image down points down
    assert np.linalg.det(T[:3, :3]) == pytest.approx(1)


def test_scans_lie_on_the_model_and_show_a_part_of_it():
    pytest.importorskip("open3d")
    from scipy.spatial import cKDTree

    model = Library.load().of_class("table")[0]
    rng = np.random.default_rng(5)
    state = rng.bit_generator.state
    points = scan_model(model, rng)
    rng.bit_generator.state = state  # the same random size and yaw again
    size = model.size * rng.uniform(0.85, 1.2, 3)
    assert points[:, 2].min() > -0.05 and points[:, 2].max() < size[1] + 0.06
    yaw = rng.uniform(0, 2 * np.pi)
    from roomcad_core.pose import upright_rotation

    surface = (model.points * size) @ upright_rotation(yaw).T + (0, 0, size[1] / 2)
    distance = cKDTree(surface).query(points)[0]
    assert np.median(distance) < 0.03


def test_cameras_stand_on_one_side_of_the_object():
    rng = np.random.default_rng(0)
    box = rng.random((100, 3))
    for _ in range(20):
        eyes = [T[:2, 3] - 0.5 for T in camera_poses(box, rng)]
        angles = np.unwrap([np.arctan2(y, x) for x, y in eyes])
        assert np.ptp(angles) <= np.radians(161)


def truth():
    return {i: Placed(i, label, f"cad_{i}", np.eye(4), np.ones(3))
            for i, label in ((1, "chair"), (2, "table"))}  # fmt: skip


@pytest.mark.parametrize(
    ("ids", "owner"),
    [
        ([1] * 90 + [0] * 10, 1),
        ([1] * 10 + [0] * 90, -1),
        ([1001] * 60 + [2] * 40, -1),
        ([1] * 50 + [2] * 49, 1),
    ],
)
def test_a_crop_belongs_to_the_furniture_most_of_its_pixels_show(ids, owner):
    assert main_instance(np.array(ids), truth()) == owner


@pytest.mark.parametrize(
    ("purity", "share", "kind"),
    [
        (0.9, 0.5, "furniture"),
        (0.9, 0.3, "partial"),
        (0.9, 0.1, "fragment"),
        (0.5, 0.5, "mixed"),
    ],
)
def test_crops_are_judged_by_what_they_show(purity, share, kind):
    assert judge(purity, share) == kind


def test_the_near_half_of_an_object_shows_all_and_a_corner_little_of_it():
    library = Library.load()
    model = library.of_class("cabinet")[0]
    # CAD up becomes z
    T = rigid(np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]]), np.array([2.0, 0, 0]))
    placed = Placed(1, "cabinet", model.id, T, model.size)
    surface = model.points * model.size @ T[:3, :3].T + T[:3, 3]
    near = surface[surface[:, 0] < 2.0 + 1e-3]
    corner = near[near[:, 2] > np.quantile(near[:, 2], 0.95)]
    assert shown(near, placed, library, np.eye(4)) > 0.7
    assert shown(corner, placed, library, np.eye(4)) < 0.4


def test_crops_become_rows_with_heights_over_the_floor():
    points = np.array([[0, 0, -1.0], [0, 0, -0.5]], np.float32)
    crops = [
        RoomCrop(points, -1.2, "furniture", "chair", "c1", "room0"),
        RoomCrop(points, None, "background", "", "", "room0"),
        RoomCrop(points, -1.2, "mixed", "chair", "c1", "room0"),
    ]
    first, second = sample_rows(crops)
    assert first["points"][:, 2] == pytest.approx([0.2, 0.7]) and first["label"] == "chair"
    assert second["label"] == OTHER and not second["floor"]


def test_calm_augmentation_only_turns_and_tells_size_and_height():
    samples = collect([row(), row(scale=2.0)])
    points, extra = augment(samples, {}, CALM, np.random.default_rng(0))
    assert points.shape == (2, CALM.points, 3) and extra.shape == (2, N_EXTRA)
    assert np.linalg.norm(points, axis=2).max() <= 1.26
    assert extra[:, 0].tolist() == [1, 1] and extra[:, 2].tolist() == [1, 1]
    assert extra[1, 1] - extra[0, 1] == pytest.approx(np.log(2), abs=0.05)
    assert extra[:, 3] == pytest.approx([0.5, 1.0], abs=0.03)


def test_clouds_without_a_scale_get_one_of_their_class():
    flat = unit_row("table", np.random.default_rng(0))
    radii = {LABELS.index("table"): np.array([0.8])}
    _, extra = augment(collect([flat] * 30), radii, CALM, np.random.default_rng(0))
    radius = 0.6 * np.exp(extra[:, 1])
    assert np.median(radius) == pytest.approx(0.8, rel=0.12)


def unit_row(label, rng):
    points = rng.normal(size=(400, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    return row(label, points=points, metric=False)


def test_dropped_points_are_never_chosen_and_others_fill_up():
    points = np.arange(12, dtype=np.float32).reshape(1, 4, 3)
    weight = np.array([[1, 0, 1, 0]], np.float32)
    chosen = choose(points, weight, 8, np.random.default_rng(0))[0]
    assert {tuple(p) for p in chosen.tolist()} == {(0, 1, 2), (6, 7, 8)}


def test_thinning_removes_something_and_leaves_something():
    points = np.random.default_rng(0).random((50, 300, 3)).astype(np.float32)
    config = AugmentConfig(part_drop=1, truncate=1, density=0)
    kept = (thinned(points, config, np.random.default_rng(1)) > 0).mean(1)
    assert kept.min() > 0 and kept.max() < 1


def test_surroundings_lie_where_floor_and_wall_are():
    rng = np.random.default_rng(0)
    low, high = np.zeros((30, 3)), np.ones((30, 3))
    floor = surroundings.floor(low, high, 200, rng)
    assert np.abs(floor[~np.isnan(floor[..., 0])][:, 2]).max() < 0.05
    walls = [wall[~np.isnan(wall[:, 0])] for wall in surroundings.wall(low, high, 200, rng)]
    spread = [wall.std(0)[:2].min() for wall in walls if len(wall) > 20]
    assert len(spread) >= 20 and max(spread) < 0.02


def test_what_was_cut_out_of_a_room_is_not_cut_again():
    config = dataclasses.replace(
        CALM, yaw=False, part_drop=1, truncate=1, surroundings=1, clutter=1
    )
    points = np.random.default_rng(0).random((N_STORED, 3))
    samples = collect([row(points=points, cut=True)])
    _, extra = augment(samples, {}, config, np.random.default_rng(0))
    _, _, radius = normalise(points)
    assert extra[0, 1] == pytest.approx(np.log(radius / 0.6), abs=0.02)


def test_crops_of_rooms_are_told_size_and_height_at_their_own_rates():
    samples = collect([row(cut=k < 200) for k in range(400)])
    config = dataclasses.replace(CALM, size=0, floor=1, room_size=1, room_floor=0)
    _, extra = augment(samples, {}, config, np.random.default_rng(0))
    assert (extra[:200, 0] == 1).all() and (extra[:200, 2] == 0).all()
    assert (extra[200:, 0] == 0).all() and (extra[200:, 2] == 1).all()
    often = dataclasses.replace(CALM, room_floor=0.7)
    _, extra = augment(samples[samples.cut], {}, often, np.random.default_rng(0))
    assert 0.6 < extra[:, 2].mean() < 0.8


def test_held_out_models_are_not_trained_on_wherever_they_stand():
    samples = collect([row(group=g) for g in ("sofa_1", "room1/sofa_1", "room1/sofa_2", "room1")])
    assert samples.without(["sofa_1"]).group.tolist() == ["room1/sofa_2", "room1"]
    assert len(samples.without([])) == 4


def test_without_surroundings_the_cloud_stays():
    points = np.random.default_rng(0).random((3, 50, 3)).astype(np.float32)
    same = surroundings.add(points, CALM, np.random.default_rng(1))
    assert np.array_equal(same, points)


def test_modelnet_classes_become_ours_and_unknown_ones_go():
    clouds = Clouds("m", np.random.default_rng(0).random((3, 9, 3)).astype(np.float32),
                    np.array([0, 1, 2]), ("night_stand", "bench", "door"))  # fmt: skip
    samples = modelnet_samples(clouds)
    assert [LABELS[i] for i in samples.labels] == ["cabinet", OTHER]
    assert samples.whole.all() and not samples.metric.any()


def test_radii_of_classes_are_those_of_the_library():
    library = Library.load()
    radii = class_radii(library)
    bed, bin_ = (np.median(radii[LABELS.index(c)]) for c in ("bed", "bin"))
    assert 0.9 < bed < 1.6 and bin_ < 0.6
    assert len(radii[LABELS.index(OTHER)]) == len(library)


def test_joined_samples_keep_their_order():
    a, b = collect([row()]), collect([row("bed"), row("sofa")])
    assert [LABELS[i] for i in join([a, b]).labels] == ["chair", "bed", "sofa"]
