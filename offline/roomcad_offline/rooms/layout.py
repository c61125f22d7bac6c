"""Where furniture stands: a room plan filled step by step, without collisions."""

from __future__ import annotations

import numpy as np

from roomcad_offline.rooms.footprint import Footprint, overlap
from roomcad_offline.rooms.plan import GAP, TRIES, Item
from roomcad_offline.rooms.themes import THEMES


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
