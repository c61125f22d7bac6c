"""Things that are no furniture: boxes, plants, lamps, books, cups. Built standing on the origin."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from roomcad_offline.rooms import shapes
from roomcad_offline.rooms.shapes import Mesh


class Thing(NamedTuple):
    """One piece of clutter in its own frame, z up, standing on z = 0."""

    name: str
    parts: tuple[tuple[Mesh, str], ...]  # mesh and the name of its material
    half: np.ndarray  # (3,) half width, half depth and height [m]


def thing(name, *parts):
    """A Thing with its size measured."""
    points = np.concatenate([mesh.vertices for mesh, _ in parts])
    return Thing(name, parts, np.append(np.abs(points[:, :2]).max(0), points[:, 2].max()))


def carton(rng):
    """One to three cardboard boxes on top of each other."""
    parts, z = [], 0.0
    size = rng.uniform((0.25, 0.25, 0.15), (0.55, 0.5, 0.45))
    for _ in range(rng.integers(1, 4)):
        block = shapes.block(*size)
        parts.append((shapes.moved(block, (0, 0, z), rng.normal(0, 0.08)), "cardboard"))
        z += size[2]
        size = size * rng.uniform(0.7, 0.95, 3)
        if z > 0.8:
            break
    return thing("carton", *parts)


def plant(rng, height=None):
    """A pot with a stem and a bush of leaves."""
    height = rng.uniform(0.6, 1.6) if height is None else height
    pot = height * rng.uniform(0.12, 0.2)
    spread = height * rng.uniform(0.16, 0.26)
    parts = [
        (shapes.cylinder(pot * 0.7, pot * 1.4, pot), str(rng.choice(["plain", "ceramic"]))),
        (shapes.moved(shapes.cylinder(0.012, height * 0.6, n=8), (0, 0, pot)), "wood"),
    ]
    leaves = []
    for _ in range(rng.integers(14, 30)):
        leaf = shapes.ellipsoid(*(height * rng.uniform((0.05, 0.02, 0.004), (0.12, 0.05, 0.01))), 8)
        offset = (*rng.normal(0, spread * 0.45, 2), rng.uniform(pot * 1.5, height))
        leaves.append(shapes.moved(leaf, offset, rng.uniform(0, 6.3), rng.normal(0, 0.6)))
    return thing("plant", *parts, (shapes.merged(leaves), "leaves"))


def floor_lamp(rng):
    """A foot, a pole, a shade."""
    height, radius = rng.uniform(1.3, 1.75), rng.uniform(0.13, 0.22)
    shade = shapes.cylinder(radius, 0.25, radius * rng.uniform(0.5, 1))
    return thing(
        "floor lamp",
        (shapes.cylinder(0.14, 0.025), "metal"),
        (shapes.cylinder(0.013, height - 0.2, n=10), "metal"),
        (shapes.moved(shade, (0, 0, height - 0.25)), "lampshade"),
    )


def table_lamp(rng):
    """A small lamp."""
    height = rng.uniform(0.3, 0.5)
    shade = shapes.cylinder(height * 0.35, height * 0.42, height * 0.22)
    foot = shapes.lathe((0.08, 0.05, 0.02, 0.02), (0, 0.03, 0.1, height * 0.7))
    return thing(
        "table lamp",
        (foot, "ceramic"),
        (shapes.moved(shade, (0, 0, height * 0.58)), "lampshade"),
    )


def suitcase(rng):
    """An upright suitcase."""
    w, d, h = rng.uniform((0.35, 0.2, 0.5), (0.5, 0.3, 0.75))
    handle = shapes.moved(shapes.block(0.16, 0.02, 0.05), (0, 0, h))
    return thing("suitcase", (shapes.block(w, d, h), "plain"), (handle, "black"))


def ball(rng):
    """A ball on the floor."""
    r = rng.uniform(0.1, 0.3)
    return thing("ball", (shapes.ellipsoid(r, r, r, 24), str(rng.choice(["plain", "stripes"]))))


def basket(rng):
    """An open round basket with laundry in it."""
    r, h = rng.uniform(0.18, 0.28), rng.uniform(0.25, 0.45)
    laundry = shapes.moved(shapes.ellipsoid(r * 0.95, r * 0.95, 0.12), (0, 0, h - 0.14))
    return thing("basket", (shapes.cylinder(r * 0.8, h, r), "wood"), (laundry, "fabric"))


def books(rng):
    """A stack of lying books."""
    parts, z = [], 0.0
    for _ in range(rng.integers(1, 6)):
        w, d, h = rng.uniform((0.15, 0.12, 0.015), (0.3, 0.22, 0.05))
        book = shapes.moved(shapes.block(w, d, h), (0, 0, z), rng.normal(0, 0.2))
        parts.append((book, str(rng.choice(["picture", "plain"]))))
        z += h
    return thing("books", *parts)


def cup(rng):
    """A cup."""
    r = rng.uniform(0.03, 0.045)
    return thing("cup", (shapes.cylinder(r * 0.8, r * 2.4, r), "ceramic"))


def bottle(rng):
    """A bottle with a neck."""
    r, h = rng.uniform(0.03, 0.045), rng.uniform(0.2, 0.32)
    body = shapes.lathe((r, r, r * 0.35, r * 0.35), (0, h * 0.6, h * 0.75, h), 14)
    return thing("bottle", (body, str(rng.choice(["plain", "black"]))))


def bowl(rng):
    """A bowl of fruit."""
    r = rng.uniform(0.1, 0.17)
    fruit = [
        shapes.moved(shapes.ellipsoid(0.04, 0.04, 0.04), (*rng.normal(0, r / 3, 2), r * 0.4))
        for _ in range(5)
    ]
    dish = shapes.lathe((r * 0.5, r * 0.9, r), (0, r * 0.3, r * 0.55))
    return thing("bowl", (dish, "ceramic"), (shapes.merged(fruit), "plain"))


def laptop(rng):
    """An open laptop."""
    w, d = rng.uniform(0.3, 0.36), rng.uniform(0.2, 0.25)
    lid = shapes.moved(shapes.block(w, d, 0.01), (0, 0, 0), 0.0, 1.9 - rng.uniform(0, 0.3))
    low = lid.vertices[:, 2].min()
    lid = shapes.moved(lid, (0, -d * 0.55, 0.02 - low))
    return thing("laptop", (shapes.block(w, d, 0.02), "metal"), (lid, "black"))


def small_plant(rng):
    """A potted plant for a table."""
    return plant(rng, rng.uniform(0.2, 0.45))._replace(name="small plant")


def cushion(rng):
    """A cushion lying flat."""
    a, b = rng.uniform(0.18, 0.3, 2)
    return thing("cushion", (shapes.ellipsoid(a, b, 0.07), str(rng.choice(["fabric", "stripes"]))))


ON_FLOOR = (carton, carton, plant, plant, floor_lamp, floor_lamp, suitcase, ball, basket)
ON_TABLE = (books, books, cup, cup, bottle, bowl, laptop, small_plant, table_lamp, carton)
ON_SOFT = (cushion,)
