"""Floor, ceiling and walls of one frame, in the grav frame (z up, camera at the origin)."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from roomcad_core.segment.surface import dot

UP_COS = 0.93  # surfaces within 21 degrees of level may be floor or ceiling
SIDE_SIN = 0.25  # surfaces within 14 degrees of upright may be walls
SIGMAS = 3  # of depth noise that a plane is thick
BIN = 0.03  # histogram cell [m]
N_ANGLES = 72  # directions of walls looked at, 5 degrees apart


@dataclass(frozen=True)
class Plane:
    """n·p = d in the grav frame, n towards the camera (d < 0); `inside` are its pixels."""

    n: np.ndarray  # (3,) unit
    d: float  # [m]
    inside: np.ndarray  # (h, w) bool


def tolerance(surface, n, distance):
    """(h, w) how far a measured point of a plane with normal n may lie off it [m]."""
    return distance + SIGMAS * surface.depth_noise * np.abs(dot(surface.rays, n))


def find_floor(surface, config):
    """The lowest well-supported level plane with nothing below it, or None."""
    level = surface.smooth & (surface.normals[..., 2] > UP_COS)
    z = surface.points[..., 2]
    height = _lowest_level(z[level], z[surface.valid], config)
    if height is None:
        return None
    return _refine_level(surface, level, height, config)


def find_ceiling(surface, config):
    """The highest well-supported level plane above the camera with nothing above it, or None."""
    level = surface.smooth & (surface.normals[..., 2] < -UP_COS)
    z = surface.points[..., 2]
    height = _lowest_level(-z[level], -z[surface.valid], config)
    if height is None:
        return None
    return _refine_level(surface, level, -height, config)


def _lowest_level(level_z, all_z, config):
    """Lowest peak of the heights `level_z` below the camera that almost nothing lies under."""
    if len(level_z) < config.min_points:
        return None
    low = float(level_z.min())
    counts = np.bincount(((level_z - low) / BIN).astype(int))
    counts = np.convolve(counts, np.ones(3), "same")
    enough = max(2 * config.min_points, 0.1 * counts.max())
    for i in np.flatnonzero(counts >= enough):
        peak = i + int(np.argmax(counts[i : i + 4]))
        height = low + (peak + 0.5) * BIN
        if height > -config.min_camera_height:
            return None
        below = np.count_nonzero(all_z < height - 0.1 - 0.02 * abs(height))
        if below > 0.02 * len(all_z):
            return None
        return height
    return None


def _refine_level(surface, level, height, config):
    """Least-squares plane of the level points near `height`, tilted by 3 degrees at most."""
    sign = 1.0 if height < 0 else -1.0
    n, d = np.array([0.0, 0.0, sign]), sign * height
    points = surface.points
    for width in (2.5, 1.5):
        off = np.abs(dot(points, n) - np.float32(d))
        near = level & (off < tolerance(surface, n, width * config.plane_distance))
        p = points[near][::3].astype(float)
        if len(p) < 30:
            break
        A = np.column_stack([p[:, :2], np.ones(len(p))])
        a, b, c = np.linalg.lstsq(A, p[:, 2], rcond=None)[0]
        if np.hypot(a, b) > 0.05:
            a, b, c = 0.0, 0.0, float(np.median(p[:, 2]))
        n = sign * np.array([-a, -b, 1.0])
        length = np.linalg.norm(n)
        n, d = n / length, sign * c / length
    off = dot(points, n) - np.float32(d)
    tol = tolerance(surface, n, config.plane_distance)
    flat = ~surface.smooth | (dot(surface.normals, n) > 0.7)
    inside = surface.valid & ((np.abs(off) < tol) & flat | (off < 0.5 * tol))
    return Plane(n, d, inside)


def find_walls(surface, floor_z, skip, config):
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
        wall = _wall(surface, plane_n, d, p[mine], floor_z, config)
        if wall is not None:
            walls.append(wall)
        left &= ~mine
        if len(walls) == config.max_walls or np.count_nonzero(left) < config.min_points:
            break
    return walls


def pixel_area(surface, rows, cols):
    """Metric area of the surface seen by each working pixel [m²], capped at grazing angles."""
    q = surface.q[rows, cols]
    view = surface.rays[rows, cols]
    facing = np.abs(np.einsum("nc,nc->n", view, surface.normals[rows, cols]))
    step = np.linalg.norm(surface.rays[0, 1] - surface.rays[0, 0])
    return np.square(step / q) / np.maximum(facing, 0.15)


def _best_upright(p, n, area):
    """(angle, d, area) of the strongest cell of the (direction, distance) histogram, or None."""
    if len(p) < 16:
        return None
    nearest = np.round(np.arctan2(n[:, 1], n[:, 0]) / (2 * np.pi) * N_ANGLES).astype(int)
    angles = np.arange(N_ANGLES) * 2 * np.pi / N_ANGLES
    directions = np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32)
    span = 400
    votes = np.zeros(N_ANGLES * span)
    for shift in (-1, 0, 1):
        k = (nearest + shift) % N_ANGLES
        d = np.einsum("nc,nc->n", p[:, :2], directions[k])
        cell = np.clip((-d / BIN).astype(int), 0, span - 1)
        votes += np.bincount(k * span + cell, area, N_ANGLES * span)
    votes = votes.reshape(N_ANGLES, span)
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


def _wall(surface, n, d, inliers, floor_z, config):
    """The Plane if the upright plane closes the room, else None."""
    tangent = np.array([-n[1], n[0], 0.0], np.float32)
    along, up = inliers @ tangent, inliers[:, 2]
    first, last = np.percentile(along, [1, 99])
    bottom, top = np.percentile(up, [1, 99])
    if max(last - first, top - bottom) < config.min_wall_size:
        return None
    if (last - first) * (top - bottom) < config.min_wall_area:
        return None
    towards = dot(surface.rays, n)
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = np.where(towards < -1e-3, d / towards, 0)  # z-depth at which the ray meets it
    crossing = (reach * dot(surface.rays, tangent) - first) / 0.1
    off = dot(surface.points, n) - np.float32(d)
    tol = tolerance(surface, n, config.plane_distance)
    seen = surface.valid & (reach > 0)
    n_bins, margin = int((last - first) / 0.1) + 1, 4
    cell = np.floor(crossing[seen]).astype(int) + margin
    behind = off[seen] < -(0.1 + 2 * tol[seen])
    height = reach[seen] * surface.rays[..., 2][seen]
    fits = (cell >= 0) & (cell < n_bins + 2 * margin) & (height > bottom - 0.1)
    size = n_bins + 2 * margin
    back = np.bincount(cell[fits & behind], minlength=size)
    own = np.bincount(cell[fits & (np.abs(off[seen]) < 2 * tol[seen])], minlength=size)
    if _free_standing(own, back, margin, last - first):
        return None
    inside_span = (crossing > -margin) & (crossing < n_bins + margin)
    facing = ~surface.smooth | (dot(surface.normals, n) > 0.8) | (np.abs(off) < 0.5 * tol)
    inside = surface.valid & inside_span & (reach > 0) & (np.abs(off) < tol) & facing
    return Plane(n, d, inside)


def _free_standing(own, back, margin, width):
    """Whether points behind the plane show it to be the front of a thing, not a wall."""
    inner = slice(margin, len(own) - margin)
    used = own[inner] > 0
    if not used.any():
        return True
    open_share = np.mean((back[inner] > np.maximum(0.2 * own[inner], 3))[used])
    if open_share > 0.4:
        return True
    sides = back[:margin], back[len(back) - margin :]
    return width < 1.8 and any(np.count_nonzero(s > 5) >= margin - 1 for s in sides)


def clean(mask, size=3):
    """Mask without specks and pin-holes."""
    kernel = np.ones((size, size), np.uint8)
    return cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, kernel).astype(bool)
