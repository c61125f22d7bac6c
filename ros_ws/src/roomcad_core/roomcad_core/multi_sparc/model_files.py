"""The aligners in models/manifest.json: one network, exported with several numbers of updates.

    {"version": 1, "models": {NAME: {
        "task": "align",
        "updates": {"3": {"onnx": "align_live_n3.onnx",   file inside the models folder
                          "sha256": "..."}},              its checksum, 64 hexadecimal digits
        "objects": 5,           slots: objects aligned jointly
        "cad_points": 200,      CAD points of an object
        "width": 160,           of the maps [px]
        "height": 120,
        "mode": "rgbd",         trained for a sensor's depth; "rgb": for colour alone
        "temperature": 1.0,     what logits are divided by
        "polished": {           of choice.PolishedScore; without it results are not polished
            "choice": {"sigma": 0.6, "fit": 6.0, "agreement": 0.0, "bias": 0.0},
            "several": {...}, "alone": {...}}}}}

Entries of other tasks have keys of their own and are not looked at.
"""

import math
from dataclasses import dataclass, fields
from pathlib import Path

from roomcad_core.config import INPUTS
from roomcad_core.library import N_POINTS
from roomcad_core.manifest import check, file_checks, read_entry, temperature_check
from roomcad_core.multi_sparc.choice import PolishedScore, Weights

TASK = "align"
MODES = INPUTS
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
    mode: str = MODES[0]

    def choose(self, results, symmetries):
        """Position of the best of an object's Tried results, and the probability that it is right.

        `symmetries`: of their CAD models, keys of pose.SYMMETRIES. Results that are not polished
        are judged by sigma alone.
        """
        if self.polished and not any(math.isnan(r.fit_score) for r in results):
            best, log_odds = self.polished(results, symmetries)
            return best, sigmoid(log_odds)
        best = max(range(len(results)), key=lambda k: results[k].logit)
        return best, sigmoid(results[best].logit / self.temperature)


def read_spec(folder, name, updates):
    """AlignSpec of the aligner `name` in folder/manifest.json with so many updates.

    Raises:
        FileNotFoundError: no manifest.
        ValueError: it is malformed; the message names file and field, got and expected.
    """
    where, entry = read_entry(folder, name, KEYS, checks, optional=("polished",))
    values = {key: entry[key] for key in KEYS if key not in ("task", "updates")}
    if entry.get("polished") is not None:
        values["polished"] = polished_score(entry["polished"])
    onnx, sha256 = _file(Path(folder), where, entry["updates"], updates)
    return AlignSpec(name, updates, onnx, sha256, **values)


def polished_score(values):
    """PolishedScore of plain values, {use: {weight: number}}."""
    return PolishedScore(**{use: Weights(**weights) for use, weights in values.items()})


def checks(entry, folder):
    """{key: (whether its value is right, what is)} of a manifest entry."""
    polished = entry.get("polished")
    uses, weights = ({f.name for f in fields(kind)} for kind in (PolishedScore, Weights))
    return {
        "task": (entry["task"] == TASK, repr(TASK)),
        "updates": (isinstance(entry["updates"], dict), "a mapping of numbers of updates"),
        "objects": _whole(entry["objects"], 1, 32),
        "cad_points": _whole(entry["cad_points"], 1, N_POINTS),
        "width": _whole(entry["width"], 16, 1280),
        "height": _whole(entry["height"], 12, 1280),
        "mode": (entry["mode"] in MODES, " or ".join(map(repr, MODES))),
        "temperature": temperature_check(entry["temperature"]),
        "polished": (
            polished is None or isinstance(polished, dict) and set(polished) == uses
            and all(_are_weights(w, weights) for w in polished.values()),
            f"{', '.join(sorted(uses))}, each with numbers {', '.join(sorted(weights))} below 1000",
        ),
    }  # fmt: skip


def _are_weights(value, names):
    numbers = isinstance(value, dict) and set(value) == names and value.values()
    return bool(numbers) and all(type(v) in (int, float) and abs(v) < 1e3 for v in numbers)


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
    check(where, file, file_checks(file, folder))
    return folder / file["onnx"], file["sha256"]


def sigmoid(x):
    return 1 / (1 + math.exp(-min(max(float(x), -500.0), 500.0)))
