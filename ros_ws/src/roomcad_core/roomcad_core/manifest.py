"""models/manifest.json: the shipped networks by name, with an entry each as its task has it.

    {"version": 1, "models": {NAME: {"task": "classify", ...}}}

The model_files of classify, multi_sparc, rgb_geometry and segment.instances say what an entry of
their task has.
"""

import json
import re
from pathlib import Path

FILE = "manifest.json"
VERSION = 1
SHA256 = r"[0-9a-fA-F]{64}"


def read_models(path):
    """{name: entry} of a manifest.

    Raises:
        FileNotFoundError: no such file.
        ValueError: it is malformed.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f"{path}: no such file; it names the networks (only classify.model: box_size and"
            " align.aligner: icp have none)"
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


def read_entry(folder, name, keys, checks, optional=()):
    """(where, entry) of the model `name` in folder/manifest.json.

    Args:
        keys: that the entry must have.
        checks: (entry, folder) -> {key: (whether its value is right, what would be)}.
        optional: further keys that it may have.

    Returns:
        How errors name the entry, and the entry.

    Raises:
        FileNotFoundError: no manifest.
        ValueError: it is malformed; the message names file and field, got and expected.
    """
    path = Path(folder) / FILE
    models = read_models(path)
    if name not in models:
        raise ValueError(f"{path}: models: no {name!r}, it has {sorted(models)}")
    where, entry = f"{path}: models.{name}", models[name]
    if not isinstance(entry, dict) or set(entry) - set(optional) != set(keys):
        got = sorted(entry) if isinstance(entry, dict) else repr(entry)
        raise ValueError(f"{where}: got {got}, expected {sorted(keys)}")
    check(where, entry, checks(entry, path.parent))
    return where, entry


def write_entry(folder, name, entry):
    """Enter a model in folder/manifest.json, made if missing; the other models stay."""
    path = Path(folder) / FILE
    models = (read_models(path) if path.exists() else {}) | {name: entry}
    manifest = {"version": VERSION, "models": dict(sorted(models.items()))}
    path.write_text(json.dumps(manifest, indent=1) + "\n")


def check(where, entry, checks):
    """Raise ValueError where a value is not as {key: (whether it is right, what would be)} says."""
    for key, (good, expected) in checks.items():
        if not good:
            raise ValueError(f"{where}.{key}: got {entry.get(key)!r}, expected {expected}")


LICENCE = "licence"  # what the data that a network was trained on allows; may be missing


def file_checks(entry, folder):
    """Checks of the keys onnx and sha256, and of `licence` where it is there."""
    told = {LICENCE: (isinstance(entry[LICENCE], str), "a text")} if LICENCE in entry else {}
    return told | {
        "onnx": (is_inside(folder, entry["onnx"]), f"a file inside {folder}"),
        "sha256": (is_text(entry["sha256"], SHA256), "64 hexadecimal digits"),
    }


def temperature_check(value):
    """Whether logits can be divided by the value, and by what they can."""
    good = type(value) in (int, float) and 0 < value < 1e3
    return good, "a number above 0 and below 1000"


def is_inside(folder, name):
    """Whether `name` is a path that does not leave the folder."""
    return is_text(name, r"[^\0]+") and (folder / name).resolve().is_relative_to(folder.resolve())


def is_text(value, pattern):
    """Whether the value is a text that the pattern fits as a whole."""
    return isinstance(value, str) and re.fullmatch(pattern, value) is not None
