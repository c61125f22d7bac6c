"""What the robot made of a room, as files: predicted once, scored as often as one likes.

FOLDER/identity.json    settings, code and networks that made it
FOLDER/config.yaml      the settings, to read
FOLDER/segments/N.png   uint16 ids of the pieces of frame N
FOLDER/frames.jsonl     a line a frame: its pieces with their classes, and the tracks shown after it
FOLDER/room.json        the objects shown at the end, as reports have them (objects.json)
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np

import roomcad_core
from roomcad_core import config as configs
from roomcad_core.config import PipelineConfig
from roomcad_core.library import models_folder
from roomcad_core.pictures import read_uint16
from roomcad_core.room_file import read_objects
from roomcad_core.types import Placed

IDENTITY, CONFIG = "identity.json", "config.yaml"
SEGMENTS, FRAMES, ROOM = "segments", "frames.jsonl", "room.json"
NO_ROBOT = ("furniture", "library_build", "public_models", "view", "cli.py")
FIELDS = ("id", "label", "cad_id", "T_world_obj", "S", "symmetry", "score")  # of room_file


@dataclass(frozen=True)
class Piece:
    """One segmented thing of a frame with the class that the robot gives it."""

    id: int  # in the segments
    label: str  # "other" = not shown
    score: float  # probability of `label`


@dataclass(frozen=True)
class FramePrediction:
    """What the robot made of one frame."""

    frame: int  # position in the dataset
    segments: np.ndarray  # (H, W) uint16
    pieces: tuple[Piece, ...]
    shown: tuple[Placed, ...]  # confirmed tracks after this frame, in the world


def identity_of(config: PipelineConfig, **more) -> dict:
    """Plain values that change with everything a prediction depends on.

    The code counts as well: a prediction of other code would be scored as that of today's.
    """
    return {
        "config": asdict(config),
        "models": _digest([models_folder() / "manifest.json"]),
        "code": code_digest(),
        **more,
    }


@cache  # code that is edited later is not the code that runs
def code_digest() -> str:
    """Checksum of the robot's modules; what makes CAD libraries is none of them."""
    root = Path(roomcad_core.__file__).parent
    paths = [p for p in root.rglob("*.py") if p.relative_to(root).parts[0] not in NO_ROBOT]
    return _digest(sorted(paths))


def _digest(paths):
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()


class Writer:
    """Writes one room's predictions; `finish` marks them as complete."""

    def __init__(self, folder: Path, config: PipelineConfig):
        self._folder = folder
        (folder / SEGMENTS).mkdir(parents=True, exist_ok=True)
        (folder / IDENTITY).unlink(missing_ok=True)
        configs.save(config, folder / CONFIG)
        self._lines = (folder / FRAMES).open("w", encoding="utf-8")
        self._last = ()

    def add(self, prediction: FramePrediction) -> None:
        """Add a frame."""
        path = self._folder / SEGMENTS / f"{prediction.frame}.png"
        if not cv2.imwrite(str(path), prediction.segments):
            raise OSError(f"{path}: could not be written")
        line = {
            "frame": prediction.frame,
            "pieces": [asdict(piece) for piece in prediction.pieces],
            "shown": [record(p) for p in prediction.shown],
        }
        self._lines.write(json.dumps(line) + "\n")
        self._last = line["shown"]

    def finish(self, identity: dict) -> None:
        """Write the final room; the predictions are complete then."""
        self._lines.close()
        (self._folder / ROOM).write_text(json.dumps(self._last, indent=1) + "\n")
        (self._folder / IDENTITY).write_text(json.dumps(identity, indent=1) + "\n")


def record(placed: Placed) -> dict:
    """A Placed as room_file reads it back."""
    return {name: np.asarray(getattr(placed, name)).tolist() for name in FIELDS}


def is_complete(folder: Path, identity: dict) -> bool:
    """Whether `folder` holds all predictions of that identity."""
    try:
        return json.loads((folder / IDENTITY).read_text()) == json.loads(json.dumps(identity))
    except (OSError, ValueError):
        return False


class Predictions:
    """The predictions of one room, read back."""

    def __init__(self, folder: Path):
        """Open a folder; FileNotFoundError or ValueError where it holds no whole prediction."""
        if not (folder / IDENTITY).is_file():
            raise FileNotFoundError(f"{folder / IDENTITY}: the room was not predicted to its end")
        self._folder = folder
        with (folder / FRAMES).open(encoding="utf-8") as lines:
            self._frames = [json.loads(line) for line in lines]

    @property
    def room(self) -> tuple[Placed, ...]:
        """The objects shown at the end."""
        return read_objects(self._folder / ROOM)

    def __len__(self) -> int:
        return len(self._frames)

    def __getitem__(self, k: int) -> FramePrediction:
        number = self.number(k)
        segments = read_uint16(self._folder / SEGMENTS / f"{number}.png")
        pieces = tuple(Piece(**piece) for piece in self._frames[k]["pieces"])
        return FramePrediction(number, segments, pieces, self.shown(k))

    def number(self, k: int) -> int:
        """Position in the dataset of the k-th frame that was served."""
        return self._frames[k]["frame"]

    def shown(self, k: int) -> tuple[Placed, ...]:
        """Confirmed tracks after the k-th frame."""
        return tuple(
            replace(Placed(**p), T_world_obj=np.array(p["T_world_obj"]), S=np.array(p["S"]))
            for p in self._frames[k]["shown"]
        )
