"""The measurement in one place: rooms, stages, both modes, report."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np

from roomcad_core.align import make_aligner
from roomcad_core.classify import make_classifier
from roomcad_core.datasets import open_dataset
from roomcad_core.datasets.simulated import ROOM_FILE
from roomcad_core.library import Library
from roomcad_core.segment import Segmenter
from roomcad_core.tracks import aligner_settings
from roomcad_offline.temporal import report
from roomcad_offline.temporal.figures import summary
from roomcad_offline.temporal.rows import Objects, measure_room
from roomcad_offline.temporal.truth import TruthAligner

SEED = 0  # of the stand-in


def measure(rooms, config, aligner, given, smaller, out):
    """Measure the rooms of a folder and write the report into `out`.

    Args:
        config: PipelineConfig, aligner: its aligner's name, or `truth`.
        given: one of rows.GIVEN. smaller: take the first 1/smaller of each room's frames.

    Returns:
        The report as text.
    """
    library = Library.load(config.library)
    folders = room_folders(rooms)
    datasets = [open_dataset(folder) for folder in folders]
    aligners = both_aligners(config, library, aligner)
    classify = make_classifier(config.classify, library) if given == "own" else None
    objects = Objects(given, config, Segmenter(config.segment), classify)
    tracks = dataclasses.replace(config.tracks, enabled=True)
    results, frames = [], 0
    for room in datasets:
        for align in aligners if aligner == "truth" else ():
            align.of_room(room)
        indices = range(max(len(room) // smaller, min(len(room), 2)))
        results.append(measure_room(room, indices, objects, aligners, tracks, library))
        frames += len(indices)
    about = {
        "aligner": aligner,
        "model": config.align.model if aligner == "multi_sparc" else None,
        "given": given,
        "rooms": [room.name for room in datasets],
        "seeds": sorted(
            {json.loads((f / ROOM_FILE).read_text())["config"]["seed"] for f in folders}
        ),
        "frames": frames,
        "fps": sorted({round(float(room.fps), 2) for room in datasets}),
        "tracks": dataclasses.asdict(tracks),
    }
    by_room = {room.name: summary([r]) for room, r in zip(datasets, results, strict=True)}
    record = {"about": about, "figures": summary(results), "by_room": by_room}
    return report.write(record, results, Path(out))


def both_aligners(config, library, name):
    """The aligner that searches in every frame, and the one that tracks ask."""
    if name == "truth":
        align = TruthAligner(np.random.default_rng(SEED), config.align.updates)
        return align, align
    tracks = dataclasses.replace(config.tracks, enabled=True)
    align, updates = aligner_settings(config.align, tracks)
    every = make_aligner(config.align, library)
    return every, make_aligner(align, library, updates, every)


def seed_of(folder):
    """What a simulated room was made with: `rooms make --seed`."""
    return json.loads((folder / ROOM_FILE).read_text())["config"]["seed"]


def room_folders(path):
    """Simulated rooms at a path: itself, or the folders in it; FileNotFoundError without any."""
    path = Path(path)
    if (path / ROOM_FILE).is_file():
        return [path]
    found = sorted(p.parent for p in path.glob(f"*/{ROOM_FILE}") if p.parent.suffix != ".part")
    if not found:
        raise FileNotFoundError(
            f"{path}: no simulated room; make some: roomcad-offline rooms make {path} --rooms 4"
            " --frames 200 --fps 10"
        )
    return found
