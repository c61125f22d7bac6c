"""Toilets; the user looks towards -z, the floor is y = 0."""

from roomcad_core.furniture.parts import Parts, pick, uniform
from roomcad_core.furniture.solids import (
    bar,
    box,
    cushion,
    lathe,
    loft,
    oval,
    prism,
    span,
)


def _bowl(parts, y, long, wide, back, floor):
    """Bowl with seat and lid: upper rim at height y, from z = back to the front; hollow."""
    z = (back - long, back)
    rim = oval(span(0, wide), z, 2.5, 24)
    foot = oval(span(0, 0.62 * wide), (z[0] + 0.32 * long, back), 3, 24)
    hole = oval(span(0, wide - 0.13), (z[0] + 0.06, back - 0.10), 2.3, 20)
    drain = oval(span(0, 0.10), (z[0] + 0.4 * long, z[0] + 0.6 * long), 2, 20)
    outer = loft((foot, floor), (rim, y - 0.10), (rim, y))
    basin = loft((drain, y - 0.20), (hole, y + 0.06))
    seat = prism(rim, (y - 0.001, y + 0.02))
    closed = parts.rng.random() < 0.5
    parts.add("white", outer if closed else outer - basin)
    parts.add("white", seat if closed else seat - basin)
    if closed:
        parts.add(
            "white", loft((rim, y + 0.019), (oval(span(0, wide - 0.02), z, 2.5, 24), y + 0.045))
        )
    else:
        lid = oval(span(0, wide - 0.01), (y - 0.3 * long, y + 0.85 * long), 2.6, 24)
        lid = lid[lid[:, 1] > y]
        parts.add("white", prism(lid, (back - 0.05, back - 0.02), "z"))


def cistern(rng):
    """Close-coupled toilet: bowl on a foot, tank behind it."""
    parts = Parts(rng)
    y, long, wide = uniform(rng, 0.38, 0.43), uniform(rng, 0.44, 0.50), uniform(rng, 0.35, 0.39)
    deep, top = uniform(rng, 0.16, 0.20), uniform(rng, 0.74, 0.84)
    _bowl(parts, y, long, wide, 0.0, 0.0)
    parts.add("white", box(span(0, 0.6 * wide), (0, y - 0.02), (-0.15, 0.10), 0.02))
    parts.add("white", box(span(0, 0.8 * wide), (y - 0.09, y - 0.005), (-0.10, deep), 0.02))
    tank = uniform(rng, 0.36, 0.44)
    parts.add("white", box(span(0, tank), (y - 0.015, top - 0.03), (0.0, deep), 0.025))
    parts.add("white", box(span(0, tank + 0.02), (top - 0.035, top), (-0.012, deep + 0.006), 0.01))
    parts.add(
        "metal",
        lathe(
            [(0, top - 0.01), (0.025, top - 0.01), (0.025, top + 0.008), (0, top + 0.008)], 12
        ).translate([0, 0, deep / 2]),
    )
    return parts


def wall_hung(rng):
    """Bowl hanging at a boxed-in frame with a flush plate; the frame reaches the floor."""
    parts = Parts(rng)
    y, long, wide = uniform(rng, 0.39, 0.44), uniform(rng, 0.50, 0.56), uniform(rng, 0.35, 0.38)
    top = uniform(rng, 1.0, 1.15)
    _bowl(parts, y, long, wide, 0.005, uniform(rng, 0.08, 0.14))
    parts.add("white", box(span(0, uniform(rng, 0.5, 0.62)), (0, top), (0, 0.15), 0.005))
    parts.add("metal", box(span(0, 0.24), (top - 0.24, top - 0.08), (-0.012, 0.01), 0.004))
    return parts


def high_tank(rng):
    """Free-standing bowl with a boxy, skirted foot and a tall, slim tank."""
    parts = Parts(rng)
    y, long, wide = uniform(rng, 0.39, 0.43), uniform(rng, 0.46, 0.52), uniform(rng, 0.35, 0.38)
    _bowl(parts, y, long, wide, 0.0, 0.0)
    skirt = oval(span(0, 0.9 * wide), (-long + 0.1, 0.0), 5, 24)
    parts.add(
        "white", loft((skirt, 0), (oval(span(0, 0.97 * wide), (-long + 0.02, 0), 3, 24), y - 0.09))
    )
    top = uniform(rng, 0.88, 1.0)
    parts.add(
        "white", box(span(0, wide + 0.03), (0, top), (-0.012, uniform(rng, 0.13, 0.17)), 0.012)
    )
    parts.add("metal", box(span(0, 0.08), (top - 0.004, top + 0.006), span(0.06, 0.04)))
    return parts


def floor_box(rng):
    """Old toilet with a wooden seat: a cushion-like lid and a tank on a pipe."""
    parts = Parts(rng)
    y, long, wide = uniform(rng, 0.38, 0.42), uniform(rng, 0.44, 0.48), uniform(rng, 0.35, 0.38)
    _bowl(parts, y, long, wide, 0.02, 0.0)
    low = uniform(rng, 0.62, 0.72)
    material = pick(rng, "white", "wood")
    parts.add(material, cushion(span(0, 0.46), (low, low + 0.32), (0.0, 0.2), 9))
    parts.add("metal", bar((0, y - 0.15, 0.07), (0, low + 0.03, 0.09), 0.025, sides=10))
    parts.add("white", box(span(0, 0.5 * wide), (0, y - 0.04), (-0.1, 0.12), 0.02))
    return parts
