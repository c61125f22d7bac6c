"""Frames rendered from scans: geometry, truth, determinism, resuming. The scan is of boxes."""

import json
import logging

import numpy as np
import pytest
import trimesh

o3d = pytest.importorskip("open3d")
from box_scan import CHAIR, FLOOR_COLOR, THINGS, parts, write_scan  # noqa: E402

from roomcad_core.camera import unproject  # noqa: E402
from roomcad_core.datasets import open_dataset  # noqa: E402
from roomcad_core.pose import transform  # noqa: E402
from roomcad_offline.cli import main  # noqa: E402
from roomcad_offline.rooms.path import heading_pose  # noqa: E402
from roomcad_offline.rooms.sensor import develop  # noqa: E402
from roomcad_offline.scannet.alignment import height_above  # noqa: E402
from roomcad_offline.scannet.data import data_folder  # noqa: E402
from roomcad_offline.scannet.frames import open_truth  # noqa: E402
from roomcad_offline.scannet.scan import read_scan  # noqa: E402
from roomcad_offline.scans import make  # noqa: E402
from roomcad_offline.scans.config import ScanConfig  # noqa: E402
from roomcad_offline.scans.floor import floor_plane, free_floor  # noqa: E402
from roomcad_offline.scans.render import ScanRenderer, closed, without_gaps  # noqa: E402

K = np.array([[80.0, 0, 79.5], [0, 80, 59.5], [0, 0, 1]])
SHAPE = (120, 160)
SMALL = ScanConfig(frames=3, width=160, height=120, seed=5)
OPTIONS = ["--frames", "3", "--size", "160x120", "--seed", "5"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("scans") / "scene0000_00"
    write_scan(path)
    return path


@pytest.fixture(scope="module")
def scan(folder):
    return read_scan(folder)


@pytest.fixture(scope="module")
def made(folder, tmp_path_factory):
    return make.render_scan(SMALL, folder, tmp_path_factory.mktemp("out"))


def contents(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_view_shows_depth_colours_and_instances_where_they_are(scan):
    """A camera 1 m high looks along x at the chair's front, 1.7 m away."""
    view = ScanRenderer(scan).view(heading_pose([1.5, 1.45, 1.0], 0.0, 0.0), K, SHAPE)
    color = develop(view.light, 1.0, None, None)
    v = int(59.5 + 80 * 0.5 / 1.7)  # half a metre below the camera, on the chair's front
    assert view.depth[v, 80] == pytest.approx(1.7, abs=1e-3)
    assert view.instances[v, 80] == CHAIR
    assert color[v, 80].tolist() == pytest.approx(THINGS[4][3], abs=2)
    assert view.depth[40, 80] == pytest.approx(2.5, abs=1e-3)  # the wall above it
    assert scan.objects[int(view.instances[40, 80])].name == "wall"
    assert color[110, 80].tolist() == pytest.approx(FLOOR_COLOR, abs=2)
    assert view.depth[110, 80] == pytest.approx(80 / (110 - 59.5), abs=1e-3)
    assert view.instances[110, 80] == 1 and scan.objects[1].name == "floor"


def test_where_nothing_is_hit_all_is_zero(scan):
    view = ScanRenderer(scan).view(heading_pose([2.0, 1.5, 1.0], 0.0, 1.5), K, SHAPE)
    assert view.depth[60, 80] == view.instances[60, 80] == view.light[60, 80].max() == 0


def test_an_instance_is_that_of_the_nearest_corner(scan):
    """Two triangles between instances 1 and 6: the border runs midway, no third id appears."""
    corners = np.array([[1, -1, 0], [1, 1, 0], [1, 1, 2], [1, -1, 2]], np.float32)
    mixed = type(scan)(
        *("mixed", corners, np.array([[0, 1, 2], [0, 2, 3]]), np.zeros((4, 3), np.uint8)),
        *(np.array([1, 6, 6, 1], np.int32), np.zeros(4, np.int32), {}, np.eye(4)),
    )
    view = ScanRenderer(mixed).view(heading_pose([0, 0, 1.0], 0.0, 0.0), K, SHAPE)
    row = view.instances[60]
    assert (row[:78] == 6).all() and (row[82:] == 1).all()  # y = +1 is left


def test_small_holes_are_closed_and_large_ones_stay():
    _, floor, _ = parts()[0]
    vertices, faces = np.asarray(floor.vertices, np.float32), np.asarray(floor.faces)
    center = vertices[faces].mean(1)[:, :2]
    small = np.abs(center - (1.05, 1.05)).max(1) < 0.06
    large = np.abs(center - (2.95, 1.95)).max(1) < 0.46
    whole = closed(vertices, faces[~small & ~large], 0.2)
    new = vertices[whole[(~small & ~large).sum() :]].mean(1)[:, :2]
    assert len(new) and (np.abs(new - (1.05, 1.05)).max(1) < 0.1).all()
    assert closed(vertices, faces, 0.0) is faces


def test_gaps_take_the_nearest_depth():
    depth = np.zeros((3, 5), np.float32)
    assert without_gaps(depth) is depth
    depth[:, 0], depth[:, 4] = 1, 2
    np.testing.assert_array_equal(without_gaps(depth)[1, [0, 1, 3, 4]], [1, 1, 2, 2])


def test_free_floor_keeps_away_from_things(scan):
    plane = floor_plane(scan)
    np.testing.assert_allclose(plane, 0, atol=1e-6)
    floor = free_floor(scan, plane)
    at = (floor.cells + 0.5) * 0.1 + floor.origin
    assert at.min() > 0.3 and (at.max(0) < (3.7, 2.7)).all() and floor.area > 3
    chair = np.maximum(np.abs(at - (3.45, 1.45)) - 0.25, 0)
    assert np.hypot(*chair.T).min() > 0.25


def test_a_leaning_floor_is_found(scan):
    lean = scan.vertices.copy()
    lean[:, 2] += 0.05 * lean[:, 0] + 0.2
    leaning = type(scan)(**{**vars(scan), "vertices": lean})
    plane = floor_plane(leaning)
    np.testing.assert_allclose(plane, (0.05, 0, 0.2), atol=1e-3)
    assert np.abs(height_above(plane, lean[leaning.instance == 1])).max() < 1e-3
    assert free_floor(leaning, plane).area == pytest.approx(free_floor(scan, [0, 0, 0]).area, 0.2)


def test_a_rendered_folder_opens_with_its_truth(made, scan):
    assert made.name == "scene0000_00"
    dataset = open_dataset(made)
    truth = open_truth(made, dataset)
    assert len(dataset) == len(truth) == 3
    seen = set()
    for i, frame in enumerate(dataset):
        found = truth[i]
        seen |= {c.name for c in found.categories.values()}
        for number, category in found.categories.items():
            assert category.label == scan.objects[number].label
        x, y, z = frame.T_world_cam[:3, 3]
        assert 0.25 < x < 3.75 and 0.25 < y < 2.75 and 0.45 < z < 1.75
        assert frame.T_world_cam[2, 1] < 0  # upright: the camera's y points down
    assert "chair" in seen and {b.category.name for b in truth.boxes} == {"chair", "object"}
    np.testing.assert_array_equal(truth.T_aligned_world, np.eye(4))


def test_points_of_an_instance_lie_in_its_box(folder, tmp_path):
    config = ScanConfig(frames=3, width=160, height=120, seed=5, sensor="none")
    made = make.render_scan(config, folder, tmp_path)
    dataset = open_dataset(made)
    truth = open_truth(made, dataset)
    boxes, checked = {b.id: b for b in truth.boxes}, 0
    for frame in dataset:
        found = truth.of(frame)
        points = transform(frame.T_world_cam, unproject(frame.depth, frame.K))
        for number in set(found.categories) & set(boxes):
            inside = boxes[number].holds(points[found.instances == number], 0.01)
            assert inside.all()
            checked += len(inside)
    assert checked > 100


def test_the_same_seed_gives_the_same_bytes(made, folder, tmp_path):
    again = make.render_scan(SMALL, folder, tmp_path / "again")
    assert contents(again) == contents(made)
    other = make.render_scan(ScanConfig(**{**vars(SMALL), "seed": 6}), folder, tmp_path / "other")
    assert contents(other) != contents(made)


def test_an_interrupted_run_is_completed(made, folder, tmp_path, monkeypatch):
    write = make.writer.write_frame

    def fail_at_1(part, number, *arrays):
        if number == 1:
            raise OSError("disk full")
        write(part, number, *arrays)

    monkeypatch.setattr(make.writer, "write_frame", fail_at_1)
    with pytest.raises(OSError, match="disk full"):
        make.render_scan(SMALL, folder, tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["scene0000_00.part"]
    monkeypatch.undo()
    finished = make.render_scan(SMALL, folder, tmp_path)
    assert contents(finished) == contents(made)


def test_other_settings_in_the_same_place_are_refused(made, folder):
    assert make.render_scan(SMALL, folder, made.parent) == made  # nothing to do
    other = ScanConfig(**{**vars(SMALL), "fps": 9.0})
    with pytest.raises(ValueError, match=r"made with other settings: fps 1\.0, asked 9\.0"):
        make.render_scan(other, folder, made.parent)
    description = json.loads((made / "scan.json").read_text())
    assert description["scan"] == "scene0000_00" and description["fps"] == 1.0


def test_the_command_skips_what_has_no_free_floor(tmp_path, caplog, capsys):
    caplog.set_level(logging.WARNING)
    write_scan(tmp_path / "scans/good")
    full = parts()
    block = trimesh.creation.box(bounds=((0.4, 0.4, 0.1), (3.6, 2.6, 0.9)))
    full.append(("cabinet", block, (1, 2, 3)))
    write_scan(tmp_path / "scans/full", things=full)
    out = tmp_path / "out"
    assert main(["scans", "render", str(tmp_path / "scans"), str(out), *OPTIONS]) == 0
    assert [p.name for p in out.iterdir()] == ["good"]
    assert "1 of 2 scans skipped: full: no free floor" in caplog.text
    assert "1 scans of 3 frames" in capsys.readouterr().out
    assert main(["scans", "render", str(tmp_path / "scans/full"), str(out), *OPTIONS]) == 1


def test_wrong_arguments_are_refused(folder, tmp_path, capsys):
    out = str(tmp_path / "out")
    assert main(["scans", "render", str(folder), out, "--size", "big"]) == 1
    assert "--size: got 'big'" in capsys.readouterr().err
    assert main(["scans", "render", str(tmp_path), out]) == 1
    assert "no scan here. Looked for" in capsys.readouterr().err
    assert main(["scans", "render", str(tmp_path / "none"), out]) == 1
    with pytest.raises(SystemExit):
        main(["scans", "render", str(folder), out, "--height", "giant"])


def test_real_scans_can_be_walked(tmp_path):
    root = data_folder() / "scannet_scans" / "scene0001_00"
    if not root.is_dir():
        pytest.skip(f"{root} is absent; set ROOMCAD_DATA to the folder that holds it")
    made = make.render_scan(ScanConfig(frames=2, width=160, height=120), root, tmp_path)
    truth = open_truth(made, open_dataset(made))
    labels = {c.label for i in range(2) for c in truth[i].categories.values()}
    assert labels & {"sofa", "table", "chair"}
