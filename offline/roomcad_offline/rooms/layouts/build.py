"""A room with a real layout as a Scene: the shell with its holes, and all that stands in it."""

from __future__ import annotations

import numpy as np

from roomcad_offline.rooms import materials, shapes
from roomcad_offline.rooms.footprint import Footprint, overlap
from roomcad_offline.rooms.layouts import wallthings
from roomcad_offline.rooms.layouts.fixed import CORRIDOR
from roomcad_offline.rooms.scene import FIRST_CLUTTER, Builder, Part, Scene, item_mesh, raycaster
from roomcad_offline.rooms.stacking import Stood

WALL, FLOOR, CEILING, FIRST_FIXED = 2001, 2002, 2003, 2004
STRUCTURE = {WALL: "wall", FLOOR: "floor", CEILING: "ceiling"}
THICK = 0.15  # [m] of a wall
BEYOND = 3.0  # [m] that floor and ceiling reach beyond the walls
MOST = 120  # materials of a scene; OpenCV looks up in no image of more than 32767 rows
ALIKE = 5  # materials of a kind


class LayoutBuilder(Builder):
    """Collects parts; things of one kind share a few materials."""

    def __init__(self, rng):
        super().__init__(rng)
        self.pools, self.dressed = {}, {}

    def material(self, kind):
        """Index of one of a few materials of a kind."""
        pool = self.pools.setdefault(kind, [])
        full = len(self.materials) >= MOST - len(materials.MATERIALS) and pool
        if full or len(pool) >= ALIKE:
            return int(self.rng.choice(pool))
        pool.append(super().material(kind))
        return pool[-1]

    def furniture(self, item, mesh, colors, instance):
        """Add a CAD model; models of one id mostly look alike, as chairs round a table do."""
        known = self.dressed.get(item.model.id)
        start = len(self.parts)
        super().furniture(item, mesh, colors, instance)
        added = self.parts[start:]
        if known and len(known) == len(added) and self.rng.random() < 0.8:
            pairs = zip(added, known, strict=True)
            self.parts[start:] = [p._replace(material=material) for p, material in pairs]
        else:
            self.dressed[item.model.id] = [p.material for p in added]

    def shell(self, shell, ceiling):
        """Floor, walls, partitions, skirting and the ceiling."""
        pick = self.rng.choice
        low, high = -BEYOND, np.array([shell.width, shell.depth]) + BEYOND
        floor = str(pick(["parquet", "parquet", "carpet", "tiles", "wood", "plain", "stone"]))
        self.add(shapes.box((low, low, -0.1), (*high, 0)), floor, FLOOR)
        if ceiling:
            top = shell.height
            self.add(shapes.box((low, low, top), (*high, top + 0.1)), "wall", CEILING)
        kinds = [str(pick(["wall", "wall", "wallpaper"])) for _ in range(2)]
        common, accent = (self.material(kind) for kind in kinds)
        for k, wall in shell.built():
            material = accent if self.rng.random() < 0.2 else common
            holes = shell.holes.get(k, ())
            ends = [THICK if shell.convex(j) else 0.0 for j in (k, (k + 1) % len(shell.walls))]
            self.panel(wall, ends, shell.height, holes, material)
            for start, end, bottom, _ in holes:
                if bottom == 0:
                    self.corridor(wall, (start + end) / 2, shell.height, common)
        for place in shell.partitions:
            block = shapes.block(2 * place.half_width, 2 * place.half_depth, shell.height)
            self.wall_part(shapes.moved(block, (place.x, place.y, 0), place.yaw), common, place)
        for k in shell.missing:
            self.beyond(shell.walls[k], shell.height, common)
        if self.rng.random() < 0.7:
            self.skirting(shell)

    def wall_part(self, mesh, material, place):
        """Add a piece of wall."""
        self.parts.append(Part(mesh, material, WALL, (place.x, place.y, 0.0, place.yaw)))

    def panel(self, wall, ends, height, holes, material):
        """A wall, longer by two `ends`, with rectangular holes (from, to, low, high)."""
        inner = {x for hole in holes for x in hole[:2]}
        cuts = sorted({-ends[0], wall.length + ends[1], *inner})
        blocks = []
        for a, b in zip(cuts, cuts[1:], strict=False):
            z = 0.0
            middle = (a + b) / 2
            for _, _, low, high in sorted(h for h in holes if h[0] < middle < h[1]):
                if low > z:
                    blocks.append(shapes.box((a, -THICK, z), (b, 0, low)))
                z = max(z, high)
            if z < height:
                blocks.append(shapes.box((a, -THICK, z), (b, 0, height)))
        place = wall.place(0.0, 0.0, 0.0)
        mesh = shapes.moved(shapes.merged(blocks), (place.x, place.y, 0), place.yaw)
        self.wall_part(mesh, material, place)

    def corridor(self, wall, along, height, material):
        """A wall behind an open door."""
        place = wall.place(along, 2.0, 0.05, -CORRIDOR - 0.1)
        block = shapes.block(4.0, 0.1, height)
        self.wall_part(shapes.moved(block, (place.x, place.y, 0), place.yaw), material, place)

    def beyond(self, wall, height, material):
        """Sometimes a far wall where a wall is missing."""
        if self.rng.random() < 0.6:
            away = self.rng.uniform(1.0, BEYOND - 0.2)
            place = wall.place(wall.length / 2, wall.length, 0.05, -away)
            block = shapes.block(2 * wall.length, 0.1, height)
            self.wall_part(shapes.moved(block, (place.x, place.y, 0), place.yaw), material, place)

    def skirting(self, shell):
        """Boards at the foot of the walls, not across doors."""
        high, deep = self.rng.uniform(0.05, 0.13), self.rng.uniform(0.008, 0.02)
        material = self.material(str(self.rng.choice(["ceramic", "wood"])))
        for k, wall in shell.built():
            doors = sorted(h[:2] for h in shell.holes.get(k, ()) if h[2] < high)
            ends = [0.0, *(x for a, b in doors for x in (a - 0.06, b + 0.06)), wall.length]
            boards = [
                shapes.box((a, 0, 0), (b, deep, high))
                for a, b in zip(ends[::2], ends[1::2], strict=True)
                if b > a
            ]
            if boards:
                place = wall.place(0.0, 0.0, 0.0)
                mesh = shapes.moved(shapes.merged(boards), (place.x, place.y, 0), place.yaw)
                self.wall_part(mesh, material, place)


def lamps(shell, rng):
    """Point lights, ((3,) position, (3,) colour) tuples, and the Stood lamps they come from."""
    lights, stood = [], []
    for k in range(rng.integers(2, 4)):
        for _ in range(20):
            x, y = rng.uniform(0.2, 0.8, 2) * (shell.width, shell.depth)
            place = Footprint(float(x), float(y), 0.0, 0.2, 0.2)
            if not any(overlap(place, cut) for cut in shell.cuts):
                break
        warmth = rng.uniform(-0.15, 0.15)
        power = rng.uniform(0.6, 1.0) if k == 0 else rng.uniform(0.3, 0.7)
        color = power * np.array([1 + warmth, 1.0, 1 - warmth])
        lights.append((np.array([x, y, shell.height - rng.uniform(0.15, 0.4)]), color))
        if rng.random() < 0.6:
            beside = Footprint(float(x) + 0.3, float(y) + 0.3, 0.0, 0.2, 0.2)
            if not any(overlap(beside, cut) for cut in shell.cuts):
                stood.append(Stood(wallthings.light(rng), beside, shell.height))
    return tuple(lights), stood


def scene(made, rng):
    """Scene of a layouts.room.Furnished."""
    builder = LayoutBuilder(rng)
    builder.shell(made.shell, made.ceiling)
    for k, item in enumerate(made.plan.items):
        builder.furniture(item, *item_mesh(item), k + 1)
    for k, stood in enumerate(made.things):
        builder.clutter(stood, FIRST_CLUTTER + k)
    for k, stood in enumerate(made.structure):
        builder.clutter(stood, FIRST_FIXED + k)
    caster = raycaster([part.mesh for part in builder.parts])
    return Scene(tuple(builder.parts), tuple(builder.materials), made.lamps, caster)
