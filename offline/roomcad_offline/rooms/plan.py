"""The plan of a room: its walls and openings, what stands in it, and what still fits.

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
