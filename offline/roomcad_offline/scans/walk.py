"""Camera paths through a scan: on free floor, at a robot's or a head's height."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from roomcad_offline.rooms import path
from roomcad_offline.rooms.room import PATHS, PREVIEW, path_score, preview_intrinsics, some
from roomcad_offline.scannet.boxes import Box
from roomcad_offline.scannet.scan import Scan
from roomcad_offline.scans.config import ScanConfig
from roomcad_offline.scans.floor import floor_plane, free_floor
from roomcad_offline.scans.render import ScanRenderer


def best_path(
    scan: Scan,
    things: Sequence[Box],
    renderer: ScanRenderer,
    K: np.ndarray,
    config: ScanConfig,
    rng: np.random.Generator,
) -> np.ndarray:
    """The one of a few paths that shows most furniture: (frames, 4, 4) T_world_cam.

    Raises:
        ValueError: the scan has no free floor, or nothing to look at.
    """
    plane = floor_plane(scan)
    floor = free_floor(scan, plane)
    targets, radii = goals(scan.name, things)
    config = replace(config, viewpoint=viewpoint(config, rng))
    paths = [path.camera_path(floor, targets, radii, config, rng) for _ in range(PATHS)]
    for poses in paths:
        poses[:, 2, 3] += poses[:, :2, 3] @ plane[:2] + plane[2]
    scores = [score(scan, renderer, poses, preview_intrinsics(K, config)) for poses in paths]
    return paths[int(np.argmax(scores))]


def viewpoint(config: ScanConfig, rng: np.random.Generator) -> str:
    """The viewpoint of all paths: were each to draw its own, the one that sees more would win."""
    if config.viewpoint in path.HEIGHTS:
        return config.viewpoint
    return str(rng.choice(sorted(path.HEIGHTS)))


def goals(name: str, things: Sequence[Box]) -> tuple[np.ndarray, np.ndarray]:
    """Centres (M, 3) and reach (M,) [m] of what is looked at: furniture, else everything."""
    furniture = [b for b in things if b.category.kind in ("furniture", "other furniture")]
    chosen = furniture or list(things)
    if not chosen:
        raise ValueError(f"{name}: nothing to look at: got 0 annotated things")
    centers = np.array([b.center for b in chosen])
    return centers, np.array([np.hypot(*b.size[:2]) / 2 for b in chosen])


def score(scan: Scan, renderer: ScanRenderer, poses: np.ndarray, K: np.ndarray) -> float:
    """rooms.room.path_score of a path; holes of the scan count like what is too near."""
    ours = np.zeros(int(scan.instance.max(initial=0)) + 1, bool)
    ours[[k for k, c in scan.objects.items() if c.is_furniture]] = True
    views = [renderer.view(poses[i], K, PREVIEW) for i in some(len(poses))]
    return path_score([v.instances * ours[v.instances] for v in views], [v.depth for v in views])
