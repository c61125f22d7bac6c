"""The classifiers in models/manifest.json: what each network expects and what it answers.

    {"version": 1, "models": {NAME: {
        "task": "classify",
        "onnx": "pointnet_deployed.onnx",   file inside the models folder
        "sha256": "...",                    its checksum, 64 hexadecimal digits
        "labels": ["bathtub", ...],         one for each logit: classes.CLASSES and "other"
        "points": 512,                      points of a cloud
        "cloud": "trimmed_box",             how crops are scaled, see CLOUDS
        "extra": true,                      the numbers of crop_input.extra_numbers are an input
        "temperature": 1.25,                what logits are divided by
        "licence": "...",                   of the training data, may be missing
        "pooling": {"crop": 0.3, "frame": 0.7, "other": 0.1},   may be missing, see context.Pooling
        "int8": {"onnx": "...", "sha256": "..."}}}}     may be missing, see engine.int8

Entries of other tasks have keys of their own and are not looked at.
"""

import dataclasses
import math
from dataclasses import dataclass
from pathlib import Path

from roomcad_core.classes import CLASSES
from roomcad_core.classify.context import Pooling
from roomcad_core.crop_input import MIN_POINTS
from roomcad_core.engine import int8
from roomcad_core.engine.int8 import QuantisedFile
from roomcad_core.manifest import LICENCE, file_checks, read_entry, temperature_check
from roomcad_core.types import OTHER

TASK = "classify"
# crop_input.normalise (the deployed network) and crop_input.unit_sphere (the study's networks).
CLOUDS = ("trimmed_box", "unit_sphere")
POINTS = (MIN_POINTS, 8192)
POOLING = "pooling"
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
    pooling: Pooling = Pooling()
    int8: QuantisedFile | None = None


def read_spec(folder, name):
    """ModelSpec of the classifier `name` in folder/manifest.json; errors as manifest.read_entry."""
    where, entry = read_entry(folder, name, KEYS, checks, optional=(POOLING, LICENCE, int8.KEY))
    values = {key: entry[key] for key in KEYS if key != "task"}
    values |= {"onnx": Path(folder) / entry["onnx"], "labels": tuple(entry["labels"])}
    pooling = Pooling(**entry.get(POOLING, {}))
    return ModelSpec(name, **values, pooling=pooling,
                     int8=int8.read_quantised(where, entry, folder))  # fmt: skip


def checks(entry, folder):
    """{key: (whether its value is right, what is)} of a manifest entry."""
    low, high = POINTS
    return {
        "task": (entry["task"] == TASK, repr(TASK)),
        **file_checks(entry, folder),
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
        "temperature": temperature_check(entry["temperature"]),
        **({POOLING: pooling_check(entry[POOLING])} if POOLING in entry else {}),
    }


def pooling_check(value):
    """Whether `value` is a Pooling's numbers, and what would be right."""
    names = sorted(f.name for f in dataclasses.fields(Pooling))
    good = isinstance(value, dict) and sorted(value) == names and all(
        type(v) in (int, float) and math.isfinite(v) for v in value.values()
    )  # fmt: skip
    return good, f"numbers for {', '.join(names)}"


def are_labels(value):
    """Whether `value` lists classes of roomcad (and `other`), none twice."""
    known = (*CLASSES, OTHER)
    return (
        isinstance(value, list)
        and len(value) > 1
        and all(isinstance(label, str) and label in known for label in value)
        and len(set(value)) == len(value)
    )
