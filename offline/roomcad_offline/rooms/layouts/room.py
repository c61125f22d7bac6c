"""One room with a real layout: which layout, what stands in it, and where one can walk."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

from roomcad_offline.rooms import path, scene, shapes, stacking
from roomcad_offline.rooms.layouts import build, builtin, cloth, cupboards, monitors, scatter
from roomcad_offline.rooms.layouts.fit import Fitter
from roomcad_offline.rooms.layouts.read import read_layouts
from roomcad_offline.rooms.layouts.shell import Shell, make_shell
from roomcad_offline.rooms.layouts.tidy import FEWEST, shifted, sort
from roomcad_offline.rooms.plan import Plan

TRIES = 60  # layouts looked at for a room
MIN_FLOOR = 0.5  # [m2] to walk on
BODY = 0.28  # [m] the camera keeps this far from things
STANDING = 0.25  # share of the rooms seen from a corner or a doorway
HEAD = 1.9  # [m] what hangs lower is in the way
LOOKED_AT = (
    "door",
    "window",
    "curtain",
    "counter",
    "whiteboard",
    "refrigerator",
    "closet",
    "shower",
)


@dataclass(frozen=True)
class Furnished:
    """A furnished room, ready to be drawn."""

    name: str  # of the real room
    plan: Plan
    shell: Shell
    structure: tuple  # stacking.Stood, numbered from build.FIRST_FIXED
    things: tuple  # stacking.Stood, numbered from scene.FIRST_CLUTTER
    lamps: tuple
    walk: path.FreeFloor
    ceiling: bool
    skipped: dict  # reason: layouts tried before

    def structures(self):
        """[(number, name)] of everything built in."""
        names = [stood.thing.name for stood in self.structure]
        return [*build.STRUCTURE.items(), *enumerate(names, build.FIRST_FIXED)]

    def looks(self):
        """[(x, y, z, radius)] of doors, windows, kitchens and the like, worth a look [m]."""
        stood = [s for s in (*self.structure, *self.things) if s.thing.name in LOOKED_AT]
        return [
            (*s.footprint.centre, s.bottom + s.thing.half[2] / 2, s.footprint.half_width)
            for s in stood
        ]


class Unfit(Exception):
    """A layout no room can be made of; says why in few words."""


def furnished(config, number, library, rng):
    """Furnished room `number` of a config: of a layout of its own, of others if that is unfit.

    Raises:
        FileNotFoundError, ValueError: config.layouts is no file of layouts, or none is fit.
    """
    layouts = read_layouts(config.layouts)
    order = np.random.default_rng([config.seed, len(layouts)]).permutation(len(layouts))
    skipped = Counter()
    for attempt in range(TRIES):
        pick = order[number % len(layouts)] if attempt == 0 else rng.integers(len(layouts))
        layout = layouts[pick]
        try:
            return furnish(layout, config, library, dict(skipped), rng)
        except Unfit as reason:
            skipped[str(reason)] += 1
    reasons = ", ".join(f"{n} with {reason}" for reason, n in skipped.items())
    raise ValueError(f"{config.layouts}: none of {TRIES} layouts makes a room: {reasons}")


def furnish(layout, config, library, skipped, rng):
    """Furnished room of one layout.

    Raises:
        Unfit: it has too little furniture or leaves no floor to walk on.
    """
    if layout.furniture() < FEWEST:
        raise Unfit("fewer than two pieces of furniture")
    shell, shift = make_shell(layout.boxes, rng)
    boxes = sort(shifted(layout.boxes, shift), rng)
    plan = Plan(shell.width, shell.depth, shell.height, "layout")
    fitter = Fitter(shell, library, rng)
    items = [fitter.item(box, boxes.furniture) for box in boxes.furniture]
    plan.items += [item for item in items if item is not None and item.top < shell.height]
    if len(plan.items) < FEWEST:
        raise Unfit("too little furniture that can stand")
    fixer = builtin.build(shell, boxes, plan.items, rng)
    if walk(plan, shell, fixer.obstacles).area < MIN_FLOOR:
        raise Unfit("no free floor")
    plan.items += cupboards.over_counters(fixer, fitter, plan.items, rng)
    lights, lamps = build.lamps(shell, rng)
    things, structure, in_the_way = scattered(plan, shell, fixer, fitter, config, rng)
    floor = walk(plan, shell, fixer.obstacles + in_the_way)
    if floor.area < MIN_FLOOR:
        raise Unfit("no free floor")
    ceiling = config.ceiling and rng.random() < 0.85
    fixtures = (*fixer.structure, *structure, *(lamps if ceiling else ()))
    floor = viewpoint(floor, shell, rng)
    parts = (layout.scene, plan, shell, fixtures, things, lights, floor, ceiling, skipped)
    return Furnished(*parts)


def walk(plan, shell, obstacles):
    """Free floor between everything that stands."""
    standing = [item.footprint for item in plan.items if item.bottom < HEAD]
    # Smoothed ways cut corners: round the end of a thin wall they need more room.
    outside = shell.cuts + [replace(p, half_depth=0.3) for p in shell.partitions]
    return path.Walk(plan, standing + list(obstacles) + outside, BODY)


def scattered(plan, shell, fixer, fitter, config, rng):
    """Clutter and structure that no box tells of, and the Footprints of what is in the way."""
    scatterer = scatter.Scatterer(shell, plan, fixer, config.clutter, rng)
    scatterer.walls()
    scatterer.floor()
    meshes = [scene.item_mesh(item)[0] for item in plan.items]
    places = [item.footprint for item in plan.items]
    labels = [item.model.label for item in plan.items]
    for stood, place in fixer.counters:
        meshes.append(posed(stood))
        places.append(place)
        labels.append("counter")
    meshes += [posed(stood) for stood in fixer.things]  # in the way of things
    stacker = stacking.Stacker(plan, meshes, rng, places)
    models, standing = fitter.models.get("monitor", ()), list(plan.items)
    plan.items += monitors.on_furniture(standing, stacker, models, rng)
    plan.items += monitors.on_wall(scatterer, models, rng)
    size = shell.width, shell.depth
    scatterer.things += cloth.over_furniture(standing, stacker.caster, size, config.clutter, rng)
    scatterer.tops(stacker, labels)
    built_in = tuple(fixer.things)
    loose = scatterer.things
    if len(loose) > scatter.MOST_THINGS:
        keep = np.sort(rng.choice(len(loose), scatter.MOST_THINGS, replace=False))
        loose = [loose[k] for k in keep]
    return (*built_in, *loose), scatterer.structure, scatterer.on_floor


def posed(stood):
    """Room-frame Mesh of all parts of a Stood."""
    fp = stood.footprint
    whole = shapes.merged([mesh for mesh, _ in stood.thing.parts])
    return shapes.moved(whole, (fp.x, fp.y, stood.bottom), fp.yaw)


def viewpoint(floor, shell, rng):
    """The floor to walk on, for some rooms only a corner or a doorway of it."""
    if rng.random() >= STANDING:
        return floor
    doors = [
        shell.walls[number].place((start + end) / 2, 0.0, 0.2).centre
        for number, holes in shell.holes.items()
        for start, end, low, _ in holes
        if low == 0
    ]
    corners = [wall.start for _, wall in shell.built()]
    spots = doors if doors and rng.random() < 0.5 else corners
    return Stand(floor, spots[rng.integers(len(spots))])


class Stand:
    """A stretch of floor near a spot: the camera stands there and looks about."""

    def __init__(self, floor, spot):
        self.floor, self.area = floor, floor.area
        middles = (floor.cells + 0.5) * path.CELL + floor.origin
        self.near = np.argsort(np.linalg.norm(middles - spot, axis=1))[:12]

    def wander(self, length, rng):
        """(N, 2) positions of a step or two; what is left of `length` is spent standing."""
        start, goal = self.near[0], self.near[rng.integers(1, len(self.near))]
        return self.floor.route(int(start), int(goal))
