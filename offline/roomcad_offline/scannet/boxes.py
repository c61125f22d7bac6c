"""Axis-aligned boxes of the things in a room, and the file boxes.json that holds them.

boxes.json: `axis_align`, 4x4, maps world points into the frame of the boxes; `boxes`, a list of
{"label": a category name, "box": [centre x, y, z, size x, y, z] in metres, "id": optional}.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from roomcad_core.datasets.world import checked_pose
from roomcad_offline.scannet.categories import Category, by_name

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Box:
    """An axis-aligned box in the aligned (z-up) frame."""

    category: Category
    center: np.ndarray  # (3,) [m]
    size: np.ndarray  # (3,) [m], all > 0
    id: int  # of the instance it encloses, >= 1

    def holds(self, points: np.ndarray, margin: float = 0.0) -> np.ndarray:
        """(...) bool: which points (..., 3) lie in the box grown by `margin` [m]."""
        return (np.abs(points - self.center) <= self.size / 2 + margin).all(-1)


def read_boxes(path: str | Path) -> tuple[np.ndarray, list[Box]]:
    """T_aligned_world (4, 4) and the boxes of a boxes.json.

    A box with NaN or without extent is left out, named and counted in a warning.

    Raises:
        ValueError: naming file and field, where something is missing or malformed.
    """
    path = Path(path)
    content = read_json(path)
    T = _matrix(_field(content, "axis_align", path), path)
    entries = _field(content, "boxes", path)
    if not isinstance(entries, list):
        raise ValueError(f"{path}: boxes: got {type(entries).__name__}, expected a list")
    boxes = [_box(entry, k, path) for k, entry in enumerate(entries)]
    return T, without_empty(boxes, path)


def without_empty(boxes: list[Box], source) -> list[Box]:
    """The boxes that have finite numbers and an extent; the others are named and counted."""
    good = [np.isfinite((*b.center, *b.size)).all() and bool((b.size > 0).all()) for b in boxes]
    bad = [f"{b.category.name} (id {b.id})" for b, ok in zip(boxes, good, strict=True) if not ok]
    if bad:
        log.warning("%s: %d boxes without extent left out: %s", source, len(bad), ", ".join(bad))
    return [b for b, ok in zip(boxes, good, strict=True) if ok]


def as_dict(boxes: Iterable[Box], T_aligned_world: np.ndarray) -> dict:
    """The contents of a boxes.json as plain values."""
    return {
        "axis_align": np.asarray(T_aligned_world, float).tolist(),
        "boxes": [
            {
                "id": b.id,
                "label": b.category.name,
                "box": [round(float(v), 5) for v in (*b.center, *b.size)],
            }
            for b in boxes
        ],
    }


def read_json(path: Path) -> dict:
    """The object in a JSON file; ValueError naming the file where there is none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: not readable as JSON ({error})") from None
    if not isinstance(content, dict):
        raise ValueError(f"{path}: got {type(content).__name__}, expected an object")
    return content


def _field(entry, name, where):
    if not isinstance(entry, dict) or name not in entry:
        raise ValueError(f"{where}: {name}: missing")
    return entry[name]


def _matrix(rows, path):
    try:
        T = checked_pose(np.array(rows, float).reshape(4, 4), f"{path}: axis_align")
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: axis_align: {error}") from None
    if T is None:
        raise ValueError(f"{path}: axis_align: holds NaN or infinity")
    return T


def _box(entry, number, path):
    where = f"{path}: boxes[{number}]"
    label, values = _field(entry, "label", where), _field(entry, "box", where)
    try:
        values = np.array([np.nan if v is None else float(v) for v in values])
    except (TypeError, ValueError):
        raise ValueError(f"{where}: box: got {values!r}, expected 6 numbers") from None
    if values.shape != (6,):
        raise ValueError(f"{where}: box: got {len(values)} numbers, expected 6")
    return Box(by_name(str(label)), values[:3], values[3:], int(entry.get("id", number + 1)))
