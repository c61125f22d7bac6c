"""One simulated room: furnished, lit, with a camera path through it. All from one seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from roomcad_core.types import Placed
from roomcad_offline.rooms import path, scene, sensor, stacking
from roomcad_offline.rooms.layout import Furnisher
from roomcad_offline.rooms.layouts import build
from roomcad_offline.rooms.layouts import room as real_layouts
from roomcad_offline.rooms.plan import Plan, new_plan
from roomcad_offline.rooms.render import Renderer
from roomcad_offline.rooms.themes import THEMES
from roomcad_offline.rooms.writer import world_from_room

LAYOUTS = 30  # attempts to furnish a room that leaves floor to walk on
MIN_FLOOR = 0.6  # [m2] of it
PATHS = 4  # camera paths compared
PREVIEW = (36, 48)  # image shape (H, W) of their pictures
PREVIEWS = 40  # pictures looked at for a path, at most
BRIGHTNESS = 0.3  # mean linear colour after exposure
HIGHLIGHT = 1.2  # linear colour that 8 % of the picture may exceed


@dataclass(frozen=True)
class Room:
    """Everything needed to draw any frame of a room."""

    plan: Plan
    things: tuple  # stacking.Stood
    placed: tuple[Placed, ...]  # ground truth, ids 1..n
    renderer: Renderer
    K: np.ndarray
    T_world_room: np.ndarray
    poses: np.ndarray  # (frames, 4, 4) T_room_cam
    exposure: np.ndarray  # (frames,)
    sensor: sensor.Sensor
    layout: real_layouts.Furnished | None = None  # of rooms with a real layout


def make(config, number, library):
    """Room `number` of a config.

    Raises:
        ValueError: the library has no furniture that fits such a room, or config.layouts is no
            file of layouts.
    """
    rng = np.random.default_rng([config.seed, number])
    layout = None
    if config.layouts:
        layout = real_layouts.furnished(config, number, library, rng)
        plan, things, walk = layout.plan, layout.things, layout.walk
        drawn = build.scene(layout, rng)
    else:
        plan, things, walk = furnished(config, library, rng)
        drawn = scene.build(plan, things, config, rng)
    renderer = Renderer(drawn, config.shadows)
    K = intrinsics(config, rng)
    looks = layout.looks() if layout else ()
    poses = best_path(plan, walk, renderer, K, config, rng, looks)
    T_world_room = world_from_room(plan, rng)
    placed = tuple(
        Placed(k + 1, i.model.label, i.model.id, T_world_room @ i.T_room_obj, i.S, i.model.symmetry)
        for k, i in enumerate(plan.items)
    )
    exposure = exposures(renderer, poses, K, config, rng)
    camera = sensor.draw_sensor(config.sensor, rng)
    return Room(plan, things, placed, renderer, K, T_world_room, poses, exposure, camera, layout)


def furnished(config, library, rng):
    """A plan, the clutter in it and the free floor."""
    for _ in range(LAYOUTS):
        theme = config.theme if config.theme != "any" else str(rng.choice(sorted(THEMES)))
        plan = new_plan(theme, rng)
        furnisher = Furnisher(plan, library, config, rng)
        furnisher.furnish()
        if not plan.items:
            continue
        standing = [item.footprint for item in plan.items]
        stacker = stacking.Stacker(plan, [scene.item_mesh(i)[0] for i in plan.items], rng)
        stacker.monitors(furnisher)
        stacker.hang(furnisher)
        on_floor = stacking.on_floor(plan, config.clutter, rng)
        walk = path.Walk(plan, standing + [s.footprint for s in on_floor])
        if walk.area >= MIN_FLOOR:
            return plan, tuple(on_floor + stacker.things(config.clutter)), walk
    raise ValueError(
        f"no {config.theme} room with furniture and free floor in {LAYOUTS} attempts;"
        f" the library {config.library!r} has {sorted({m.label for m in library})}"
    )


def intrinsics(config, rng):
    """K (3, 3) of a camera like those of common depth sensors."""
    focal = (config.focal or rng.uniform(525, 580)) * config.width / 640
    centre = np.array([config.width - 1, config.height - 1]) / 2
    u, v = centre + rng.normal(0, 0.005, 2) * config.width
    return np.array([[focal, 0, u], [0, focal, v], [0, 0, 1]])


def preview_intrinsics(K, config):
    """K of the PREVIEW pictures; they show the middle of the view, square pixels kept."""
    factor = PREVIEW[1] / config.width
    return np.array(
        [
            [K[0, 0] * factor, 0, (PREVIEW[1] - 1) / 2],
            [0, K[1, 1] * factor, (PREVIEW[0] - 1) / 2],
            [0, 0, 1],
        ]
    )


def some(n):
    """At most PREVIEWS numbers spread over 0..n-1."""
    return np.unique(np.linspace(0, n - 1, min(n, PREVIEWS)).astype(int))


def best_path(plan, walk, renderer, K, config, rng, looks=()):
    """The one of a few camera paths that shows most furniture.

    `looks`: what else is looked at, as (x, y, z, radius) [m].
    """
    targets = [(*i.footprint.centre, i.bottom + i.S[1] / 2) for i in plan.items]
    targets = np.array(targets + [look[:3] for look in looks])
    radii = [np.hypot(i.S[0], i.S[2]) / 2 for i in plan.items]
    radii = np.array(radii + [look[3] for look in looks])
    paths = [path.camera_path(walk, targets, radii, config, rng) for _ in range(PATHS)]
    small = preview_intrinsics(K, config)
    scores = []
    for poses in paths:
        views = [renderer.view(poses[i], small, PREVIEW) for i in some(len(poses))]
        scores.append(path_score([v.instances for v in views], [v.depth for v in views]))
    return paths[int(np.argmax(scores))]


def path_score(instances, depths):
    """Share of furniture in the pictures, kinds of it, less what is too near to tell."""
    furniture = [(i > 0) & (i < scene.FIRST_CLUTTER) for i in instances]
    share = np.array([f.mean() for f in furniture])
    near = np.mean([(d < 0.6).mean() for d in depths])
    different = len(
        np.unique(np.concatenate([i[f] for i, f in zip(instances, furniture, strict=True)]))
    )
    return np.minimum(share, 0.4).mean() - (share < 0.05).mean() - near + 0.03 * different


def exposures(renderer, poses, K, config, rng):
    """(frames,) exposure as an automatic camera sets it: slow, and never quite right."""
    small, at = preview_intrinsics(K, config), some(len(poses))
    light = [renderer.view(poses[i], small, PREVIEW).light for i in at]
    mean = np.array([np.minimum(v, 1).mean() for v in light])
    bright = np.array([np.percentile(v, 92) for v in light])
    level = np.maximum(mean / BRIGHTNESS, bright / HIGHLIGHT)
    level = np.exp(0.6 * np.log(level) + 0.4 * np.log(level).mean())
    return rng.uniform(0.75, 1.2) / np.interp(np.arange(len(poses)), at, level)
