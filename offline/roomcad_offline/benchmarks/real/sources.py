"""Finds the rooms with truth below folders: recordings, scans, simulated rooms."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from roomcad_core.datasets.simulated import ROOM_FILE
from roomcad_offline.scannet.frames import KINDS as TRUTHS
from roomcad_offline.scannet.scan import is_scan
from roomcad_offline.scans.config import ScanConfig
from roomcad_offline.scans.make import SCAN_FILE, NotWalkable, render_scan

log = logging.getLogger(__name__)

KINDS = ("recording", "scan", "simulated")  # in the order of the tables: the real ones first
SCAN_OF_PLACE = re.compile(r"(scene\d{4})_\d{2}")  # ScanNet: the same place, scanned again
DEEPEST = 3  # folders below the one named


@dataclass(frozen=True)
class Source:
    """A room on disk; `name` is that of its folder."""

    name: str
    kind: str  # one of KINDS
    folder: Path


def find_sources(paths: Iterable[Path], rendered: Path, config: ScanConfig) -> list[Source]:
    """All rooms with truth at or below `paths`, by kind and name; scans are rendered first.

    Args:
        rendered: folder that gets the frames of scans; what is there already stays.
        config: how scans are rendered.

    Raises:
        FileNotFoundError: a path is not there. ValueError: no room, or two of one name.
    """
    from tqdm import tqdm

    folders = room_folders(paths)
    scans = [folder for folder in folders if is_scan(folder)]
    found = [source for f in folders if f not in scans if (source := source_of(f))]
    with tqdm(total=len(scans) * config.frames, unit="frame", desc="scans",
              disable=not scans) as bar:  # fmt: skip
        found += [s for f in scans if (s := _rendered(f, rendered, config, bar.update))]
    found.sort(key=lambda s: (KINDS.index(s.kind), s.name))
    if not found:
        raise ValueError(f"{', '.join(map(str, paths))}: no room with truth here or below")
    names = [s.name for s in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"{', '.join(twice)}: found more than once; their results would mix")
    return found


def counts(sources: Iterable[Source]) -> dict[str, int]:
    """{kind: number} of Sources."""
    kinds = [source.kind for source in sources]
    return {kind: kinds.count(kind) for kind in KINDS if kind in kinds}


def place_of(name: str) -> str:
    """The place of a room by its name: scans of one place are not independent of each other."""
    match = SCAN_OF_PLACE.fullmatch(name)
    return match[1] if match else name


def room_folders(paths: Iterable[Path]) -> list[Path]:
    """Folders of rooms, scans among them, at or below `paths`; FileNotFoundError names a path."""
    paths = [Path(path) for path in paths]
    if missing := [str(path) for path in paths if not path.is_dir()]:
        raise FileNotFoundError(f"{', '.join(missing)}: no such folder")
    return [folder for path in paths for folder in _rooms_below(path, 0)]


def _rooms_below(path, depth):
    """Folders of rooms: this one, or else those below it."""
    is_frames = (path / "color").is_dir() and (path / "depth").is_dir()
    if is_frames or is_scan(path):
        return [path]
    if depth == DEEPEST:
        return []
    folders = sorted(p for p in path.iterdir() if p.is_dir() and not p.name.startswith("."))
    return [room for folder in folders for room in _rooms_below(folder, depth + 1)]


def source_of(path: Path) -> Source | None:
    """The Source of a folder of frames; None, with a warning, where it has no truth."""
    if (path / ROOM_FILE).is_file():
        return Source(path.name, "simulated", path)
    if (path / SCAN_FILE).is_file():
        return Source(path.name, "scan", path)
    return _recording(path)


def _rendered(path, rendered, config, done):
    """The Source of a scan's frames; None, with a warning, where no camera can stand in it."""
    try:
        folder = render_scan(config, path, rendered, done)
    except NotWalkable as error:
        log.warning("%s: left out: %s", path, error)
        done(config.frames)
        return None
    return Source(folder.name, "scan", folder)


def _recording(path):
    if any(truth.found_at(path) for truth in TRUTHS):
        return Source(path.resolve().name, "recording", path)
    looked_for = "; ".join(truth.LOOKS_FOR for truth in TRUTHS)
    log.warning("%s: left out: frames without truth. Looked for %s", path, looked_for)
    return None
