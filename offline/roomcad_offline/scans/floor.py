"""The floor of a scan: where it lies, and where on it somebody can stand."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import binary_closing

from roomcad_offline.rooms.path import CELL, FreeFloor
from roomcad_offline.scannet.alignment import fit_plane, height_above
from roomcad_offline.scannet.scan import FLOOR, Scan

SAMPLE = 0.04  # [m] points on the surfaces are about this far apart
LEVEL = 0.1  # [m] what is this near the floor is floor
HEADROOM = 1.75  # [m] nothing may be between LEVEL and this above free floor
BLOCKING = 3  # points that make a cell blocked; fewer are stray triangles
BODIES = (0.32, 0.25)  # [m] kept from things; the second where rooms are narrow
MIN_FLOOR = 0.1  # [m2] of floor to walk on


def floor_plane(scan: Scan) -> np.ndarray:
    """(3,) a, b, c: the floor is at z = a x + b y + c in the aligned frame.

    Scans lean by a few centimetres over a room, so the plane is fitted to what is labelled floor;
    where nothing is, to the lowest tenth of the vertices.
    """
    points = scan.vertices.astype(float)
    mine = scan.nyu40 == FLOOR
    if np.count_nonzero(mine) < 3:
        mine = points[:, 2] <= np.percentile(points[:, 2], 10)
    return fit_plane(points[mine])


def free_floor(scan: Scan, plane: np.ndarray) -> FreeFloor:
    """Floor with nothing above it up to a head's height.

    Raises:
        ValueError: there is too little of it to walk on.
    """
    points = surface_points(scan)
    height = height_above(plane, points)
    low, high = points[:, :2].min(0), points[:, :2].max(0)
    edges = [np.arange(a, b + CELL, CELL) for a, b in zip(low, high, strict=True)]
    floor = _count(points[np.abs(height) < LEVEL], edges) > 0
    blocked = _count(points[(height > LEVEL) & (height < HEADROOM)], edges) >= BLOCKING
    closed = binary_closing(np.pad(floor, 3), iterations=2)[3:-3, 3:-3]  # holes of the scan
    for body in BODIES:
        walk = FreeFloor(closed & ~blocked, low, body)
        if walk.area >= MIN_FLOOR:
            return walk
    raise ValueError(
        f"{scan.name}: no free floor: got {walk.area:.2f} m2 at {body} m from everything, "
        f"expected {MIN_FLOOR} m2"
    )


def surface_points(scan: Scan) -> np.ndarray:
    """(M, 3) float64 points spread over all faces, the same for the same scan."""
    corners = scan.vertices[scan.faces].astype(float)
    a, b = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = np.linalg.norm(np.cross(a, b), axis=1) / 2
    face = np.repeat(np.arange(len(area)), np.ceil(area / SAMPLE**2).astype(int))
    u, v = np.random.default_rng(0).random((2, len(face)))
    over = u + v > 1
    u, v = np.where(over, 1 - u, u), np.where(over, 1 - v, v)
    return corners[face, 0] + u[:, None] * a[face] + v[:, None] * b[face]


def _count(points, edges):
    """(nx, ny) number of points in each cell."""
    return np.histogram2d(points[:, 0], points[:, 1], edges)[0]
