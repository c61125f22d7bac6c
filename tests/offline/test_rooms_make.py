"""Simulated rooms on disk: truth, geometry, determinism, resuming. The library is of boxes."""

import json

import numpy as np
import pytest

o3d = pytest.importorskip("open3d")
import cv2  # noqa: E402
from box_furniture import save_boxes  # noqa: E402

from roomcad_core import pose  # noqa: E402
from roomcad_core.camera import unproject  # noqa: E402
from roomcad_core.classes import SYNSETS  # noqa: E402
from roomcad_core.datasets import open_dataset  # noqa: E402
from roomcad_core.library import Library  # noqa: E402
from roomcad_offline.rooms import room as rooms  # noqa: E402
from roomcad_offline.rooms import shapes  # noqa: E402
from roomcad_offline.rooms.config import RoomConfig  # noqa: E402
from roomcad_offline.rooms.footprint import overlap  # noqa: E402
from roomcad_offline.rooms.make import make_room, make_rooms  # noqa: E402
from roomcad_offline.rooms.scene import raycaster  # noqa: E402
from roomcad_offline.rooms.themes import THEMES  # noqa: E402

SMALL = {"width": 160, "height": 120, "frames": 3, "seed": 5, "fps": 2.0, "furniture": 8}


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    folder = tmp_path_factory.mktemp("library")
    return save_boxes(folder)


@pytest.fixture(scope="module")
def clean(library, tmp_path_factory):
    """Folder of a noise-free room."""
    config = RoomConfig(library=library, noise=False, theme="living", **SMALL)
    return make_room(config, 0, tmp_path_factory.mktemp("rooms"))[0]


def read(folder, number):
    """depth [m], instances, K, T_world_cam of a frame."""
    depth = cv2.imread(str(folder / f"depth/{number}.png"), cv2.IMREAD_UNCHANGED)
    instances = cv2.imread(str(folder / f"instance/{number}.png"), cv2.IMREAD_UNCHANGED)
    K = np.loadtxt(folder / "intrinsic/intrinsic_depth.txt")[:3, :3]
    return depth / 1000.0, instances, K, np.loadtxt(folder / f"pose/{number}.txt")


def placed(folder):
    """[(label synset, sym, T_scan_obj, S)] composed by hand from full_annotations.json."""
    (scan,) = json.loads((folder / "full_annotations.json").read_text())

    def matrix(trs):
        w, x, y, z = trs["rotation"]
        return pose.affine(
            pose.rigid(pose.rotation([x, y, z, w]), trs["translation"]), trs["scale"]
        )

    M_scan = matrix(scan["trs"])
    return [
        (m["catid_cad"], m["sym"], *pose.decompose(np.linalg.inv(M_scan) @ matrix(m["trs"])))
        for m in scan["aligned_models"]
    ]


def files(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_folder_has_the_documented_files(clean):
    names = {str(p) for p in files(clean)}
    kinds = (("color", "jpg"), ("depth", "png"), ("instance", "png"), ("pose", "txt"))
    frames = {f"{kind}/{k}.{ending}" for k in range(3) for kind, ending in kinds}
    rest = {"intrinsic/intrinsic_color.txt", "intrinsic/intrinsic_depth.txt", "room.json"}
    assert names == frames | rest | {"full_annotations.json", "cad_appearances.json"}
    assert cv2.imread(str(clean / "color/0.jpg")).shape == (120, 160, 3)


def test_poses_are_rigid_upright_and_at_robot_or_head_height(clean):
    for k in range(3):
        T = read(clean, k)[3]
        assert T[:3, :3] @ T[:3, :3].T == pytest.approx(np.eye(3), abs=1e-6)
        assert np.linalg.det(T[:3, :3]) == pytest.approx(1)
        assert -T[2, 1] > 0.6  # the image's up side points up in the world
        assert 0.45 < T[2, 3] < 1.05 or 1.45 < T[2, 3] < 1.75


def test_instance_pixels_lie_on_their_posed_cad_surface(clean, library):
    cads, truth, checked = Library.load(library), placed(clean), 0
    ids = [o["cad_id"] for o in json.loads((clean / "room.json").read_text())["objects"]]
    for k in range(3):
        depth, instances, K, T_world_cam = read(clean, k)
        world = pose.transform(T_world_cam, unproject(depth, K))
        for number in np.unique(instances[(instances > 0) & (instances < 1001)]):
            _, _, T, S = truth[number - 1]
            vertices, triangles, _ = cads[ids[number - 1]].load_mesh()
            mesh = shapes.Mesh(pose.transform(pose.affine(T, S), vertices), triangles)
            points = o3d.core.Tensor(world[instances == number].astype(np.float32))
            distance = raycaster([mesh]).compute_distance(points).numpy()
            assert distance.max() < 0.002  # depth is rounded to a millimetre
            checked += 1
    assert checked >= 3


def test_floor_is_at_zero_and_objects_stand_upright_on_it(clean):
    for catid, _, T, S in placed(clean):
        assert T[:3, :3] @ [0, 1, 0] == pytest.approx([0, 0, 1], abs=1e-9)
        if catid != SYNSETS["monitor"]:
            assert T[2, 3] - S[1] / 2 == pytest.approx(0, abs=1e-9)
    depth, instances, K, T_world_cam = read(clean, 0)
    world = pose.transform(T_world_cam, unproject(depth, K))[depth > 0]
    assert world[:, 2].min() == pytest.approx(0, abs=0.005)


def test_annotations_recompose_to_the_placed_poses(library, clean):
    config = RoomConfig(library=library, noise=False, theme="living", **SMALL)
    room = rooms.make(config, 0, Library.load(library))
    truth = placed(clean)
    assert len(truth) == len(room.placed)
    for (catid, _, T, S), want in zip(truth, room.placed, strict=True):
        assert catid == SYNSETS[want.label]
        assert pose.pose_errors(T, S, want.T_world_obj, want.S) == pytest.approx(
            (0, 0, 0), abs=1e-6
        )


def test_appearances_count_the_annotated_models(clean):
    (counts,) = json.loads((clean / "cad_appearances.json").read_text()).values()
    assert sum(counts.values()) == len(placed(clean))


@pytest.mark.parametrize("theme", sorted(THEMES))
def test_furniture_neither_intersects_nor_leaves_the_room(library, theme):
    config = RoomConfig(library=library, theme=theme, furniture=30)
    for seed in range(4):
        plan, things, walk = rooms.furnished(
            config, Library.load(library), np.random.default_rng(seed)
        )
        standing = [i.footprint for i in plan.items if i.bottom == 0]
        standing += [s.footprint for s in things if s.bottom == 0]
        for k, footprint in enumerate(standing):
            assert not any(overlap(footprint, other) for other in standing[:k])
            corners = footprint.corners()
            assert (corners >= 0).all() and (corners <= (plan.width, plan.depth)).all()
        assert walk.area >= rooms.MIN_FLOOR


def test_chairs_face_their_table_and_monitors_stand_on_furniture(library):
    config = RoomConfig(library=library, theme="dining", clutter=0.0)
    plan, _, _ = rooms.furnished(config, Library.load(library), np.random.default_rng(1))
    tables = [i for i in plan.items if i.model.label == "table"]
    chairs = [i.footprint for i in plan.items if i.model.label == "chair"]
    assert tables and chairs
    for chair in chairs:
        ahead = chair.at(0, 0.55)
        nearest = min(tables, key=lambda t: np.linalg.norm(t.footprint.centre - ahead)).footprint
        offset = ahead - nearest.centre
        assert abs(offset @ nearest.right) < nearest.half_width + 0.1
        assert abs(offset @ nearest.front) < nearest.half_depth + 0.1


def test_same_seed_gives_identical_files_and_another_seed_others(library, tmp_path):
    config = RoomConfig(library=library, **{**SMALL, "frames": 2})
    a = files(make_room(config, 0, tmp_path / "a")[0])
    b = files(make_room(config, 0, tmp_path / "b")[0])
    c = files(make_room(config, 1, tmp_path / "c")[0])
    assert a == b
    assert a.keys() == c.keys() and a != c


def test_interrupted_room_is_completed_and_a_finished_one_kept(library, tmp_path):
    config = RoomConfig(library=library, **{**SMALL, "frames": 3})

    def stop(frames):
        raise KeyboardInterrupt

    whole = files(make_room(config, 0, tmp_path / "whole")[0])
    with pytest.raises(KeyboardInterrupt):
        make_room(config, 0, tmp_path / "cut", done=stop)
    assert [p.name for p in (tmp_path / "cut").iterdir()] == ["room0000.part"]
    folder, made = make_room(config, 0, tmp_path / "cut")
    assert made < 3 and files(folder) == whole
    assert make_room(config, 0, tmp_path / "cut")[1] == 0


def test_another_config_in_the_same_folder_is_refused(library, tmp_path):
    config = RoomConfig(library=library, **{**SMALL, "frames": 1})
    make_rooms(config, tmp_path)
    with pytest.raises(ValueError, match="room0000.*seed 5, asked 6"):
        make_rooms(RoomConfig(library=library, **{**SMALL, "frames": 1, "seed": 6}), tmp_path)


def test_library_without_furniture_for_the_theme_is_refused(library, tmp_path):
    monitors = Library([m for m in Library.load(library) if m.label == "monitor"])
    with pytest.raises(ValueError, match="no living room with furniture"):
        make_room(RoomConfig(theme="living", **SMALL), 0, tmp_path, monitors)


def test_reader_gives_back_the_truth(clean, library):
    config = RoomConfig(library=library, noise=False, theme="living", **SMALL)
    room = rooms.make(config, 0, Library.load(library))
    dataset = open_dataset(clean)
    assert len(dataset) == 3 and dataset.fps == 2.0
    assert dataset[1].T_world_cam == pytest.approx(room.T_world_room @ room.poses[1], abs=1e-6)
    for got, want in zip(dataset.ground_truth, room.placed, strict=True):
        assert (got.id, got.label, got.cad_id) == (want.id, want.label, want.cad_id)
        assert got.symmetry == want.symmetry
        assert got.T_world_obj == pytest.approx(want.T_world_obj, abs=1e-6)


def test_builtin_library_furnishes_a_room_that_the_camera_sees(tmp_path):
    config = RoomConfig(**{**SMALL, "frames": 4, "furniture": 14})
    folder, _ = make_room(config, 0, tmp_path)
    labels = {o["label"] for o in json.loads((folder / "room.json").read_text())["objects"]}
    assert len(labels) >= 2
    for k in range(4):
        _, instances, _, _ = read(folder, k)
        assert ((instances > 0) & (instances < 1001)).mean() > 0.02
