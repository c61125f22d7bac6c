"""Cabinets; doors and drawers face -z, the floor is y = 0."""

import numpy as np

from roomcad_core.furniture.fronts import door_fronts, drawer_fronts
from roomcad_core.furniture.parts import Parts, pick, uniform
from roomcad_core.furniture.solids import box, four, leg, span


def _body(parts, width, height, depth, foot):
    """Carcass with a plinth or feet below `foot`."""
    parts.add("wood", box(span(0, width), (foot, height), span(0, depth), 0.003))
    x, z = width / 2 - 0.04, depth / 2 - 0.04
    if parts.rng.random() < 0.5 or foot < 0.09:
        parts.add("wood", box(span(0, width - 0.05), (0, foot + 0.01), span(0.02, depth - 0.06)))
    else:
        material = pick(parts.rng, "wood", "metal")
        parts.add(
            material, *four(leg((x, foot + 0.01, z), (x + 0.01, 0, z + 0.01), 0.02, 0.013, 8))
        )


def doors(rng):
    """Cupboard with one or two rows of doors."""
    parts = Parts(rng)
    n = int(rng.integers(1, 4))
    width, height, depth = (
        n * uniform(rng, 0.38, 0.5),
        uniform(rng, 0.8, 1.5),
        uniform(rng, 0.35, 0.5),
    )
    _body(parts, width, height, depth, 0.08)
    cut = uniform(rng, 0.35, 0.6) * height if height > 1.1 else height - 0.02
    door_fronts(parts, span(0, width - 0.02), (0.09, cut), -depth / 2, n)
    if cut < height - 0.1:
        door_fronts(parts, span(0, width - 0.02), (cut, height - 0.02), -depth / 2, n)
    return parts


def drawers(rng):
    """Chest of drawers."""
    parts = Parts(rng)
    width, height, depth = uniform(rng, 0.6, 1.2), uniform(rng, 0.7, 1.2), uniform(rng, 0.38, 0.52)
    foot = uniform(rng, 0.04, 0.14)
    _body(parts, width, height, depth, foot)
    columns = 2 if width > 0.95 else 1
    edges = np.linspace(-width / 2 + 0.01, width / 2 - 0.01, columns + 1)
    rows = int(rng.integers(3, 6))
    for x in zip(edges, edges[1:], strict=False):
        drawer_fronts(parts, x, (foot + 0.02, height - 0.025), -depth / 2, rows)
    parts.add(
        "wood", box(span(0, width + 0.02), (height - 0.02, height), span(0, depth + 0.03), 0.003)
    )
    return parts


def sideboard(rng):
    """Low, long cabinet: doors outside, drawers between them."""
    parts = Parts(rng)
    width, height, depth = uniform(rng, 1.2, 2.0), uniform(rng, 0.55, 0.85), uniform(rng, 0.38, 0.5)
    foot, z = uniform(rng, 0.06, 0.18), -depth / 2
    _body(parts, width, height, depth, foot)
    y, third = (foot + 0.015, height - 0.02), (width - 0.02) / 3
    for s in (-1, 1):
        door_fronts(parts, span(s * third, third), y, z, 2 if width > 1.6 else 1)
    drawer_fronts(parts, span(0, third), y, z, int(rng.integers(2, 4)))
    return parts


def wardrobe(rng):
    """Tall wardrobe with two to four doors, some with drawers below."""
    parts = Parts(rng)
    n = int(rng.integers(2, 5))
    width, height, depth = (
        n * uniform(rng, 0.42, 0.52),
        uniform(rng, 1.85, 2.3),
        uniform(rng, 0.52, 0.62),
    )
    _body(parts, width, height, depth, 0.07)
    bottom, z = 0.08, -depth / 2
    if rng.random() < 0.5:
        bottom = uniform(rng, 0.3, 0.45)
        drawer_fronts(parts, span(0, width - 0.02), (0.08, bottom), z, 1)
    door_fronts(parts, span(0, width - 0.02), (bottom, height - 0.03), z, n)
    parts.add(
        "wood",
        box(span(0, width + 0.03), (height - 0.025, height + 0.01), span(0, depth + 0.03), 0.004),
    )
    return parts


def nightstand(rng):
    """Bedside cabinet with drawers, or an open niche above a drawer."""
    parts = Parts(rng)
    width, height, depth = (
        uniform(rng, 0.38, 0.55),
        uniform(rng, 0.42, 0.62),
        uniform(rng, 0.34, 0.45),
    )
    foot = uniform(rng, 0.06, 0.16)
    body = box(span(0, width), (foot, height), span(0, depth), 0.003)
    top, z = height - 0.02, -depth / 2
    if rng.random() < 0.5:
        niche = uniform(rng, 0.12, 0.18)
        top = height - 0.03 - niche
        body -= box(span(0, width - 0.04), (top, height - 0.02), (z - 1, depth / 2 - 0.02))
    parts.add("wood", body)
    parts.add(
        "wood",
        *four(
            leg(
                (width / 2 - 0.035, foot + 0.01, depth / 2 - 0.035),
                (width / 2 - 0.03, 0, depth / 2 - 0.03),
                0.02,
                0.014,
                8,
            )
        ),
    )
    drawer_fronts(
        parts, span(0, width - 0.02), (foot + 0.015, top), z, 1 if top < height - 0.1 else 2
    )
    return parts


def filing(rng):
    """Tall, narrow office cabinet with two to four deep drawers."""
    parts = Parts(rng)
    n = int(rng.integers(2, 5))
    width, height, depth = uniform(rng, 0.40, 0.50), 0.06 + 0.32 * n, uniform(rng, 0.50, 0.65)
    parts.add("metal", box(span(0, width), (0, height), span(0, depth), 0.004))
    drawer_fronts(parts, span(0, width - 0.02), (0.05, height - 0.02), -depth / 2, n, "metal")
    return parts


def glazed(rng):
    """Display cabinet: an open upper part with shelves over closed doors."""
    parts = Parts(rng)
    width, height, depth = uniform(rng, 0.7, 1.1), uniform(rng, 1.6, 2.0), uniform(rng, 0.36, 0.45)
    cut, z = uniform(rng, 0.7, 0.9), -depth / 2
    hollow = box(span(0, width - 0.05), (cut, height - 0.03), (z - 1, depth / 2 - 0.02))
    parts.add("wood", box(span(0, width), (0, height), span(0, depth), 0.003) - hollow)
    for y in np.linspace(cut, height, rng.integers(3, 5))[1:-1]:
        parts.add("wood", box(span(0, width - 0.04), (y, y + 0.018), (z + 0.02, depth / 2 - 0.01)))
    door_fronts(parts, span(0, width - 0.02), (0.08, cut), z, 2)
    return parts
