"""Unit meshes of clutter: extents 1 around the origin, as (F, 3, 3) float32 triangle corners."""

import numpy as np


def clutter_shapes():
    """Box, cylinder and blob, each with the part number (F,) of its triangles."""
    return [(mesh.astype(np.float32), parts) for mesh, parts in (_box(), _cylinder(), _blob())]


def _box():
    """Six faces; top and front differ in colour from the others."""
    square = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]])
    triangles, parts = [], []
    for axis in range(3):
        for side in (-0.5, 0.5):
            corners = np.insert(square, axis, side, axis=1)
            triangles += [corners[[0, 1, 2]], corners[[0, 2, 3]]]
            parts += [axis % 2, axis % 2]
    return np.array(triangles), np.array(parts)


def _cylinder(sides=14):
    """Upright, with caps."""
    angle = 2 * np.pi * np.arange(sides + 1) / sides
    ring = 0.5 * np.stack([np.cos(angle), np.zeros(sides + 1), np.sin(angle)], 1)
    low, high = ring + (0, -0.5, 0), ring + (0, 0.5, 0)
    triangles, parts = [], []
    for i in range(sides):
        triangles += [[low[i], low[i + 1], high[i + 1]], [low[i], high[i + 1], high[i]]]
        triangles += [[low[i], low[i + 1], (0, -0.5, 0)], [high[i], high[i + 1], (0, 0.5, 0)]]
        parts += [0, 0, 1, 1]
    return np.array(triangles), np.array(parts)


def _blob(columns=12, rows=8):
    """A sphere with bumps, scaled back to extents 1."""
    u = 2 * np.pi * np.arange(columns + 1) / columns
    v = np.pi * np.arange(rows + 1) / rows
    bump = 1 + 0.18 * np.sin(3 * u)[None] * np.sin(2 * v)[:, None]
    sphere = np.stack(
        [
            np.sin(v)[:, None] * np.cos(u),
            np.cos(v)[:, None] * np.ones_like(u),
            np.sin(v)[:, None] * np.sin(u),
        ],
        -1,
    )
    grid = sphere * bump[..., None]
    low, high = grid.reshape(-1, 3).min(0), grid.reshape(-1, 3).max(0)
    grid = (grid - (low + high) / 2) / (high - low)
    a, b, c, d = grid[:-1, :-1], grid[:-1, 1:], grid[1:, 1:], grid[1:, :-1]
    triangles = np.concatenate([np.stack([a, b, c], 2), np.stack([a, c, d], 2)])
    return triangles.reshape(-1, 3, 3), np.zeros(2 * columns * rows, int)
