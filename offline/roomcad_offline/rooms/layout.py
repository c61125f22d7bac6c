"""Where furniture stands: a room plan filled step by step, without collisions.

The room frame has its origin in a floor corner, x along the width, y along the depth, z up.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from roomcad_core.pose import rigid, upright_rotation
from roomcad_offline.rooms.footprint import Footprint, inside, overlap
from roomcad_offline.rooms.themes import THEMES

GAP = 0.03  # [m] at least between two pieces of furniture
TRIES = 40


@dataclass(frozen=True)
class Item:
    """A CAD model standing in the room."""

    model: object  # library.CadModel
    S: np.ndarray  # (3,) metric size along the CAD axes [m]
    footprint: Footprint
    bottom: float = 0.0  # height of its lowest point [m]

    @property
    def top(self):
        """Height of its highest point [m]."""
        return self.bottom + self.S[1]

    @property
    def T_room_obj(self):
        """(4, 4) pose, upright."""
        fp = self.footprint
        return rigid(upright_rotation(fp.yaw), (fp.x, fp.y, self.bottom + self.S[1] / 2))


@dataclass(frozen=True)
class Opening:
    """A door or window in wall `wall` (0: y=0, 1: x=width, 2: y=depth, 3: x=0), seen as a patch."""

    kind: str  # door, window, picture
    wall: int
    along: float  # middle, from the wall's left end seen from inside [m]
    width: float
    low: float
    high: float


@dataclass
class Plan:
    """A room being furnished."""

    width: float
    depth: float
    height: float
    theme: str
    openings: list = field(default_factory=list)
    items: list = field(default_factory=list)
    kept_free: list = field(default_factory=list)  # (Footprint, height from which it is free)

    def wall_length(self, wall):
        """Length of wall 0..3 [m]."""
        return self.width if wall % 2 == 0 else self.depth

    def at_wall(self, wall, along, half_width, half_depth, gap=0.0, turn=0.0):
        """Footprint whose back is at the wall, `along` its length."""
        yaw = wall * np.pi / 2
        front = np.array([-np.sin(yaw), np.cos(yaw)])
        right = np.array([np.cos(yaw), np.sin(yaw)])
        corner = np.array(
            [(0, 0), (self.width, 0), (self.width, self.depth), (0, self.depth)][wall]
        )
        x, y = corner + along * right + (gap + half_depth) * front
        return Footprint(x, y, yaw + turn, half_width, half_depth)

    def opening_strip(self, opening, reach=0.15):
        """Footprint of the room before a door, window or picture, `reach` half deep."""
        return self.at_wall(opening.wall, opening.along, opening.width / 2, reach)

    def fits(self, footprint, top, gap=GAP, neighbours=()):
        """True if something of that footprint and height collides with nothing in the room.

        `neighbours` may be approached to contact (a chair at its table).
        """
        if not inside(footprint, self.width, self.depth):
            return False
        for item in self.items:
            near = 0.005 if any(item is n for n in neighbours) else gap
            if overlap(footprint, item.footprint, near):
                return False
        return not any(top > low and overlap(footprint, fp) for fp, low in self.kept_free)


def new_plan(theme, rng):
    """An empty room of the theme with a door, windows and pictures."""
    kind = THEMES[theme]
    sides = [rng.uniform(*kind.long), rng.uniform(*kind.short)]
    rng.shuffle(sides)
    plan = Plan(*map(float, sides), height=float(rng.uniform(2.4, 3.0)), theme=theme)
    _open(plan, rng, "door", rng.uniform(0.8, 0.95), 0.0, rng.uniform(1.98, 2.1))
    for _ in range(rng.integers(1, 3)):
        low = rng.uniform(0.8, 1.1)
        _open(plan, rng, "window", rng.uniform(0.8, 1.8), low, rng.uniform(1.9, 2.2))
    for _ in range(rng.integers(0, 4)):
        low = rng.uniform(1.2, 1.5)
        _open(plan, rng, "picture", rng.uniform(0.3, 0.9), low, low + rng.uniform(0.3, 0.6))
    return plan


def _open(plan, rng, kind, width, low, high):
    """Add an opening to a wall where it overlaps no other, and keep the room before it free."""
    for _ in range(TRIES):
        wall = int(rng.integers(4))
        length = plan.wall_length(wall)
        along = rng.uniform(width / 2 + 0.1, length - width / 2 - 0.1)
        if any(
            o.wall == wall and abs(o.along - along) < (o.width + width) / 2 + 0.1
            for o in plan.openings
        ):
            continue
        plan.openings.append(Opening(kind, wall, float(along), float(width), low, high))
        reach = 0.45 if kind == "door" else 0.15
        free_from = {"door": 0.0, "window": low + 0.1, "picture": low + 0.3}[kind]
        plan.kept_free.append((plan.opening_strip(plan.openings[-1], reach), free_from))
        return


class Furnisher:
    """Fills a plan with the models of a library."""

    def __init__(self, plan, library, config, rng):
        self.plan, self.library, self.config, self.rng = plan, library, config, rng

    def furnish(self):
        """Run the steps of the plan's theme until the room is full."""
        for placement, label, fewest, most in THEMES[self.plan.theme].steps:
            for _ in range(self.rng.integers(fewest, most + 1)):
                if len(self.plan.items) < self.config.furniture:
                    getattr(self, placement)(label)

    def pick(self, label, fits=lambda S: True):
        """A (model, S) of a class whose size passes `fits`; None if the library has none."""
        models = self.library.of_class(label)
        for _ in range(TRIES if models else 0):
            model = models[self.rng.integers(len(models))]
            factor = self.rng.uniform(self.config.scale_low, self.config.scale_high, 3)
            if model.symmetry in ("4-fold", "rotational"):
                factor[2] = factor[0]  # unequal sides would break the symmetry
            S = np.asarray(model.size, float) * factor
            if fits(S):
                return model, S
        return None

    def put(self, model, S, footprint, gap=GAP, neighbours=()):
        """Add the item if it fits; returns it, or None."""
        full = len(self.plan.items) >= self.config.furniture
        if full or S[1] > self.plan.height - 0.05:
            return None
        if not self.plan.fits(footprint, S[1], gap, neighbours):
            return None
        self.plan.items.append(Item(model, S, footprint))
        return self.plan.items[-1]

    def wall(self, label, fits=lambda S: True, room_in_front=0.5):
        """Back to a wall, some room in front."""
        picked = self.pick(label, fits)
        for _ in range(TRIES if picked else 0):
            model, S = picked
            wall = int(self.rng.integers(4))
            slack = self.plan.wall_length(wall) - S[0] - 0.1
            if slack <= 0:
                continue
            along = S[0] / 2 + 0.05 + slack * self.rng.random()
            turn = self.rng.normal(0, 0.015)
            gap = self.rng.uniform(0.01, 0.04) + abs(turn) * S[0] / 2
            place = self.plan.at_wall(wall, along, S[0] / 2, S[2] / 2, gap, turn)
            if not self._free_ahead(place, room_in_front):
                continue
            item = self.put(model, S, place)
            if item:
                ahead = place.at(0, place.half_depth + room_in_front / 2)
                strip = Footprint(*ahead, place.yaw, place.half_width * 0.6, room_in_front / 2)
                self.plan.kept_free.append((strip, 0.0))
                return item
        return None

    def _free_ahead(self, place, reach):
        """True if no furniture stands in the strip of that reach before a footprint."""
        ahead = Footprint(
            *place.at(0, place.half_depth + reach / 2), place.yaw, place.half_width * 0.6, reach / 2
        )
        return not any(overlap(ahead, i.footprint) for i in self.plan.items)

    def corner(self, label):
        """In a corner or beside a piece of furniture at the wall."""
        picked = self.pick(label)
        for _ in range(TRIES if picked else 0):
            model, S = picked
            wall = int(self.rng.integers(4))
            half = np.hypot(S[0], S[2]) / 2
            end = self.rng.uniform(0.0, 0.5)
            along = (
                half + end if self.rng.random() < 0.5 else self.plan.wall_length(wall) - half - end
            )
            turn = self.rng.normal(0, 0.3)
            gap = half - S[2] / 2 + self.rng.uniform(0, 0.05)
            place = self.plan.at_wall(wall, along, S[0] / 2, S[2] / 2, gap, turn)
            if self.put(model, S, place):
                return

    def free(self, label):
        """Anywhere, facing the middle of the room."""
        picked = self.pick(label)
        middle = np.array([self.plan.width, self.plan.depth]) / 2
        for _ in range(TRIES if picked else 0):
            model, S = picked
            x, y = self.rng.uniform(0.5, (self.plan.width - 0.5, self.plan.depth - 0.5))
            yaw = facing(middle - (x, y)) + self.rng.normal(0, 0.5)
            if self.put(model, S, Footprint(x, y, yaw, S[0] / 2, S[2] / 2), 0.15):
                return

    def seating(self, label):
        """A sofa at the wall, often with a low table before it."""
        sofa = self.wall(label, room_in_front=0.9)
        if sofa is None or self.rng.random() < 0.25:
            return
        self.plan.kept_free.pop()  # the table stands in the sofa's own free strip
        picked = self.pick("table", lambda S: S[1] < 0.6) or self.pick("table")
        if picked:
            model, S = picked
            away = sofa.S[2] / 2 + self.rng.uniform(0.3, 0.45) + S[2] / 2
            x, y = sofa.footprint.at(self.rng.normal(0, 0.1), away)
            yaw = sofa.footprint.yaw + self.rng.normal(0, 0.05)
            self.put(model, S, Footprint(x, y, yaw, S[0] / 2, S[2] / 2))

    def television(self, label):
        """A low cabinet; stacking.py stands a monitor on it."""
        self.wall(label, lambda S: S[1] < 1.0)

    def workplace(self, label):
        """A desk at the wall with a chair that faces it; stacking.py adds the monitor."""
        desk = self.wall(label, room_in_front=0.9)
        if desk is None:
            return
        self.plan.kept_free.pop()
        self._chair_at(desk, self.rng.uniform(-0.2, 0.2) * desk.S[0], 0, 0.3)

    def dining(self, label):
        """A table away from the walls with chairs around it."""
        picked = self.pick(label, lambda S: S[1] > 0.6) or self.pick(label)
        for _ in range(TRIES if picked else 0):
            model, S = picked
            half = np.hypot(S[0], S[2]) / 2
            room = np.array([self.plan.width, self.plan.depth]) - 2 * (half + 0.4)
            if (room <= 0).any():
                continue
            x, y = half + 0.4 + room * self.rng.random(2)
            yaw = self.rng.integers(4) * np.pi / 2 + self.rng.normal(0, 0.08)
            table = self.put(model, S, Footprint(x, y, yaw, S[0] / 2, S[2] / 2), 0.35)
            if table:
                self._chairs_around(table)
                return

    def _chairs_around(self, table):
        """Chairs on the sides of a table, one for every 0.65 m, some left out."""
        for side in range(4):
            length = table.S[0] if side % 2 == 0 else table.S[2]
            n = max(1, int(length / 0.65))
            for k in range(n):
                if self.rng.random() < 0.8:
                    along = length * ((k + 0.5) / n - 0.5)
                    self._chair_at(table, along, side, 0.2)

    def _chair_at(self, table, along, side, turn):
        """A chair before side 0..3 (front, left, back, right) of a table, facing it."""
        picked = self.pick("chair")
        if picked is None:
            return
        model, S = picked
        yaw = table.footprint.yaw + side * np.pi / 2
        out = np.array([-np.sin(yaw), np.cos(yaw)])
        right = np.array([np.cos(yaw), np.sin(yaw)])
        reach = (table.S[2] if side % 2 == 0 else table.S[0]) / 2
        for _ in range(8):
            turned = yaw + np.pi + self.rng.normal(0, turn)
            away = reach + S[2] / 2 + self.rng.uniform(0.02, 0.25)
            x, y = table.footprint.centre + out * away + right * along
            place = Footprint(x, y, turned, S[0] / 2, S[2] / 2)
            if self.put(model, S, place, neighbours=(table,)):
                return


def facing(direction):
    """Yaw whose front points along (2,) `direction`."""
    return float(np.arctan2(-direction[0], direction[1]))
