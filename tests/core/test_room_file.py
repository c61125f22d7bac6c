"""A room as GLB and JSON: it comes back as it was, and is there whole or not at all."""

import json

import numpy as np
import pytest

from roomcad_core.pose import rigid, transform, upright_rotation
from roomcad_core.room_file import T_GLTF_WORLD, read_room, save_room
from roomcad_core.types import Placed


@pytest.fixture
def placed(cad_library):
    """A chair and a table, turned and resized."""
    out = []
    for i, (label, x) in enumerate((("chair", 1.0), ("table", -2.0)), 3):
        model = cad_library.of_class(label)[0]
        T = rigid(upright_rotation(0.3 * i), [x, 2.0, 0.5])
        out.append(Placed(i, label, model.id, T, 1.2 * model.size, model.symmetry, 0.75))
    return tuple(out)


def test_a_saved_room_is_read_back_as_it_was(placed, cad_library, tmp_path):
    folder = save_room(placed, cad_library, tmp_path / "rooms" / "a", "odom")
    assert sorted(p.name for p in folder.iterdir()) == ["room.glb", "room.json"]
    assert [p.name for p in folder.parent.iterdir()] == ["a"]
    back, frame = read_room(folder)
    assert frame == "odom"
    for a, b in zip(placed, back, strict=True):
        same = ("id", "label", "cad_id", "symmetry", "score")
        assert [getattr(a, n) for n in same] == [getattr(b, n) for n in same]
        np.testing.assert_allclose(a.T_world_obj, b.T_world_obj)
        np.testing.assert_allclose(a.S, b.S)


def test_the_glb_holds_each_model_by_name_where_it_stands(placed, cad_library, tmp_path):
    trimesh = pytest.importorskip("trimesh")
    scene = trimesh.load_scene(save_room(placed, cad_library, tmp_path / "a") / "room.glb")
    for p in placed:
        names = [n for n in scene.geometry if n.startswith(f"{p.label}_{p.id}_")]
        points = np.concatenate([scene.geometry[n].vertices for n in names])
        points_world = points @ T_GLTF_WORLD[:3, :3]  # the inverse of a rotation
        points_obj = transform(np.linalg.inv(p.T_world_obj), points_world)
        np.testing.assert_allclose(np.ptp(points_obj, axis=0), p.S, rtol=1e-3)
        np.testing.assert_allclose(points_obj.max(0), p.S / 2, rtol=1e-3)
    np.testing.assert_allclose(T_GLTF_WORLD[:3, :3] @ [0, 0, 1], [0, 1, 0])  # up


def test_what_goes_wrong_leaves_nothing_behind(placed, cad_library, tmp_path):
    class Broken(dict):
        def __missing__(self, key):
            raise KeyError(key)

    with pytest.raises(KeyError):
        save_room(placed, Broken(), tmp_path / "a")
    with pytest.raises(ValueError, match="no object"):
        save_room((), cad_library, tmp_path / "a")
    assert not list(tmp_path.iterdir())
    save_room(placed, cad_library, tmp_path / "a")
    with pytest.raises(FileExistsError, match="a exists already"):
        save_room(placed, cad_library, tmp_path / "a")


def test_a_damaged_file_is_named(placed, cad_library, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"room\.json"):
        read_room(tmp_path)
    path = save_room(placed, cad_library, tmp_path / "a") / "room.json"
    room = json.loads(path.read_text())
    for field, value, why in (
        ("version", 9, "version: got 9, expected 1"),
        ("objects", [{"id": 1}], "got fields"),
        ("objects", [room["objects"][0] | {"S": [1, 2]}], r"S \(2,\)"),
        ("objects", [room["objects"][0] | {"symmetry": "odd"}], "got 'odd'"),
    ):
        path.write_text(json.dumps(room | {field: value}))
        with pytest.raises(ValueError, match=why):
            read_room(path.parent)
    path.write_text("{")
    with pytest.raises(ValueError, match="not JSON"):
        read_room(path.parent)
