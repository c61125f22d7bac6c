"""A few fixed frames of every kind of room against pinned figures: what `make test` watches.

Simulated rooms are made and scans rendered by fixed seeds; recordings are taken as they are. What
needs recordings or scans is left out where they are not at hand (scannet.data.data_folder).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from roomcad_core.pipeline import Pipeline
from roomcad_core.types import Frame
from roomcad_offline.benchmarks.real.frames import FrameScores, score_frame
from roomcad_offline.benchmarks.real.predict import predict_frame
from roomcad_offline.benchmarks.real.room import Room
from roomcad_offline.benchmarks.real.sources import KINDS, Source, find_sources
from roomcad_offline.rooms.config import RoomConfig
from roomcad_offline.rooms.make import make_rooms
from roomcad_offline.scannet.data import data_folder
from roomcad_offline.scans.config import ScanConfig

PINS = Path(__file__).with_name("gate.json")
FIGURES = ("recall", "both_right", "false_share")
TOLERANCE = 0.025  # engines and precisions differ by less, see gate.json
ROOMS = RoomConfig(rooms=4, frames=8, fps=0.5, seed=9_101)
SCANS = ScanConfig(frames=10, fps=0.5, seed=9_101)
FRAMES = 30  # of each recording
FOLDERS = {"recording": "scannet_frames", "scan": "scannet_scans"}  # in data_folder()


@dataclass(frozen=True)
class GateFrame:
    """A fixed frame with its truth, read once for all settings that are tried."""

    number: int
    frame: Frame
    truth: object  # scannet.truth.FrameTruth
    first: bool  # of its room


def gate_sources(kind: str, work: Path) -> list[Source]:
    """Rooms of a kind; simulated ones and rendered scans are made below `work`.

    Raises:
        FileNotFoundError: the data of this kind are not at hand.
    """
    if kind == "simulated":
        make_rooms(ROOMS, work / kind)
        return find_sources([work / kind], work, SCANS)
    folder = data_folder() / FOLDERS[kind]
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: not at hand (ROOMCAD_DATA names its parent)")
    paths = sorted(folder.iterdir()) if kind == "scan" else [folder]
    # One scan of a place: the others show nothing new.
    first = {path.name.split("_")[0]: path for path in reversed(paths)}
    return find_sources(first.values(), work / kind, SCANS)


def gate_frames(sources: list[Source]) -> Iterator[GateFrame]:
    """The fixed frames of rooms, in order."""
    for source in sources:
        room = Room.open(source)
        step = max(len(room.dataset) // FRAMES, 1)
        first = True
        for i in range(0, len(room.dataset), step):
            frame = room.frame(i)
            truth = frame and room.frame_truth(frame)
            if truth is not None:
                yield GateFrame(i, frame, truth, first)
                first = False


def gate_figures(frames: list[GateFrame], pipeline: Pipeline) -> dict[str, float]:
    """FIGURES of a pipeline on fixed frames; tracks end with each room."""
    scores = FrameScores()
    for f in frames:
        if f.first:
            pipeline.follower.reset("new room")
        made = predict_frame(f.number, f.frame, pipeline)
        scores.add(score_frame(f.truth, made.segments, made.pieces, f.frame.depth > 0))
    asked = max(scores.total("true"), 1)
    return {
        "recall": scores.total("found_0.5") / asked,
        "both_right": scores.total("right") / asked,
        "false_share": scores.false / max(scores.judged, 1),
    }


def pins() -> dict[str, dict[str, float]]:
    """{kind: {figure: pinned value}}."""
    return json.loads(PINS.read_text(encoding="utf-8"))["pins"]


def fallen(kind: str, figures: dict[str, float]) -> list[str]:
    """What is worse than pinned by more than TOLERANCE, in words; [] = the gate holds."""
    pinned, out = pins()[kind], []
    for name in FIGURES:
        worse = figures[name] - pinned[name]
        worse = worse if name == "false_share" else -worse
        if worse > TOLERANCE:
            out.append(f"{kind}: {name} {figures[name]:.3f}, pinned {pinned[name]:.3f}")
    return out


def measure(work: Path, pipeline: Pipeline | None = None) -> dict[str, dict[str, float]]:
    """{kind: figures} of all kinds that are at hand, with the shipped defaults."""
    pipeline, out = pipeline or Pipeline(), {}
    for kind in KINDS:
        try:
            sources = gate_sources(kind, work)
        except FileNotFoundError:
            continue
        out[kind] = gate_figures(list(gate_frames(sources)), pipeline)
    return out
