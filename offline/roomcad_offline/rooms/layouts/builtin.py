"""Builds what the boxes of a layout say of counters, sinks, refrigerators and other furniture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from roomcad_offline.rooms.footprint import Footprint, overlap
from roomcad_offline.rooms.layouts import kitchen, openings, props
from roomcad_offline.rooms.layouts.cupboards import over_wall
from roomcad_offline.rooms.layouts.fixed import Fixer
from roomcad_offline.rooms.layouts.tidy import COUNTER
from roomcad_offline.rooms.stacking import Stood

HOOD = 1.55  # [m] height of the lower edge of a range hood


class BuiltIn:
    """Adds to what a Fixer has collected."""

    def __init__(self, fixer):
        self.fixer, self.shell, self.rng = fixer, fixer.shell, fixer.rng

    def backed(self, box, deepest):
        """(number or None, Footprint) of something with its back to the nearest wall."""
        found = self.fixer.attach(box)
        if found is None:
            axis = int(np.argmin(box.size[:2]))
            half = float(box.size[1 - axis] / 2), float(min(box.size[axis], deepest) / 2)
            x, y = map(float, box.centre[:2])
            return None, Footprint(x, y, (1 - axis) * np.pi / 2, *half)
        number, along, _ = found
        wall = self.shell.walls[number]
        wide = min(abs(box.size[:2]) @ abs(wall.along), wall.length - 0.02)
        deep = min(abs(box.size[:2]) @ abs(wall.inward), deepest)
        along = float(np.clip(along, wide / 2 + 0.01, wall.length - wide / 2 - 0.01))
        return number, wall.place(along, wide / 2, deep / 2)

    def counter(self, box, sinks):
        """A counter; two of them where the box is that of an L."""
        boxes = [box]
        if min(box.size[:2]) > 1.05:
            boxes = [_leg(box, 0, self.shell), _leg(box, 1, self.shell)]
        for part in boxes:
            number, place = self.backed(part, 0.7)
            deep = max(place.half_depth, 0.25)
            if number is not None:
                x, y = place.at(0, deep - place.half_depth)
                place = Footprint(float(x), float(y), place.yaw, place.half_width, deep)
            self.worktop(place, sinks)

    def worktop(self, place, sinks):
        """One straight counter with the sinks that lie in it, sometimes with a stove."""
        height = float(self.rng.uniform(*COUNTER))
        width, depth = 2 * place.half_width, 2 * place.half_depth
        holes = sunk(sinks, place)
        made = kitchen.counter(self.rng, width, depth, height, holes, self.rng.random() < 0.85)
        self.fixer.structure.append(self.fixer.stand(made, place))
        self.fixer.counters.append((self.fixer.structure[-1], place))
        self.fixer.obstacles.append(place)
        for x, y, wide, deep in holes:
            sx, sy = place.at(x, y - place.half_depth)
            sink = Footprint(float(sx), float(sy), place.yaw, wide / 2, deep / 2)
            self.fixer.things.append(
                Stood(kitchen.basin(self.rng, wide, deep), sink, height - kitchen.DEEPEST)
            )
        if width > 1.5 and depth > 0.5 and self.rng.random() < 0.5:
            self.stove(place, holes, height)

    def stove(self, place, holes, height):
        """A stove in a counter, beside its sinks, some below a hood."""
        x = self.rng.uniform(-1, 1) * (place.half_width - 0.35)
        if any(abs(x - h[0]) < h[2] / 2 + 0.35 for h in holes):
            return
        made = kitchen.stove(self.rng, 0.6, 2 * place.half_depth + 0.012, height + 0.004)
        back = place.at(x, -place.half_depth)
        spot = Footprint(*map(float, back), place.yaw, 0.3, place.half_depth)
        self.fixer.things.append(Stood(made, spot, 0.0))
        if self.rng.random() < 0.5:
            self.hood(place, x)

    def hood(self, place, x):
        """A range hood over a counter, `x` from its middle, if the wall is bare there."""
        back = place.at(x, -place.half_depth)
        above = Footprint(*map(float, place.at(x, 0.25 - place.half_depth)), place.yaw, 0.3, 0.25)
        tall = [item for item in self.fixer.items if item.top > HOOD]
        if any(overlap(above, item.footprint, -0.01) for item in tall):
            return
        if over_wall(self.fixer, above, HOOD, self.shell.height):
            made = kitchen.hood(self.rng, self.shell.height - HOOD)
            spot = Footprint(*map(float, back), place.yaw, 0.3, 0.25)
            self.fixer.things.append(Stood(made, spot, HOOD))

    def sink(self, box):
        """A washbasin on the wall, often below a mirror."""
        number, place = self.backed(box, 0.55)
        if number is None:
            return
        deep = float(np.clip(2 * place.half_depth, 0.35, 0.55))
        width = float(np.clip(2 * place.half_width, 0.4, 0.7))
        height, foot = float(np.clip(box.high[2], 0.78, 0.92)), True
        for item in self.fixer.items:
            if overlap(item.footprint, place, -0.05) and item.bottom == 0:
                if item.top > 1.1:
                    return  # no room for a bowl on it
                height, foot = item.top + 0.15, False
        made = kitchen.washbasin(self.rng, width, deep, height, foot)
        self.fixer.things.append(self.fixer.stand(made, place))
        self.fixer.obstacles.append(place)
        along, _ = self.shell.walls[number].local(place.centre)
        high = self.rng.uniform(0.5, 0.9)
        if self.rng.random() < 0.7 and 1.1 + high < self.shell.height:
            taken = self.fixer.claim(number, along, width + 0.1, 1.1, 1.1 + high)
            if taken:
                self.fixer.hang(openings.mirror(self.rng, taken[1], high), number, taken[0], 1.1)

    def refrigerator(self, box):
        """A refrigerator with its back to the wall."""
        _, place = self.backed(box, 0.8)
        width = float(np.clip(2 * place.half_width, 0.45, 0.95))
        depth = float(np.clip(2 * place.half_depth, 0.45, 0.8))
        height = float(np.clip(box.high[2], 0.7, 2.0))
        x, y = place.at(0, depth / 2 - place.half_depth)
        place = Footprint(float(x), float(y), place.yaw, width / 2, depth / 2)
        made = kitchen.refrigerator(self.rng, width, depth, height)
        self.fixer.things.append(self.fixer.stand(made, place))
        self.fixer.obstacles.append(place)

    def other(self, box):
        """Furniture that is none of ours: poufs, benches, machines, chests."""
        w, d = box.size[:2]
        h = float(min(box.high[2], self.shell.height - 0.1))
        if h < 0.15 or max(w, d) > 2.2:
            return
        turned = d > w
        size = (d, w, h) if turned else (w, d, h)
        if h < 0.6:
            make = props.bench if size[0] > 1.8 * size[1] else props.ottoman
        elif size[1] > 0.5 and size[0] < 0.8 and h < 1.0 and self.rng.random() < 0.6:
            make = props.washing_machine
        else:
            make = props.closet if h > 0.8 else props.crate
        x, y = map(float, box.centre[:2])
        place = Footprint(x, y, np.pi / 2 if turned else 0.0, size[0] / 2, size[1] / 2)
        if self.shell.gap(place.centre, place.front) < self.shell.gap(place.centre, -place.front):
            place = replace(place, yaw=place.yaw + np.pi)  # its front to the room
        self.fixer.things.append(Stood(make(self.rng, size), place, 0.0))
        self.fixer.obstacles.append(place)


def sunk(sinks, place):
    """Holes (x, y, width, depth) for the sinks in a worktop; these are removed from `sinks`.

    x is measured from the middle of the worktop, y from its back.
    """
    width, depth, holes = 2 * place.half_width, 2 * place.half_depth, []
    for box in list(sinks):
        x, y = (box.centre[:2] - place.centre) @ np.stack([place.right, place.front], 1)
        wide, deep = np.minimum(box.size[:2], (width - 0.2, depth - 0.16))
        within = abs(x) < place.half_width and abs(y) < place.half_depth + 0.1
        if not within or min(wide, deep) < 0.2:
            continue
        end = place.half_width - wide / 2 - 0.05
        x = float(np.clip(x, -end, end))
        if all(abs(x - h[0]) > (wide + h[2]) / 2 + 0.05 for h in holes):
            holes.append((x, depth / 2 + 0.02, float(wide), float(deep)))
            sinks.remove(box)
    return holes


def _leg(box, axis, shell):
    """The part of the box of an L that runs along `axis` at the nearer of its two sides."""
    other, deep = 1 - axis, 0.62
    low, high = box.low[other], (shell.width, shell.depth)[other] - box.high[other]
    centre, size = box.centre.copy(), box.size.copy()
    size[other] = deep
    centre[other] = box.low[other] + deep / 2 if low < high else box.high[other] - deep / 2
    return type(box)(box.kind, centre, size)


def build(shell, boxes, items, rng):
    """Fixer that has built all fixed, built-in and other boxes of a tidy.Sorted."""
    fixer = Fixer(shell, items, rng)
    for kind in ("door", "window", "picture"):
        for box in boxes.fixed:
            if box.kind == kind:
                getattr(fixer, kind)(box)
    for box in boxes.fixed:
        if box.kind in ("curtain", "showercurtrain"):
            fixer.curtain(box, "curtain" if box.kind == "curtain" else "shower curtain")
    sinks = [box for box in boxes.built if box.kind == "sink"]
    built = BuiltIn(fixer)
    for box in boxes.built:
        if box.kind == "counter":
            built.counter(box, sinks)
    for box in boxes.built:
        if box.kind == "refrigerator":
            built.refrigerator(box)
    for box in sinks:
        built.sink(box)
    for box in boxes.other:
        built.other(box)
    return fixer
