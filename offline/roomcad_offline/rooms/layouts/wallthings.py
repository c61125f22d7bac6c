"""Things at walls that no layout tells of: radiators, pipes, columns, steps, coats, towels, lights.

Their frame is that of openings.py: the wall's surface at y = 0, the room at positive y.
"""

from __future__ import annotations

import numpy as np

from roomcad_offline.rooms import shapes
from roomcad_offline.rooms.clutter import thing
from roomcad_offline.rooms.layouts.openings import at
from roomcad_offline.rooms.layouts.props import CLOTH, pillow_mesh


def radiator(rng, width):
    """A radiator of ribs or plates, 10 cm above the floor."""
    h, y = rng.uniform(0.4, 0.7), 0.05
    body = at(0, y, 0.12, width, 0.03, h)
    step = rng.uniform(0.04, 0.08)
    ribs = [
        at(x, y + 0.02, 0.12, step * 0.6, 0.06, h)
        for x in np.arange(-width / 2, width / 2, step) + step / 2
    ]
    pipe = shapes.tube([(width / 2, y, 0.0), (width / 2, y, 0.2)], 0.012)
    return thing("radiator", (shapes.merged([body, *ribs]), "ceramic"), (pipe, "metal"))


def pipes(rng, height):
    """One to three pipes from the floor to the ceiling."""
    tubes = [
        shapes.moved(shapes.cylinder(rng.uniform(0.015, 0.06), height, n=12), (x, 0.08, 0))
        for x in 0.14 * np.arange(rng.integers(1, 4))
    ]
    return thing("pipe", (shapes.merged(tubes), str(rng.choice(["ceramic", "metal", "wall"]))))


def column(rng, height):
    """A pillar or a chimney breast."""
    w, d = rng.uniform((0.2, 0.15), (0.6, 0.4))
    return thing(
        "column", (at(0, -0.02, 0, w, d, height), str(rng.choice(["wall", "tiles", "plain"])))
    )


def steps(rng):
    """Two to four steps that lead to the wall."""
    n, w = rng.integers(2, 5), rng.uniform(0.8, 1.2)
    run, rise = rng.uniform(0.24, 0.3), rng.uniform(0.15, 0.19)
    blocks = [at(0, 0, k * rise, w, (n - k) * run, rise) for k in range(n)]
    return thing("stairs", (shapes.merged(blocks), str(rng.choice(["wood", "stone", "carpet"]))))


def coats(rng):
    """A rail of hooks with coats, its bottom far above the floor."""
    n, step = rng.integers(1, 5), rng.uniform(0.16, 0.24)
    rail = at(0, 0, 1.0, n * step + 0.1, 0.02, 0.08)
    parts = [(rail, "wood")]
    for k in range(n):
        w, h = rng.uniform(0.25, 0.45), rng.uniform(0.6, 1.0)
        cloth = shapes.moved(pillow_mesh(w, h, rng.uniform(0.1, 0.2)), (0, 0, 0), 0.0, np.pi / 2)
        x = (k - (n - 1) / 2) * step
        top = 1.06 - cloth.vertices[:, 2].max()
        cloth = shapes.moved(cloth, (x, 0.02 - cloth.vertices[:, 1].min(), top))
        parts.append((cloth, str(CLOTH[rng.integers(len(CLOTH))])))
    return thing("clothes", *parts)


def towels(rng):
    """A towel over a rail."""
    w, front, back = rng.uniform((0.35, 0.3, 0.2), (0.65, 0.8, 0.6))
    top, x = 0.9, np.linspace(-w / 2, w / 2, 8)
    profile = np.array(
        [(0.05, top - back), (0.05, top), (0.08, top + 0.015), (0.11, top), (0.11, top - front)]
    )
    wave = 0.006 * np.sin(x * rng.uniform(15, 30))
    grid = np.stack(
        np.broadcast_arrays(x[:, None], profile[:, 0] + wave[:, None], profile[:, 1]), -1
    )
    rail = shapes.tube([(-w / 2 - 0.05, 0.08, top), (w / 2 + 0.05, 0.08, top)], 0.01)
    return thing(
        "towel", (shapes.sheet(grid), str(CLOTH[rng.integers(len(CLOTH))])), (rail, "metal")
    )


def light(rng):
    """A lamp below the ceiling; its highest point is at z = 0."""
    style = rng.integers(3)
    if style == 0:
        w, d = rng.uniform((0.3, 0.3), (1.2, 0.6))
        return thing("light", (shapes.box((-w / 2, -d / 2, -0.06), (w / 2, d / 2, 0)), "lampshade"))
    if style == 1:
        disc = shapes.moved(shapes.cylinder(rng.uniform(0.12, 0.25), 0.08), (0, 0, -0.08))
        return thing("light", (disc, "lampshade"))
    drop, r = rng.uniform(0.3, 0.6), rng.uniform(0.12, 0.25)
    shade = shapes.moved(shapes.cylinder(r, 0.2, r * 0.4), (0, 0, -drop - 0.2))
    cord = shapes.tube([(0, 0, -drop), (0, 0, 0)], 0.006, 5)
    return thing("light", (shade, "lampshade"), (cord, "black"))


def wall_shelf(rng, width):
    """A board on the wall."""
    return thing("ledge", (at(0, 0, 0, width, rng.uniform(0.15, 0.25), 0.03), "wood"))
