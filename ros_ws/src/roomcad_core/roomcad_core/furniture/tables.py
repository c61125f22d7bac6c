"""Tables; the floor is y = 0. Most look the same from two or four sides."""

from roomcad_core.furniture.parts import Parts, pick, uniform
from roomcad_core.furniture.solids import bar, both, box, four, lathe, leg, loft, oval, prism, span


def _top(parts, width, depth, height, thick, material="wood"):
    parts.add(material, box(span(0, width), (height - thick, height), span(0, depth), 0.004))


def _legs(parts, width, depth, height, r, sides, taper=1.0, inset=0.0, splay=0.0, material="wood"):
    """Four legs under a top of which `height` is the upper face."""
    x, z = width / 2 - r - inset, depth / 2 - r - inset
    end = (x + splay, 0, z + splay)
    parts.add(material, *four(leg((x, height - 0.015, z), end, r, r * taper, sides)))
    return x, z


def dining(rng):
    """Rectangular table on four legs with an apron."""
    width, depth = uniform(rng, 1.2, 2.2), uniform(rng, 0.75, 1.0)
    return _four_leg(rng, width, depth, uniform(rng, 0.72, 0.77), "2-fold")


def square(rng):
    """Square table on four legs with an apron."""
    width = uniform(rng, 0.65, 1.1)
    return _four_leg(rng, width, width, uniform(rng, 0.72, 0.77), "4-fold")


def side(rng):
    """Small, low square side table."""
    width = uniform(rng, 0.38, 0.55)
    return _four_leg(rng, width, width, uniform(rng, 0.42, 0.60), "4-fold", 0.022)


def _four_leg(rng, width, depth, height, symmetry, thick=0.032):
    parts = Parts(rng, symmetry)
    r, sides = uniform(rng, 0.02, 0.042) * (0.7 if height < 0.6 else 1), pick(rng, 4, 10)
    material = pick(rng, "wood", "wood", "metal")
    _top(parts, width, depth, height, thick)
    x, z = _legs(parts, width, depth, height, r, sides, uniform(rng, 0.55, 1.0),
                 uniform(rng, 0.0, 0.05), material=material)  # fmt: skip
    low = height - thick - uniform(rng, 0.05, 0.09)
    if rng.random() < 0.75:
        parts.add(
            material,
            box(span(0, 2 * x), (low, height - 0.01), span(0, 2 * z))
            - box(span(0, 2 * x - 0.04), (0, height - 0.02), span(0, 2 * z - 0.04)),
        )
    return parts


def coffee(rng):
    """Low rectangular table, often with a shelf below the top."""
    parts = Parts(rng, "2-fold")
    width, depth, height = (
        uniform(rng, 0.85, 1.3),
        uniform(rng, 0.48, 0.7),
        uniform(rng, 0.34, 0.48),
    )
    r, sides = uniform(rng, 0.018, 0.035), pick(rng, 4, 10)
    _top(parts, width, depth, height, uniform(rng, 0.02, 0.045))
    x, z = _legs(parts, width, depth, height, r, sides, 1.0, 0.01)
    if rng.random() < 0.65:
        y = uniform(rng, 0.10, 0.16)
        parts.add("wood", box(span(0, 2 * x), (y, y + 0.02), span(0, 2 * z)))
    return parts


def pedestal(rng):
    """Round table on one turned column with a disc foot."""
    parts = Parts(rng, "rotational")
    r, height = uniform(rng, 0.30, 0.60), uniform(rng, 0.70, 0.77)
    foot, column = uniform(rng, 0.55, 0.72) * r, uniform(rng, 0.03, 0.06)
    parts.add(
        "wood",
        lathe(
            [
                (0, height - 0.03),
                (r - 0.01, height - 0.03),
                (r, height - 0.02),
                (r, height - 0.005),
                (r - 0.005, height),
                (0, height),
            ],
            36,
        ),
    )
    bulge = column * uniform(rng, 1.0, 1.7)
    parts.add(pick(rng, "metal", "wood"), lathe(
        [(0, 0), (foot, 0), (foot, 0.02), (1.6 * column, 0.06), (column, 0.12), (bulge, 0.3),
         (column, 0.5), (column, height - 0.07), (3 * column, height - 0.02), (0, height - 0.02)],
        36))  # fmt: skip
    return parts


def round_four_leg(rng):
    """Round top on four legs, dining or coffee height; the legs make it four-fold."""
    parts = Parts(rng, "4-fold")
    low = rng.random() < 0.5
    r = uniform(rng, 0.30, 0.45) if low else uniform(rng, 0.42, 0.65)
    height = uniform(rng, 0.38, 0.50) if low else uniform(rng, 0.72, 0.76)
    parts.add("wood", lathe([(0, height - 0.028), (r - 0.008, height - 0.028), (r, height - 0.014),
                             (r - 0.008, height), (0, height)], 36))  # fmt: skip
    at, splay = 0.55 * r, uniform(rng, 0.03, 0.12)
    leg_r = uniform(rng, 0.018, 0.028)
    parts.add("wood", *four(leg((at, height - 0.015, at), (at + splay, 0, at + splay),
                                leg_r * 1.2, leg_r * 0.7, 10)))  # fmt: skip
    rail = span(0, 2 * at)
    y = (height - 0.08, height - 0.02)
    parts.add("wood", box(rail, y, span(0, 0.03)), box(span(0, 0.03), y, rail),
              *both(box(span(at, 0.02), y, rail)),
              *[s.rotate([0, 90, 0]) for s in both(box(span(at, 0.02), y, rail))])  # fmt: skip
    return parts


def trestle(rng):
    """Rectangular top on two A-shaped or T-shaped trestles joined by a beam."""
    parts = Parts(rng, "2-fold")
    width, depth, height = (
        uniform(rng, 1.3, 2.2),
        uniform(rng, 0.70, 0.95),
        uniform(rng, 0.72, 0.76),
    )
    _top(parts, width, depth, height, 0.03)
    x, z, y = width / 2 - uniform(rng, 0.18, 0.3), depth / 2 - 0.08, uniform(rng, 0.28, 0.45)
    if rng.random() < 0.5:
        for s in (-1, 1):
            parts.add("wood", *both(leg((x, height - 0.02, 0.03 * s), (x, 0, z * s), 0.025)))
        parts.add(
            "wood", *both(box(span(x, 0.06), (height - 0.09, height - 0.02), span(0, 1.6 * z)))
        )
        wide = 2 * z * (1 - y / height) + 0.06
        parts.add("wood", *both(box(span(x, 0.035), (y, y + 0.05), span(0, wide))))
    else:
        parts.add("wood", *both(box(span(x, 0.08), (0, 0.07), span(0, 2 * z), 0.015)))
        parts.add("wood", *both(box(span(x, 0.06), (0.04, height - 0.02), span(0, 0.16))))
        parts.add(
            "wood", *both(box(span(x, 0.07), (height - 0.08, height - 0.02), span(0, 1.7 * z)))
        )
    parts.add("wood", box(span(0, 2 * x), (y, y + 0.07), span(0, 0.035)))
    return parts


def oval_top(rng):
    """Oval top on two columns with cross feet."""
    parts = Parts(rng, "2-fold")
    width, depth, height = uniform(rng, 1.5, 2.3), uniform(rng, 0.9, 1.1), uniform(rng, 0.72, 0.76)
    outline = oval(span(0, width), span(0, depth), pick(rng, 2.0, 2.6, 3.5), 40)
    parts.add("wood", prism(outline, (height - 0.03, height)))
    x = width * uniform(rng, 0.20, 0.26)
    parts.add("wood", *both(bar((x, 0.03, 0), (x, height - 0.02, 0), 0.05, sides=12)))
    parts.add("wood", *both(box(span(x, 0.08), (0, 0.06), span(0, depth * 0.65), 0.015)))
    parts.add(
        "wood", *both(box(span(x, 0.08), (height - 0.08, height - 0.02), span(0, depth * 0.5)))
    )
    parts.add("wood", box(span(0, 2 * x), (0.2, 0.28), span(0, 0.04)))
    return parts


def cafe(rng):
    """Square top on a column with a cross or plate foot."""
    parts = Parts(rng, "4-fold")
    width, height = (
        uniform(rng, 0.58, 0.85),
        pick(rng, uniform(rng, 0.71, 0.76), uniform(rng, 1.0, 1.1)),
    )
    _top(parts, width, width, height, 0.028)
    foot = 0.65 * width
    if rng.random() < 0.5:
        parts.add("metal", box(span(0, foot), (0, 0.02), span(0, foot), 0.005))
    else:
        for arm in (box(span(0, foot), (0, 0.035), span(0, 0.05)),
                    box(span(0, 0.05), (0, 0.035), span(0, foot))):  # fmt: skip
            parts.add("metal", arm.rotate([0, 45, 0]))
    parts.add("metal", box(span(0, 0.07), (0.01, height - 0.01), span(0, 0.07), 0.01))
    parts.add(
        "metal", box(span(0, 0.4 * width), (height - 0.045, height - 0.02), span(0, 0.4 * width))
    )
    return parts


def plinth(rng):
    """Round coffee table: a drum, or a disc on a cone."""
    parts = Parts(rng, "rotational")
    r, height = uniform(rng, 0.28, 0.48), uniform(rng, 0.32, 0.5)
    low, mid = uniform(rng, 0.55, 0.95) * r, uniform(rng, 0.4, 0.9) * r
    parts.add("wood", lathe([(0, 0), (low, 0), (mid, height * 0.5), (r * 0.8, height - 0.035),
                             (0, height - 0.035)], 36))  # fmt: skip
    parts.add(pick(rng, "wood", "white", "metal"), lathe(
        [(0, height - 0.04), (r, height - 0.04), (r, height), (0, height)], 36))  # fmt: skip
    return parts


def panel_end(rng):
    """Table on two closed end panels or a conference table on two tapering boxes."""
    parts = Parts(rng, "2-fold")
    width, depth, height = uniform(rng, 1.4, 2.6), uniform(rng, 0.8, 1.15), uniform(rng, 0.72, 0.76)
    _top(parts, width, depth, height, 0.04)
    x, z = width * uniform(rng, 0.28, 0.40), depth * 0.32
    wide = uniform(rng, 0.04, 0.14)
    lower = oval(span(x, 1.8 * wide), span(0, 2 * z), 30, 8)
    upper = oval(span(x, wide), span(0, 1.7 * z), 30, 8)
    parts.add("wood", *both(loft((lower, 0.0), (upper, height - 0.02))))
    parts.add("wood", box(span(0, 2 * x), (height - 0.15, height - 0.06), span(0, 0.03)))
    return parts
