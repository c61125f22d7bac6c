"""All rooms: predicted once, then every frame is read once and judged with all that was shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from roomcad_core.library import Library
from roomcad_core.pipeline import Pipeline
from roomcad_offline.benchmarks.real.cads import CadScores, predict_cads, score_cads
from roomcad_offline.benchmarks.real.frames import FrameScores, frame_ap, score_frame
from roomcad_offline.benchmarks.real.objects import ObjectScores, Watch, score_objects
from roomcad_offline.benchmarks.real.predict import predict_room
from roomcad_offline.benchmarks.real.predictions import Predictions
from roomcad_offline.benchmarks.real.room import Room
from roomcad_offline.benchmarks.real.sources import Source
from roomcad_offline.metrics.mask_ap import MaskAp


@dataclass
class RoomResult:
    """What was judged in one room; None = it has no such truth."""

    source: Source
    frames: FrameScores
    objects: ObjectScores | None
    cads: CadScores | None = None


@dataclass
class KindResult:
    """All rooms of one kind (sources.KINDS)."""

    rooms: list[RoomResult] = field(default_factory=list)
    ap: MaskAp = field(default_factory=frame_ap)
    ap_room: list[int] = field(default_factory=list)  # room of each image of `ap`

    def images_of(self, rooms: np.ndarray) -> np.ndarray:
        """Images of `ap` that belong to rooms (K,), repetitions included."""
        of = np.array(self.ap_room)
        return np.concatenate([np.flatnonzero(of == r) for r in rooms]) if len(of) else of


def evaluate(
    sources: list[Source], robot: Callable[[str], Pipeline], out: Path, every: int = 1
) -> dict[str, KindResult]:
    """Judge rooms; {kind: KindResult}, kinds in the order of `sources`.

    Args:
        sources: the rooms.
        robot: gives the Pipeline that judges a room, by its name.
        out: its folder predictions/ keeps what is predicted.
        every: serve every n-th frame.
    """
    from tqdm import tqdm

    rooms = [Room.open(source) for source in sources]  # what is wrong with one shows at once
    total = sum(len(range(0, len(room.dataset), every)) for room in rooms)
    results = {source.kind: KindResult() for source in sources}
    with tqdm(total=2 * total, unit="frame", desc="real") as bar:
        for room in rooms:
            bar.set_postfix_str(room.name)
            folder, pipeline = out / "predictions" / room.name, robot(room.name)
            predictions = predict_room(room, pipeline, folder, every, bar.update)
            cads = predict_cads(room, pipeline, folder, every)
            kind = results[room.source.kind]
            result = score_room(room, predictions, pipeline.library, kind, bar.update)
            if room.placed is not None:
                result.cads = score_cads(room, predictions.room, cads)
            kind.rooms.append(result)
            result.frames.damaged = len(range(0, len(room.dataset), every)) - len(predictions)
            bar.update(result.frames.damaged)
    return results


def score_room(
    room: Room, predictions: Predictions, library: Library, kind: KindResult, done=lambda: None
) -> RoomResult:
    """RoomResult of a room's predictions; its images are added to kind.ap."""
    frames = FrameScores()
    watch = Watch(room, library) if room.truth.boxes is not None else None
    for k in range(len(predictions)):
        prediction = predictions[k]
        frame = room.frame(prediction.frame)
        truth = room.frame_truth(frame)
        if truth is None:
            frames.without_truth += 1
        else:
            score = score_frame(truth, prediction.segments, prediction.pieces, frame.depth > 0)
            frames.add(score)
            kind.ap.add(score.masks)
            kind.ap_room.append(len(kind.rooms))
        if watch:
            watch.add(frame, prediction.shown)
        done()
    objects = score_objects(room, predictions.room, watch) if watch else None
    return RoomResult(room.source, frames, objects)
