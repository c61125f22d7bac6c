"""Small meshes: boxes, cones, ellipsoids, merged and moved. z is up, lengths in metres."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Mesh(NamedTuple):
    """Triangles with outward winding."""

    vertices: np.ndarray  # (V, 3) float64
    triangles: np.ndarray  # (F, 3) int64


def box(low, high):
    """Axis-aligned box between two corners."""
    corners = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], float)
    quads = ((0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3))
    triangles = [t for a, b, c, d in quads for t in ((a, b, c), (a, c, d))]
    low, high = np.asarray(low, float), np.asarray(high, float)
    return Mesh(low + corners * (high - low), np.array(triangles))


def block(width, depth, height):
    """Box standing on the origin."""
    return box((-width / 2, -depth / 2, 0), (width / 2, depth / 2, height))


def lathe(radii, heights, n=20):
    """Closed body of revolution about z through the (radius, height) rings, bottom first."""
    angle = np.arange(n) * 2 * np.pi / n
    ring = np.stack([np.cos(angle), np.sin(angle), np.zeros(n)], 1)
    rings = [ring * r + (0, 0, h) for r, h in zip(radii, heights, strict=True)]
    caps = [[(0, 0, heights[0])], [(0, 0, heights[-1])]]
    i, j = np.arange(n), (np.arange(n) + 1) % n
    triangles = []
    for k in range(len(radii) - 1):
        a, b = k * n, (k + 1) * n
        triangles += [np.stack([a + i, a + j, b + j], 1), np.stack([a + i, b + j, b + i], 1)]
    low, top, last = len(radii) * n, len(radii) * n + 1, (len(radii) - 1) * n
    triangles.append(np.stack([j, i, np.full(n, low)], 1))
    triangles.append(np.stack([last + i, last + j, np.full(n, top)], 1))
    return Mesh(np.concatenate(rings + caps), np.concatenate(triangles))


def cylinder(radius, height, top_radius=None, n=20):
    """Cylinder or cone stump standing on the origin."""
    return lathe((radius, radius if top_radius is None else top_radius), (0, height), n)


def ellipsoid(rx, ry, rz, n=14):
    """Ellipsoid standing on the origin."""
    angle = np.linspace(0.08, np.pi - 0.08, n // 2 + 2)
    ball = lathe(np.sin(angle), -np.cos(angle), n)
    return Mesh((ball.vertices + (0, 0, 1)) * (rx, ry, rz), ball.triangles)


def moved(mesh, offset, yaw=0.0, tilt=0.0):
    """The mesh tilted about x, turned by `yaw` about z, then shifted."""
    ct, st, cy, sy = np.cos(tilt), np.sin(tilt), np.cos(yaw), np.sin(yaw)
    x, y, z = mesh.vertices.T
    y, z = ct * y - st * z, st * y + ct * z
    x, y = cy * x - sy * y, sy * x + cy * y
    return Mesh(np.stack([x, y, z], 1) + offset, mesh.triangles)


def merged(meshes):
    """One mesh of several."""
    starts = np.cumsum([0] + [len(m.vertices) for m in meshes])
    return Mesh(
        np.concatenate([m.vertices for m in meshes]),
        np.concatenate([m.triangles + s for m, s in zip(meshes, starts, strict=False)]),
    )


def sheet(points):
    """Open surface through a grid of points (N, M, 3), facing up where x and y grow along N, M."""
    points = np.asarray(points, float)
    n, m = points.shape[:2]
    k = np.arange(n * m).reshape(n, m)
    a, b, c, d = (v.ravel() for v in (k[:-1, :-1], k[1:, :-1], k[1:, 1:], k[:-1, 1:]))
    triangles = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    return Mesh(points.reshape(-1, 3), triangles)


def tube(path, radius, n=8):
    """Pipe of a radius along (N, 3) points, open at its ends."""
    path = np.asarray(path, float)
    ahead = np.gradient(path, axis=0)
    ahead /= np.maximum(np.linalg.norm(ahead, axis=1, keepdims=True), 1e-9)
    aside = np.where(np.abs(ahead[:, 2:]) < 0.9, (0.0, 0.0, 1.0), (1.0, 0.0, 0.0))
    right = np.cross(ahead, aside)
    right /= np.linalg.norm(right, axis=1, keepdims=True)
    over = np.cross(right, ahead)
    angle = np.linspace(0, 2 * np.pi, n + 1)[:, None, None]
    return sheet(path + radius * (np.cos(angle) * right + np.sin(angle) * over))
