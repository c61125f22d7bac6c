"""Rendered scans on disk; what is already there is kept, what is unfinished completed."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import zlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from roomcad_offline.rooms import sensor, writer
from roomcad_offline.rooms.make import is_same
from roomcad_offline.rooms.room import intrinsics
from roomcad_offline.scannet import boxes as box_files
from roomcad_offline.scannet.categories import writable_id
from roomcad_offline.scannet.scan import Scan, boxes, is_scan, read_scan
from roomcad_offline.scans.config import ScanConfig
from roomcad_offline.scans.render import ScanRenderer, without_gaps
from roomcad_offline.scans.walk import best_path

log = logging.getLogger(__name__)

VERSION = 2
FOLDERS = ("color", "depth", "pose", "intrinsic", "instance-filt", "label-filt")
SCAN_FILE = "scan.json"


@dataclass(frozen=True)
class Shot:
    """Everything needed to draw any frame of a scan."""

    scan: Scan
    renderer: ScanRenderer
    K: np.ndarray
    poses: np.ndarray  # (frames, 4, 4) T_world_cam, the world being the aligned frame
    camera: sensor.Sensor | None  # None: no noise
    label_ids: np.ndarray  # raw ScanNet id of every instance number


def find_scans(path: str | Path) -> list[Path]:
    """`path` itself if it is a scan folder, else the scan folders in it."""
    path = Path(path)
    if not path.is_dir():
        raise FileNotFoundError(f"{path}: no such folder")
    scans = [path] if is_scan(path) else [p for p in sorted(path.iterdir()) if is_scan(p)]
    if not scans:
        raise ValueError(f"{path}: no scan here. Looked for SCENE/SCENE_vh_clean_2.ply")
    return scans


def render_scans(
    config: ScanConfig, scans: list[Path], out: str | Path
) -> tuple[list[Path], list[str]]:
    """Render all scans below folder `out`.

    Returns:
        Their folders, and why the others were skipped.

    Raises:
        ValueError: a folder holds frames made with other settings, or a scan is damaged.
    """
    from tqdm import tqdm

    folders, skipped = [], []
    with tqdm(total=len(scans) * config.frames, unit="frame", desc="scans") as bar:
        for folder in scans:
            try:
                folders.append(render_scan(config, folder, out, bar.update))
            except NotWalkable as error:
                skipped.append(str(error))
                bar.update(config.frames)
    if skipped:
        log.warning("%d of %d scans skipped: %s", len(skipped), len(scans), "; ".join(skipped))
    return folders, skipped


class NotWalkable(ValueError):
    """A sound scan that no camera can walk through."""


def render_scan(
    config: ScanConfig,
    source: Path,
    out: str | Path,
    done: Callable[[int], object] = lambda frames: None,
) -> Path:
    """Render one scan as folder out/SCENE; `done` is called with the number of frames finished.

    An interrupted one lies in SCENE.part and is continued.

    Raises:
        NotWalkable: no free floor, or nothing to look at.
    """
    scan = read_scan(source)
    folder, part = Path(out) / scan.name, Path(out) / f"{scan.name}.part"
    wanted = identity(config, scan)
    if folder.exists():
        check_same(folder / SCAN_FILE, wanted)
        done(config.frames)
        return folder
    if part.exists() and not is_same(part / SCAN_FILE, wanted):
        shutil.rmtree(part)
    shot = prepare(config, scan)
    begin(part, shot, wanted)
    write_frames(shot, config, part, done)
    part.rename(folder)
    return folder


def identity(config: ScanConfig, scan: Scan) -> dict:
    """What decides the content of a folder: scan and configuration."""
    digest = hashlib.sha256()
    for array in (scan.vertices, scan.faces, scan.colors, scan.instance):
        digest.update(np.ascontiguousarray(array).tobytes())
    digest.update(repr(sorted((k, c.name) for k, c in scan.objects.items())).encode())
    return {
        "version": VERSION,
        "scan": scan.name,
        "config": asdict(config),
        "scan_sha256": digest.hexdigest(),
    }


def check_same(path: Path, wanted: dict) -> None:
    """Raise ValueError, naming what differs, unless a scan.json has that identity."""
    if is_same(path, wanted):
        return
    try:
        got = json.loads(path.read_text())
        flat = {**got, **got["config"]}
    except (OSError, ValueError, TypeError, KeyError):
        raise ValueError(f"{path.parent}: exists, but is no rendered scan ({path.name})") from None
    asked = {**wanted, **wanted["config"]}
    differs = [
        f"{key} {flat.get(key)!r}, asked {value!r}"
        for key, value in asked.items()
        if key != "config" and flat.get(key) != value
    ]
    raise ValueError(f"{path.parent}: was made with other settings: {'; '.join(differs)}")


def prepare(config: ScanConfig, scan: Scan) -> Shot:
    """Camera, path and renderer of a scan; the same for the same config and name."""
    rng = np.random.default_rng([config.seed, _number(scan)])
    K = intrinsics(config, rng)
    camera = None if config.sensor == "none" else sensor.draw_sensor(config.sensor, rng)
    renderer = ScanRenderer(scan, config.holes)
    try:
        poses = best_path(scan, boxes(scan), renderer, K, config, rng)
    except ValueError as error:
        raise NotWalkable(str(error)) from None
    label_ids = np.zeros(int(scan.instance.max(initial=0)) + 1, np.uint16)
    for number, category in scan.objects.items():
        label_ids[number] = writable_id(category)
    return Shot(scan, renderer, K, poses, camera, label_ids)


def begin(part: Path, shot: Shot, wanted: dict) -> None:
    """Write everything but the frames."""
    for sub in FOLDERS:
        (part / sub).mkdir(parents=True, exist_ok=True)
    writer.write_intrinsics(part, shot.K)
    writer.write_json(part / "boxes.json", box_files.as_dict(boxes(shot.scan), np.eye(4)))
    more = {
        "fps": wanted["config"]["fps"],
        "sensor": asdict(shot.camera) if shot.camera else None,
        "T_aligned_raw": shot.scan.T_aligned_raw.tolist(),
    }
    writer.write_json(part / SCAN_FILE, {**wanted, **more})


def write_frames(shot: Shot, config: ScanConfig, part: Path, done: Callable) -> None:
    """Draw and write the frames that are missing."""
    for k in range(config.frames):
        if not (part / "pose" / f"{k}.txt").exists():
            color, depth, instances = draw(shot, config, k)
            labels = shot.label_ids[instances]
            writer.write_frame(part, k, color, depth, instances, shot.poses[k], labels)
        done(1)


def draw(shot: Shot, config: ScanConfig, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Frame k: colour, depth [m], instances."""
    rng = np.random.default_rng([config.seed, _number(shot.scan), k, 1])
    view = shot.renderer.view(shot.poses[k], shot.K, (config.height, config.width))
    depth = view.depth
    if shot.camera:
        whole = replace(view, depth=without_gaps(view.depth))
        depth = np.where(view.depth > 0, sensor.measure(whole, shot.camera, rng), 0)
    camera = shot.camera.color if shot.camera else None
    color = sensor.develop(view.light, 1.0, camera, rng, k / config.fps)
    return color, depth, view.instances


def _number(scan):
    """A number for a scan's name, the same on every machine."""
    return zlib.crc32(scan.name.encode())
