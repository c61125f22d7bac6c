"""Chairs; the sitter looks towards -z, the floor is y = 0."""

import numpy as np

from roomcad_core.furniture.parts import Parts, pick, uniform
from roomcad_core.furniture.solids import (
    bar,
    both,
    box,
    cushion,
    hull,
    leg,
    prism,
    ribbon,
    round_path,
    span,
    tube,
)


def four_leg(rng):
    """Side chair: four straight or tapered legs, a seat, a slatted, laddered or closed back."""
    parts = Parts(rng)
    width, depth = uniform(rng, 0.39, 0.50), uniform(rng, 0.38, 0.48)
    seat, top = uniform(rng, 0.43, 0.48), uniform(rng, 0.80, 1.05)
    _frame(parts, width, depth, seat, top, uniform(rng, 0.013, 0.022))
    if rng.random() < 0.4:
        parts.add("fabric", cushion(span(0, width * 0.96), (seat, seat + 0.05),
                                    (-depth * 0.48, depth * 0.40), 6))  # fmt: skip
    return parts


def arm(rng):
    """Dining armchair: as `four_leg` but wider, with arm rests."""
    parts = Parts(rng)
    width, depth = uniform(rng, 0.50, 0.60), uniform(rng, 0.46, 0.54)
    seat, top = uniform(rng, 0.42, 0.47), uniform(rng, 0.82, 1.0)
    r = uniform(rng, 0.015, 0.022)
    _frame(parts, width, depth, seat, top, r)
    x, z, y = width / 2 - r, -depth / 2 + 2.2 * r, seat + uniform(rng, 0.19, 0.24)
    parts.add("wood", *both(leg((x, y, z + 0.05), (x, seat - 0.01, z), r * 0.9)))
    parts.add("wood", *both(box((x - 1.4 * r, x + 1.4 * r), (y - 0.012, y + 0.018),
                                (z, depth / 2 + 0.02), 0.006)))  # fmt: skip
    parts.add("fabric", cushion(span(0, width * 0.9), (seat - 0.01, seat + 0.05),
                                (-depth / 2, depth * 0.4), 6))  # fmt: skip
    return parts


def _frame(parts, width, depth, seat, top, r):
    """Wooden legs, seat, rails and leaning back posts with a filling."""
    x, z, sides = width / 2 - r, depth / 2 - r, pick(parts.rng, 4, 10)
    splay, lean = uniform(parts.rng, 0, 0.04), uniform(parts.rng, 0.05, 0.12)
    foot = r * uniform(parts.rng, 0.6, 1.0)
    parts.add("wood", box(span(0, width), (seat - 0.03, seat + 0.005), span(0, depth), 0.008))
    front = leg((x, seat - 0.01, -z), (x + splay / 2, 0, -z - splay / 2), r, foot, sides)
    back = leg((x, seat - 0.01, z), (x + splay / 2, 0, z + splay), r, foot, sides)
    post = leg((x, top, z + lean), (x, seat - 0.02, z), r * 0.9, r, sides)
    parts.add("wood", *both(front), *both(back), *both(post))
    if parts.rng.random() < 0.5:
        y = uniform(parts.rng, 0.12, 0.25)
        parts.add("wood", *both(bar((x, y, -z), (x, y, z), 0.6 * r, sides=sides)))
        parts.add("wood", bar((-x, y, 0), (x, y, 0), 0.55 * r, sides=sides))
    _back(parts, x, z, seat, top, lean)


def _back(parts, x, z, seat, top, lean):
    """Fill between two posts at +-x leaning from z (at the seat) to z + lean (at the top)."""

    def at(y):
        return z + lean * (y - seat) / (top - seat)

    def board(low, high, half=0.009):
        ends = [(y, at(y) + dz) for y in (low, high) for dz in (-half, half)]
        return hull([(x0, *end) for end in ends for x0 in (-x, x)])

    kind = pick(parts.rng, "slats", "ladder", "panel", "cross")
    parts.add("wood", board(top - uniform(parts.rng, 0.05, 0.10), top - 0.005))
    low = seat + uniform(parts.rng, 0.08, 0.16)
    if kind == "panel":
        parts.add(pick(parts.rng, "wood", "fabric"), board(low, top - 0.02, 0.007))
    elif kind == "ladder":
        for y in np.linspace(low, top - 0.15, parts.rng.integers(2, 4)):
            parts.add("wood", board(y, y + 0.045, 0.008))
    else:
        parts.add("wood", board(low, low + 0.035))
        for c in np.linspace(-x, x, parts.rng.integers(5, 8))[1:-1]:
            parts.add("wood", bar((c, low + 0.01, at(low)), (c, top - 0.03, at(top - 0.03)), 0.008,
                                  sides=4 if kind == "slats" else 6))  # fmt: skip


def shell(rng):
    """One-piece curved shell on four splayed rod legs."""
    parts = Parts(rng)
    width, depth = uniform(rng, 0.42, 0.50), uniform(rng, 0.40, 0.46)
    seat, top = uniform(rng, 0.42, 0.46), uniform(rng, 0.76, 0.86)
    z0, z1, lean = -depth / 2, depth / 2, uniform(rng, 0.05, 0.12)
    side = round_path([(z0, seat - 0.03), (z0 + 0.06, seat + 0.01), (z1 - 0.04, seat - 0.02),
                       (z1 + lean, top)], 0.16, 6)  # fmt: skip
    body = prism(ribbon(side, 0.022), span(0, width), "x")
    front = [(u * width * 0.5, 0.4 + v, z) for u, v, z in _OUTLINE for z in (z0 - 0.1, z1 + 0.2)]
    front = [(x, seat - 0.1 + (y - 0.4) * (top - seat + 0.1), z) for x, y, z in front]
    parts.add("plastic", body ^ hull(front))
    foot_x, foot_z = width * 0.5, depth * 0.48
    material = pick(rng, "metal", "wood")
    r = 0.010 if material == "metal" else 0.016
    for z in (-1, 1):
        top_end = (width * 0.28, seat - 0.012, z * depth * 0.25)
        parts.add(material, *both(leg(top_end, (foot_x, 0, z * foot_z), 1.2 * r, r, 8)))
    parts.add(
        material,
        *both(
            bar(
                (width * 0.33, seat * 0.72, -depth * 0.30),
                (width * 0.33, seat * 0.72, depth * 0.30),
                0.8 * r,
                sides=6,
            )
        ),
    )
    parts.add(
        material, box(span(0, width * 0.62), (seat - 0.035, seat + 0.004), span(0, depth * 0.55))
    )
    return parts


# Front view of a shell: (x share of the half width, height share, unused depth).
_OUTLINE = [
    (s * x, y, 0) for s in (-1, 1) for x, y in ((1, 0), (1, 0.75), (0.93, 0.92), (0.75, 1.0))
]


def cantilever(rng):
    """Bent steel tube without back legs; seat and back are pads between the tubes."""
    parts = Parts(rng)
    width, depth = uniform(rng, 0.42, 0.52), uniform(rng, 0.42, 0.50)
    seat, top = uniform(rng, 0.43, 0.47), uniform(rng, 0.80, 0.92)
    x, r, lean = width / 2, uniform(rng, 0.011, 0.014), uniform(rng, 0.06, 0.11)
    z0, z1 = -depth / 2, depth / 2
    corners = [(0, r, z1 + 0.03), (x, r, z1 + 0.03), (x, r, z0), (x, seat, z0),
               (x, seat, z1), (x, top, z1 + lean)]  # fmt: skip
    parts.add("metal", *both(tube(round_path(corners, 0.09, 4), r, 6)))
    material = pick(rng, "fabric", "wood", "plastic")
    pad = (seat - 0.018, seat + (0.04 if material == "fabric" else 0.012))
    parts.add(material, box(span(0, width - 0.005), pad, (z0 + 0.02, z1 - 0.02), 0.012))
    low = seat + uniform(rng, 0.12, 0.20)
    ends = [z1 + lean * (y - seat) / (top - seat) for y in (low, top)]
    thick = uniform(rng, 0.012, 0.025)
    plane = [(ends[0] - thick, low), (ends[1] - thick, top), (ends[1] + thick, top),
             (ends[0] + thick, low)]  # fmt: skip
    parts.add(material, prism(plane, span(0, width - 0.004), "x"))
    if rng.random() < 0.4:
        y = seat + 0.20
        corners = [(x, seat, z0 + 0.08), (x, y, z0 + 0.03), (x, y, z1 + 0.02)]
        parts.add("metal", *both(tube(round_path(corners, 0.06), r, 6)))
    return parts


def lounge(rng):
    """Upholstered armchair on short feet."""
    parts = Parts(rng)
    width, depth = uniform(rng, 0.68, 0.92), uniform(rng, 0.70, 0.90)
    seat, top, side = uniform(rng, 0.40, 0.46), uniform(rng, 0.75, 1.0), uniform(rng, 0.09, 0.17)
    foot, back = uniform(rng, 0.06, 0.16), uniform(rng, 0.13, 0.2)
    x, z = width / 2, depth / 2
    arm_top = seat + uniform(rng, 0.12, 0.2)
    parts.add(
        "fabric", box(span(0, width - 0.04), (foot, seat - 0.10), (-z + 0.03, z - 0.02), 0.02)
    )
    parts.add("fabric", *both(box((x - side, x), (foot, arm_top), (-z + 0.01, z - 0.03), 0.03)))
    parts.add("fabric", cushion(span(0, width - 2 * side + 0.02), (seat - 0.14, seat),
                                (-z, z - back + 0.03), 7))  # fmt: skip
    profile = [(z - back - 0.05, seat - 0.12), (z - back + 0.04, top), (z, top), (z, foot)]
    slab = prism(profile, span(0, width - (0 if rng.random() < 0.5 else 2 * side)), "x")
    parts.add("fabric", slab)
    parts.add("fabric", cushion(span(0, width - 2 * side), (seat - 0.02, top - 0.04),
                                (z - back - 0.10, z - back + 0.10), 4.5))  # fmt: skip
    for end in (-z + 0.09, z - 0.07):
        parts.add(
            "wood", *both(leg((x - 0.09, foot + 0.02, end), (x - 0.06, 0, end), 0.024, 0.015, 8))
        )
    return parts
