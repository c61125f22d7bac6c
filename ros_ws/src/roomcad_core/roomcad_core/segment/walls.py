"""Walls of one frame: upright planes with nothing behind them, in the grav frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from roomcad_core.segment.planes import BIN, Plane, tolerance
from roomcad_core.segment.surface import dot

SIDE_SIN = 0.25  # surfaces within 14 degrees of upright may be walls
N_ANGLES = 72  # directions of walls looked at, 5 degrees apart
LAYERS_OUT = 400  # distance cells of BIN metres
STRIP = 0.1  # width of the upright strips in which a wall is looked behind [m]
MARGIN = 4  # strips looked at to either side of a wall


@dataclass(frozen=True)
class Upright:
    """Points that may be of walls, and the cells of the histogram of planes that each is in."""

    p: np.ndarray  # (N, 3) points [m]
    n: np.ndarray  # (N, 3) normals
    area: np.ndarray  # (N,) [m2]
    cells: np.ndarray  # (3, N) of its own direction and of those to either side

    def only(self, mask):
        """Those under an (N,) bool mask."""
        at = np.flatnonzero(mask)
        return Upright(self.p[at], self.n[at], self.area[at], self.cells.take(at, axis=1))


def find_walls(surface, skip, config):
    """Upright planes that close the room, largest first; pixels in `skip` are no candidates.

    Cabinet fronts and shelves are not walls: something is seen behind them, above or beside.
    """
    walls, left = [], _upright(surface, skip)
    for _ in range(config.max_walls * 2):
        found = _best_upright(left)
        if found is None or found[2] < config.min_wall_area:
            break
        plane_n, d = _refine_upright(left, found)
        off = np.abs(left.p @ plane_n.astype(np.float32) - np.float32(d))
        aligned = left.n @ plane_n.astype(np.float32) > 0.9
        mine = aligned & (off < 0.05 + 0.015 * np.abs(d))
        if np.count_nonzero(mine) < 0.5 * config.min_points:
            break
        wall = _wall(surface, plane_n, d, left.p[np.flatnonzero(mine)], config)
        if wall is not None:
            walls.append(wall)
        left = left.only(~mine)
        if len(walls) == config.max_walls or len(left.p) < config.min_points:
            break
    return walls


def _upright(surface, skip):
    """Upright of every second pixel of the surface, `skip` left out."""
    free = surface.smooth & ~skip & (np.abs(surface.normals[..., 2]) < SIDE_SIN)
    free[::2, 1::2] = free[1::2, ::2] = False
    at = np.flatnonzero(free)
    p, n = (a.reshape(-1, 3).take(at, axis=0) for a in (surface.points, surface.normals))
    nearest = np.round(np.arctan2(n[:, 1], n[:, 0]) / (2 * np.pi) * N_ANGLES).astype(int)
    cells = [_cell(p, (nearest + shift) % N_ANGLES) for shift in (-1, 0, 1)]
    return Upright(p, n, 2 * surface.area.ravel()[at], np.stack(cells))


def _cell(p, k):
    """(N,) histogram cells of upright planes through points p (N, 3), facing directions k (N,)."""
    angles = np.arange(N_ANGLES) * 2 * np.pi / N_ANGLES
    directions = np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32)
    d = np.einsum("nc,nc->n", p[:, :2], directions[k])
    return k * LAYERS_OUT + np.clip((-d / BIN).astype(int), 0, LAYERS_OUT - 1)


def _best_upright(left):
    """(angle, d, area) of the strongest cell of the (direction, distance) histogram, or None."""
    if len(left.p) < 16:
        return None
    votes = sum(np.bincount(cells, left.area, N_ANGLES * LAYERS_OUT) for cells in left.cells)
    votes = votes.reshape(N_ANGLES, LAYERS_OUT)
    votes[:, 0] = 0  # planes through the camera: nothing real
    votes[:, 1:-1] = votes[:, :-2] + votes[:, 1:-1] + votes[:, 2:]
    k, cell = np.unravel_index(int(np.argmax(votes)), votes.shape)
    return k * 2 * np.pi / N_ANGLES, -(cell + 0.5) * BIN, float(votes[k, cell])


def _refine_upright(left, found):
    """Weighted line fit in plan to the points of a histogram cell: (3,) normal and d."""
    angle, d, _ = found
    direction = np.array([np.cos(angle), np.sin(angle)])
    for width in (2.0, 1.0):
        off = left.p[:, :2] @ direction.astype(np.float32) - np.float32(d)
        facing = left.n[:, :2] @ direction.astype(np.float32) > 0.9
        near = np.flatnonzero(facing & (np.abs(off) < width * (0.04 + 0.01 * abs(d))))
        if len(near) < 16:
            break
        xy, w = left.p[near, :2].astype(float), left.area[near].astype(float)
        centre = w @ xy / w.sum()
        xy -= centre
        axis = np.linalg.eigh((xy * w[:, None]).T @ xy)[1][:, 0]
        direction = axis if axis @ direction > 0 else -axis
        d = float(direction @ centre)
    return np.array([*direction, 0.0]), d


def _wall(surface, n, d, inliers, config):
    """The Plane if the upright plane closes the room, else None."""
    tangent = np.array([-n[1], n[0], 0.0], np.float32)
    first, last = np.percentile(inliers @ tangent, [1, 99])
    bottom, top = np.percentile(inliers[:, 2], [1, 99])
    width, height = last - first, top - bottom
    if max(width, height) < config.min_wall_size or width * height < config.min_wall_area:
        return None
    towards = dot(surface.rays, n)
    reach = (towards < -1e-3) * (d / np.minimum(towards, -1e-3))  # where rays meet it
    strip = np.floor((reach * dot(surface.rays, tangent) - first) / STRIP).astype(int) + MARGIN
    off = dot(surface.points, n) - np.float32(d)
    tol = tolerance(surface, n, config.plane_distance)
    n_strips = int(width / STRIP) + 1 + 2 * MARGIN
    seen = surface.valid & (reach > 0) & (strip >= 0) & (strip < n_strips)
    above = seen & (reach * surface.rays[..., 2] > bottom - 0.1)
    back, own = (
        np.bincount(strip.ravel()[np.flatnonzero(above & mask)], minlength=n_strips)
        for mask in (off < -(0.1 + 2 * tol), np.abs(off) < 2 * tol)
    )
    if _free_standing(own, back, width):
        return None
    facing = ~surface.smooth | (dot(surface.normals, n) > 0.8) | (np.abs(off) < 0.5 * tol)
    return Plane(n, d, seen & (np.abs(off) < tol) & facing)


def _free_standing(own, back, width):
    """Whether points seen behind a plane show it to be the front of a thing, not a wall.

    Args:
        own, back: pixels on the plane and behind it, for each strip and MARGIN strips outside.
        width: of the plane [m]; only narrow ones can be cupboards that hide the wall above them.
    """
    inner = slice(MARGIN, len(own) - MARGIN)
    used = own[inner] > 0
    if not used.any():
        return True
    open_share = np.mean((back[inner] > np.maximum(0.2 * own[inner], 3))[used])
    sides = back[:MARGIN], back[-MARGIN:]
    hides = width < 1.8 and any(np.count_nonzero(s > 5) >= MARGIN - 1 for s in sides)
    return bool(open_share > 0.4 or hides)
