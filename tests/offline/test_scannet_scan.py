"""Reading ScanNet's scan folders: instances, alignment, boxes, and damaged files."""

import json
import logging
import re

import numpy as np
import pytest
from box_scan import CHAIR, THINGS, parts, write_json, write_ply, write_scan

from roomcad_core.pose import rigid
from roomcad_offline.scannet.alignment import fit_plane
from roomcad_offline.scannet.data import data_folder
from roomcad_offline.scannet.scan import boxes, read_scan

TURN = np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1.0]])
T_RAW_ALIGNED = rigid(TURN, np.array([1.0, 2.0, 0.4]))


@pytest.fixture
def folder(tmp_path):
    write_scan(tmp_path / "scene0000_00", T_RAW_ALIGNED)
    return tmp_path / "scene0000_00"


def file_of(folder, ending):
    return folder / f"{folder.name}{ending}"


def edit(path, **changes):
    write_json(path, json.loads(path.read_text()) | changes)


def test_a_raw_scan_is_aligned_and_every_vertex_has_its_instance(tmp_path):
    part = write_scan(tmp_path / "scene0000_00", T_RAW_ALIGNED)
    scan = read_scan(tmp_path / "scene0000_00")
    assert scan.name == "scene0000_00"
    np.testing.assert_array_equal(scan.instance, part + 1)
    np.testing.assert_allclose(scan.T_aligned_raw @ T_RAW_ALIGNED, np.eye(4), atol=1e-6)
    floor = scan.vertices[scan.instance == 1]
    np.testing.assert_allclose(floor.min(0), (0, 0, 0), atol=1e-5)
    np.testing.assert_allclose(floor.max(0), (4, 3, 0), atol=1e-5)
    assert scan.objects[CHAIR].label == "chair" and scan.objects[1].name == "floor"
    assert (scan.nyu40[scan.instance == 1] == 2).all()
    assert scan.colors[scan.instance == CHAIR][0].tolist() == list(THINGS[4][3])
    assert scan.vertices.dtype == np.float32 and scan.colors.dtype == np.uint8


def test_a_scan_that_is_aligned_already_stays(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    write_scan(tmp_path / "a")
    matrix = " ".join(map(str, np.linalg.inv(T_RAW_ALIGNED).ravel()))
    (tmp_path / "a/a.txt").write_text(f"axisAlignment = {matrix}\n")
    np.testing.assert_array_equal(read_scan(tmp_path / "a").T_aligned_raw, np.eye(4))
    assert "a: axisAlignment not applied" in caplog.text
    forced = read_scan(tmp_path / "a", already=False)
    np.testing.assert_allclose(forced.T_aligned_raw, np.linalg.inv(T_RAW_ALIGNED), atol=1e-9)


def test_a_leaning_scan_is_put_upright(tmp_path, caplog):
    c, s = np.cos(0.2), np.sin(0.2)
    lean = rigid(np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]]), np.array([0, 0, 0.3]))
    write_scan(tmp_path / "a", lean, text=False)
    scan = read_scan(tmp_path / "a")
    assert "a: leans by 11.5 degrees, put upright" in caplog.text
    np.testing.assert_allclose(scan.vertices[scan.instance == 1, 2], 0, atol=1e-4)
    np.testing.assert_allclose((scan.T_aligned_raw @ lean)[:3, :3], np.eye(3), atol=1e-4)
    assert np.ptp(read_scan(tmp_path / "a", already=True).vertices[:, 2]) > 2.6


def test_alignment_can_be_left_out(folder, caplog):
    for scan in (read_scan(folder, aligned=False), read_scan(folder, already=True)):
        np.testing.assert_array_equal(scan.T_aligned_raw, np.eye(4))
    file_of(folder, ".txt").write_text("colorHeight = 968\n")
    np.testing.assert_array_equal(read_scan(folder).T_aligned_raw, np.eye(4))
    assert "no axisAlignment" in caplog.text


def test_boxes_enclose_everything_but_structure(folder):
    found = {b.category.name: b for b in boxes(read_scan(folder))}
    assert set(found) == {"chair", "object"}
    low, high = np.array(THINGS[4][1]), np.array(THINGS[4][2])
    np.testing.assert_allclose(found["chair"].center, (low + high) / 2, atol=1e-5)
    np.testing.assert_allclose(found["chair"].size, high - low, atol=1e-5)
    assert found["chair"].id == CHAIR


def test_a_flat_thing_has_no_box_and_is_named(tmp_path, caplog):
    things = parts()
    things.append(("pillow", things[0][1].copy(), (1, 2, 3)))
    write_scan(tmp_path / "s", things=things)
    assert {b.category.name for b in boxes(read_scan(tmp_path / "s"))} == {"chair", "object"}
    assert "1 boxes without extent left out: pillow (id 8)" in caplog.text


def test_without_aggregation_pieces_of_a_label_are_instances(tmp_path):
    things = parts()
    far = things[5][1].copy()
    far.apply_translation((-1.5, 0, 0))
    things.append(("chair", far, (9, 9, 9)))
    part = write_scan(tmp_path / "s", things=things)
    mesh = read_scan(tmp_path / "s")
    for ending in (".aggregation.json", "_vh_clean_2.0.010000.segs.json"):
        file_of(tmp_path / "s", ending).unlink()
    nyu40 = np.array([2, 1, 1, 1, 1, 5, 40, 5])[part]
    labels = file_of(tmp_path / "s", "_vh_clean_2.labels.ply")
    write_ply(labels, mesh.vertices, mesh.faces, mesh.colors, nyu40)
    scan = read_scan(tmp_path / "s")
    names = sorted(c.name for c in scan.objects.values())
    assert names == ["chair", "chair", "floor", "otherprop", "wall"]
    one, other = (np.unique(scan.instance[part == k]) for k in (5, 7))
    assert len(one) == len(other) == 1 and one != other
    np.testing.assert_array_equal(scan.nyu40, nyu40)


def test_labels_of_another_mesh_are_refused(folder):
    labels = file_of(folder, "_vh_clean_2.labels.ply")
    write_ply(labels, np.eye(3), [[0, 1, 2]], np.zeros((3, 3), int), [1, 2, 3])
    with pytest.raises(ValueError, match=r"labels\.ply: label: got 3 vertices, expected \d+"):
        read_scan(folder)
    write_ply(labels, np.eye(3), [[0, 1, 2]], np.zeros((3, 3), int))
    with pytest.raises(ValueError, match=r"labels\.ply: label: the vertices have no such"):
        read_scan(folder)


@pytest.mark.parametrize(
    ("vertices", "faces", "colors", "message"),
    [
        (np.eye(3), [[0, 1, 2]], None, "red, green, blue: the vertices have no colours"),
        (np.eye(3), np.zeros((0, 3), int), np.ones((3, 3)), "face: got 0 faces"),
        (np.diag([1, 1, np.nan]), [[0, 1, 2]], np.ones((3, 3)), "x, y, z: 1 of 3 vertices"),
        (np.eye(3), [[0, 1, 7]], np.ones((3, 3)), "vertex_indices: got up to 7, expected 0 to 2"),
    ],
)
def test_a_damaged_mesh_names_file_and_field(folder, vertices, faces, colors, message):
    path = file_of(folder, "_vh_clean_2.ply")
    write_ply(path, vertices, faces, colors)
    with pytest.raises(ValueError, match=f"{re.escape(str(path))}: {message}"):
        read_scan(folder)


def test_what_is_no_ply_is_refused(folder):
    path = file_of(folder, "_vh_clean_2.ply")
    path.write_bytes(b"nonsense")
    with pytest.raises(ValueError, match="not readable as PLY"):
        read_scan(folder)
    path.unlink()
    with pytest.raises(FileNotFoundError, match="no such file"):
        read_scan(folder)


def test_damaged_segments_name_file_and_field(folder):
    segs, aggregation = (
        file_of(folder, e) for e in ("_vh_clean_2.0.010000.segs.json", ".aggregation.json")
    )
    edit(segs, segIndices=[1, 2, 3])
    with pytest.raises(ValueError, match=r"segs\.json: segIndices: got 3, expected \d+"):
        read_scan(folder)
    write_json(segs, {})
    with pytest.raises(ValueError, match=r"segs\.json: segIndices: missing"):
        read_scan(folder)
    segs.write_text('{"segIndices": [1,')
    with pytest.raises(ValueError, match=r"segs\.json: not readable as JSON"):
        read_scan(folder)
    segs.unlink()
    with pytest.raises(FileNotFoundError, match="no instances: looked for"):
        read_scan(folder)
    assert aggregation.is_file()


def test_damaged_aggregations_name_file_and_field(folder):
    path = file_of(folder, ".aggregation.json")
    for content, message in (
        ({}, "segGroups: missing"),
        ({"segGroups": [{"objectId": 0, "segments": [3]}]}, r"segGroups\[0\]: .*label"),
        ({"segGroups": [{"objectId": 0, "segments": 3, "label": "a"}]}, r"segGroups\[0\]"),
        ([], "got list, expected an object"),
    ):
        write_json(path, content)
        with pytest.raises(ValueError, match=message):
            read_scan(folder)


def test_what_does_not_fit_in_an_aggregation_is_counted(folder, caplog):
    path = file_of(folder, ".aggregation.json")
    groups = json.loads(path.read_text())["segGroups"]
    groups[CHAIR - 1]["segments"].append(999)
    groups.append({"objectId": 20, "segments": [998], "label": "zorb"})
    edit(path, segGroups=groups)
    scan = read_scan(folder)
    assert "2 segments are not in" in caplog.text and "the first is 999" in caplog.text
    assert "1 objects without vertices: zorb (objectId 20)" in caplog.text
    assert 21 not in scan.objects and "'zorb' is not in" in caplog.text


def test_the_other_name_of_an_aggregation_is_read(folder):
    path = file_of(folder, ".aggregation.json")
    path.rename(file_of(folder, "_vh_clean.aggregation.json"))
    assert read_scan(folder).objects[CHAIR].label == "chair"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("axisAlignment = 1 2 3", "axisAlignment: got 3 numbers, expected 16"),
        ("axisAlignment = one", "axisAlignment: could not convert"),
        ("axisAlignment = " + "2 " * 16, "axisAlignment: not a rigid"),
        ("axisAlignment = " + "nan " * 16, "axisAlignment: holds NaN"),
    ],
)
def test_a_damaged_alignment_names_the_field(folder, text, message):
    file_of(folder, ".txt").write_text(text)
    with pytest.raises(ValueError, match=message):
        read_scan(folder)


def test_real_scans_stand_on_their_floor():
    root = data_folder() / "scannet_scans"
    if not root.is_dir():
        pytest.skip(f"{root} is absent; set ROOMCAD_DATA to the folder that holds it")
    for folder in sorted(root.iterdir()):
        scan = read_scan(folder)
        assert abs(np.median(scan.vertices[scan.nyu40 == 2, 2])) < 0.2, folder
        plane = fit_plane(scan.vertices[scan.nyu40 == 2].astype(float))
        assert np.hypot(*plane[:2]) < 0.07, folder
        np.testing.assert_allclose(scan.T_aligned_raw[:2, :2], np.eye(2), atol=0.06)
        assert len(scan.objects) >= 10 and len(boxes(scan)) >= 5
