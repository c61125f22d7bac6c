"""The instance networks in models/manifest.json.

    {"version": 1, "models": {NAME: {
        "task": "instances",
        "onnx": "instances_NAME.onnx",  file inside the models folder
        "sha256": "...",                its checksum, 64 hexadecimal digits
        "width": 160,                   of the grid of cells that the network looks at
        "height": 120,
        "kinds": ["wall", ...],         what a cell can show: of STRUCTURE, all CLASSES, `other`
        "licence": "...",               of the training data, may be missing
        "int8": {"onnx": "...", "sha256": "..."}}}}     may be missing, see engine.int8

Entries of other tasks have keys of their own and are not looked at.
"""

from dataclasses import dataclass
from pathlib import Path

from roomcad_core.classes import CLASSES
from roomcad_core.engine import int8
from roomcad_core.engine.int8 import QuantisedFile
from roomcad_core.manifest import LICENCE, file_checks, read_entry
from roomcad_core.types import OTHER

TASK = "instances"
KEYS = ("task", "onnx", "sha256", "width", "height", "kinds")
# What is built in and no thing: floor and ceiling, doors with windows and curtains, worktops with
# their fronts. A network tells these apart, or has all of it as background.
STRUCTURE = ("background", "wall", "floor", "opening", "counter")
KINDS = (*STRUCTURE[1:], *CLASSES, OTHER)  # what a cell can show; networks to be trained
INPUT = "cells"  # (1, channels, h, w), see channels.CHANNELS
COLOR = "color"  # (1, 3, 2h, 2w) of networks that look at the picture too, see channels.PICTURE
# Name of each output: its shape before (h, w), of a network with so many kinds.
OUTPUTS = {
    "foreground": (1,),  # probability that a cell shows a thing
    "seed": (1,),  # 0-1, how well the cell's vote would do as the centre of its object
    "spread": (1,),  # how far from the centre its object's votes lie, standard deviation [m]
    "offset": (1, 3),  # from the cell's point to the centre of its object, grav frame [m]
}


def outputs(kinds):
    """{name: shape before (h, w)} of a network with these kinds; `kinds` are logits."""
    return {**OUTPUTS, "kinds": (1, len(kinds))}


@dataclass(frozen=True)
class InstanceSpec:
    """One instance network of the manifest."""

    name: str
    onnx: Path
    sha256: str
    width: int
    height: int
    kinds: tuple[str, ...]
    int8: QuantisedFile | None = None


def read_spec(folder, name):
    """InstanceSpec of the network `name` in folder/manifest.json; errors as manifest.read_entry."""
    where, entry = read_entry(folder, name, KEYS, checks, optional=(LICENCE, int8.KEY))
    values = {key: entry[key] for key in KEYS if key != "task"}
    values |= {"onnx": Path(folder) / entry["onnx"], "kinds": tuple(entry["kinds"])}
    return InstanceSpec(name, **values, int8=int8.read_quantised(where, entry, folder))


def checks(entry, folder):
    """{key: (whether its value is right, what is)} of a manifest entry."""
    return {
        "task": (entry["task"] == TASK, repr(TASK)),
        **file_checks(entry, folder),
        "width": _size(entry["width"]),
        "height": _size(entry["height"]),
        "kinds": (_are_kinds(entry["kinds"]), f"some of {STRUCTURE}, all classes, {OTHER!r}"),
    }


def _are_kinds(names):
    if not isinstance(names, list) or len(set(map(str, names))) < len(names):
        return False
    structure = [name for name in names if name in STRUCTURE]
    return bool(structure) and set(names) == {*structure, *CLASSES, OTHER}


def _size(value):
    return type(value) is int and 32 <= value <= 1280, "a number from 32 to 1280"
