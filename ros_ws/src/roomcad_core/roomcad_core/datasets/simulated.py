"""Simulated room: a ScanNet-style folder with instance masks, annotations and room.json.

instance/N.png (uint16) holds 1..n for the furniture, in the order of full_annotations.json, and
1001 and more for clutter. Rooms with the layout of a real one also have structure/N.png: 2001 for
walls, 2002 floor, 2003 ceiling, more for doors, windows and the like, 0 elsewhere; `structure` of
room.json has their names. The world is z-up; room.json says how the room was made and may
carry the frame rate (`fps`).
"""

import dataclasses
import json

from roomcad_core.datasets.annotations import read_ground_truth
from roomcad_core.datasets.scannet_folder import ScanNetFolder
from roomcad_core.pictures import read_uint16

ROOM_FILE = "room.json"


class SimulatedRoom(ScanNetFolder):
    """Frames of a simulated room, with true object ids and true CAD poses.

    Attributes:
        room: contents of room.json, plain values.
    """

    LOOKS_FOR = f"a folder with color/, depth/, pose/ and {ROOM_FILE}"

    def __init__(self, path, config):
        self.room = read_room(path / ROOM_FILE)
        fixed = {"up": "z"} if config.up == "auto" else {}
        if "fps" in self.room:
            fixed["fps"] = float(self.room["fps"])
        super().__init__(path, dataclasses.replace(config, **fixed))
        self.ground_truth = read_ground_truth(path)

    @staticmethod
    def found_at(path):
        return (path / ROOM_FILE).is_file()

    def read_instances(self, key, shape):
        """(H, W) uint16 true object ids, 0 = none."""
        path = self.path / "instance" / f"{key}.png"
        instances = read_uint16(path)
        if instances.shape != shape:
            raise ValueError(f"{path}: got {instances.shape}, expected {shape} as the depth image")
        return instances


def read_room(path):
    """Contents of room.json as a dict."""
    try:
        room = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: not readable as JSON ({error})") from None
    if not isinstance(room, dict):
        raise ValueError(f"{path}: expected an object, got {type(room).__name__}")
    return room
