"""Blankets on beds and sofas, clothes over chairs."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter, grey_dilation

from roomcad_offline.rooms import clutter, shapes
from roomcad_offline.rooms.footprint import Footprint, grid
from roomcad_offline.rooms.layouts.props import CLOTH
from roomcad_offline.rooms.scene import cast
from roomcad_offline.rooms.stacking import Stood

SHARE = {"bed": 0.6, "sofa": 0.3, "chair": 0.12}  # of the pieces that have some
HANGS = 0.45  # [m] it hangs down at most
CELLS = 25  # points along a side of a cloth


def over_furniture(items, caster, size, amount, rng):
    """Stood cloth over some of the items that the ray caster holds; (2,) `size` of the room."""
    out = []
    for item in items:
        if rng.random() < SHARE.get(item.model.label, 0.0) * min(amount, 1.5):
            name = "clothes" if item.model.label == "chair" else "blanket"
            out.append(draped(caster, place_on(item, rng), item.top + 0.4, size, name, rng))
    return out


def place_on(item, rng):
    """Footprint of a cloth on a bed, a sofa or the back of a chair."""
    fp = item.footprint
    w, d = fp.half_width, fp.half_depth
    if item.model.label == "bed":
        x, y = fp.at(0, d * rng.uniform(0.1, 0.35))
        half = w + 0.05, d * rng.uniform(0.4, 0.65)
    elif item.model.label == "sofa":
        x, y = fp.at(rng.uniform(-0.5, 0.5) * w, 0)
        half = rng.uniform(0.25, 0.45), d + 0.03
    else:
        x, y = fp.at(0, -0.75 * d)
        half = w * 0.85, min(0.16, d * 0.6)
    return Footprint(float(x), float(y), fp.yaw, *map(float, half))


def draped(caster, place, top, size, name, rng):
    """Stood cloth that lies on whatever is below a footprint and hangs down beside it.

    `top`: height from which it falls [m]; it stays within the (2,) `size` of the room.
    """
    xy = grid(place, CELLS)
    rays = np.zeros((len(xy), 6), np.float32)
    rays[:, :2], rays[:, 2], rays[:, 5] = xy, top, -1
    z = top - cast(caster, rays)["t_hit"]
    z = np.where(np.isfinite(z), z, 0.0).reshape(CELLS, CELLS)
    points = np.concatenate([xy.reshape(CELLS, CELLS, 2), fallen(z)[..., None]], 2)
    points += wrinkles(CELLS, rng)
    points[..., :2] = np.clip(points[..., :2], 0.004, np.asarray(size) - 0.004)
    mesh = shapes.sheet(points)
    thing = clutter.Thing(name, ((mesh, str(rng.choice(CLOTH))),), np.zeros(3))
    return Stood(thing, Footprint(0.0, 0.0, 0.0, 0.0, 0.0), 0.0)


def fallen(z):
    """(n, n) heights of cloth over a surface of heights z [m]."""
    over = np.maximum(gaussian_filter(grey_dilation(z, 5), 1.0), z) + 0.02
    return np.maximum(over, z.max() - HANGS)


def wrinkles(n, rng):
    """(n, n, 3) offsets of cloth that is not smooth [m]: folds across, a little upwards."""
    u, v = np.meshgrid(np.linspace(-1, 1, n), np.linspace(-1, 1, n), indexing="ij")
    out = np.zeros((n, n, 3))
    for axis, size in ((0, 0.012), (1, 0.012), (2, 0.008)):
        for _ in range(3):
            k, phase = rng.normal(0, 6, 2), rng.uniform(0, 6.3)
            out[..., axis] += size * np.sin(k[0] * u + k[1] * v + phase)
    out[..., 2] = np.abs(out[..., 2])
    return out
