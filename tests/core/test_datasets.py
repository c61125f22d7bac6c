"""ScanNet-style folders and simulated rooms, on small files in the official layouts."""

import json

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from roomcad_core.classes import SYNSETS
from roomcad_core.datasets import open_dataset
from roomcad_core.datasets.annotations import placed_models
from roomcad_core.pictures import encode_picture
from roomcad_core.pose import affine, decompose, quaternion, rigid, rotation_y

K = np.array([[60.0, 0, 31.5], [0, 61, 23.5], [0, 0, 1]])
SHAPE = (48, 64)
# A camera held upright in a z-up world, looking along world y.
UPRIGHT = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def folder(tmp_path, rng):
    """Four frames with known content, in the layout of the .sens exporter."""
    return write_folder(tmp_path / "scene0000_00", rng, ["0", "1", "2", "10"])


def write_folder(folder, rng, names, K_color=K, color_shape=SHAPE):
    for part in ("color", "depth", "pose", "intrinsic"):
        (folder / part).mkdir(parents=True)
    for number, name in enumerate(names):
        color = rng.integers(0, 256, (*color_shape, 3), np.uint8)
        depth = rng.integers(0, 5000, SHAPE, np.uint16)
        (folder / f"color/{name}.jpg").write_bytes(encode_picture(".png", color))
        (folder / f"depth/{name}.png").write_bytes(encode_picture(".png", depth))
        np.savetxt(folder / f"pose/{name}.txt", rigid(UPRIGHT, (number, 2, 1.5)))
    for kind, matrix in (("color", K_color), ("depth", K)):
        np.savetxt(folder / f"intrinsic/intrinsic_{kind}.txt", np.pad(matrix, (0, 1)) + corner())
    return folder


def corner():
    out = np.zeros((4, 4))
    out[3, 3] = 1
    return out


def test_frames_come_in_numeric_order_with_stamps_from_their_numbers(folder):
    dataset = open_dataset(folder)
    assert len(dataset) == 4 and dataset.name == "scene0000_00"
    assert dataset.fps == pytest.approx(30)
    np.testing.assert_allclose(dataset.stamps - dataset.stamps[0], np.array([0, 1, 2, 10]) / 30)
    assert [frame.T_world_cam[0, 3] for frame in dataset] == [0, 1, 2, 3]
    assert dataset[-1].stamp == dataset.stamps[3]
    with pytest.raises(IndexError, match="frame 4 of 4"):
        dataset[4]


def test_depth_is_millimetres_and_zero_stays_missing(folder):
    mm = np.zeros(SHAPE, np.uint16)
    mm[5, 6] = 1234
    (folder / "depth/1.png").write_bytes(encode_picture(".png", mm))
    depth = open_dataset(folder)[1].depth
    assert depth.dtype == np.float32 and depth[5, 6] == np.float32(1.234)
    assert np.count_nonzero(depth) == 1


def test_scannet_frames_25k_layout(folder):
    for kind in ("color", "depth"):
        (folder / f"intrinsic/intrinsic_{kind}.txt").rename(folder / f"intrinsics_{kind}.txt")
        np.savetxt(folder / f"intrinsics_{kind}.txt", K)  # 3x3 is as good as 4x4
    (folder / "intrinsic").rmdir()
    for part, suffix in (("color", "jpg"), ("depth", "png"), ("pose", "txt")):
        for number, name in enumerate(("0", "1", "2", "10")):
            (folder / part / f"{name}.{suffix}").rename(
                folder / part / f"{number * 100:06d}.{suffix}"
            )
    dataset = open_dataset(folder)
    np.testing.assert_array_equal(dataset[0].K, K)
    assert dataset.fps == pytest.approx(30 / 100)


def test_z_up_world_stays_and_y_up_world_is_turned(folder):
    assert (open_dataset(folder)[1].T_world_cam == rigid(UPRIGHT, (1, 2, 1.5))).all()
    # The same cameras written in a y-up world: (x, y, z) of z-up is (x, z, -y) there.
    to_y_up = rigid(np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]]), np.zeros(3))
    for number, name in enumerate(("0", "1", "2", "10")):
        np.savetxt(folder / f"pose/{name}.txt", to_y_up @ rigid(UPRIGHT, (number, 2, 1.5)))
    for options in ({}, {"up": "y"}):
        T = open_dataset(folder, **options)[1].T_world_cam
        np.testing.assert_allclose(T[2, 3], 1.5, atol=1e-12)
        np.testing.assert_allclose(T[2, :3], (0, -1, 0), atol=1e-12)
        assert np.linalg.det(T[:3, :3]) == pytest.approx(1)
    kept = open_dataset(folder, up="z")[1].T_world_cam
    np.testing.assert_allclose(kept[1, 3], 1.5, atol=1e-12)


@pytest.mark.parametrize("lost", ["-inf", "nan", "-1.#INF"])
def test_lost_tracking_gives_a_frame_without_pose(folder, lost, caplog):
    (folder / "pose/1.txt").write_text(f"{lost} " * 16)
    dataset = open_dataset(folder)
    assert dataset[1].T_world_cam is None and dataset[2].T_world_cam is not None
    assert "1 of 4 frames have no pose" in caplog.text and "pose/1.txt" in caplog.text


def test_without_pose_folder_no_frame_has_a_pose(folder):
    for path in (folder / "pose").iterdir():
        path.unlink()
    (folder / "pose").rmdir()
    assert all(frame.T_world_cam is None for frame in open_dataset(folder))


def test_larger_colour_image_is_resampled_onto_the_depth_grid(tmp_path, rng):
    K_color = np.array([[120.0, 0, 70], [0, 120, 50], [0, 0, 1]])
    folder = write_folder(tmp_path / "s", rng, ["0"], K_color, color_shape=(100, 140))
    # Red and green hold the colour image's own pixel position.
    v, u = np.mgrid[:100, :140].astype(np.uint8)
    color = np.stack([u, v, np.zeros_like(u)], -1)
    (folder / "color/0.jpg").write_bytes(encode_picture(".png", color))
    frame = open_dataset(folder)[0]
    assert frame.color.shape == (*SHAPE, 3)
    # By hand: depth pixel (u, v) looks along ((u-31.5)/60, (v-23.5)/61).
    for row, column in ((10, 20), (30, 50)):
        expected = (
            120 * (column - K[0, 2]) / K[0, 0] + 70,
            120 * (row - K[1, 2]) / K[1, 1] + 50,
        )
        np.testing.assert_allclose(frame.color[row, column, :2], expected, atol=0.6)


def test_colour_camera_beside_the_depth_camera_sees_near_points_shifted(tmp_path, rng):
    folder = write_folder(tmp_path / "s", rng, ["0"])
    np.savetxt(folder / "intrinsic/extrinsic_color.txt", rigid(np.eye(3), (0.1, 0, 0)))
    color = np.repeat(np.arange(64, dtype=np.uint8)[None, :, None], 48, 0).repeat(3, 2)
    (folder / "color/0.jpg").write_bytes(encode_picture(".png", color))
    depth = np.full(SHAPE, 1000, np.uint16)
    (folder / "depth/0.png").write_bytes(encode_picture(".png", depth))
    frame = open_dataset(folder)[0]
    # A point at 1 m is 0.1 m further left for the colour camera: 60 px/m * 0.1 = 6 px.
    assert frame.color[20, 40, 0] == pytest.approx(34, abs=1)


def test_different_sizes_with_the_same_intrinsics_are_an_error(tmp_path, rng):
    folder = write_folder(tmp_path / "s", rng, ["0"], color_shape=(96, 128))
    with pytest.raises(ValueError, match="colour 128x96 and depth 64x48 differ in size"):
        open_dataset(folder)[0]


def damage(path, how):
    if how == "missing":
        path.unlink()
    elif how == "truncated":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    else:
        path.write_text("what is this")


@pytest.mark.parametrize("how", ["missing", "truncated", "text"])
@pytest.mark.parametrize("name", ["color/1.jpg", "depth/1.png", "pose/1.txt"])
def test_damaged_file_is_named_or_skipped_with_a_warning(folder, name, how, caplog):
    damage(folder / name, how)
    with pytest.raises((ValueError, FileNotFoundError), match=name.split(".")[0]):
        list(open_dataset(folder))
    frames = list(open_dataset(folder, bad="skip"))
    assert [frame.T_world_cam[0, 3] for frame in frames] == [0, 2, 3]
    assert "skipped" in caplog.text and name.split(".")[0] in caplog.text


@pytest.mark.parametrize(
    "matrix",
    [np.diag([2.0, 2, 2, 1]), np.diag([1.0, 1, -1, 1]), np.eye(4) + np.eye(4)[::-1] * [1, 0, 0, 0]],
)
def test_pose_that_is_not_rigid_is_refused(folder, matrix):
    np.savetxt(folder / "pose/1.txt", matrix)
    with pytest.raises(ValueError, match="pose/1.txt: not a rigid"):
        open_dataset(folder)


@pytest.mark.parametrize(
    ("K_wrong", "message"),
    [
        (np.diag([0.0, 60, 1]), "not an intrinsic matrix"),
        (np.full((3, 3), np.nan), "not an intrinsic matrix"),
        (K * [[10], [10], [1]], "do not fit an image of 64x48"),
    ],
)
def test_wrong_intrinsics_are_named(folder, K_wrong, message):
    for kind in ("color", "depth"):
        np.savetxt(folder / f"intrinsic/intrinsic_{kind}.txt", K_wrong)
    with pytest.raises(ValueError, match=f"intrinsic_depth.txt: .*{message}"):
        open_dataset(folder)[0]


def test_nothing_known_lists_what_was_looked_for(tmp_path):
    with pytest.raises(ValueError, match="color/, depth/.*room.json|room.json.*color/, depth/"):
        open_dataset(tmp_path)
    with pytest.raises(FileNotFoundError, match="no such"):
        open_dataset(tmp_path / "absent")


def test_unknown_and_wrong_options_are_errors(folder):
    with pytest.raises(ValueError, match="has no"):
        open_dataset(folder, speed=2)
    with pytest.raises(ValueError, match="expected one of auto"):
        open_dataset(folder, up="w")


def annotation(name="scene0000_00"):
    """One chair in Scan2CAD's form: scan turned to y-up and moved, CAD off its centre."""
    M_scan = rigid(Rotation.from_euler("x", -90, degrees=True).as_matrix(), (1, 2, 3))
    T_scan_obj = rigid(
        Rotation.from_euler("x", 90, degrees=True).as_matrix() @ rotation_y(0.3), (2, 1, 0.4)
    )
    S = np.array([0.5, 0.9, 0.6])
    half, center = np.array([0.2, 0.45, 0.15]), np.array([0.01, 0.2, -0.03])
    # CAD file coordinates -> unit box -> scan -> world.
    to_unit = np.diag([*1 / (2 * half), 1]) @ rigid(np.eye(3), -center)
    M_cad = M_scan @ affine(T_scan_obj, S) @ to_unit
    model = {
        "trs": trs(M_cad),
        "sym": "__SYM_ROTATE_UP_4",
        "catid_cad": SYNSETS["chair"],
        "id_cad": "abc",
        "center": center.tolist(),
        "bbox": half.tolist(),
    }
    return {"id_scan": name, "trs": trs(M_scan), "aligned_models": [model]}, T_scan_obj, S


def trs(M):
    T, S = decompose(M)
    x, y, z, w = quaternion(T[:3, :3])
    return {"translation": T[:3, 3].tolist(), "rotation": [w, x, y, z], "scale": S.tolist()}


def test_annotation_gives_pose_and_metric_size_in_the_scan_frame():
    entry, T_scan_obj, S = annotation()
    (chair,) = placed_models(entry, "x")
    np.testing.assert_allclose(chair.T_world_obj, T_scan_obj, atol=1e-9)
    np.testing.assert_allclose(chair.S, S, atol=1e-9)
    assert (chair.id, chair.label, chair.cad_id, chair.symmetry) == (1, "chair", "abc", "4-fold")


def test_simulated_room_has_instances_and_ground_truth(folder, rng):
    entry, T_scan_obj, _ = annotation()
    (folder / "room.json").write_text('{"fps": 10}')
    (folder / "full_annotations.json").write_text(json.dumps([entry]))
    (folder / "instance").mkdir()
    ids = rng.integers(0, 3, SHAPE, np.uint16)
    for name in ("0", "1", "2", "10"):
        (folder / f"instance/{name}.png").write_bytes(encode_picture(".png", ids))
    dataset = open_dataset(folder)
    assert dataset.fps == pytest.approx(10)
    assert (dataset[2].instances == ids).all()
    np.testing.assert_allclose(dataset.ground_truth[0].T_world_obj, T_scan_obj, atol=1e-9)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda e: e["aligned_models"][0].pop("sym"), "model 1: field 'sym' is missing"),
        (lambda e: e["aligned_models"][0].update(bbox=[1, 2]), "model 1: got .* 3 finite"),
        (lambda e: e["aligned_models"][0].update(sym="round"), "model 1: sym: got round"),
        (lambda e: e.pop("trs"), "scene0000_00: field 'trs' is missing"),
    ],
)
def test_damaged_annotation_names_file_and_model(spoil, message):
    entry, *_ = annotation()
    spoil(entry)
    with pytest.raises(ValueError, match=f"full.json: .*{message}"):
        placed_models(entry, "full.json")
