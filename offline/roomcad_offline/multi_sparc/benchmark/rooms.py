"""The benchmark on disk: its CAD library, its simulated rooms, and their settings.

FOLDER/library   the held-out half of Sweet Home 3D (models.csv lists it)
FOLDER/rooms     simulated rooms furnished from it, with sensor noise
FOLDER/views.json, judged/, predictions/   written by the other modules
"""

from __future__ import annotations

import csv
from dataclasses import asdict, replace
from pathlib import Path

from roomcad_core.datasets import open_dataset
from roomcad_core.library import Library, LibraryWriter
from roomcad_offline.rooms.config import RoomConfig
from roomcad_offline.rooms.make import make_rooms

LISTED = Path(__file__).with_name("models.csv")
# Between two frames the camera walks a metre and looks at something else.
ROOMS = RoomConfig(rooms=60, frames=6, fps=0.4, seed=11_001)


def listed_ids(path=LISTED):
    """The ids of the held-out CAD models, sorted."""
    with Path(path).open(newline="", encoding="utf-8") as file:
        return sorted(row["id"] for row in csv.DictReader(file))


def held_out_library(folder, source, listed=None):
    """The benchmark's Library in folder/library; written from Library `source` where missing.

    Args:
        folder: the benchmark's folder.
        source: Library that holds the models, or None if they are there already.
        listed: ids of the models; None = those of models.csv.

    Raises:
        ValueError: the held-out half of `source`, or what lies in the folder, is not what is
            listed; FileNotFoundError: there is neither.
    """
    path, listed = Path(folder) / "library", sorted(listed or listed_ids())
    if not (path / "library.json").exists():
        if source is None:
            raise FileNotFoundError(f"{path}: no benchmark library yet: name the Sweet Home 3D one")
        check_same(listed, [m.id for m in source if m.split == "bench"], source.folder)
        with LibraryWriter(path, overwrite=True) as writer:
            for model in source:
                if model.split == "bench":
                    writer.add(model, model.mesh.read_bytes())
    library = Library.load(path)
    check_same(listed, [m.id for m in library], path)
    return library


def check_same(listed, found, where):
    """Raise ValueError naming the CAD ids by which two lists differ."""
    lacking, more = sorted(set(listed) - set(found)), sorted(set(found) - set(listed))
    if lacking or more:
        raise ValueError(
            f"{where}: not the CAD models of the benchmark: lacks {len(lacking)} of {len(listed)}"
            f" ({', '.join(lacking[:3])}), has {len(more)} more ({', '.join(more[:3])})"
        )


def build(folder, source=None, settings=ROOMS, smaller=1, listed=None):
    """Make what is missing of the benchmark; finished rooms stay.

    Args:
        folder: where everything goes.
        source: Library of all Sweet Home 3D models, needed the first time.
        settings: RoomConfig; its library is replaced by the benchmark's.
        smaller: divide the number of rooms by this, for a quick try.
        listed: as in held_out_library.

    Returns:
        (Library, room folders in order).
    """
    if smaller < 1:
        raise ValueError(f"smaller: got {smaller}, expected at least 1")
    folder = Path(folder).resolve()  # rooms remember the path of their library
    library = held_out_library(folder, source, listed)
    count = max(settings.rooms // smaller, 1)
    config = replace(settings, library=str(library.folder), rooms=count)
    folders, _ = make_rooms(config, folder / "rooms")
    return library, folders


def describe(library, folders, settings):
    """What the benchmark is made of, as plain values for the report."""
    sizes = asdict(settings)
    return {
        "models": len(library),
        "rooms": len(folders),
        "frames": len(folders) * settings.frames,
        "size": [settings.width, settings.height],
        "seed": settings.seed,
        "seconds_between_frames": 1 / settings.fps,
        "scales": [sizes["scale_low"], sizes["scale_high"]],
    }


def read_room(folder):
    """The dataset of a room folder."""
    return open_dataset(folder)
