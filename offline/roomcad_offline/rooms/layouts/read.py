"""Layouts of real rooms: a JSON list of {"scene", "boxes": [[class, cx, cy, cz, dx, dy, dz]]}."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

# Class of a layout: the class of ours that its boxes hold, "" for what we build ourselves.
LABELS = {
    "bathtub": "bathtub",
    "bed": "bed",
    "bookshelf": "bookshelf",
    "cabinet": "cabinet",
    "chair": "chair",
    "counter": "",
    "curtain": "",
    "desk": "desk",
    "door": "",
    "garbagebin": "bin",  # VoteNet's name of everything that is "other furniture" to ScanNet
    "picture": "",
    "refrigerator": "",
    "showercurtrain": "",
    "sink": "",
    "sofa": "sofa",
    "table": "table",
    "toilet": "toilet",
    "window": "",
}


@dataclass(frozen=True, eq=False)
class Box:
    """An axis-aligned box of a layout."""

    kind: str  # a key of LABELS
    centre: np.ndarray  # (3,) [m]
    size: np.ndarray  # (3,) [m]

    @property
    def label(self) -> str:
        """The class of ours it stands for, "" if none."""
        return LABELS[self.kind]

    @property
    def low(self) -> np.ndarray:
        """(3,) lowest corner [m]."""
        return self.centre - self.size / 2

    @property
    def high(self) -> np.ndarray:
        """(3,) highest corner [m]."""
        return self.centre + self.size / 2

    def moved(self, shift) -> Box:
        """The box shifted by (3,) `shift`."""
        return Box(self.kind, self.centre + shift, self.size)


@dataclass(frozen=True)
class Layout:
    """A real room as boxes; z is up and the floor at about 0."""

    scene: str
    boxes: tuple[Box, ...]

    def furniture(self) -> int:
        """Number of boxes of our classes."""
        return sum(bool(box.label) for box in self.boxes)


def read_layouts(path) -> tuple[Layout, ...]:
    """All layouts of a file, in its order.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no list of layouts; names the file, the entry and the box.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file of layouts")
    try:
        entries = json.loads(path.read_text())
    except ValueError as error:
        raise ValueError(f"{path}: not JSON ({error})") from None
    if not isinstance(entries, list) or not entries:
        raise ValueError(f"{path}: got {type(entries).__name__}, expected a list of layouts")
    return tuple(_layout(entry, f"{path}: entry {k}") for k, entry in enumerate(entries))


def _layout(entry, where):
    if not isinstance(entry, dict) or not isinstance(entry.get("boxes"), list):
        raise ValueError(f'{where}: got {str(entry)[:60]!r}, expected {{"scene", "boxes"}}')
    scene = entry.get("scene")
    if not isinstance(scene, str):
        raise ValueError(f"{where}: got scene {scene!r}, expected a name")
    boxes = enumerate(entry["boxes"])
    return Layout(scene, tuple(_box(row, f"{where} ({scene}), box {k}") for k, row in boxes))


def _box(row, where):
    if not isinstance(row, list) or len(row) != 7:
        raise ValueError(
            f"{where}: got {str(row)[:80]!r}, expected [class, cx, cy, cz, dx, dy, dz]"
        )
    kind = row[0]
    if kind not in LABELS:
        raise ValueError(f"{where}: got class {kind!r}, expected one of {', '.join(LABELS)}")
    try:
        numbers = np.array([float(v) for v in row[1:]])
    except (TypeError, ValueError):
        raise ValueError(f"{where}: got {row[1:]}, expected six numbers") from None
    if not np.isfinite(numbers).all() or (numbers[3:] <= 0).any():
        raise ValueError(f"{where}: got {row[1:]}, expected finite numbers and positive sizes")
    return Box(kind, numbers[:3], numbers[3:])
