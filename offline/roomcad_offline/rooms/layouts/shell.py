"""The shell of a room: walls around the boxes of a layout, now and then with corners cut off.

The walls run counter-clockwise round the floor, so the room lies to the left of each of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from roomcad_offline.rooms.footprint import Footprint, overlap

L_SHAPED, CHAMFERED, OPEN = 0.6, 0.2, 0.12  # shares of the corners, corners, rooms where it fits
AT_WALL = ("door", "window", "picture", "cabinet", "bookshelf", "counter", "curtain")
SMALLEST = 2.2  # [m] side of a room at least


@dataclass(frozen=True)
class Wall:
    """A straight wall from `start` to `end`, (2,) each [m]."""

    start: np.ndarray
    end: np.ndarray

    @property
    def length(self):
        """Its length [m]."""
        return float(np.linalg.norm(self.end - self.start))

    @property
    def along(self):
        """(2,) unit vector from start to end."""
        return (self.end - self.start) / self.length

    @property
    def inward(self):
        """(2,) unit normal into the room."""
        return np.array([-self.along[1], self.along[0]])

    def place(self, along, half_width, half_depth, gap=0.0, turn=0.0):
        """Footprint whose back is `gap` before the wall, `along` metres from its start."""
        x, y = self.start + along * self.along + (gap + half_depth) * self.inward
        yaw = np.arctan2(self.along[1], self.along[0])
        return Footprint(float(x), float(y), float(yaw + turn), half_width, half_depth)

    def local(self, point):
        """(along, distance into the room) of a (2,) point."""
        offset = np.asarray(point)[:2] - self.start
        return float(offset @ self.along), float(offset @ self.inward)


@dataclass
class Shell:
    """Floor plan and height of a room."""

    width: float
    depth: float
    height: float
    walls: list  # Wall
    cuts: list = field(default_factory=list)  # Footprints of what lies outside the walls
    missing: list = field(default_factory=list)  # numbers of walls that are not built
    holes: dict = field(default_factory=dict)  # number of a wall: [(from, to, low, high)]
    partitions: list = field(default_factory=list)  # Footprints of walls inside the room

    def built(self):
        """(number, Wall) of the walls that stand."""
        return [(k, wall) for k, wall in enumerate(self.walls) if k not in self.missing]

    def convex(self, number):
        """True if the corner at the start of a wall points out of the room."""
        a, b = self.walls[number - 1].along, self.walls[number].along
        return bool(a[0] * b[1] - a[1] * b[0] > 0)

    def gap(self, point, direction):
        """Distance [m] from a (2,) point to the first wall in a (2,) unit direction."""
        nearest = np.inf
        for wall in self.walls:
            towards = -direction @ wall.inward
            along, distance = wall.local(point)
            if towards > 1e-6 and distance > -0.2:
                reach = distance / towards
                if -0.05 <= along + reach * (direction @ wall.along) <= wall.length + 0.05:
                    nearest = min(nearest, reach)
        return nearest

    def inside(self, footprint, margin=0.0):
        """True if a footprint lies within the walls."""
        corners = footprint.corners()
        low, high = np.array([-margin, -margin]), np.array([self.width, self.depth]) + margin
        if (corners < low).any() or (corners > high).any():
            return False
        return not any(overlap(footprint, cut, -margin) for cut in self.cuts + self.partitions)


def bounds(boxes, rng):
    """(2,) lowest and (2,) highest floor corner of a room round the boxes.

    The wall is right behind an outermost thing that hangs on walls, farther from others.
    """
    sides = []
    for sign, corner in ((-1, "low"), (1, "high")):
        for axis in (0, 1):
            last = max(boxes, key=lambda b: sign * getattr(b, corner)[axis])
            space = (0.0, 0.03) if last.kind in AT_WALL else (0.03, 0.35)
            sides.append(getattr(last, corner)[axis] + sign * rng.uniform(*space))
    low, high = np.array(sides[:2]), np.array(sides[2:])
    short = np.maximum(SMALLEST - (high - low), 0)
    return low - short / 2, high + short / 2


def make_shell(boxes, rng):
    """Shell of a room round the boxes, and the (3,) shift of the boxes into its frame."""
    low, high = bounds(boxes, rng)
    boxes = [box.moved(np.append(-low, 0.0)) for box in boxes]
    width, depth = map(float, high - low)
    top = max(box.high[2] for box in boxes) + 0.08
    height = float(max(rng.uniform(2.35, 2.9), min(top, 4.0)))
    corners = np.array([(0, 0), (width, 0), (width, depth), (0, depth)])
    points, cuts = [], []
    for k, corner in enumerate(corners):
        before = _unit(corner - corners[k - 1])
        after = _unit(corners[(k + 1) % 4] - corner)
        added, cut = _corner(corner, before, after, (width, depth), boxes, rng)
        points += added
        cuts += cut
    walls = [Wall(a, b) for a, b in zip(points, points[1:] + points[:1], strict=True)]
    shell = Shell(width, depth, height, walls, cuts)
    if rng.random() < OPEN:
        shell.missing = _to_leave_out(shell, boxes, rng)
    return shell, np.append(-low, 0.0)


def _unit(vector):
    return vector / np.linalg.norm(vector)


def _corner(corner, before, after, size, boxes, rng):
    """Points of the floor plan at a corner, and Footprints of what is cut off there."""
    corners = np.array(
        [[(x, y) for x in (b.low[0], b.high[0]) for y in (b.low[1], b.high[1])] for b in boxes]
    )
    back = ((corner - corners) @ before).min(1)  # along the wall that arrives
    on = ((corners - corner) @ after).min(1)  # along the wall that leaves
    limit = np.abs([np.dot(size, before), np.dot(size, after)]) * 0.55
    if rng.random() < L_SHAPED:
        a, b = _empty_rectangle(back - 0.02, on - 0.02, limit)
        if min(a, b) > 0.6 and a * b > 1.0:
            middle = corner - before * a / 2 + after * b / 2
            yaw = np.arctan2(before[1], before[0])
            inner = corner - before * a + after * b
            cut = Footprint(*map(float, middle), float(yaw), a / 2, b / 2)
            return [corner - before * a, inner, corner + after * b], [cut]
    legs = min(float((back + on).min()) - 0.1, *limit) * rng.uniform(0.6, 1.0)
    if legs > 0.7 and rng.random() < CHAMFERED:
        wall = Wall(corner - before * legs, corner + after * legs)
        deep = legs / np.sqrt(2)
        return [wall.start, wall.end], [wall.place(wall.length / 2, deep, deep / 2, -deep)]
    return [corner], []


def _empty_rectangle(back, on, limit):
    """Largest (a, b) within `limit` whose rectangle at the corner holds no box."""
    best = (0.0, 0.0)
    for a in [*back[back > 0.3], limit[0]]:
        a = min(float(a), limit[0])
        b = min(float(on[back < a].min(initial=np.inf)), limit[1])
        if b > 0 and a * b > best[0] * best[1]:
            best = (a, b)
    return best


def _to_leave_out(shell, boxes, rng):
    """[number] of a long wall where nothing hangs or leans, else []."""
    free = []
    for k, wall in enumerate(shell.walls):
        near = [b for b in boxes if abs(wall.local(b.centre)[1]) < 0.7 and b.kind in AT_WALL]
        if wall.length > 1.8 and not near:
            free.append(k)
    return [int(rng.choice(free))] if free else []
