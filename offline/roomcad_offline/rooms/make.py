"""Makes simulated rooms on disk; what is already there is kept, what is unfinished completed."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

import numpy as np

from roomcad_core.library import Library
from roomcad_offline.rooms import room as rooms
from roomcad_offline.rooms import sensor, writer
from roomcad_offline.rooms.layouts.build import WALL
from roomcad_offline.rooms.scene import FIRST_CLUTTER

VERSION = 2
WORKERS = 2  # frames drawn at a time; the arithmetic runs outside the interpreter lock


def make_rooms(config, out):
    """Make all rooms of a config below folder `out`.

    Returns:
        Their folders, and the frames per second reached (0 where everything was there already).

    Raises:
        ValueError: a folder holds a room made with another config, or the library is unfit.
    """
    from tqdm import tqdm

    library = Library.load(config.library)
    folders, frames, seconds = [], 0, 0.0
    with tqdm(total=config.rooms * config.frames, unit="frame", desc="rooms") as bar:
        for number in range(config.rooms):
            start = time.perf_counter()
            folder, made = make_room(config, number, out, library, bar.update)
            folders.append(folder)
            frames += made
            seconds += time.perf_counter() - start if made else 0.0
    return folders, frames / seconds if frames else 0.0


def make_room(config, number, out, library=None, done=lambda frames: None):
    """Make room `number` of a config as folder out/roomNNNN.

    `done` is called with the number of frames finished. An interrupted room lies in
    roomNNNN.part and is continued.

    Returns:
        (folder, number of frames made now).
    """
    name = f"room{number:04d}"
    folder, part = Path(out) / name, Path(out) / f"{name}.part"
    library = library or Library.load(config.library)
    wanted = identity(config, number, library)
    if folder.exists():
        check_same(folder / "room.json", wanted)
        done(config.frames)
        return folder, 0
    if part.exists() and not is_same(part / "room.json", wanted):
        shutil.rmtree(part)
    room = rooms.make(config, number, library)
    begin(part, name, room, wanted)
    made = write_frames(room, config, number, part, done)
    part.rename(folder)
    return folder, made


def identity(config, number, library):
    """What decides the content of a room: configuration, number, library."""
    settings = asdict(config)
    del settings["rooms"]  # a set may grow later
    layouts = settings.pop("layouts")
    digest = hashlib.sha256()
    for model in library:
        digest.update(f"{model.id} {model.size.tolist()} {model.symmetry}\n".encode())
        digest.update(model.points[:64].tobytes())  # enough to notice another shape
    about = {
        "version": VERSION,
        "room": number,
        "config": settings,
        "library_sha256": digest.hexdigest(),
    }
    if layouts:  # the file may lie elsewhere next time
        about["layouts_sha256"] = hashlib.sha256(Path(layouts).read_bytes()).hexdigest()
    return about


def is_same(path, wanted):
    """True if a room.json was written for the same identity."""
    try:
        got = json.loads(path.read_text())
    except (OSError, ValueError):
        return False
    return isinstance(got, dict) and all(got.get(k) == v for k, v in wanted.items())


def check_same(path, wanted):
    """Raise ValueError, naming what differs, unless room.json has that identity."""
    if is_same(path, wanted):
        return
    if not path.is_file():
        raise ValueError(f"{path.parent}: exists, but is no simulated room (no room.json)")
    try:
        got = json.loads(path.read_text())
        settings = {**got, **got["config"]}
    except (ValueError, TypeError, KeyError):
        raise ValueError(f"{path}: not a description of a simulated room") from None
    flat = {**wanted, **wanted["config"]}
    differs = [
        f"{key} {settings.get(key)!r}, asked {value!r}"
        for key, value in flat.items()
        if key != "config" and settings.get(key) != value
    ]
    raise ValueError(f"{path.parent}: was made with other settings: {'; '.join(differs)}")


def begin(part, name, room, wanted):
    """Write everything but the frames."""
    for sub in (*writer.FOLDERS, *((writer.STRUCTURE,) if room.layout else ())):
        (part / sub).mkdir(parents=True, exist_ok=True)
    writer.write_intrinsics(part, room.K)
    middle = np.array([room.plan.width / 2, room.plan.depth / 2, 0, 1])
    writer.write_truth(part, name, room.placed, (room.T_world_room @ middle)[:3])
    writer.write_json(part / "room.json", {**wanted, **description(room, wanted["config"])})


def description(room, settings):
    """The rest of room.json: names of all instances, the sensor, the stamps."""
    about = {
        "theme": room.plan.theme,
        "size": [room.plan.width, room.plan.depth, room.plan.height],
        "fps": settings["fps"],
        "objects": [{"id": p.id, "label": p.label, "cad_id": p.cad_id} for p in room.placed],
        "clutter": [
            {"id": FIRST_CLUTTER + k, "name": stood.thing.name}
            for k, stood in enumerate(room.things)
        ],
        "sensor": asdict(room.sensor) if settings["noise"] else None,
        "T_world_room": room.T_world_room.tolist(),
    }
    if room.layout:
        about["layout"] = room.layout.name
        about["skipped"] = room.layout.skipped
        about["structure"] = [{"id": k, "name": name} for k, name in room.layout.structures()]
    return about


def skipped_layouts(folders):
    """{reason: number} of the layouts that the rooms in those folders could not be made of."""
    total = Counter()
    for folder in folders:
        total.update(json.loads((folder / "room.json").read_text()).get("skipped", {}))
    return dict(total)


def write_frames(room, config, number, part, done):
    """Draw and write the frames that are missing; returns their number."""
    missing = [k for k in range(config.frames) if not (part / "pose" / f"{k}.txt").exists()]
    if len(missing) < config.frames:
        done(config.frames - len(missing))

    def make(k):
        color, depth, instances, T_world_cam = draw(room, config, number, k)
        structure = None
        if room.layout:
            structure = np.where(instances >= WALL, instances, 0).astype(np.uint16)
            instances = np.where(instances >= WALL, 0, instances).astype(np.uint16)
        writer.write_frame(part, k, color, depth, instances, T_world_cam, structure=structure)

    with ThreadPoolExecutor(WORKERS) as pool:
        jobs = [pool.submit(make, k) for k in missing]
        try:
            for job in jobs:
                job.result()
                done(1)
        except BaseException:
            pool.shutdown(cancel_futures=True)  # what is missing is made by the next call
            raise
    return len(missing)


def draw(room, config, number, k):
    """Frame k: colour, depth [m], instances, T_world_cam."""
    rng = np.random.default_rng([config.seed, number, k, 1])
    view = room.renderer.view(room.poses[k], room.K, (config.height, config.width))
    depth = sensor.measure(view, room.sensor, rng) if config.noise else view.depth
    camera = room.sensor.color if config.noise else None
    color = sensor.develop(view.light, room.exposure[k], camera, rng, k / config.fps)
    return color, depth, view.instances, room.T_world_room @ room.poses[k]
