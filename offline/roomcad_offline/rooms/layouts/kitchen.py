"""Kitchens and bathrooms: counters with fronts, sinks, stoves, refrigerators, shower cabins.

Their frame: x along the wall, the back at y = 0, the front at positive y, z up from the floor.
"""

from __future__ import annotations

import numpy as np

from roomcad_offline.rooms import shapes
from roomcad_offline.rooms.clutter import thing
from roomcad_offline.rooms.layouts.openings import at

TOP = 0.035  # [m] thickness of a worktop
PLINTH = 0.1
DEEPEST = 0.2  # [m] of a sink set in


def counter(rng, width, depth, height, sinks=(), fronts=True):
    """A worktop on cupboards, with holes for `sinks`: (x, y, width, depth) each.

    `fronts` False gives a worktop on a panel at each end.
    """
    kind = str(rng.choice(["wood", "ceramic", "plain", "ceramic", "stone"]))
    parts = [(shapes.merged(_worktop(width, depth, height, sinks)), _worktop_kind(rng))]
    below = height - TOP
    ends = [at(s * (width / 2 - 0.01), 0, 0, 0.018, depth - 0.03, below) for s in (-1, 1)]
    if not fronts:
        ends.append(at(0, 0.05, 0.3, width - 0.04, 0.02, below - 0.3))
        return thing("counter", *parts, (shapes.merged(ends), kind))
    body = at(0, 0, PLINTH, width - 0.04, depth - 0.06, below - PLINTH - DEEPEST - 0.02)
    plinth = at(0, 0, 0, width - 0.04, depth - 0.1, PLINTH)
    parts.append((shapes.merged([body, *ends]), kind))
    parts.append((plinth, "black"))
    doors, handles = _fronts(rng, width - 0.04, depth - 0.05, below)
    parts += [(doors, kind), (handles, str(rng.choice(["metal", "metal", "black"])))]
    if rng.random() < 0.5:
        parts.append((at(0, 0, height, width, 0.015, rng.uniform(0.08, 0.6)), "tiles"))
    return thing("counter", *parts)


def _worktop_kind(rng):
    return str(rng.choice(["stone", "stone", "wood", "ceramic"]))


def _worktop(width, depth, height, sinks):
    """Blocks of a worktop round the holes of its sinks."""
    spans, x = [], -width / 2
    for sx, sy, sw, sd in sorted(sinks):
        left, right = max(sx - sw / 2, x), min(sx + sw / 2, width / 2)
        if right <= left:
            continue
        spans.append((x, left, 0.0, depth))
        spans += [(left, right, 0.0, sy - sd / 2), (left, right, sy + sd / 2, depth)]
        x = right
    spans.append((x, width / 2, 0.0, depth))
    low = height - TOP
    return [shapes.box((a, b, low), (c, d, height)) for a, c, b, d in spans if c > a and d > b]


def _fronts(rng, width, y, height):
    """Doors and drawers of a row of cupboards, and their handles."""
    n = max(1, round(width / rng.uniform(0.4, 0.65)))
    step, doors, handles = width / n, [], []
    bar = rng.random() < 0.5
    for k in range(n):
        x = -width / 2 + (k + 0.5) * step
        rows = [(0.0, 0.76), (0.76, 1.0)] if rng.random() < 0.6 else [(0.0, 1.0)]
        if rng.random() < 0.25:
            rows = [(0.0, 0.35), (0.35, 0.7), (0.7, 1.0)]
        for low, high in rows:
            tall = (high - low) * (height - PLINTH)
            z = PLINTH + low * (height - PLINTH)
            doors.append(at(x, y, z + 0.002, step - 0.006, 0.02, tall - 0.006))
            size = (step * 0.5, 0.03, 0.012) if bar else (0.03, 0.03, 0.03)
            handles.append(at(x, y + 0.02, z + tall - 0.06, *size))
    return shapes.merged(doors), shapes.merged(handles)


def basin(rng, width, depth):
    """A sink set in a worktop: its rim at z = DEEPEST, with a tap."""
    material = str(rng.choice(["metal", "metal", "ceramic"]))
    wall, top = 0.012, DEEPEST + 0.004
    sides = [at(s * (width - wall) / 2, -depth / 2, 0, wall, depth, top) for s in (-1, 1)]
    sides += [at(0, y, 0, width, wall, top) for y in (-depth / 2, depth / 2 - wall)]
    floor = at(0, -depth / 2, 0, width, depth, 0.01)
    return thing("sink", (shapes.merged([*sides, floor]), material), _tap(-depth / 2 - 0.03, top))


def _tap(y, z):
    """A tap that bends to the front: (mesh, material)."""
    a = np.linspace(0, np.pi, 8)
    arc = np.stack([0 * a, y + 0.07 * (1 - np.cos(a)), z + 0.16 + 0.07 * np.sin(a)], 1)
    return shapes.tube([(0, y, z - 0.02), *arc, (0, y + 0.14, z + 0.13)], 0.012), "metal"


def washbasin(rng, width, depth, height, foot=True):
    """A bowl of ceramic with its rim at a height, its back at y = 0; on a foot for many."""
    rings = (0.1, 0.3, 0.48, 0.5, 0.44, 0.3, 0.05), (0, 0.05, 0.14, 0.17, 0.17, 0.07, 0.05)
    bowl = shapes.lathe(*rings, 24)
    points = bowl.vertices * (width, depth, 1) + (0, depth / 2, height - 0.17)
    parts = [(shapes.Mesh(points, bowl.triangles), "ceramic"), _tap(0.02, height)]
    if foot and rng.random() < 0.6:
        pillar = shapes.cylinder(0.09, height - 0.15, 0.11)
        parts.append((shapes.moved(pillar, (0, depth * 0.45, 0)), "ceramic"))
    return thing("sink", *parts)


def refrigerator(rng, width, depth, height):
    """One or two doors with handles."""
    kind = str(rng.choice(["ceramic", "ceramic", "metal", "metal", "black", "plain"]))
    body = at(0, 0, 0.03, width, depth - 0.06, height - 0.03)
    split = rng.choice([0.35, 0.62, 1.0]) if height > 1.1 else 1.0
    doors, handles = [], []
    for low, high in ((0.0, split), (split, 1.0)):
        if high > low:
            z, tall = 0.04 + low * (height - 0.04), (high - low) * (height - 0.04) - 0.008
            doors.append(at(0, depth - 0.055, z, width, 0.055, tall))
            handles.append(at(-width * 0.4, depth, z + tall * 0.3, 0.025, 0.04, tall * 0.4))
    feet = at(0, 0.02, 0, width * 0.9, depth - 0.1, 0.03)
    parts = [(shapes.merged([body, *doors]), kind), (feet, "black")]
    return thing("refrigerator", *parts, (shapes.merged(handles), "metal"))


def stove(rng, width, depth, height):
    """An oven with its hob; stands free or replaces a piece of a counter."""
    kind = str(rng.choice(["ceramic", "metal", "black"]))
    body = at(0, 0, 0.02, width, depth - 0.03, height - 0.03)
    door = at(0, depth - 0.03, 0.18, width * 0.96, 0.03, height * 0.6)
    window = at(0, depth, 0.3, width * 0.7, 0.005, height * 0.33)
    handle = at(0, depth, 0.18 + height * 0.56, width * 0.8, 0.04, 0.02)
    knobs = [
        shapes.moved(
            shapes.cylinder(0.02, 0.02, n=10),
            (x * width, depth - 0.03, height - 0.08),
            0,
            -np.pi / 2,
        )
        for x in (-0.36, -0.18, 0.0, 0.18, 0.36)
    ]
    hob = at(0, 0.01, height - 0.01, width, depth - 0.03, 0.015)
    rings = [
        shapes.moved(
            shapes.cylinder(rng.uniform(0.07, 0.1), 0.008, n=16),
            (x * width, y * depth, height + 0.005),
        )
        for x in (-0.24, 0.24)
        for y in (0.28, 0.7)
    ]
    parts = [(shapes.merged([body, door]), kind), (window, "screen"), (hob, "black")]
    return thing("stove", *parts, (shapes.merged([handle, *knobs, *rings]), "metal"))


def hood(rng, height):
    """A range hood, 60 cm wide, with its flue up to a height."""
    low, deep = rng.uniform(0.04, 0.12), rng.uniform(0.42, 0.5)
    parts = [at(0, 0, 0, 0.6, deep, low)]
    for k in range(5):  # narrower in steps up to the flue
        z = low + 0.03 * k
        parts.append(at(0, 0, z, 0.55 - 0.06 * k, deep - 0.04 * (k + 1), 0.03))
    parts.append(at(0, 0, low, 0.26, 0.24, height - low - 0.01))
    return thing(
        "range hood", (shapes.merged(parts), str(rng.choice(["metal", "ceramic", "black"])))
    )


def cabin(rng, side, height=1.95):
    """A shower cabin for a corner: the walls are at y = 0 and at x = -side / 2."""
    tray = shapes.merged([at(0, 0, 0, side, side, 0.06), at(0, side - 0.05, 0, side, 0.05, 0.14)])
    panes = [at(side / 2 - 0.008, 0, 0.06, 0.008, side, height - 0.06)]
    shut = 1.0 if rng.random() < 0.6 else 0.5  # a door left open
    panes.append(at(-side / 2 * (1 - shut), side - 0.02, 0.14, side * shut, 0.008, height - 0.14))
    bars = [at(side / 2 - 0.02, side - 0.03, 0, 0.025, 0.025, height)]
    bars += [at(0, side - 0.03, height - 0.03, side, 0.025, 0.03)]
    bars += [at(side / 2 - 0.012, 0, height - 0.03, 0.025, side, 0.03)]
    rail = shapes.tube([(0, 0.05, 1.0), (0, 0.05, 2.0), (0, 0.2, 2.05)], 0.012)
    bars.append(rail)
    glass = str(rng.choice(["frosted", "frosted", "glass", "night"]))
    return thing(
        "shower", (tray, "ceramic"), (shapes.merged(panes), glass), (shapes.merged(bars), "metal")
    )
