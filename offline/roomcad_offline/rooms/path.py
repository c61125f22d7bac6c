"""A hand-held camera walking through a furnished room and looking at the furniture."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import distance_transform_edt, gaussian_filter1d, label
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra

from roomcad_core.pose import rigid

CELL = 0.1  # [m] side of a cell of the floor grid
BODY = 0.32  # [m] whoever holds the camera keeps this far from things
HEIGHTS = {"robot": (0.5, 1.0), "head": (1.5, 1.7)}
PITCH = (-0.85, 0.15)  # [rad] the camera looks down and up this far
LOOK = (0.7, 3.5)  # [m] distance from which the edge of furniture is looked at
DWELL = 1.8  # [s] a piece of furniture is looked at


def heading_pose(position, yaw, pitch, roll=0.0):
    """T_room_cam (4, 4) of a camera that looks along yaw (from x, about z) and pitch (up)."""
    level = np.array([np.cos(yaw), np.sin(yaw), 0.0])
    forward = np.cos(pitch) * level + (0, 0, np.sin(pitch))
    right = np.array([level[1], -level[0], 0.0])
    down = np.cross(forward, right)
    c, s = np.cos(roll), np.sin(roll)
    axes = np.stack([c * right + s * down, c * down - s * right, forward], 1)
    return rigid(axes, position)


class FreeFloor:
    """Open floor on a grid of cells and ways across it."""

    def __init__(self, free, origin=(0.0, 0.0), body=BODY):
        """`free`: (nx, ny) bool, cells nobody stands in; `origin`: corner of cell (0, 0) [m]."""
        self.origin = np.asarray(origin, float)
        self.clearance = distance_transform_edt(np.pad(free, 1))[1:-1, 1:-1] * CELL
        regions, n = label(self.clearance > body)
        sizes = np.bincount(regions.ravel())[1:]
        self.area = sizes.max() * CELL**2 if n else 0.0
        open_cells = regions == (1 + np.argmax(sizes)) if n else np.zeros_like(free)
        self.cells = np.argwhere(open_cells)
        self.graph = _graph(open_cells, self.clearance)

    def route(self, start, goal):
        """(N, 2) positions [m] from cell number `start` to `goal`, along the open floor."""
        _, before = dijkstra(self.graph, indices=start, return_predecessors=True)
        way = [goal]
        while way[-1] != start:
            way.append(before[way[-1]])
        return (self.cells[way[::-1]] + 0.5) * CELL + self.origin

    def wander(self, length, rng):
        """(N, 2) positions every CELL or so along random goals, at least `length` [m] long."""
        here, way, total = int(rng.integers(len(self.cells))), [], 0.0
        while total < length or not way:
            goals = rng.integers(len(self.cells), size=4)
            far = np.linalg.norm(self.cells[goals] - self.cells[here], axis=1)
            goal = int(goals[np.argmax(far)])
            leg = self.route(here, goal)
            way.append(leg[1:] if way else leg)
            total += max(np.linalg.norm(np.diff(leg, axis=0), axis=1).sum(), CELL / 2)
            here = goal
        return np.concatenate(way)


class Walk(FreeFloor):
    """Free floor of a plan."""

    def __init__(self, plan, obstacles, body=BODY):
        """`obstacles`: footprints of everything that stands on the floor."""
        nx, ny = int(plan.width / CELL), int(plan.depth / CELL)
        xy = (np.stack(np.meshgrid(np.arange(nx), np.arange(ny), indexing="ij"), -1) + 0.5) * CELL
        free = np.ones((nx, ny), bool)
        for fp in obstacles:
            offset = xy - fp.centre
            free &= (np.abs(offset @ fp.right) > fp.half_width) | (
                np.abs(offset @ fp.front) > fp.half_depth
            )
        super().__init__(free, body=body)


def _graph(open_cells, clearance):
    """Sparse graph of neighbouring open cells; narrow places cost more."""
    number = np.full(open_cells.shape, -1)
    number[open_cells] = np.arange(open_cells.sum())
    rows, cols, costs = [], [], []
    nx, ny = open_cells.shape
    for dx, dy in ((1, 0), (0, 1), (1, 1), (1, -1)):
        a = (slice(0, nx - dx), slice(max(0, -dy), ny - max(0, dy)))
        b = (slice(dx, nx), slice(max(0, dy), ny - max(0, -dy)))
        both = open_cells[a] & open_cells[b]
        rows.append(number[a][both])
        cols.append(number[b][both])
        costs.append(np.hypot(dx, dy) / np.minimum(clearance[a][both], 0.8))
    n = int(open_cells.sum())
    rows, cols, costs = (np.concatenate(v) for v in (rows, cols, costs))
    half = coo_matrix((costs, (rows, cols)), shape=(n, n))
    return (half + half.T).tocsr()


def camera_path(walk, targets, radii, config, rng):
    """Poses T_room_cam (frames, 4, 4) of one walk.

    `targets`: (M, 3) furniture centres in the room frame, `radii`: (M,) their reach [m].
    """
    duration = (config.frames - 1) / config.fps
    fine = 30.0  # the walk is smoothed at this rate [1/s] and sampled at config.fps
    n = int(np.ceil(duration * fine)) + 2
    position = np.empty((n, 3))
    position[:, :2] = _paced(walk.wander(config.speed * duration, rng), n, config.speed / fine)
    position[:, 2] = _height(config.viewpoint, rng) + 0.03 * wobble(n, fine * 1.2, rng)
    angles = _gaze(position, targets, radii, int(DWELL * fine), rng)
    angles += 0.006 * wobble((n, 2), fine * 0.12, rng)
    position += 0.003 * wobble((n, 3), fine * 0.12, rng)
    roll = 0.01 * wobble(n, fine * 0.3, rng)
    at = np.minimum(np.rint(np.arange(config.frames) * fine / config.fps).astype(int), n - 1)
    return np.stack([heading_pose(position[i], *angles[i], roll[i]) for i in at])


def _height(viewpoint, rng):
    """Camera height [m] of a viewpoint; "both" or "any": of one of them."""
    name = viewpoint if viewpoint in HEIGHTS else str(rng.choice(sorted(HEIGHTS)))
    low, high = HEIGHTS[name]
    return rng.uniform(low + 0.05, high - 0.05)


def wobble(shape, sigma, rng):
    """Smooth noise along axis 0 of about unit deviation; `sigma` [samples] sets its pace."""
    noise = gaussian_filter1d(rng.normal(size=shape), sigma, axis=0, mode="reflect")
    return np.clip(noise * np.sqrt(2 * np.sqrt(np.pi) * sigma), -2, 2)


def _paced(way, n, step):
    """(n, 2) positions `step` metres apart along the smoothed way; the last one repeats."""
    arc = np.append(0, np.cumsum(np.linalg.norm(np.diff(way, axis=0), axis=1)))
    dense = np.arange(0, arc[-1] + 1e-9, 0.02)
    smooth = np.stack([np.interp(dense, arc, way[:, k]) for k in (0, 1)], 1)
    smooth = gaussian_filter1d(smooth, 0.25 / 0.02, axis=0, mode="nearest")
    along = np.append(0, np.cumsum(np.linalg.norm(np.diff(smooth, axis=0), axis=1)))
    at = np.minimum(np.arange(n) * step, along[-1])
    return np.stack([np.interp(at, along, smooth[:, k]) for k in (0, 1)], 1)


def _gaze(position, targets, radii, dwell, rng):
    """(n, 2) smooth yaw and pitch; every `dwell` samples towards another target."""
    chosen, seen, yaw = np.empty_like(position), np.zeros(len(targets)), None
    for start in range(0, len(position), dwell):
        to = targets - position[min(start + dwell // 2, len(position) - 1)]
        k = _next_target(to, radii, seen, yaw, rng)
        yaw = np.arctan2(to[k, 1], to[k, 0])
        seen += np.exp(-((np.linalg.norm(targets - targets[k], axis=1) / 0.8) ** 2))
        chosen[start : start + dwell] = targets[k]
    to = chosen - position
    pitch = np.clip(np.arctan2(to[:, 2], np.maximum(np.hypot(to[:, 0], to[:, 1]), 0.3)), *PITCH)
    angles = np.stack([np.unwrap(np.arctan2(to[:, 1], to[:, 0])), pitch], 1)
    return gaussian_filter1d(angles, dwell * 0.3, axis=0, mode="nearest")


def _next_target(to, radii, seen, yaw, rng):
    """Number of the offset in `to` (M, 3) to look at: within LOOK, little seen, no big turn."""
    far = np.hypot(to[:, 0], to[:, 1]) - radii
    cost = 3 * np.maximum(LOOK[0] - far, 0) + np.maximum(far - LOOK[1], 0) + seen
    if yaw is not None:
        turn = np.arctan2(to[:, 1], to[:, 0]) - yaw
        cost = cost + 0.4 * np.abs((turn + np.pi) % (2 * np.pi) - np.pi)
    return int(np.argmin(cost + rng.uniform(0, 0.5, len(to))))
