"""Bathtubs; they lie along x, the floor is y = 0."""

from roomcad_core.furniture.parts import Parts, uniform
from roomcad_core.furniture.solids import (
    bar,
    box,
    four,
    leg,
    loft,
    oval,
    prism,
    span,
)


def fitted(rng):
    """Boxed-in tub with a rounded basin, one end sloping, and a tap."""
    parts = Parts(rng)
    width, depth, height = (
        uniform(rng, 1.5, 1.85),
        uniform(rng, 0.70, 0.85),
        uniform(rng, 0.50, 0.62),
    )
    rim, power = uniform(rng, 0.05, 0.09), uniform(rng, 3.0, 6.0)
    x = width / 2 - rim
    low = oval(
        (-x + 0.07, x - uniform(rng, 0.25, 0.35)), span(0, depth - 2 * rim - 0.12), power, 28
    )
    high = oval((-x, x), span(0, depth - 2 * rim), power, 28)
    basin = loft((low, height - uniform(rng, 0.38, 0.44)), (high, height + 0.001))
    parts.add("white", box(span(0, width), (0, height), span(0, depth), 0.012) - basin)
    _tap(parts, -x - rim / 2 - 0.005, height)
    return parts


def _tap(parts, x, y):
    """Tap on the rim at the end -x, its spout over the basin."""
    parts.add("metal", bar((x, y - 0.01, 0), (x, y + 0.10, 0), 0.017, sides=8))
    parts.add("metal", bar((x, y + 0.09, 0), (x + 0.13, y + 0.07, 0), 0.014, sides=8))
    parts.add("metal", bar((x, y + 0.06, -0.05), (x, y + 0.06, 0.05), 0.012, sides=6))


def freestanding(rng):
    """Oval tub, the same from both ends."""
    parts = Parts(rng, "2-fold")
    width, depth, height = (
        uniform(rng, 1.5, 1.8),
        uniform(rng, 0.70, 0.85),
        uniform(rng, 0.52, 0.64),
    )
    foot, wall = uniform(rng, 0.68, 0.88), uniform(rng, 0.03, 0.05)
    power = uniform(rng, 2.2, 3.2)
    outer = loft((oval(span(0, foot * width), span(0, foot * depth), power, 32), 0),
                 (oval(span(0, width), span(0, depth), power, 32), height))  # fmt: skip
    inner = loft(
        (oval(span(0, foot * width - 3 * wall), span(0, foot * depth - 3 * wall), power, 32), 0.11),
        (oval(span(0, width - 2 * wall), span(0, depth - 2 * wall), power, 32), height + 0.001),
    )
    parts.add("white", outer - inner)
    return parts


def claw_foot(rng):
    """Old tub on four feet, one end higher and sloping."""
    parts = Parts(rng)
    width, depth, height = (
        uniform(rng, 1.5, 1.75),
        uniform(rng, 0.72, 0.80),
        uniform(rng, 0.56, 0.64),
    )
    y0, wall = uniform(rng, 0.12, 0.16), 0.03
    x = width / 2

    def shell(inset, low, high):
        bottom = oval(
            (-x + 0.12 + inset, x - 0.38 - inset), span(0, 0.62 * depth - 2 * inset), 3, 28
        )
        top = oval((-x + inset, x - inset), span(0, depth - 2 * inset), 2.6, 28)
        return loft((bottom, low), (top, high))

    parts.add("white", shell(0, y0, height) - shell(wall, y0 + wall, height + 0.001))
    feet = four(
        leg((0.30 * width, y0 + 0.06, 0.2 * depth), (0.32 * width, 0, 0.30 * depth), 0.03, 0.022, 6)
    )
    parts.add("metal", *(f.translate([-0.09, 0, 0]) for f in feet))
    _tap(parts, -x + 0.015, height)
    return parts


def corner(rng):
    """Corner tub: a square with one rounded-off corner towards the front."""
    parts = Parts(rng)
    size, height, cut = uniform(rng, 1.3, 1.55), uniform(rng, 0.52, 0.62), uniform(rng, 0.35, 0.5)
    h = size / 2
    shape = [
        (-h, h),
        (h, h),
        (h, -h + size * cut),
        (h - 0.12, -h + 0.18),
        (-h + size * cut + 0.2, -h),
        (-h, -h),
    ]
    outer = prism(shape, (0, height))
    basin = loft(
        (oval((-h + 0.22, h - 0.28), (-h + 0.28, h - 0.22), 2.3, 28), height - 0.42),
        (oval((-h + 0.10, h - 0.12), (-h + 0.12, h - 0.10), 2.5, 28), height + 0.001),
    )
    parts.add("white", outer - basin)
    parts.add(
        "metal",
        bar(
            (h - 0.09, height - 0.01, h - 0.09), (h - 0.09, height + 0.12, h - 0.09), 0.02, sides=8
        ),
    )
    return parts
