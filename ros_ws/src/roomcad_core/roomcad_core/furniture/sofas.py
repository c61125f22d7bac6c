"""Sofas; the sitter looks towards -z, the floor is y = 0."""

import numpy as np

from roomcad_core.furniture.parts import Parts, pick, uniform
from roomcad_core.furniture.solids import bar, both, box, cushion, leg, prism, span


def two_seat(rng):
    """Sofa of two seats."""
    return _straight(rng, 2, uniform(rng, 0.56, 0.68))


def three_seat(rng):
    """Sofa of three seats."""
    return _straight(rng, 3, uniform(rng, 0.56, 0.70))


def rolled(rng):
    """Sofa with round, rolled arms and a high, round back edge."""
    return _straight(rng, int(rng.integers(2, 4)), uniform(rng, 0.54, 0.62), roll=True)


def _straight(rng, n_seats, seat_width, roll=False):
    parts = Parts(rng)
    body = _sizes(rng)
    side = uniform(rng, 0.16, 0.24) if roll else uniform(rng, 0.08, 0.24)
    width = n_seats * seat_width + 2 * side
    _base(parts, body, width)
    _seats(parts, body, np.arange(n_seats + 1) * seat_width - n_seats * seat_width / 2)
    for sign in (-1, 1):
        _arm(parts, body, sign * (width / 2 - side / 2), side, roll)
    if roll:
        parts.add(
            "fabric",
            bar(
                (-width / 2 + 0.05, body["top"], body["z"] - 0.08),
                (width / 2 - 0.05, body["top"], body["z"] - 0.08),
                0.08,
                sides=12,
            ),
        )
    _feet(parts, body, width)
    return parts


def _sizes(rng):
    """Heights and depths all sofas share [m]."""
    depth = uniform(rng, 0.80, 1.0)
    seat = uniform(rng, 0.40, 0.47)
    return {"z": depth / 2, "seat": seat, "foot": uniform(rng, 0.03, 0.15),
            "top": uniform(rng, 0.74, 0.92), "back": uniform(rng, 0.16, 0.24),
            "arm": seat + uniform(rng, 0.10, 0.22)}  # fmt: skip


def _base(parts, body, width):
    """Plinth and the leaning slab of the back."""
    z, back, seat = body["z"], body["back"], body["seat"]
    parts.add(
        "fabric", box(span(0, width - 0.03), (body["foot"], seat - 0.11), (-z + 0.03, z), 0.02)
    )
    profile = [(z - back, seat - 0.15), (z - 0.6 * back, body["top"] - 0.02),
               (z - 0.55 * back, body["top"]), (z - 0.02, body["top"]), (z, body["top"] - 0.02),
               (z, body["foot"] + 0.01)]  # fmt: skip
    parts.add("fabric", prism(profile, span(0, width - 0.02), "x"))


def _seats(parts, body, edges):
    """A seat and a back cushion between each two x positions."""
    z, seat, front = body["z"], body["seat"], body["z"] - body["back"]
    for low, high in zip(edges, edges[1:], strict=False):
        x = (low - 0.004, high + 0.004)
        parts.add("fabric", cushion(x, (seat - 0.16, seat), (-z, front + 0.02), 8))
        parts.add("fabric", cushion(x, (seat - 0.03, body["top"] + 0.02),
                                    (front - 0.11, front + 0.10), 5))  # fmt: skip


def _arm(parts, body, x, side, roll):
    z, top = body["z"], body["arm"]
    parts.add("fabric", box(span(x, side - (0.04 if roll else 0)), (body["foot"], top),
                            (-z + 0.02, z - 0.01), 0.025))  # fmt: skip
    if roll:
        parts.add(
            "fabric",
            bar((x, top - 0.02, -z + 0.005), (x, top - 0.02, z - 0.02), side / 2, sides=12),
        )


def _feet(parts, body, width):
    material = pick(parts.rng, "wood", "metal")
    x, z = width / 2 - 0.10, body["z"] - 0.09
    for end in (-z, z):
        parts.add(material, *both(leg((x, body["foot"] + 0.02, end), (x, 0, end), 0.03, 0.02, 8)))


def corner(rng):
    """L-shaped sofa: two or three seats and a chaise towards the front on one side."""
    parts = Parts(rng)
    body = _sizes(rng)
    n, seat_width, side = (
        int(rng.integers(2, 4)),
        uniform(rng, 0.60, 0.72),
        uniform(rng, 0.10, 0.22),
    )
    chaise = seat_width + uniform(rng, 0.05, 0.2)
    long = uniform(rng, 0.55, 0.85)
    width = n * seat_width + chaise + 2 * side
    _base(parts, body, width)
    x0 = -width / 2 + side
    edges = x0 + np.arange(n + 1) * seat_width
    _seats(parts, body, edges)
    _chaise(parts, body, (edges[-1], edges[-1] + chaise), long)
    for sign in (-1, 1):
        _arm(parts, body, sign * (width / 2 - side / 2), side, False)
    _feet(parts, body, width)
    return _flipped(parts) if rng.random() < 0.5 else parts


def _chaise(parts, body, x, long):
    """The seat of the short leg of the L, reaching `long` beyond the front."""
    z, seat, front = body["z"], body["seat"], body["z"] - body["back"]
    parts.add("fabric", box(x, (body["foot"], seat - 0.11), (-z - long + 0.03, z - 0.1), 0.02))
    parts.add("fabric", cushion(x, (seat - 0.16, seat), (-z - long, front + 0.02), 9))
    parts.add(
        "fabric", cushion(x, (seat - 0.03, body["top"] + 0.02), (front - 0.11, front + 0.1), 5)
    )
    for end in (x[0] + 0.08, x[1] - 0.08):
        z_foot = -z - long + 0.1
        parts.add("wood", leg((end, body["foot"] + 0.02, z_foot), (end, 0, z_foot), 0.03, 0.02, 8))


def _flipped(parts):
    """The same parts mirrored in x."""
    old = list(zip(parts.colors, parts.solids, strict=True))
    parts.colors, parts.solids = [], []
    for color, solid in old:
        parts.add(color, solid.mirror([1, 0, 0]))
    return parts


def armless(rng):
    """Low lounge sofa without arms: a thick seat block and loose back cushions."""
    parts = Parts(rng)
    body = _sizes(rng) | {"foot": uniform(rng, 0.10, 0.18), "top": uniform(rng, 0.68, 0.80)}
    n, seat_width = int(rng.integers(2, 4)), uniform(rng, 0.60, 0.72)
    width = n * seat_width
    _base(parts, body, width)
    _seats(parts, body, np.arange(n + 1) * seat_width - width / 2)
    _feet(parts, body, width)
    return parts
