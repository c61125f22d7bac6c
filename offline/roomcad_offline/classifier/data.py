"""Makes all training and test data of the deployed classifier in one folder; finished parts stay.

FOLDER/cad/{scans,rooms,val,sweethome3d}   CAD libraries
FOLDER/rooms/{generated,sweethome3d,val,test}   simulated rooms
FOLDER/samples/{modelnet,scans,fused,rooms}.npz   training samples
"""

import json
import logging
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from roomcad_core.library import Library
from roomcad_core.library_build.build import build
from roomcad_offline.classifier.fused import fused_rows
from roomcad_offline.classifier.room_crops import room_crops, sample_rows
from roomcad_offline.classifier.samples import Samples, collect
from roomcad_offline.classifier.scans import scans
from roomcad_offline.classifier.sources import class_radii, modelnet_samples
from roomcad_offline.rooms.config import RoomConfig
from roomcad_offline.rooms.make import make_rooms
from roomcad_offline.scan_gap.clouds import data_folder
from roomcad_offline.scan_gap.modelnet import read_cache

log = logging.getLogger(__name__)

# Seeds differ everywhere: no model and no room of validation or test is trained on.
LIBRARIES = {"scans": "builtin:2002:1980", "rooms": "builtin:1001:660", "val": "builtin:3003:264"}
# The camera moves far between two frames. Training rooms are small pictures: many of them.
WIDE = {"fps": 0.6, "shadows": False}
SMALL = {"width": 320, "height": 240, **WIDE}
ROOMS = {  # name -> library and RoomConfig fields; test rooms are of the built-in library
    "generated": ("rooms", {"rooms": 280, "frames": 10, "seed": 5001, **SMALL}),
    "sweethome3d": ("sweethome3d", {"rooms": 150, "frames": 10, "seed": 5002, **SMALL}),
    "val": ("val", {"rooms": 60, "frames": 8, "seed": 7001, **WIDE}),
    "test": ("", {"rooms": 30, "frames": 8, "seed": 9001, **WIDE}),
}
SCANS = {"scans": (2, 12), "sweethome3d": (6, 11)}  # library -> scans a model, seed


@dataclass(frozen=True)
class TrainingData:
    """What train() needs."""

    sources: dict[str, Samples]
    radii: dict  # class index -> radii [m]


def build_data(folder, modelnet=None, sweethome3d=None, smaller=1):
    """Make what is missing in `folder` and return its TrainingData.

    Args:
        folder: where everything goes.
        modelnet: npz cache of ModelNet40's training split; None = the data folder's.
        sweethome3d: the Sweet Home 3D packages (see `roomcad library build`); None = installed
            ones. Where there are none, a warning says so and the rest is made.
        smaller: divide all numbers of models and rooms by this, for a quick try.
    """
    folder = Path(folder)
    libraries = make_libraries(folder / "cad", sweethome3d, smaller)
    for name in ROOMS:
        make_room_set(folder, name, libraries, smaller)
    modelnet = modelnet or data_folder() / "modelnet40_train.npz"
    sources = {
        "modelnet": once(folder, "modelnet", lambda: modelnet_samples(read_cache(modelnet))),
        "scans": once(folder, "scans", lambda: collect(all_scans(libraries))),
        "fused": once(folder, "fused", lambda: collect(all_fused(folder))),
        "rooms": once(folder, "rooms", lambda: collect(all_crops(folder))),
    }
    # The benchmarks of alignment are furnished with these models: nothing is trained on them.
    held_out = [m.id for m in libraries.get("sweethome3d", ()) if m.split == "bench"]
    sources = {name: samples.without(held_out) for name, samples in sources.items()}
    models = [m for name in ("rooms", "sweethome3d") if name in libraries for m in libraries[name]]
    return TrainingData(sources, class_radii([m for m in models if m.id not in held_out]))


def make_libraries(folder, sweethome3d, smaller):
    """{name: Library}, built where missing."""
    sources = {name: shrunk(source, smaller) for name, source in LIBRARIES.items()}
    sources["sweethome3d"] = f"sweethome3d:{sweethome3d}" if sweethome3d else "sweethome3d"
    libraries = {}
    for name, source in sources.items():
        path = folder / name
        try:
            if not (path / "library.json").exists():
                build(source, path, overwrite=True)
        except (FileNotFoundError, ValueError) as error:
            if name != "sweethome3d":
                raise
            log.warning("training without Sweet Home 3D models: %s", error)
            continue
        libraries[name] = Library.load(path)
    return libraries


def shrunk(source, smaller):
    """builtin:SEED:COUNT with a smaller COUNT, one model of every style at least."""
    name, seed, count = source.split(":")
    return f"{name}:{seed}:{max(int(count) // smaller, 66)}"


def make_room_set(folder, name, libraries, smaller):
    """Simulate the rooms of a set whose library is there."""
    library, settings = ROOMS[name]
    if library and library not in libraries:
        return
    path = str(folder / "cad" / library) if library else ""
    settings = {**settings, "rooms": max(settings["rooms"] // smaller, 1)}
    make_rooms(RoomConfig(library=path, **settings), folder / "rooms" / name)


def room_folders(folder, name):
    """The finished rooms of a set, in order."""
    found = sorted((Path(folder) / "rooms" / name).glob("room[0-9]*"))
    return [path for path in found if path.suffix != ".part"]


def all_scans(libraries):
    """Rows of virtual scans of every library that is scanned."""
    for name, (n_each, seed) in SCANS.items():
        if name in libraries:
            total = n_each * len(libraries[name])
            yield from tqdm(scans(libraries[name], n_each, seed), f"scans {name}", total)


def all_crops(folder):
    """Rows of the crops of all training rooms."""
    for name, folders, library in training_rooms(folder):
        yield from sample_rows(room_crops(tqdm(folders, f"crops {name}", unit="room"), library))


def all_fused(folder):
    """Rows of the furniture of all training rooms in fused scans."""
    for name, folders, library in training_rooms(folder):
        yield from fused_rows(tqdm(folders, f"fused {name}", unit="room"), library)


def training_rooms(folder):
    """Yield name, folders and Library of the sets of rooms that are trained on."""
    for name in ("generated", "sweethome3d"):
        folders = room_folders(folder, name)
        if folders:
            yield name, folders, room_library(folders[0])


def room_library(room):
    """The Library that a simulated room was furnished from, as its room.json says."""
    return Library.load(json.loads((Path(room) / "room.json").read_text())["config"]["library"])


def once(folder, name, make):
    """Samples `name`, made and saved unless they are on disk."""
    path = folder / "samples" / f"{name}.npz"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        make().save(path)
    return Samples.load(path)
