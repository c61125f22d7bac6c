"""Entries of ROCA's per_frame_preds.json: {"scene/color/frame.jpg": [detection, ...]}.

Only what the detector plug and the evaluation both need: files, image names, fields. Each of
them makes its own records of the entries.
"""

import json
from pathlib import Path, PurePosixPath

import numpy as np


def read_json(path):
    """Plain values of a JSON file; ValueError naming it where it is none."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: not readable as JSON ({error})") from None


def read_images(path):
    """[(scene, frame, [(where, entry), ...]), ...] of a file, entries as they are in it.

    `where` names file, image and number of an entry in error messages.

    Raises:
        FileNotFoundError: no such file.
        ValueError: it is no object of lists of objects; the message names file and image.
    """
    images = read_json(path)
    if not isinstance(images, dict):
        raise ValueError(f"{path}: got {type(images).__name__}, expected an object of images")
    return [
        (*scene_and_frame(image, path), _entries(detections, f"{path}: {image}"))
        for image, detections in images.items()
    ]


def _entries(detections, at):
    if not isinstance(detections, list):
        raise ValueError(f"{at}: expected a list of detections")
    for i, entry in enumerate(detections):
        if not isinstance(entry, dict):
            raise ValueError(f"{at}[{i}]: got {type(entry).__name__}, expected an object")
    return [(f"{at}[{i}]", entry) for i, entry in enumerate(detections)]


def scene_and_frame(image, source):
    """("scene0011_00", "000100") of an image path .../scene/color/frame.jpg."""
    parts = PurePosixPath(str(image).replace("\\", "/")).parts
    if len(parts) < 3:
        raise ValueError(f"{source}: image {image!r}: expected SCENE/color/FRAME.jpg")
    return parts[-3], PurePosixPath(parts[-1]).stem


def cad_id(entry, at):
    """CAD id of scene_cad_id: [category, id], an id alone, or "" where none was retrieved."""
    value = entry.get("scene_cad_id")
    if value is None:
        return ""
    if isinstance(value, list) and len(value) == 2:
        value = value[1]
    if not isinstance(value, str):
        raise ValueError(f"{at}: scene_cad_id: got {value!r}, expected [category, id] or an id")
    return value


def numbers(entry, name, size, at):
    """Float array (size,), or a scalar where size is None; null and NaN become NaN."""
    if name not in entry:
        raise ValueError(f"{at}: {name}: missing")
    if entry[name] is None and size is not None:
        return np.full(size, np.nan)
    try:
        value = np.array(entry[name], float)  # None becomes NaN
    except (TypeError, ValueError):
        value = None
    shape = () if size is None else (size,)
    if value is None or value.shape != shape:
        expected = "a number" if size is None else f"{size} numbers"
        raise ValueError(f"{at}: {name}: got {entry[name]!r}, expected {expected}")
    return value
