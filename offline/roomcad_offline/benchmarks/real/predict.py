"""The robot's path through a room: every frame in order, with the shipped settings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from roomcad_core.pipeline import Pipeline
from roomcad_core.types import Frame, Segmentation
from roomcad_offline.benchmarks.real.predictions import (
    FramePrediction,
    Piece,
    Predictions,
    Writer,
    identity_of,
    is_complete,
)
from roomcad_offline.benchmarks.real.room import Room


def predict_room(
    room: Room,
    pipeline: Pipeline,
    folder: Path,
    every: int = 1,
    done: Callable[[], object] = lambda: None,
) -> Predictions:
    """Predictions of a room in `folder`; what is complete there and of today's is kept.

    Args:
        room: whose frames are served.
        pipeline: its tracks end first.
        every: serve every n-th frame.
        done: called once a frame.
    """
    chosen = range(0, len(room.dataset), every)
    identity = identity_of(pipeline.config, room=str(room.source.folder.resolve()),
                           frames=len(room.dataset), every=every)  # fmt: skip
    if is_complete(folder, identity):
        for _ in chosen:
            done()
        return Predictions(folder)
    pipeline.follower.reset("new room")
    writer = Writer(folder, pipeline.config)
    for i in chosen:
        frame = room.frame(i)
        if frame is not None:
            writer.add(predict_frame(i, frame, pipeline))
        done()
    writer.finish(identity)
    return Predictions(folder)


def predict_frame(i: int, frame: Frame, pipeline: Pipeline) -> FramePrediction:
    """What a Pipeline makes of its next Frame, number `i` of its dataset."""
    _, segmentation = pipeline(frame)
    return FramePrediction(
        i, segmentation.instances, pieces_of(segmentation), pipeline.follower.room()
    )


def pieces_of(segmentation: Segmentation) -> tuple[Piece, ...]:
    """Pieces of a classified Segmentation."""
    return tuple(Piece(o.id, o.label, float(o.score)) for o in segmentation.objects)
