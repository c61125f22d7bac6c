"""Office chairs; the sitter looks towards -z, the floor is y = 0."""

import numpy as np

from roomcad_core.furniture.parts import DARK, Parts, pick, uniform
from roomcad_core.furniture.solids import (
    bar,
    both,
    box,
    cushion,
    hull,
    lathe,
    round_path,
    span,
    tube,
)


def swivel(rng):
    """Office chair: five-star base on castors, gas stem, padded seat and back, mostly with arms."""
    parts = Parts(rng).paint("plastic", pick(rng, *DARK))
    width, depth = uniform(rng, 0.44, 0.54), uniform(rng, 0.43, 0.50)
    seat, back = uniform(rng, 0.43, 0.53), uniform(rng, 0.40, 0.70)
    _star_base(parts, uniform(rng, 0.27, 0.33), seat - 0.06)
    parts.add("fabric", cushion(span(0, width), (seat - 0.07, seat + 0.01), span(0, depth), 6))
    z, low = depth / 2, seat + uniform(rng, 0.08, 0.16)
    curve = [(-0.5, 0.0), (-0.25, 0.035), (0, 0.045), (0.25, 0.035), (0.5, 0.0)]
    rows = [(w * width * s, low + back * t, z + 0.02 + bend - b)
            for t, s, bend in ((0, 0.85, 0.02), (0.35, 1.0, 0.0), (1, 0.8, 0.08))
            for w, dz in curve for b in (-dz, 0.05 - dz)]  # fmt: skip
    parts.add("fabric", hull(rows))
    parts.add("plastic", tube(round_path([(0, seat - 0.06, 0.05), (0, seat - 0.06, z + 0.09),
                                          (0, low + 0.15, z + 0.08)], 0.08), 0.022, 6))  # fmt: skip
    if rng.random() < 0.7:
        x, y = width / 2 + 0.045, seat + uniform(rng, 0.17, 0.23)
        path = [(width / 4, seat - 0.055, 0.02), (x, seat - 0.055, 0.02), (x, y, 0.02)]
        parts.add("plastic", *both(tube(round_path(path, 0.05), 0.016, 6)))
        parts.add("plastic", *both(box(span(x, 0.07), (y - 0.01, y + 0.025), (-0.13, 0.13), 0.012)))
    return parts


def _star_base(parts, radius, height):
    """Five arms with castors and a stem up to `height`."""
    for angle in np.arange(5) * 2 * np.pi / 5 + np.pi / 2:
        end = np.array([radius * np.cos(angle), 0.065, radius * np.sin(angle)])
        parts.add("metal", bar((0, 0.10, 0), end, 0.028, 0.018, sides=6))
        across = 0.022 * np.array([-np.sin(angle), 0, np.cos(angle)])
        wheel = end * (1, 0, 1) + (0, 0.03, 0)
        parts.add("plastic", bar(wheel - across, wheel + across, 0.030, sides=8))
        parts.add("plastic", bar(wheel, end, 0.010, sides=4))
    parts.add("metal", lathe([(0, 0.06), (0.04, 0.06), (0.035, 0.14), (0.026, 0.15),
                              (0.026, height), (0, height)], 12))  # fmt: skip
