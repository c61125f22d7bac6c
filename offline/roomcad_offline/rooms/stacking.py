"""Things on furniture: monitors on desks and cabinets, clutter on anything with a flat top."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from roomcad_offline.rooms import clutter
from roomcad_offline.rooms.footprint import Footprint, grid, overlap
from roomcad_offline.rooms.plan import TRIES, Item
from roomcad_offline.rooms.scene import cast, raycaster

HOLDS_THINGS = ("table", "desk", "cabinet", "bookshelf")
SOFT = ("bed", "sofa")
FLAT = 0.12  # [m] monitors thinner than this have no foot: they hang on the wall
MAX_HEIGHT = 1.5  # [m] nothing is put higher


@dataclass(frozen=True)
class Stood:
    """A piece of clutter standing in the room."""

    thing: clutter.Thing
    footprint: Footprint
    bottom: float


class Stacker:
    """Finds flat places on furniture by looking down at its real surface."""

    def __init__(self, plan, meshes, rng, footprints=None):
        """`meshes`: room-frame Mesh of each of plan.items, or of what stands on `footprints`."""
        self.plan, self.rng = plan, rng
        self.footprints = footprints or [item.footprint for item in plan.items]
        self.caster = raycaster(meshes)
        self.on_top = [[] for _ in meshes]  # footprints already there

    def height(self, k, footprint, flatness):
        """Height of item k's surface under a footprint [m], None unless flat and all on it."""
        xy = grid(footprint, 7)
        rays = np.zeros((len(xy), 6), np.float32)
        rays[:, :2], rays[:, 2], rays[:, 5] = xy, self.plan.height, -1
        hit = cast(self.caster, rays)
        z = self.plan.height - hit["t_hit"]
        if (hit["geometry_ids"] != k).any() or np.ptp(z) > flatness or z.max() > MAX_HEIGHT:
            return None
        return float(z.max() if flatness < 0.02 else z.mean() - 0.01)

    def place(self, k, half, yaw, where, flatness=0.01):
        """Footprint and height of a free flat place on item k, or None.

        `half`: half width and depth; `where` draws a (right, front) offset in units of the half
        sizes of the item.
        """
        base = self.footprints[k]
        for _ in range(TRIES // 2):
            a, b = where()
            slack = np.maximum((base.half_width - half[0], base.half_depth - half[1]), 0)
            x, y = base.at(a * slack[0], b * slack[1])
            place = Footprint(x, y, yaw, half[0], half[1])
            if any(overlap(place, other, 0.02) for other in self.on_top[k]):
                continue
            z = self.height(k, place, flatness)
            if z is not None and z > 0.2:
                self.on_top[k].append(place)
                return place, z
        return None

    def monitors(self, furnisher):
        """Stand monitors on desks (nearly always) and on low cabinets (sometimes)."""
        for k, item in enumerate(list(self.plan.items)):
            share = {"desk": 0.9, "cabinet": 0.35 if item.S[1] < 1.1 else 0.0}
            if self.rng.random() >= share.get(item.model.label, 0.0):
                continue
            picked = furnisher.pick("monitor", lambda S, w=item.S[0]: S[0] < w and S[2] >= FLAT)
            if picked is None or len(self.plan.items) >= furnisher.config.furniture:
                continue
            model, S = picked
            yaw = item.footprint.yaw + self.rng.normal(0, 0.1)
            place = self.place(
                k,
                (S[0] / 2, S[2] / 2),
                yaw,
                lambda: (self.rng.uniform(-0.8, 0.8), self.rng.uniform(-0.95, -0.1)),
            )
            if place:
                self.plan.items.append(Item(model, S, place[0], place[1]))

    def hang(self, furnisher):
        """Sometimes hang a flat monitor on the wall."""
        picked = furnisher.pick("monitor", lambda S: S[2] < FLAT)
        full = len(self.plan.items) >= furnisher.config.furniture
        for _ in range(TRIES if picked and not full and self.rng.random() < 0.4 else 0):
            model, S = picked
            wall = int(self.rng.integers(4))
            along = self.rng.uniform(0.2, 0.8) * self.plan.wall_length(wall)
            place = self.plan.at_wall(wall, along, S[0] / 2, S[2] / 2, 0.005)
            bottom = self.rng.uniform(0.9, 1.3)
            behind = [i.footprint for i in self.plan.items if i.top > bottom - 0.05]
            behind += [self.plan.opening_strip(o) for o in self.plan.openings]
            if not any(overlap(place, other, 0.05) for other in behind):
                self.plan.items.append(Item(model, S, place, bottom))
                return

    def things(self, amount):
        """Clutter on tops: a list of Stood, about `amount` per square metre times three."""
        out = []
        for k in range(len(self.on_top)):
            item = self.plan.items[k]
            label = item.model.label
            if label in HOLDS_THINGS:
                n = self.rng.poisson(amount * min(3.0, 3.0 * item.S[0] * item.S[2]))
                out += self.stand(k, n, clutter.ON_TABLE, 0.01)
            elif label in SOFT:
                out += self.stand(k, self.rng.poisson(amount * 1.2), clutter.ON_SOFT, 0.06)
        return out

    def stand(self, k, n, makers, flatness):
        """Stand up to n things on item k."""
        out = []
        for _ in range(n):
            thing = makers[self.rng.integers(len(makers))](self.rng)
            yaw = self.rng.uniform(0, 2 * np.pi)
            place = self.place(
                k, thing.half, yaw, lambda: self.rng.uniform(-0.95, 0.95, 2), flatness
            )
            if place:
                out.append(Stood(thing, *place))
        return out


def on_floor(plan, amount, rng):
    """Clutter on the floor along the walls: a list of Stood."""
    out = []
    for _ in range(rng.poisson(amount * 0.22 * plan.width * plan.depth)):
        thing = clutter.ON_FLOOR[rng.integers(len(clutter.ON_FLOOR))](rng)
        for _ in range(TRIES):
            wall, turn = int(rng.integers(4)), rng.uniform(-0.4, 0.4)
            half = np.hypot(*thing.half[:2])
            gap = half - thing.half[1] + abs(rng.normal(0, 0.25))
            along = rng.uniform(half, plan.wall_length(wall) - half)
            place = plan.at_wall(wall, along, thing.half[0], thing.half[1], gap, turn)
            clear = not any(overlap(place, other.footprint, 0.02) for other in out)
            if clear and plan.fits(place, thing.half[2]):
                out.append(Stood(thing, place, 0.0))
                break
    return out
