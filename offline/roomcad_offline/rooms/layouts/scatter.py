"""What layouts leave out: things on the floor, on tops and on walls."""

from __future__ import annotations

import numpy as np

from roomcad_offline.rooms import clutter
from roomcad_offline.rooms.footprint import Footprint, overlap
from roomcad_offline.rooms.layouts import kitchen, openings, props, wallthings
from roomcad_offline.rooms.stacking import TRIES, Stood

MOST_THINGS = 190  # pieces of clutter of a room
ON_FLOOR = (
    *(
        clutter.carton,
        clutter.plant,
        props.palm,
        props.palm,
        props.palm,
        clutter.floor_lamp,
        clutter.suitcase,
    ),
    *(clutter.basket, clutter.ball, props.bag, props.bag, props.shoes, props.shoes, props.heap),
    *(props.ottoman, props.bench, props.crate, props.towel, props.pillow),
)
ON_DESK = (
    *(clutter.laptop, props.keyboard, props.keyboard, props.papers, props.papers, clutter.books),
    *(clutter.books, clutter.cup, clutter.cup, clutter.bottle, props.desk_lamp),
    *(clutter.small_plant, clutter.table_lamp, props.bag),
)
ON_TABLE = (
    *(clutter.books, clutter.books, clutter.books, clutter.cup, clutter.cup, clutter.cup),
    *(clutter.bottle, clutter.bottle, clutter.bowl, clutter.laptop, clutter.laptop, props.papers),
    *(props.papers, props.keyboard, clutter.small_plant, clutter.table_lamp, clutter.carton),
    *(props.bag, props.towel),
)
ON_COUNTER = (
    *(props.microwave, props.kettle, clutter.bottle, clutter.bottle, clutter.cup, clutter.bowl),
    *(clutter.small_plant, props.towel, clutter.books),
)
ON_SOFT = (props.pillow, props.pillow, clutter.cushion, props.heap)
ON_TOP = {
    "desk": (ON_DESK, 6.0, 0.01),
    "table": (ON_TABLE, 4.5, 0.01),
    "counter": (ON_COUNTER, 5.0, 0.01),
    "cabinet": (ON_TABLE, 4.0, 0.01),
    "bookshelf": (ON_TABLE, 4.0, 0.01),
    "bed": (ON_SOFT, 1.0, 0.15),
    "sofa": (ON_SOFT, 1.2, 0.15),
}  # class: makers, how many to a square metre, flatness [m]


class Scatterer:
    """Fills what is free of a room."""

    def __init__(self, shell, plan, fixer, amount, rng):
        self.shell, self.plan, self.fixer = shell, plan, fixer
        self.amount, self.rng = amount, rng
        self.things, self.structure = [], []
        self.standing = [item.footprint for item in plan.items] + list(fixer.obstacles)
        self.on_floor = []  # Footprints of what was added and is in the way
        for number, holes in shell.holes.items():  # nothing stands before doors
            for start, end, low, _ in holes:
                if low == 0:
                    place = shell.walls[number].place((start + end) / 2, (end - start) / 2, 0.4)
                    self.standing.append(place)

    def free(self, place, margin=0.02):
        """True if a footprint lies on free floor."""
        taken = self.standing + self.on_floor
        return self.shell.inside(place) and not any(overlap(place, t, margin) for t in taken)

    def at_wall(self, half, gap, turn=0.0):
        """(number, along, Footprint) of free floor at a wall for (2,) half sizes; None if none."""
        built = self.shell.built()
        for _ in range(TRIES // 2):
            number, wall = built[self.rng.integers(len(built))]
            if wall.length < 2 * half[0] + 0.1:
                continue
            along = self.rng.uniform(half[0] + 0.03, wall.length - half[0] - 0.03)
            place = wall.place(along, half[0], half[1], gap, turn)
            if self.free(place):
                return number, along, place
        return None

    def floor(self):
        """Things along the walls and some in the way, rugs, cables."""
        area = self.shell.width * self.shell.depth
        for _ in range(min(self.rng.poisson(self.amount * (4 + 0.4 * area)), 35)):
            thing = ON_FLOOR[self.rng.integers(len(ON_FLOOR))](self.rng)
            turn = self.rng.uniform(-0.5, 0.5)
            reach = np.abs(np.sin(turn)) * thing.half[0] + np.cos(turn) * thing.half[1]
            gap = reach - thing.half[1] + abs(self.rng.normal(0, 0.3)) + 0.02
            found = self.at_wall(thing.half[:2], gap, turn)
            if found:
                self.add(Stood(thing, found[2], 0.0))
        for make, chance in ((props.rug, 0.45), (props.cable, 0.5), (props.papers, 0.2)):
            if self.rng.random() < chance * min(self.amount, 2.0):
                self.flat(make(self.rng))

    def add(self, stood):
        """A thing that is in the way on the floor."""
        self.things.append(stood)
        self.on_floor.append(stood.footprint)

    def flat(self, thing):
        """A thing so flat that furniture stands on it."""
        for _ in range(TRIES):
            x, y = self.rng.uniform(0.1, 0.9, 2) * (self.shell.width, self.shell.depth)
            yaw = self.rng.integers(4) * np.pi / 2 + self.rng.normal(0, 0.1)
            place = Footprint(float(x), float(y), float(yaw), *map(float, thing.half[:2]))
            if self.shell.inside(place):
                target = self.structure if thing.name == "rug" else self.things
                target.append(Stood(thing, place, 0.0))
                return

    def walls(self):
        """Radiators, pipes, columns, steps, coats, towels, shelves, posters on free walls."""
        rng, height = self.rng, self.shell.height
        self.radiators()
        for make, chance in ((wallthings.pipes, 0.3), (wallthings.column, 0.3)):
            if rng.random() < chance:
                self.stands(make(rng, height - 0.01), height)
        if rng.random() < 0.08:
            self.stands(wallthings.steps(rng), 0.8)
        kinds = {b.model.label for b in self.plan.items}
        bath = bool(kinds & {"toilet", "bathtub"})
        for make, chance, bottom in (
            (wallthings.coats, 0.3, rng.uniform(0.5, 0.7)),
            (wallthings.towels, 0.8 if bath else 0.1, rng.uniform(0.2, 0.7)),
        ):
            if rng.random() < chance * min(self.amount, 1.2):
                self.hang(make(rng), bottom, self.things)
        for _ in range(rng.poisson(1.5)):
            self.poster()
        if bath and rng.random() < 0.8 and "bathtub" not in kinds:
            self.cabin()

    def radiators(self):
        """A radiator below most windows that leave room for one."""
        for number, holes in self.shell.holes.items():
            for start, end, low, _ in holes:
                width = min(end - start, 1.6) * self.rng.uniform(0.7, 1.0)
                if low < 0.6 or self.rng.random() > 0.6:
                    continue
                place = self.shell.walls[number].place((start + end) / 2, width / 2, 0.08)
                if self.free(place, 0.0):
                    made = wallthings.radiator(self.rng, width)
                    self.structure.append(self.fixer.stand(made, place))
                    self.on_floor.append(place)

    def stands(self, thing, height):
        """Something fixed to the floor and a free wall."""
        points = np.concatenate([mesh.vertices for mesh, _ in thing.parts])
        half = np.array([thing.half[0], points[:, 1].max() / 2])
        found = self.at_wall(half, 0.0)
        if found is None:
            return
        number, along, place = found
        if self.fixer.clear(number, along - half[0], along + half[0], 0.0, height):
            self.structure.append(self.fixer.stand(thing, place))
            self.on_floor.append(place)
            self.fixer.hung.append((number, along - half[0], along + half[0], 0.0, height))

    def spot(self, half, low, high, deep=0.12):
        """(number, along) of a free part of a wall between two heights, or None."""
        built = self.shell.built()
        for _ in range(TRIES // 2):
            number, wall = built[self.rng.integers(len(built))]
            if wall.length < 2 * half + 0.2:
                continue
            along = self.rng.uniform(half + 0.1, wall.length - half - 0.1)
            strip = wall.place(along, half, deep)
            tall = [i.footprint for i in self.plan.items if i.top > low - 0.03 and i.bottom < high]
            tall += [o for o in self.fixer.obstacles + self.on_floor if low < 1.0]
            if any(overlap(strip, other) for other in tall):
                continue
            if self.fixer.clear(number, along - half, along + half, low, high):
                self.fixer.hung.append((number, along - half, along + half, low, high))
                return number, along
        return None

    def hang(self, thing, bottom, target):
        """A thing on a free part of a wall."""
        points = np.concatenate([mesh.vertices for mesh, _ in thing.parts])
        low, high = points[:, 2].min() + bottom, points[:, 2].max() + bottom
        found = self.spot(thing.half[0], low, high, points[:, 1].max() / 2)
        if found and high < self.shell.height:
            wall = self.shell.walls[found[0]]
            place = wall.place(found[1], *thing.half[:2], gap=-thing.half[1])
            target.append(Stood(thing, place, float(bottom)))

    def poster(self):
        """A picture, whiteboard, mirror or shelf that the layout does not have."""
        width, high = self.rng.uniform((0.2, 0.25), (0.9, 0.9))
        style = self.rng.random()
        if style < 0.15 and self.shell.height > 2.3:
            width, high = self.rng.uniform((1.0, 0.8), (2.2, 1.2))
            made = openings.whiteboard(self.rng, width, high)
        elif style < 0.25:
            made = openings.mirror(self.rng, width, high)
        elif style < 0.4:
            made = wallthings.wall_shelf(self.rng, width)
        else:
            made = openings.picture(self.rng, width, high)
        bottom = min(self.rng.uniform(1.0, 1.5), self.shell.height - high - 0.1)
        self.hang(made, bottom, self.structure)

    def cabin(self):
        """A shower cabin in a free corner."""
        side = self.rng.uniform(0.75, 1.0)
        for number, wall in self.shell.built():
            place = wall.place(side / 2, side / 2, side / 2)
            if self.shell.convex(number) and self.free(place, 0.0):
                made = kitchen.cabin(self.rng, side)
                self.structure.append(self.fixer.stand(made, place))
                self.on_floor.append(place)
                return

    def tops(self, stacker, labels):
        """Things on the tops of what stands; `labels`: class of each of the stacker's surfaces."""
        for k, label in enumerate(labels):
            if label not in ON_TOP:
                continue
            makers, density, flatness = ON_TOP[label]
            base = stacker.footprints[k]
            area = 4 * base.half_width * base.half_depth
            mean = self.amount * (1.0 + density * min(area, 1.8))
            self.things += stacker.stand(k, self.rng.poisson(mean), makers, flatness)
