"""The instance networks in models/manifest.json.

    {"version": 1, "models": {NAME: {
        "task": "instances",
        "onnx": "instances_NAME.onnx",  file inside the models folder
        "sha256": "...",                its checksum, 64 hexadecimal digits
        "width": 160,                   of the grid of cells that the network looks at
        "height": 120,
        "int8": {"onnx": "...", "sha256": "..."}}}}     may be missing, see engine.int8

Entries of other tasks have keys of their own and are not looked at.
"""

from dataclasses import dataclass
from pathlib import Path

from roomcad_core.classes import CLASSES
from roomcad_core.engine import int8
from roomcad_core.engine.int8 import QuantisedFile
from roomcad_core.manifest import file_checks, read_entry
from roomcad_core.types import OTHER

TASK = "instances"
KEYS = ("task", "onnx", "sha256", "width", "height")
BACKGROUND = 0  # the place in KINDS of floor, walls and ceiling
KINDS = ("background", *CLASSES, OTHER)  # what a cell can show
INPUT = "cells"  # (1, channels, h, w), see channels.CHANNELS
# Name of each output: its shape before (h, w).
OUTPUTS = {
    "foreground": (1,),  # probability that a cell shows a thing
    "seed": (1,),  # 0-1, how well the cell's vote would do as the centre of its object
    "spread": (1,),  # how far from the centre its object's votes lie, standard deviation [m]
    "offset": (1, 3),  # from the cell's point to the centre of its object, grav frame [m]
    "kinds": (1, len(KINDS)),  # logits
}


@dataclass(frozen=True)
class InstanceSpec:
    """One instance network of the manifest."""

    name: str
    onnx: Path
    sha256: str
    width: int
    height: int
    int8: QuantisedFile | None = None


def read_spec(folder, name):
    """InstanceSpec of the network `name` in folder/manifest.json; errors as manifest.read_entry."""
    where, entry = read_entry(folder, name, KEYS, checks, optional=(int8.KEY,))
    values = {key: entry[key] for key in KEYS if key != "task"}
    values |= {"onnx": Path(folder) / entry["onnx"]}
    return InstanceSpec(name, **values, int8=int8.read_quantised(where, entry, folder))


def checks(entry, folder):
    """{key: (whether its value is right, what is)} of a manifest entry."""
    return {
        "task": (entry["task"] == TASK, repr(TASK)),
        **file_checks(entry, folder),
        "width": _size(entry["width"]),
        "height": _size(entry["height"]),
    }


def _size(value):
    return type(value) is int and 32 <= value <= 1280, "a number from 32 to 1280"
