"""Walls of one frame: upright planes with nothing behind them, in the grav frame."""

from __future__ import annotations

import numpy as np

from roomcad_core.segment.planes import BIN, Plane, pixel_area, tolerance
from roomcad_core.segment.surface import dot

SIDE_SIN = 0.25  # surfaces within 14 degrees of upright may be walls
N_ANGLES = 72  # directions of walls looked at, 5 degrees apart
LAYERS_OUT = 400  # distance cells of BIN metres
STRIP = 0.1  # width of the upright strips in which a wall is looked behind [m]
MARGIN = 4  # strips looked at to either side of a wall


def find_walls(surface, skip, config):
    """Upright planes that close the room, largest first; pixels in `skip` are no candidates.

    Cabinet fronts and shelves are not walls: something is seen behind them, above or beside.
    """
    free = surface.smooth & ~skip & (np.abs(surface.normals[..., 2]) < SIDE_SIN)
    rows, cols = np.nonzero(free)
    take = (rows + cols) % 2 == 0
    rows, cols = rows[take], cols[take]
    p, n = surface.points[rows, cols], surface.normals[rows, cols]
    area = 2 * pixel_area(surface, rows, cols)
    walls, left = [], np.ones(len(rows), bool)
    for _ in range(config.max_walls * 2):
        found = _best_upright(p[left], n[left], area[left])
        if found is None or found[2] < config.min_wall_area:
            break
        plane_n, d = _refine_upright(p, n, area, left, found)
        off = np.abs(p @ plane_n.astype(np.float32) - np.float32(d))
        aligned = n @ plane_n.astype(np.float32) > 0.9
        mine = left & aligned & (off < 0.05 + 0.015 * np.abs(d))
        if np.count_nonzero(mine) < 0.5 * config.min_points:
            break
        wall = _wall(surface, plane_n, d, p[mine], config)
        if wall is not None:
            walls.append(wall)
        left &= ~mine
        if len(walls) == config.max_walls or np.count_nonzero(left) < config.min_points:
            break
    return walls


def _best_upright(p, n, area):
    """(angle, d, area) of the strongest cell of the (direction, distance) histogram, or None."""
    if len(p) < 16:
        return None
    nearest = np.round(np.arctan2(n[:, 1], n[:, 0]) / (2 * np.pi) * N_ANGLES).astype(int)
    angles = np.arange(N_ANGLES) * 2 * np.pi / N_ANGLES
    directions = np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32)
    votes = np.zeros(N_ANGLES * LAYERS_OUT)
    for shift in (-1, 0, 1):
        k = (nearest + shift) % N_ANGLES
        d = np.einsum("nc,nc->n", p[:, :2], directions[k])
        cell = np.clip((-d / BIN).astype(int), 0, LAYERS_OUT - 1)
        votes += np.bincount(k * LAYERS_OUT + cell, area, N_ANGLES * LAYERS_OUT)
    votes = votes.reshape(N_ANGLES, LAYERS_OUT)
    votes[:, 0] = 0  # planes through the camera: nothing real
    votes[:, 1:-1] = votes[:, :-2] + votes[:, 1:-1] + votes[:, 2:]
    k, cell = np.unravel_index(int(np.argmax(votes)), votes.shape)
    return angles[k], -(cell + 0.5) * BIN, float(votes[k, cell])


def _refine_upright(p, n, area, left, found):
    """Weighted line fit in plan to the points of a histogram cell: (3,) normal and d."""
    angle, d, _ = found
    direction = np.array([np.cos(angle), np.sin(angle)])
    for width in (2.0, 1.0):
        off = p[:, :2] @ direction.astype(np.float32) - np.float32(d)
        facing = n[:, :2] @ direction.astype(np.float32) > 0.9
        near = left & facing & (np.abs(off) < width * (0.04 + 0.01 * abs(d)))
        if np.count_nonzero(near) < 16:
            break
        xy, w = p[near, :2].astype(float), area[near].astype(float)
        centre = np.average(xy, axis=0, weights=w)
        cov = np.cov(xy.T, aweights=w)
        axis = np.linalg.eigh(cov)[1][:, 0]
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
    reach = np.where(towards < -1e-3, d / np.minimum(towards, -1e-3), 0)  # where rays meet it
    strip = np.floor((reach * dot(surface.rays, tangent) - first) / STRIP).astype(int) + MARGIN
    off = dot(surface.points, n) - np.float32(d)
    tol = tolerance(surface, n, config.plane_distance)
    n_strips = int(width / STRIP) + 1 + 2 * MARGIN
    seen = surface.valid & (reach > 0) & (strip >= 0) & (strip < n_strips)
    above = seen & (reach * surface.rays[..., 2] > bottom - 0.1)
    back = np.bincount(strip[above & (off < -(0.1 + 2 * tol))], minlength=n_strips)
    own = np.bincount(strip[above & (np.abs(off) < 2 * tol)], minlength=n_strips)
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
