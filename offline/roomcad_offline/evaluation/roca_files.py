"""ROCA's JSON files: per_frame_preds.json (predictions) and scan2cad_instances_*.json (truth).

Poses map CAD -> cam (OpenCV axes); the files' quaternions are wxyz.
"""

import json
from pathlib import Path

import numpy as np

from roomcad_core.per_frame import cad_id, numbers, read_images, read_json, scene_and_frame
from roomcad_offline.evaluation.categories import ROCA_NAMES, synset
from roomcad_offline.evaluation.checks import checked
from roomcad_offline.evaluation.records import Predictions, Problem

__all__ = ["numbers", "read_json", "read_per_frame", "scene_and_frame", "write_per_frame"]

KNOWN = {"score", "bbox", "t", "q", "s", "category", "segmentation", "scene_cad_id", "detection"}


def read_per_frame(path):
    """Predictions of a per_frame_preds.json {"scene/color/frame.jpg": [detection, ...]}.

    Raises ValueError naming file, image, detection and field.
    """
    rows, frames, problems = [], [], []
    for scene, frame, entries in read_images(path):
        frames.append((scene, frame))
        for at, entry in entries:
            where = at.removeprefix(f"{path}: ")
            row = _detection(entry, at)
            rows.append({"scene": scene, "frame": frame, "where": where, **row})
    if not rows:
        problems.append(
            Problem(str(path), "{}", "no prediction in the file", "noted", "empty file")
        )
    return checked(_predictions(rows, frames, str(path), tuple(problems)))


def _predictions(rows, frames, file, problems):
    words = ("scene", "frame", "category", "cad_id", "detection", "where")
    return Predictions(
        **{name: np.array([row[name] for row in rows], str) for name in words},
        **{
            name: np.array([row[name] for row in rows], float).reshape(-1, width)
            for name, width in (("t", 3), ("q", 4), ("s", 3), ("bbox", 4))
        },
        score=np.array([row["score"] for row in rows], float),
        segmentation=tuple(row["segmentation"] for row in rows),
        extra=tuple(row["extra"] for row in rows),
        space="cam",
        scenes=tuple(dict.fromkeys(row["scene"] for row in rows)),
        frames=tuple(frames),
        file=file,
        problems=problems,
    )


def _detection(detection, at):
    """Plain values of one detection."""
    try:
        category = synset(detection["category"])
    except KeyError:
        raise ValueError(f"{at}: category: missing") from None
    except ValueError as error:
        raise ValueError(f"{at}: category: {error}") from None
    boxless = "bbox" not in detection
    return {
        "category": category,
        "cad_id": cad_id(detection, at),
        "t": numbers(detection, "t", 3, at),
        "q": np.roll(numbers(detection, "q", 4, at), -1),
        "s": numbers(detection, "s", 3, at),
        "bbox": np.full(4, np.nan) if boxless else numbers(detection, "bbox", 4, at),
        "score": float(numbers(detection, "score", None, at)),
        "segmentation": detection.get("segmentation"),
        "detection": str(detection.get("detection", "")),
        "extra": {name: value for name, value in detection.items() if name not in KNOWN},
    }


def write_per_frame(predictions, path):
    """Write a per_frame_preds.json with ROCA's category names."""
    p = predictions
    if p.space != "cam":
        raise ValueError("these poses lead to the scan; per-frame files hold poses in the camera")
    out = {f"{scene}/color/{frame}.jpg": [] for scene, frame in p.frames}
    for row in range(len(p)):
        image = f"{p.scene[row]}/color/{p.frame[row]}.jpg"
        out.setdefault(image, []).append(_detection_entry(p, row))
    Path(path).write_text(json.dumps(out) + "\n", encoding="utf-8")


def _detection_entry(p, row):
    category, cad_id = str(p.category[row]), str(p.cad_id[row])
    entry = {
        "score": float(p.score[row]),
        "t": p.t[row].tolist(),
        "q": np.roll(p.q[row], 1).tolist(),
        "s": p.s[row].tolist(),
        "category": ROCA_NAMES.get(category, category),
        "scene_cad_id": [category, cad_id] if cad_id else None,
    }
    if p.bbox is not None and np.isfinite(p.bbox[row]).all():
        entry["bbox"] = p.bbox[row].tolist()
    if p.segmentation is not None and p.segmentation[row] is not None:
        entry["segmentation"] = p.segmentation[row]
    if p.detection is not None and p.detection[row]:
        entry["detection"] = str(p.detection[row])
    return {**entry, **(p.extra[row] if p.extra is not None else {})}
