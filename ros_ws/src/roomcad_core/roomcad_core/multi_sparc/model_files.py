"""The aligners in models/manifest.json: one network, exported with several numbers of updates.

    {"version": 1, "models": {NAME: {
        "task": "align",
        "updates": {"3": {"onnx": "align_live_n3.onnx",   file inside the models folder
                          "sha256": "..."}},              its checksum, 64 hexadecimal digits
        "objects": 5,           slots: objects aligned jointly
        "cad_points": 200,      CAD points of an object
        "width": 160,           of the maps [px]
        "height": 120,
        "mode": "rgbd",         depth and normals from the sensor
        "temperature": 1.0,     what logits are divided by
        "polished": {"sigma": 0.6, "fit": 2.0, "bias": 0.1}}}}   of polish.PolishedScore;
                                without it results are not polished

Entries of other tasks have keys of their own and are not looked at.
"""

import math
from dataclasses import dataclass, fields
from pathlib import Path

from roomcad_core.classify.model_files import is_inside, is_text, read_models
from roomcad_core.library import N_POINTS
from roomcad_core.multi_sparc.polish import PolishedScore

TASK = "align"
MODE = "rgbd"
KEYS = ("task", "updates", "objects", "cad_points", "width", "height", "mode", "temperature")


@dataclass(frozen=True)
class AlignSpec:
    """One aligner of the manifest, with one number of updates."""

    name: str
    updates: int
    onnx: Path
    sha256: str
    objects: int
    cad_points: int
    width: int
    height: int
    temperature: float
    polished: PolishedScore | None = None

    def score(self, logit, fit_score=math.nan):
        """Probability that a pose is right, of sigma's logit and, where it is known, its fit."""
        if self.polished and not math.isnan(fit_score):
            return sigmoid(self.polished(logit, fit_score))
        return sigmoid(logit / self.temperature)


def read_spec(folder, name, updates):
    """AlignSpec of the aligner `name` in folder/manifest.json with so many updates.

    Raises:
        FileNotFoundError: no manifest.
        ValueError: it is malformed; the message names file and field, got and expected.
    """
    path = Path(folder) / "manifest.json"
    if not path.is_file():
        raise FileNotFoundError(
            f"{path}: no such file; it names the networks (align.aligner: icp needs none)"
        )
    models = read_models(path)
    if name not in models:
        raise ValueError(f"{path}: models: no {name!r}, it has {sorted(models)}")
    where, entry = f"{path}: models.{name}", models[name]
    if not isinstance(entry, dict) or set(entry) - {"polished"} != set(KEYS):
        got = sorted(entry) if isinstance(entry, dict) else repr(entry)
        raise ValueError(f"{where}: got {got}, expected {sorted(KEYS)}")
    for key, (good, expected) in checks(entry).items():
        if not good:
            raise ValueError(f"{where}.{key}: got {entry.get(key)!r}, expected {expected}")
    values = {key: entry[key] for key in KEYS if key not in ("task", "mode", "updates")}
    if entry.get("polished") is not None:
        values["polished"] = PolishedScore(**entry["polished"])
    onnx, sha256 = _file(path.parent, where, entry["updates"], updates)
    return AlignSpec(name, updates, onnx, sha256, **values)


def checks(entry):
    """{key: (whether its value is right, what is)} of a manifest entry."""
    temperature, polished = entry["temperature"], entry.get("polished")
    weights = {f.name for f in fields(PolishedScore)}
    return {
        "task": (entry["task"] == TASK, repr(TASK)),
        "updates": (isinstance(entry["updates"], dict), "a mapping of numbers of updates"),
        "objects": _whole(entry["objects"], 1, 32),
        "cad_points": _whole(entry["cad_points"], 1, N_POINTS),
        "width": _whole(entry["width"], 16, 1280),
        "height": _whole(entry["height"], 12, 1280),
        "mode": (entry["mode"] == MODE, f"{MODE!r}: the robot has a depth camera"),
        "temperature": (
            type(temperature) in (int, float) and 0 < temperature < 1e3,
            "a number above 0 and below 1000",
        ),
        "polished": (
            polished is None or isinstance(polished, dict) and set(polished) == weights
            and all(type(v) in (int, float) and abs(v) < 1e3 for v in polished.values()),
            f"numbers {', '.join(sorted(weights))} below 1000",
        ),
    }  # fmt: skip


def _whole(value, low, high):
    return type(value) is int and low <= value <= high, f"{low} to {high}"


def _file(folder, where, files, updates):
    """ONNX file and checksum of one number of updates."""
    key = str(updates)
    if key not in files:
        raise ValueError(f"{where}.updates: no {key!r}, it has {sorted(files)}")
    where, file = f"{where}.updates.{key}", files[key]
    if not isinstance(file, dict) or set(file) != {"onnx", "sha256"}:
        got = sorted(file) if isinstance(file, dict) else repr(file)
        raise ValueError(f"{where}: got {got}, expected onnx and sha256")
    if not is_inside(folder, file["onnx"]):
        raise ValueError(f"{where}.onnx: got {file['onnx']!r}, expected a file inside {folder}")
    if not is_text(file["sha256"], r"[0-9a-fA-F]{64}"):
        got = repr(file["sha256"])
        raise ValueError(f"{where}.sha256: got {got}, expected 64 hexadecimal digits")
    return folder / file["onnx"], file["sha256"]


def sigmoid(x):
    return 1 / (1 + math.exp(-min(max(float(x), -500.0), 500.0)))
