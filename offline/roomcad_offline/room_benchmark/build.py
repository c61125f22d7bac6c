"""Makes the benchmark's folder; what is finished there is kept.

FOLDER/config.json           settings, library and counts
FOLDER/library, rooms        the held-out CAD models, and the simulated rooms as they were made
FOLDER/scannet_frames_25k    their frames in ScanNet25k's layout
FOLDER/full_annotations.json, cad_appearances.json      Scan2CAD's files
FOLDER/scannetv2_val.txt, val_images.txt                the split and its images
FOLDER/scan2cad_instances_val.json                      ROCA's truth per image
FOLDER/detections.json, detections_true.json            2D detections in ROCA's per-frame layout
FOLDER/parts                 what the joined files are put together from
FOLDER/predictions/NAME      written by `predict` and `score`
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

from roomcad_core.library import Library
from roomcad_offline.evaluation.annotations import read_annotations
from roomcad_offline.evaluation.appearances import count_appearances, write_appearances
from roomcad_offline.evaluation.roca_files import read_json
from roomcad_offline.evaluation.scannet25k import write_image_list, write_split
from roomcad_offline.multi_sparc.benchmark.rooms import held_out_library
from roomcad_offline.room_benchmark.config import (
    ANNOTATIONS,
    APPEARANCES,
    DETECTIONS,
    IMAGES,
    INSTANCES,
    SPLIT,
    BenchmarkConfig,
    frame_name,
    scene_name,
)
from roomcad_offline.room_benchmark.layout import write_scene
from roomcad_offline.rooms.make import make_room


@dataclass(frozen=True)
class Built:
    """A finished benchmark."""

    folder: Path
    library: Library
    scenes: tuple[str, ...]
    frames: int

    @classmethod
    def open(cls, folder):
        """The benchmark in a folder; FileNotFoundError where there is none."""
        path = Path(folder) / "config.json"
        if not path.is_file() or not (path.parent / ANNOTATIONS).is_file():
            raise FileNotFoundError(f"{folder}: no finished room benchmark: run `eval rooms` first")
        about = read_json(path)
        library = Library.load(path.parent / "library")
        return cls(path.parent, library, tuple(about["scenes"]), about["frames"])


def build(folder, source=None, config=None, listed=None):
    """Make what is missing.

    Args:
        folder: of the benchmark.
        source: Library of all Sweet Home 3D models, needed the first time.
        config: BenchmarkConfig; None = the benchmark's own.
        listed: ids of the CAD models; None = the held-out ones.

    Returns:
        Built.

    Raises:
        ValueError: the folder holds a benchmark with other settings.
    """
    from tqdm import tqdm

    folder, config = Path(folder).resolve(), config or BenchmarkConfig()
    library = held_out_library(folder, source, listed)
    claim(folder / "config.json", config)
    rooms = replace(config.rooms, library=str(library.folder))
    parts = []
    with tqdm(total=rooms.rooms * rooms.frames, unit="frame", desc="room benchmark") as bar:
        for number in range(rooms.rooms):
            room, _ = make_room(rooms, number, folder / "rooms", library, bar.update)
            parts.append(write_scene(folder, room, number, library, config))
    return join(folder, library, config, parts)


def claim(path, config):
    """Write config.json, or check that the folder's benchmark is this one; it may grow."""
    wanted = json.loads(json.dumps(config.identity()))
    if path.exists():
        got = read_json(path)
        differs = [key for key in wanted if got.get(key) != wanted[key]]
        if differs:
            raise ValueError(f"{path}: holds another benchmark; different: {', '.join(differs)}")
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(wanted, indent=1) + "\n")


def join(folder, library, config, parts):
    """Write the files that speak of all scenes; returns Built."""
    entries = [entry for part in parts for entry in read_json(part / ANNOTATIONS)]
    (folder / ANNOTATIONS).write_text(json.dumps(entries) + "\n")
    annotations = read_annotations(folder / ANNOTATIONS)
    write_appearances(count_appearances(annotations), folder / APPEARANCES)
    scenes = tuple(scene_name(number) for number in range(len(parts)))
    images = [(s, frame_name(k)) for s in scenes for k in range(config.rooms.frames)]
    write_split(scenes, folder / SPLIT)
    write_image_list(images, folder / IMAGES)
    join_instances(parts, folder / INSTANCES)
    counts = {kind: join_per_frame(parts, folder, name) for kind, name in DETECTIONS.items()}
    about = {
        **config.identity(),
        "scenes": scenes,
        "frames": len(images),
        "annotated_models": len(annotations),
        "cad_models": len(library),
        "detections": counts,
    }
    (folder / "config.json").write_text(json.dumps(about, indent=1) + "\n")
    return Built(folder, library, scenes, len(images))


def join_instances(parts, path):
    """One scan2cad_instances file of those of the parts; ids are theirs."""
    files = [read_json(part / INSTANCES) for part in parts]
    names = ("images", "annotations")
    whole = {name: [entry for file in files for entry in file[name]] for name in names}
    path.write_text(json.dumps({"categories": files[0]["categories"], **whole}) + "\n")


def join_per_frame(parts, folder, name):
    """One per-frame file of those of the parts; returns the number of detections."""
    whole = {}
    for part in parts:
        whole |= read_json(part / name)
    (folder / name).write_text(json.dumps(whole) + "\n")
    return sum(map(len, whole.values()))
