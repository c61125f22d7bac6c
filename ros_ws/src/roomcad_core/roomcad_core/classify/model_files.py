"""The classifiers in models/manifest.json: what each network expects and what it answers.

    {"version": 1, "models": {NAME: {
        "task": "classify",
        "onnx": "pointnet_deployed.onnx",   file inside the models folder
        "sha256": "...",                    its checksum, 64 hexadecimal digits
        "labels": ["bathtub", ...],         one for each logit: classes.CLASSES and "other"
        "points": 512,                      points of a cloud
        "cloud": "trimmed_box",             how crops are scaled, see CLOUDS
        "extra": true,                      the numbers of crop_input.extra_numbers are an input
        "temperature": 1.25}}}              what logits are divided by

Entries of other tasks have keys of their own and are not looked at.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from roomcad_core.classes import CLASSES
from roomcad_core.crop_input import MIN_POINTS
from roomcad_core.types import OTHER

VERSION = 1
TASK = "classify"
# crop_input.normalise (the deployed network) and crop_input.unit_sphere (the study's networks).
CLOUDS = ("trimmed_box", "unit_sphere")
POINTS = (MIN_POINTS, 8192)
KEYS = ("task", "onnx", "sha256", "labels", "points", "cloud", "extra", "temperature")


@dataclass(frozen=True)
class ModelSpec:
    """One classifier of the manifest."""

    name: str
    onnx: Path
    sha256: str
    labels: tuple[str, ...]
    points: int
    cloud: str
    extra: bool
    temperature: float


def read_spec(folder, name):
    """ModelSpec of the classifier `name` in folder/manifest.json.

    Raises:
        FileNotFoundError: no manifest.
        ValueError: it is malformed; the message names file and field, got and expected.
    """
    path = Path(folder) / "manifest.json"
    models = read_models(path)
    if name not in models:
        raise ValueError(f"{path}: models: no {name!r}, it has {sorted(models)}")
    where, entry = f"{path}: models.{name}", models[name]
    if not isinstance(entry, dict) or set(entry) != set(KEYS):
        got = sorted(entry) if isinstance(entry, dict) else repr(entry)
        raise ValueError(f"{where}: got {got}, expected {sorted(KEYS)}")
    for key, (good, expected) in checks(entry, path.parent).items():
        if not good:
            raise ValueError(f"{where}.{key}: got {entry[key]!r}, expected {expected}")
    values = {key: entry[key] for key in KEYS if key != "task"}
    values |= {"onnx": path.parent / entry["onnx"], "labels": tuple(entry["labels"])}
    return ModelSpec(name, **values)


def read_models(path):
    """{name: entry} of a manifest."""
    if not path.is_file():
        raise FileNotFoundError(
            f"{path}: no such file; it names the networks (classify.model: box_size needs none)"
        )
    try:
        manifest = json.loads(path.read_text())
    except ValueError as error:
        raise ValueError(f"{path}: not JSON: {error}") from None
    if not isinstance(manifest, dict) or set(manifest) != {"version", "models"}:
        got = sorted(manifest) if isinstance(manifest, dict) else repr(manifest)
        raise ValueError(f"{path}: got {got}, expected version and models")
    if manifest["version"] != VERSION:
        raise ValueError(f"{path}: version: got {manifest['version']!r}, expected {VERSION}")
    if not isinstance(manifest["models"], dict):
        raise ValueError(f"{path}: models: got {manifest['models']!r}, expected a mapping")
    return manifest["models"]


def checks(entry, folder):
    """{key: (whether its value is right, what is)} of a manifest entry."""
    low, high = POINTS
    return {
        "task": (entry["task"] == TASK, repr(TASK)),
        "onnx": (is_inside(folder, entry["onnx"]), f"a file inside {folder}"),
        "sha256": (is_text(entry["sha256"], r"[0-9a-fA-F]{64}"), "64 hexadecimal digits"),
        "labels": (are_labels(entry["labels"]), f"a list of {(*CLASSES, OTHER)}, each once"),
        "points": (
            type(entry["points"]) is int and low <= entry["points"] <= high,
            f"{low} to {high}",
        ),
        "cloud": (entry["cloud"] in CLOUDS, f"one of {', '.join(CLOUDS)}"),
        "extra": (
            type(entry["extra"]) is bool and not (entry["extra"] and entry["cloud"] != CLOUDS[0]),
            f"true with cloud {CLOUDS[0]}, or false",
        ),
        "temperature": (
            type(entry["temperature"]) in (int, float) and 0 < entry["temperature"] < 1e3,
            "a number above 0 and below 1000",
        ),
    }


def is_inside(folder, name):
    """Whether `name` is a path that does not leave the folder."""
    return is_text(name, r"[^\0]+") and (folder / name).resolve().is_relative_to(folder.resolve())


def is_text(value, pattern):
    return isinstance(value, str) and re.fullmatch(pattern, value) is not None


def are_labels(value):
    """Whether `value` lists classes of roomcad (and `other`), none twice."""
    known = (*CLASSES, OTHER)
    return (
        isinstance(value, list)
        and len(value) > 1
        and all(isinstance(label, str) and label in known for label in value)
        and len(set(value)) == len(value)
    )
