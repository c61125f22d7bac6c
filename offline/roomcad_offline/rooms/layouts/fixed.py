"""Builds what the boxes of a layout say of doors, windows, pictures, curtains, kitchens."""

from __future__ import annotations

import numpy as np

from roomcad_offline.rooms.footprint import Footprint, overlap
from roomcad_offline.rooms.layouts import kitchen, openings, props
from roomcad_offline.rooms.layouts.tidy import COUNTER
from roomcad_offline.rooms.stacking import Stood

NEAR = 0.4  # [m] a box no farther from a wall belongs to it
AJAR = 0.45  # share of the doors that are open
CORRIDOR = 1.3  # [m] depth of what is seen through open doors


class Fixer:
    """Collects what is fixed to the walls of a room or built in."""

    def __init__(self, shell, standing, rng):
        """`standing`: Footprints of the furniture, which doors do not swing into."""
        self.shell, self.standing, self.rng = shell, standing, rng
        self.structure = []  # Stood: doors, windows, pictures, curtains, counters
        self.things = []  # Stood: sinks, stoves, refrigerators
        self.obstacles = []  # Footprints on the floor
        self.counters = []  # (Stood, Footprint) of worktops
        self.hung = []  # (number of the wall, from, to, low, high) of what covers walls

    def attach(self, box):
        """(number, along, distance) of the wall that a box belongs to, or None."""
        best = None
        for k, wall in self.shell.built():
            along, distance = wall.local(box.centre)
            thick = abs(box.size[:2]) @ abs(wall.inward)
            wide = abs(box.size[:2]) @ abs(wall.along)
            away = abs(distance) - thick / 2
            cost = max(away, 0) + 0.5 * max(thick - wide, 0)
            if -0.1 <= along <= wall.length + 0.1 and away < NEAR and (not best or cost < best[0]):
                best = (cost, k, along, distance)
        return best and best[1:]

    def clear(self, number, start, end, low, high, margin=0.05):
        """True if nothing covers that part of a wall."""
        return not any(
            k == number
            and start < b + margin
            and a - margin < end
            and low < top + margin
            and bottom - margin < high
            for k, a, b, bottom, top in self.hung
        )

    def claim(self, number, along, width, low, high):
        """(along, width) of a free part of a wall, now taken; None if there is none."""
        length = self.shell.walls[number].length
        width = min(width, length - 0.16)
        if width < 0.1:
            return None
        along = float(np.clip(along, width / 2 + 0.08, length - width / 2 - 0.08))
        start, end = along - width / 2, along + width / 2
        if not self.clear(number, start, end, low, high):
            return None
        self.hung.append((number, start, end, low, high))
        return along, width

    def hang(self, thing, number, along, bottom):
        """Add a Thing on the surface of a wall."""
        place = self.shell.walls[number].place(along, *thing.half[:2], gap=-thing.half[1])
        self.structure.append(Stood(thing, place, float(bottom)))

    def door(self, box):
        """A door in its wall, or in a wall of its own inside the room."""
        height = float(np.clip(box.high[2], 1.9, min(2.2, self.shell.height - 0.1)))
        found = self.attach(box)
        if found is None:
            self.partition(box, height)
            return
        number, along, _ = found
        wall = self.shell.walls[number]
        wide = abs(box.size[:2]) @ abs(wall.along)
        thick = abs(box.size[:2]) @ abs(wall.inward)
        side = 0
        if thick > 1.5 * wide and thick > 0.45:  # the leaf stands open in the room
            side = 1 if along > wall.length / 2 else -1
            wide, along = thick, along - side * thick / 2
        taken = self.claim(number, along, float(np.clip(wide, 0.65, 1.8)), 0.0, height)
        if taken is None:
            return
        along, width = taken
        self.shell.holes.setdefault(number, []).append(
            (along - width / 2, along + width / 2, 0.0, height)
        )
        angle = self.swing(wall, along, width, 1.45 if side else 0.0)
        self.hang(openings.door(self.rng, width, height, angle, side), number, along, 0.0)

    def swing(self, wall, along, width, angle):
        """How far a door is open [rad]; out of the room where furniture is in its way."""
        if not angle and self.rng.random() > AJAR:
            return 0.0
        angle = angle or self.rng.uniform(0.2, 1.6)
        leaf = wall.place(along, width / 2, width / 2)
        if self.rng.random() < 0.3 or any(overlap(leaf, other) for other in self.standing):
            return -angle
        self.obstacles.append(leaf)
        return angle

    def partition(self, box, height):
        """A door in a wall inside the room, if there is space for such a wall."""
        axis = int(np.argmax(box.size[:2]))
        width = float(np.clip(box.size[axis], 0.7, 1.2))
        yaw = axis * np.pi / 2
        wall = Footprint(
            *map(float, box.centre[:2]), yaw, width / 2 + self.rng.uniform(0.1, 0.5), 0.06
        )
        around = Footprint(wall.x, wall.y, yaw, wall.half_width, 0.3)
        if any(overlap(around, other) for other in self.standing) or not self.shell.inside(wall):
            return
        self.shell.partitions.append(wall)
        leaf = openings.door(self.rng, width, height)
        x, y = wall.at(0, 0.061)
        self.structure.append(Stood(leaf, Footprint(x, y, yaw, width / 2, 0.05), 0.0))

    def window(self, box):
        """A window in a hole of its wall."""
        found = self.attach(box)
        if found is None:
            return
        number, along, _ = found
        wide = abs(box.size[:2]) @ abs(self.shell.walls[number].along)
        low = float(np.clip(box.low[2], 0.05, 1.8))
        high = float(np.clip(box.high[2], low + 0.4, self.shell.height - 0.1))
        taken = self.claim(number, along, max(wide, 0.4), low, high)
        if taken:
            along, width = taken
            hole = (along - width / 2, along + width / 2, low, high)
            self.shell.holes.setdefault(number, []).append(hole)
            self.hang(openings.window(self.rng, width, high - low), number, along, low)

    def picture(self, box):
        """A picture, poster, whiteboard or mirror."""
        found = self.attach(box)
        if found is None:
            return
        number, along, _ = found
        wide = abs(box.size[:2]) @ abs(self.shell.walls[number].along)
        low, high = box.low[2], min(box.high[2], self.shell.height - 0.05)
        if high - low < 0.1:
            return
        taken = self.claim(number, along, max(wide, 0.15), low, high)
        if taken:
            large = taken[1] > 0.9 and high - low > 0.6
            make = openings.whiteboard if large and self.rng.random() < 0.6 else openings.picture
            self.hang(make(self.rng, taken[1], high - low), number, taken[0], low)

    def curtain(self, box, name="curtain"):
        """A curtain along its wall, or across the room."""
        found = self.attach(box)
        low = max(box.low[2], 0.01)
        height = min(box.high[2], self.shell.height - 0.03) - low
        if height < 0.4:
            return
        if found and name == "curtain":
            wall = self.shell.walls[found[0]]
            wide = abs(box.size[:2]) @ abs(wall.along)
            thick = float(np.clip(abs(box.size[:2]) @ abs(wall.inward), 0.06, 0.25))
            width = min(wide, wall.length - 0.04)
            along = float(np.clip(found[1], width / 2, wall.length - width / 2))
            place = wall.place(along, width / 2, thick / 2, 0.05)
        else:
            axis = int(np.argmax(box.size[:2]))
            width, thick = float(box.size[axis]), float(min(box.size[1 - axis], 0.2))
            x, y = map(float, box.centre[:2])
            place = Footprint(x, y, axis * np.pi / 2, width / 2, thick / 2)
        cloth = openings.curtain(self.rng, width, height, thick, name)
        back = Footprint(*place.at(0, -place.half_depth), place.yaw, width / 2, thick)
        self.structure.append(Stood(cloth, back, low))
        self.obstacles.append(place)

    def backed(self, box, deepest):
        """(number or None, Footprint) of something with its back to the nearest wall."""
        found = self.attach(box)
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

    def stand(self, thing, place, bottom=0.0):
        """Stood of a Thing whose back (y = 0) is at the back of a footprint."""
        x, y = place.at(0, -place.half_depth)
        return Stood(
            thing,
            Footprint(float(x), float(y), place.yaw, place.half_width, place.half_depth),
            bottom,
        )

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
        holes = []
        for box in sinks:
            x, y = (box.centre[:2] - place.centre) @ np.stack([place.right, place.front], 1)
            wide, deep = np.minimum(box.size[:2], (width - 0.2, depth - 0.16))
            if (
                abs(x) < place.half_width
                and abs(y) < place.half_depth + 0.1
                and min(wide, deep) > 0.2
            ):
                x = float(np.clip(x, wide / 2 + 0.05 - width / 2, width / 2 - wide / 2 - 0.05))
                if all(abs(x - h[0]) > (wide + h[2]) / 2 + 0.05 for h in holes):
                    holes.append((x, depth / 2 + 0.02, float(wide), float(deep)))
                    sinks.remove(box)
                    break
        made = kitchen.counter(self.rng, width, depth, height, holes, self.rng.random() < 0.85)
        self.structure.append(self.stand(made, place))
        self.counters.append((self.structure[-1], place))
        self.obstacles.append(place)
        for x, y, wide, deep in holes:
            sx, sy = place.at(x, y - place.half_depth)
            sink = Footprint(float(sx), float(sy), place.yaw, wide / 2, deep / 2)
            self.things.append(
                Stood(kitchen.basin(self.rng, wide, deep), sink, height - kitchen.DEEPEST)
            )
        if width > 1.5 and depth > 0.5 and self.rng.random() < 0.5:
            self.stove(place, holes, height)

    def stove(self, place, holes, height):
        """A stove in a counter, beside its sinks."""
        x = self.rng.uniform(-1, 1) * (place.half_width - 0.35)
        if any(abs(x - h[0]) < h[2] / 2 + 0.35 for h in holes):
            return
        made = kitchen.stove(self.rng, 0.6, 2 * place.half_depth + 0.012, height + 0.004)
        back = place.at(x, -place.half_depth)
        spot = Footprint(*map(float, back), place.yaw, 0.3, place.half_depth)
        self.things.append(Stood(made, spot, 0.0))

    def sink(self, box):
        """A washbasin on the wall, often below a mirror."""
        number, place = self.backed(box, 0.55)
        if number is None:
            return
        deep = float(np.clip(2 * place.half_depth, 0.35, 0.55))
        width = float(np.clip(2 * place.half_width, 0.4, 0.7))
        height = float(np.clip(box.high[2], 0.78, 0.92))
        self.things.append(self.stand(kitchen.washbasin(self.rng, width, deep, height), place))
        self.obstacles.append(place)
        along, _ = self.shell.walls[number].local(place.centre)
        high = self.rng.uniform(0.5, 0.9)
        if self.rng.random() < 0.7 and 1.1 + high < self.shell.height:
            taken = self.claim(number, along, width + 0.1, 1.1, 1.1 + high)
            if taken:
                self.hang(openings.mirror(self.rng, taken[1], high), number, taken[0], 1.1)

    def refrigerator(self, box):
        """A refrigerator with its back to the wall."""
        _, place = self.backed(box, 0.8)
        width = float(np.clip(2 * place.half_width, 0.45, 0.95))
        depth = float(np.clip(2 * place.half_depth, 0.45, 0.8))
        height = float(np.clip(box.high[2], 0.7, 2.0))
        x, y = place.at(0, depth / 2 - place.half_depth)
        place = Footprint(float(x), float(y), place.yaw, width / 2, depth / 2)
        made = kitchen.refrigerator(self.rng, width, depth, height)
        self.things.append(self.stand(made, place))
        self.obstacles.append(place)

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
            make = props.crate
        made = make(self.rng, size)
        if make is props.crate and h > 0.8:
            made = made._replace(name="closet")
        x, y = map(float, box.centre[:2])
        place = Footprint(x, y, np.pi / 2 if turned else 0.0, size[0] / 2, size[1] / 2)
        self.things.append(Stood(made, place, 0.0))
        self.obstacles.append(place)


def _leg(box, axis, shell):
    """The part of the box of an L that runs along `axis` at the nearer of its two sides."""
    other, deep = 1 - axis, 0.62
    low, high = box.low[other], (shell.width, shell.depth)[other] - box.high[other]
    centre, size = box.centre.copy(), box.size.copy()
    size[other] = deep
    centre[other] = box.low[other] + deep / 2 if low < high else box.high[other] - deep / 2
    return type(box)(box.kind, centre, size)


def build(shell, boxes, standing, rng):
    """Fixer that has built all fixed, built-in and other boxes of a tidy.Sorted."""
    fixer = Fixer(shell, standing, rng)
    for kind in ("door", "window", "picture"):
        for box in boxes.fixed:
            if box.kind == kind:
                getattr(fixer, kind)(box)
    for box in boxes.fixed:
        if box.kind in ("curtain", "showercurtrain"):
            fixer.curtain(box, "curtain" if box.kind == "curtain" else "shower curtain")
    sinks = [box for box in boxes.built if box.kind == "sink"]
    for box in boxes.built:
        if box.kind == "counter":
            fixer.counter(box, sinks)
    for box in boxes.built:
        if box.kind == "refrigerator":
            fixer.refrigerator(box)
    for box in sinks:
        fixer.sink(box)
    for box in boxes.other:
        fixer.other(box)
    return fixer
