"""Furniture of a library scaled into the boxes of a layout and turned as people turn it."""

from __future__ import annotations

import numpy as np

from roomcad_offline.rooms.footprint import Footprint
from roomcad_offline.rooms.layouts.read import Box
from roomcad_offline.rooms.plan import Item

SMALLEST, LARGEST = 0.6, 1.6  # a CAD axis is scaled by no less and no more
CANDIDATES = 5  # models of a class that a room uses, at most
WALL_BACKED = ("sofa", "bed", "cabinet", "bookshelf", "toilet", "desk")
LONGEST = {"bookshelf": 1.7, "cabinet": 2.0, "table": 2.6, "desk": 2.2, "chair": 1.15}  # [m]
HANGS = ("cabinet", "bookshelf")  # may hang on a wall
HIGH = 0.5  # [m] a box whose bottom is higher does not stand on the floor
NEAR_TABLE = 0.7  # [m] from its edge, within which a chair belongs to a table


class Fitter:
    """Chooses, scales and turns the models of one room."""

    def __init__(self, shell, library, rng):
        self.shell, self.rng = shell, rng
        labels = sorted({model.label for model in library})
        self.models = {label: self.some(library.of_class(label)) for label in labels}
        self.hanging = {}  # as above, of what may hang
        for label in HANGS:
            self.hanging[label] = self.some([m for m in library.of_class(label) if has_base(m)])

    def some(self, models):
        """A few models of a list, drawn at random; [] of none."""
        if not models:
            return []
        count = min(CANDIDATES, len(models))
        return [models[k] for k in self.rng.choice(len(models), count, replace=False)]

    def item(self, box, boxes):
        """Item that stands in a box among all `boxes`; None if there is nothing to stand there."""
        bottom = standing_height(box, self.shell)
        models = (self.hanging if bottom else self.models).get(box.label)
        if not models or bottom is None:
            return None
        rules = turn_costs(box, boxes, self.shell)
        size = np.array([box.size[0], box.high[2] - bottom, box.size[1]])
        choices = []
        for quarter in range(4):
            wanted = size if quarter % 2 == 0 else size[[2, 1, 0]]
            for model in models:
                misfit = np.abs(np.log(wanted / model.size)).sum()
                choices.append((misfit + rules[quarter], quarter, model, wanted))
        _, quarter, model, wanted = min(choices, key=lambda c: c[0])
        S = scaled(model, wanted)
        turn = self.turn(box.label)
        S = S * shrink(S, wanted, turn) if model.symmetry == "none" else S
        return self.placed(box, model, S, quarter, turn, bottom)

    def turn(self, label):
        """A small random turn away from the axes [rad]."""
        chance = self.rng.random()
        if label == "chair":
            return float(self.rng.normal(0, 0.25 if chance < 0.8 else 0.8))
        return float(self.rng.normal(0, 0.06)) if chance < 0.12 else 0.0

    def placed(self, box, model, S, quarter, turn, bottom):
        """Item in its box; furniture with its back to a wall is moved to it."""
        yaw = quarter * np.pi / 2 + turn
        place = Footprint(*map(float, box.centre[:2]), float(yaw), S[0] / 2, S[2] / 2)
        if box.label in WALL_BACKED:
            axis = np.array([-np.sin(quarter * np.pi / 2), np.cos(quarter * np.pi / 2)])
            reach = np.abs((place.corners() - place.centre) @ axis).max()
            gap = self.shell.gap(place.centre, -axis) - reach
            slack = abs(box.size[:2] @ axis) / 2 - reach
            pull = gap - 0.01 if gap < 0.25 else max(slack, 0.0)
            x, y = place.centre - axis * min(pull, gap - 0.01)
            place = Footprint(float(x), float(y), place.yaw, place.half_width, place.half_depth)
        return Item(model, S, kept_inside(place, self.shell), bottom)


def standing_height(box, shell):
    """Height of the bottom of what stands in a box [m]: 0 unless it hangs on a wall.

    None where it would have to hang in the air.
    """
    if box.label not in HANGS or box.low[2] < HIGH:
        return 0.0
    gaps = [back_gap(box, quarter, shell) for quarter in range(4)]
    if min(gaps) < 0.3:
        return float(box.low[2])
    return None if box.low[2] > 1.0 else 0.0


def has_base(model):
    """True if a model ends below in a flat base, not in legs: it may hang on a wall."""
    return np.mean(model.points[:, 1] < -0.47) > 0.05


def scaled(model, wanted):
    """(3,) size of a model near the `wanted` one [m], each axis scaled within limits."""
    S = np.clip(wanted, model.size * SMALLEST, model.size * LARGEST)
    if model.symmetry in ("4-fold", "rotational"):
        S[[0, 2]] = min(S[0], S[2])  # unequal sides would break the symmetry
    return S


def shrink(S, wanted, turn):
    """Factor that keeps a turned piece within the sides of its box."""
    c, s = abs(np.cos(turn)), abs(np.sin(turn))
    wide = max(wanted[0], S[0]) / (c * S[0] + s * S[2])
    deep = max(wanted[2], S[2]) / (s * S[0] + c * S[2])
    return max(min(1.0, wide, deep), 0.8)


def kept_inside(place, shell):
    """The footprint moved so that it reaches through no wall of the outer rectangle."""
    corners = place.corners()
    shift = np.maximum(0.005 - corners.min(0), 0)
    shift -= np.maximum(corners.max(0) - (shell.width - 0.005, shell.depth - 0.005), 0)
    x, y = place.centre + shift
    return Footprint(float(x), float(y), place.yaw, place.half_width, place.half_depth)


def front(quarter):
    """(2,) direction that something turned by quarter circles faces."""
    return np.round([(0, 1), (-1, 0), (0, -1), (1, 0)][quarter]).astype(float)


def back_gap(box, quarter, shell):
    """Distance [m] from the back of a box, turned by quarter circles, to the wall behind it."""
    ahead = front(quarter)
    return shell.gap(box.centre[:2], -ahead) - abs(box.size[:2] @ ahead) / 2


def turn_costs(box, boxes, shell):
    """(4,) how unlikely it is that the box faces front(0..3)."""
    fronts = [front(quarter) for quarter in range(4)]
    if box.label == "chair":
        wanted = chair_direction(box, boxes, shell)
        return np.array([2.5 * (1 - f @ wanted) for f in fronts])
    costs = np.zeros(4)
    if box.label in WALL_BACKED:
        gaps = np.array([back_gap(box, quarter, shell) for quarter in range(4)])
        costs += 2.5 * np.clip(gaps - gaps.min(), 0, 1.5)
    if box.label == "desk":
        chairs = [b for b in boxes if b.label == "chair" and edge_gap(box, b) < NEAR_TABLE]
        for chair in chairs[:3]:
            towards = unit(chair.centre[:2] - box.centre[:2])
            costs += np.array([1.2 * (1 - f @ towards) for f in fronts])
    return costs


def chair_direction(box, boxes, shell):
    """(2,) unit vector along which a chair looks: to its table, else away from a near wall."""
    tables = [b for b in boxes if b.label in ("table", "desk")]
    table = min(tables, key=lambda b: edge_gap(box, b), default=None)
    if table is not None and edge_gap(box, table) < NEAR_TABLE:
        return towards(box, table)
    gaps = [back_gap(box, quarter, shell) for quarter in range(4)]
    if min(gaps) < 0.5:
        return front(int(np.argmin(gaps)))
    return unit(np.array([shell.width, shell.depth]) / 2 - box.centre[:2])


def towards(box, table):
    """(2,) unit vector from a chair to the side of the table that it stands at."""
    offset = box.centre[:2] - table.centre[:2]
    outside = np.abs(offset) - table.size[:2] / 2  # of the chair's middle, along x and y
    direction = np.zeros(2)
    axis = int(np.argmax(outside))
    direction[axis] = -np.sign(offset[axis]) or 1.0
    return direction


def edge_gap(a, b):
    """Distance [m] between two boxes seen from above; 0 where they overlap."""
    gap = np.abs(a.centre[:2] - b.centre[:2]) - (a.size[:2] + b.size[:2]) / 2
    return float(np.linalg.norm(np.maximum(gap, 0)))


def unit(vector):
    """The vector at length 1; one along y if it has none."""
    length = np.linalg.norm(vector)
    return vector / length if length > 1e-6 else np.array([0.0, 1.0])


def split(box):
    """The box cut along its longer side into pieces no longer than its class is."""
    longest = LONGEST.get(box.label, np.inf)
    axis = int(np.argmax(box.size[:2]))
    n = int(np.ceil(box.size[axis] / longest))
    if n <= 1:
        return [box]
    size = box.size.copy()
    size[axis] /= n
    starts = box.low[axis] + size[axis] * (np.arange(n) + 0.5)
    out = []
    for start in starts:
        centre = box.centre.copy()
        centre[axis] = start
        out.append(Box(box.kind, centre, size))
    return out
