"""Desks; whoever works sits at -z and looks towards +z, so drawers face -z."""

from roomcad_core.furniture.fronts import drawer_fronts
from roomcad_core.furniture.parts import Parts, pick, uniform
from roomcad_core.furniture.solids import both, box, four, leg, prism, span


def _sizes(rng):
    """Width, depth and height [m]."""
    return uniform(rng, 1.1, 1.8), uniform(rng, 0.58, 0.80), uniform(rng, 0.72, 0.77)


def drawers(rng):
    """Top on one or two drawer pedestals, a side panel and a modesty panel."""
    parts = Parts(rng)
    width, depth, height = _sizes(rng)
    parts.add("wood", box(span(0, width), (height - 0.028, height), span(0, depth), 0.004))
    sides = pick(rng, (1,), (-1,), (-1, 1))
    for s in (-1, 1):
        if s in sides:
            _pedestal(parts, s, width, depth, height)
        else:
            x = s * (width / 2 - 0.025)
            parts.add("wood", box(span(x, 0.03), (0, height - 0.02), span(0, depth - 0.03)))
    low = uniform(rng, 0.05, 0.4)
    parts.add("wood", box(span(0, width - 0.1), (low, height - 0.02), span(depth / 2 - 0.05, 0.02)))
    return parts


def _pedestal(parts, side, width, depth, height):
    wide = uniform(parts.rng, 0.36, 0.44)
    x = span(side * (width / 2 - 0.01 - wide / 2), wide)
    z = (-depth / 2 + 0.03, depth / 2 - 0.02)
    parts.add("wood", box(x, (0.0, height - 0.02), z))
    drawer_fronts(parts, x, (0.06, height - 0.035), z[0], int(parts.rng.integers(3, 5)))


def panel(rng):
    """Office desk on two side panels with a modesty panel."""
    parts = Parts(rng)
    width, depth, height = _sizes(rng)
    parts.add("wood", box(span(0, width), (height - 0.03, height), span(0, depth), 0.004))
    x = width / 2 - uniform(rng, 0.02, 0.08)
    parts.add("wood", *both(box(span(x, 0.03), (0, height - 0.02), span(0, depth - 0.04))))
    low, z = uniform(rng, 0.15, 0.42), depth / 2 - uniform(rng, 0.05, 0.2)
    parts.add("wood", box(span(0, 2 * x), (low, height - 0.02), span(z, 0.02)))
    if rng.random() < 0.4:
        parts.add("fabric", box(span(0, width - 0.1), (height - 0.1, height + 0.35),
                                span(depth / 2 - 0.012, 0.022), 0.006))  # fmt: skip
    return parts


def frame(rng):
    """Top on a steel frame: T-shaped feet or four legs, a beam and a slim drawer."""
    parts = Parts(rng)
    width, depth, height = _sizes(rng)
    parts.add("wood", box(span(0, width), (height - 0.026, height), span(0, depth), 0.004))
    x, z = width / 2 - 0.08, depth / 2 - 0.04
    if rng.random() < 0.5:
        back = uniform(rng, 0.0, 0.12)
        parts.add("metal", *both(box(span(x, 0.06), (0, 0.04), span(0, 2 * z), 0.01)))
        parts.add("metal", *both(box(span(x, 0.05), (0.02, height - 0.02), span(back, 0.09))))
        parts.add(
            "metal", *both(box(span(x, 0.05), (height - 0.06, height - 0.02), span(0, 1.6 * z)))
        )
    else:
        back = z - 0.05
        parts.add("metal", *four(leg((x, height - 0.02, z), (x, 0, z), 0.022)))
    parts.add("metal", box(span(0, 2 * x), (height - 0.09, height - 0.02), span(back, 0.04)))
    wide = uniform(rng, 0.4, 0.6)
    parts.add("wood", box(span(0, wide), (height - 0.10, height - 0.02), (-z, 0.05)))
    drawer_fronts(parts, span(0, wide), (height - 0.10, height - 0.03), -z, 1)
    return parts


def corner(rng):
    """L-shaped desk: a main top and a return towards the sitter on one side."""
    parts = Parts(rng)
    width, depth, height = uniform(rng, 1.4, 1.9), uniform(rng, 0.6, 0.7), uniform(rng, 0.72, 0.76)
    long, wide, s = uniform(rng, 1.2, 1.6), uniform(rng, 0.5, 0.6), pick(rng, -1, 1)
    x, z = width / 2, long / 2
    shape = [(-x, z), (-x, z - depth), (x - wide, z - depth), (x - wide, -z), (x, -z), (x, z)]
    top = prism(shape, (height - 0.03, height))
    legs = [box((-x, -x + 0.03), (0, height - 0.02), (z - depth + 0.02, z - 0.02)),
            box((x - wide + 0.02, x - 0.02), (0, height - 0.02), (-z, -z + 0.03)),
            box((x - 0.06, x - 0.01), (0, height - 0.02), (z - 0.06, z - 0.01)),
            box((-x + 0.01, x - 0.02), (0.25, height - 0.02), (z - 0.05, z - 0.03))]  # fmt: skip
    for solid in (top, *legs):
        parts.add("wood", solid.scale([s, 1, 1]) if s > 0 else solid.mirror([1, 0, 0]))
    return parts


def hutch(rng):
    """Writing desk with shelves on top of the far edge."""
    parts = drawers(rng)
    solid = parts.solids[0].bounding_box()
    half, height, back = solid[3], solid[4], solid[5]
    top = height + uniform(rng, 0.35, 0.7)
    depth = uniform(rng, 0.2, 0.28)
    z = (back - depth, back)
    parts.add("wood", *both(box((half - 0.025, half), (height - 0.01, top), z)))
    parts.add("wood", box(span(0, 2 * half - 0.02), (height - 0.01, top), (back - 0.012, back)))
    for y in (height + (top - height) * 0.55, top):
        parts.add("wood", box(span(0, 2 * half - 0.002), (y - 0.022, y), z))
    return parts
