"""FrameTruth on disk, so that many predictions are scored against one rendering of the truth."""

import hashlib
import json
import zipfile
from pathlib import Path

import numpy as np

from roomcad_offline.evaluation.image_truth import COLUMNS, Camera, FrameTruth
from roomcad_offline.evaluation.records import Problem

VERSION = 1


def save_truth(truth, path, made_from):
    """Write a FrameTruth as npz; `made_from` is a text that says what it was made from."""
    scenes = list(truth.cameras)
    note = {
        "version": VERSION,
        "made_from": made_from,
        "scenes": scenes,
        "sizes": [truth.cameras[scene].size for scene in scenes],
        "problems": [list(vars(problem).values()) for problem in truth.problems],
    }
    with Path(path).open("wb") as file:
        np.savez_compressed(
            file,
            note=np.array(json.dumps(note)),
            K=np.array([truth.cameras[scene].K for scene in scenes]).reshape(-1, 3, 3),
            frames=np.array(truth.frames, str).reshape(-1, 2),
            **{name: getattr(truth, name) for name in COLUMNS},
        )


def load_truth(path, made_from):
    """Read what save_truth wrote.

    Raises ValueError where the file is damaged or was made from something else.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in (*COLUMNS, "note", "K", "frames")}
        note = json.loads(str(arrays.pop("note")))
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path}: not a truth file: {error}") from None
    if note.get("version") != VERSION or note["made_from"] != made_from:
        raise ValueError(f"{path}: made from other annotations, frames or rules: delete it")
    cameras = zip(note["scenes"], arrays.pop("K"), note["sizes"], strict=True)
    frames = tuple((scene, frame) for scene, frame in arrays.pop("frames").tolist())
    return FrameTruth(
        **arrays,
        frames=frames,
        cameras={scene: Camera(K, tuple(size)) for scene, K, size in cameras},
        problems=tuple(Problem(*values) for values in note["problems"]),
    )


def fingerprint(annotations_file, *settings):
    """Text that changes with the content of the annotations and with any setting's repr."""
    digest = hashlib.sha256(Path(annotations_file).read_bytes())
    return "|".join([digest.hexdigest(), *map(repr, settings)])
