"""A room as files: room.glb to look at, room.json to read back.

room.json  {"version": 1, "frame": name of the world frame, "T_gltf_world": (4, 4),
           "objects": [{id, label, cad_id, T_world_obj, S, symmetry, score}]}, metres, z up
room.glb   the CADs where they stand, meshes named chair_7_0, ... (7: the id); y up, as glTF
           wants it, so a world point p stands at T_gltf_world p
"""

import json
import os
import shutil
from pathlib import Path

import numpy as np

from roomcad_core.glb import write_glb_parts
from roomcad_core.pose import SYMMETRIES, affine, rigid, transform
from roomcad_core.types import Placed

VERSION = 1
GLB, JSON = "room.glb", "room.json"
T_GLTF_WORLD = rigid(np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]]), np.zeros(3))
FIELDS = ("id", "label", "cad_id", "T_world_obj", "S", "symmetry", "score")


def save_room(placed, library, folder, frame="map"):
    """Write both files into the new folder `folder`; it appears when all is written, or never.

    Args:
        placed: Placed objects, at least one.
        library: CAD library they are from.
        frame: name of the world frame.

    Returns:
        The folder (Path).

    Raises:
        ValueError: there is no object.
        FileExistsError: the folder is there already. Other OSErrors: it cannot be written.
    """
    folder = Path(folder)
    placed = tuple(placed)
    if not placed:
        raise ValueError("the room has no object to save")
    if folder.exists():
        raise FileExistsError(f"{folder} exists already")
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = folder.with_name(f".{folder.name}.{os.getpid()}")
    unfinished.mkdir()
    try:
        (unfinished / GLB).write_bytes(room_glb(placed, library))
        (unfinished / JSON).write_text(json.dumps(_room(placed, frame), indent=1) + "\n")
        os.rename(unfinished, folder)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    return folder


def read_room(folder):
    """(tuple of Placed, name of the world frame) of a folder that save_room made.

    Raises FileNotFoundError, or ValueError that names the file and the field.
    """
    path = Path(folder) / JSON
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; a saved room has one")
    room = _json(path)
    version = room.get("version") if isinstance(room, dict) else None
    if version != VERSION:
        raise ValueError(f"{path}: version: got {version!r}, expected {VERSION}")
    try:
        return tuple(map(_placed, room["objects"])), str(room["frame"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: {type(error).__name__}: {error}") from None


def read_objects(path):
    """Tuple of Placed of a JSON file that is just the list of objects, as reports have it.

    Raises ValueError that names the file and the field.
    """
    objects = _json(path)
    try:
        return tuple(map(_placed, objects))
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: {type(error).__name__}: {error}") from None


def room_glb(placed, library):
    """GLB bytes of Placed objects, y up."""
    parts = {}
    for p in placed:
        vertices, triangles, colors = library[p.cad_id].load_mesh()
        M_gltf_obj = T_GLTF_WORLD @ affine(p.T_world_obj, p.S)
        vertices = transform(M_gltf_obj, vertices).astype(np.float32)
        parts[f"{p.label}_{p.id}_"] = vertices, triangles, colors
    return write_glb_parts(parts)


def _json(path):
    try:
        return json.loads(path.read_text())
    except ValueError as error:
        raise ValueError(f"{path}: not JSON: {error}") from None


def _room(placed, frame):
    objects = [{name: _plain(getattr(p, name)) for name in FIELDS} for p in placed]
    return {
        "version": VERSION,
        "frame": frame,
        "T_gltf_world": T_GLTF_WORLD.tolist(),
        "objects": objects,
    }


def _plain(value):
    """The value as JSON knows it."""
    return np.asarray(value).tolist()


def _placed(record):
    """Placed of a record; ValueError, KeyError or TypeError where it is none."""
    if set(record) != set(FIELDS):
        raise ValueError(f"objects: got fields {sorted(record)}, expected {sorted(FIELDS)}")
    if record["symmetry"] not in SYMMETRIES:
        raise ValueError(f"objects: symmetry: got {record['symmetry']!r}")
    T, S = np.array(record["T_world_obj"], float), np.array(record["S"], float)
    if T.shape != (4, 4) or S.shape != (3,):
        raise ValueError(f"objects: T_world_obj {T.shape}, S {S.shape}: expected (4, 4), (3,)")
    return Placed(**{**record, "T_world_obj": T, "S": S})
