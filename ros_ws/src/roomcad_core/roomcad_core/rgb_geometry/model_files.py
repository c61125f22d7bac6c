"""The depth and normal networks in models/manifest.json.

    {"version": 1, "models": {NAME: {
        "task": "depth",            or "normals"
        "onnx": "rgb_depth.onnx",   file inside the models folder
        "sha256": "...",            its checksum, 64 hexadecimal digits
        "width": 320,               of the picture that the network takes [px]
        "height": 240,
        "focal": 0.9}}}             fx / width of the camera that its depth is for

The maps that a network gives are half as wide and high as its picture. Entries of other tasks have
keys of their own and are not looked at.
"""

from dataclasses import dataclass
from pathlib import Path

from roomcad_core.manifest import file_checks, read_entry

DEPTH, NORMALS = "depth", "normals"
TASKS = (DEPTH, NORMALS)
KEYS = ("task", "onnx", "sha256", "width", "height", "focal")
# Of the ONNX file: the picture, and per task what it is and how sure the network is of it.
INPUT = "rgb"
OUTPUTS = {DEPTH: ("depth", "sigma"), NORMALS: ("normal", "kappa")}


@dataclass(frozen=True)
class GeometrySpec:
    """One depth or normal network of the manifest."""

    name: str
    task: str
    onnx: Path
    sha256: str
    width: int
    height: int
    focal: float


def read_spec(folder, name):
    """GeometrySpec of the network `name` in folder/manifest.json.

    Raises:
        FileNotFoundError: no manifest.
        ValueError: it is malformed; the message names file and field, got and expected.
    """
    _, entry = read_entry(folder, name, KEYS, checks)
    return GeometrySpec(name, **entry | {"onnx": Path(folder) / entry["onnx"]})


def checks(entry, folder):
    """{key: (whether its value is right, what is)} of a manifest entry."""
    focal = entry["focal"]
    return {
        "task": (entry["task"] in TASKS, " or ".join(map(repr, TASKS))),
        **file_checks(entry, folder),
        "width": _even(entry["width"]),
        "height": _even(entry["height"]),
        "focal": (
            type(focal) in (int, float) and 0.1 <= focal <= 10,
            "fx / width of a camera, 0.1 to 10",
        ),
    }


def _even(value):
    good = type(value) is int and 32 <= value <= 1280 and value % 2 == 0
    return good, "an even number from 32 to 1280"
