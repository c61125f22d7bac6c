"""Bookshelves; the open side faces -z, the floor is y = 0."""

import numpy as np

from roomcad_core.furniture.parts import ACCENTS, Parts, pick, uniform
from roomcad_core.furniture.solids import both, box, four, leg, span


def _rack(parts, width, height, depth, n_shelves, n_bays=1, back=True, thick=0.02):
    """Sides, shelves, uprights and a back; returns the clear cells [(x, y) ranges]."""
    x, z = width / 2, span(0, depth)
    parts.add("wood", *both(box((x - thick, x), (0, height), z)))
    foot = uniform(parts.rng, 0.0, 0.08)
    levels = np.linspace(foot, height - thick, n_shelves + 1)
    for y in levels:
        parts.add("wood", box(span(0, width - thick), (y, y + thick), z))
    posts = np.linspace(-x, x - thick, n_bays + 1)
    for post in posts[1:-1]:
        parts.add("wood", box((post, post + thick), (foot, height - 0.001), (z[0] + 0.001, z[1])))
    if back:
        parts.add("wood", box(span(0, width - thick), (foot, height - 0.002), (z[1] - 0.008, z[1])))
    return [((a + thick, b), (low + thick, high)) for a, b in zip(posts, posts[1:], strict=False)
            for low, high in zip(levels, levels[1:], strict=False)]  # fmt: skip


def backed(rng):
    """Bookcase with a back, one or two bays."""
    parts = Parts(rng)
    n_bays = int(rng.integers(1, 3))
    width = n_bays * uniform(rng, 0.55, 0.9)
    _rack(parts, width, uniform(rng, 1.6, 2.15), uniform(rng, 0.25, 0.36),
          int(rng.integers(4, 7)), n_bays)  # fmt: skip
    return parts


def filled(rng):
    """Bookcase with a back and books on most shelves."""
    parts = Parts(rng)
    depth = uniform(rng, 0.25, 0.34)
    cells = _rack(
        parts, uniform(rng, 0.7, 1.0), uniform(rng, 1.7, 2.1), depth, int(rng.integers(4, 6))
    )
    for x, y in cells:
        _books(parts, x, y, depth)
    return parts


def _books(parts, x, y, depth):
    """A row of books from the left, as far as chance takes it."""
    rng = parts.rng
    at, end = x[0] + 0.005, x[0] + (x[1] - x[0]) * rng.uniform(0.35, 0.97)
    while at < end - 0.03:
        thick = min(uniform(rng, 0.03, 0.085), end - at)
        tall = min(uniform(rng, 0.17, 0.30), y[1] - y[0] - 0.02)
        front = -depth / 2 + uniform(rng, 0.01, 0.06)
        color = ACCENTS[rng.integers(len(ACCENTS))]
        parts.add(
            color, box((at, at + thick), (y[0] - 0.002, y[0] + tall), (front, depth / 2 - 0.02))
        )
        at += thick + 0.001


def open_rack(rng):
    """Shelves on four posts, open on all sides."""
    parts = Parts(rng, "2-fold")
    width, height, depth = uniform(rng, 0.6, 1.2), uniform(rng, 1.2, 2.0), uniform(rng, 0.28, 0.45)
    r = uniform(rng, 0.012, 0.02)
    material = pick(rng, "metal", "wood")
    x, z = width / 2 - r, depth / 2 - r
    parts.add(material, *four(leg((x, height, z), (x, 0, z), r)))
    for y in np.linspace(0.12, height - 0.06, rng.integers(4, 7)):
        parts.add("wood", box(span(0, width - r), (y, y + 0.022), span(0, depth - r)))
    return parts


def low(rng):
    """Low, wide shelf with two to four bays."""
    parts = Parts(rng)
    n_bays = int(rng.integers(2, 5))
    _rack(parts, n_bays * uniform(rng, 0.38, 0.5), uniform(rng, 0.7, 1.1), uniform(rng, 0.28, 0.4),
          2 + int(rng.integers(0, 2)), n_bays)  # fmt: skip
    return parts


def cubes(rng):
    """Grid of square cells without a back, thick outer walls."""
    parts = Parts(rng, "2-fold")
    cell, columns, rows = uniform(rng, 0.33, 0.40), int(rng.integers(2, 5)), int(rng.integers(3, 6))
    depth = uniform(rng, 0.36, 0.42)
    width, height = columns * cell + 0.06, rows * cell + 0.06
    shell = box(span(0, width), (0, height), span(0, depth))
    parts.add("wood", shell - box(span(0, width - 0.06), (0.03, height - 0.03), span(0, depth + 1)))
    for i in range(1, columns):
        parts.add("wood", box(span(-columns * cell / 2 + i * cell, 0.016), (0.02, height - 0.02),
                              span(0, depth - 0.004)))  # fmt: skip
    for j in range(1, rows):
        parts.add("wood", box(span(0, width - 0.04), span(0.03 + j * cell, 0.016),
                              span(0, depth - 0.002)))  # fmt: skip
    return parts


def ladder(rng):
    """Leaning ladder shelf: shelves get deeper towards the floor."""
    parts = Parts(rng)
    width, height, depth = uniform(rng, 0.5, 0.8), uniform(rng, 1.5, 1.95), uniform(rng, 0.4, 0.5)
    x, z = width / 2, depth / 2
    parts.add("wood", *both(leg((x, height, z - 0.03), (x, 0, -z + 0.03), 0.016)))
    parts.add("wood", *both(leg((x, height * 0.98, z - 0.02), (x, 0, z - 0.02), 0.014)))
    for y in np.linspace(0.18, height - 0.12, 5):
        front = -z + (depth - 0.06) * y / height
        parts.add("wood", box(span(0, width), (y, y + 0.022), (front, z)))
    return parts
