"""Builds what the boxes of a layout say of doors, windows, pictures and curtains."""

from __future__ import annotations

import numpy as np

from roomcad_offline.rooms.footprint import Footprint, overlap
from roomcad_offline.rooms.layouts import openings
from roomcad_offline.rooms.stacking import Stood

NEAR = 0.4  # [m] a box no farther from a wall belongs to it
AJAR = 0.45  # share of the doors that are open
CASED = 0.03  # [m] of a hole that the frame of its door covers, so that no two faces coincide
CORRIDOR = 1.3  # [m] depth of what is seen through open doors


class Fixer:
    """Collects what is fixed to the walls of a room or built in."""

    def __init__(self, shell, items, rng):
        """`items`: the furniture, which doors do not swing into."""
        self.shell, self.items, self.rng = shell, items, rng
        self.standing = [item.footprint for item in items]
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
            (along - width / 2 - CASED, along + width / 2 + CASED, 0.0, height + CASED)
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
        hanging = [s.footprint for s in self.structure if "curtain" in s.thing.name]
        if any(overlap(place, other, -0.1 * thick) for other in hanging):
            return
        cloth = openings.curtain(self.rng, width, height, thick, name)
        back = Footprint(*place.at(0, -place.half_depth), place.yaw, width / 2, thick)
        self.structure.append(Stood(cloth, back, low))
        self.obstacles.append(place)

    def stand(self, thing, place, bottom=0.0):
        """Stood of a Thing whose back (y = 0) is at the back of a footprint."""
        x, y = place.at(0, -place.half_depth)
        return Stood(
            thing,
            Footprint(float(x), float(y), place.yaw, place.half_width, place.half_depth),
            bottom,
        )
