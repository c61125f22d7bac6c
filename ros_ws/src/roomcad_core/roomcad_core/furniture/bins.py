"""Bins; a lid's pedal faces -z, the floor is y = 0."""

from roomcad_core.furniture.parts import Parts, pick, uniform
from roomcad_core.furniture.solids import (
    bar,
    both,
    box,
    lathe,
    loft,
    oval,
    span,
)


def round_bin(rng):
    """Open, slightly conical round bin."""
    parts = Parts(rng, "rotational")
    r, height = uniform(rng, 0.11, 0.19), uniform(rng, 0.26, 0.45)
    foot, wall = r * uniform(rng, 0.7, 1.0), 0.006
    parts.add(pick(rng, "plastic", "metal"), lathe(
        [(0, 0), (foot, 0), (r - 0.004, height - 0.02), (r, height - 0.02), (r, height),
         (r - 1.5 * wall, height), (foot - wall, 0.012), (0, 0.012)], 28))  # fmt: skip
    return parts


def _conical(low, high, height, wall, power):
    """Open container between two (width, depth) rectangles."""

    def level(size, inset):
        return oval(span(0, size[0] - 2 * inset), span(0, size[1] - 2 * inset), power, 24)

    outer = loft((level(low, 0), 0), (level(high, 0), height))
    inner = loft((level(low, wall), 0.012), (level(high, wall), height + 0.001))
    return outer - inner


def square_bin(rng):
    """Open square bin."""
    parts = Parts(rng, "4-fold")
    top = uniform(rng, 0.22, 0.32)
    low = top * uniform(rng, 0.72, 0.95)
    height = uniform(rng, 0.28, 0.48)
    parts.add("plastic", _conical((low, low), (top, top), height, 0.008, 9))
    return parts


def slim(rng):
    """Open office bin, longer than wide."""
    parts = Parts(rng, "2-fold")
    width, depth = uniform(rng, 0.34, 0.42), uniform(rng, 0.20, 0.26)
    foot, height = uniform(rng, 0.75, 0.92), uniform(rng, 0.34, 0.55)
    parts.add("plastic", _conical((foot * width, foot * depth), (width, depth), height, 0.008, 7))
    return parts


def pedal(rng):
    """Closed cylinder with a lid and a pedal at the front."""
    parts = Parts(rng)
    r, height = uniform(rng, 0.11, 0.16), uniform(rng, 0.28, 0.68)
    parts.add("metal", lathe([(0, 0.02), (r, 0.02), (r, height - 0.05), (0, height - 0.05)], 28))
    parts.add("plastic", lathe([(0, 0), (r + 0.006, 0), (r + 0.006, 0.035), (0, 0.035)], 28))
    parts.add(
        "plastic",
        lathe(
            [
                (0, height - 0.055),
                (r + 0.006, height - 0.055),
                (r + 0.006, height - 0.03),
                (0.6 * r, height - 0.004),
                (0, height),
            ],
            28,
        ),
    )
    parts.add("plastic", box(span(0, 0.09), (0.008, 0.022), (-r - 0.055, -r + 0.05), 0.003))
    parts.add(
        "plastic", box(span(0, 0.08), (height - 0.10, height - 0.035), (r - 0.02, r + 0.03), 0.006)
    )
    return parts


def wheelie(rng):
    """Household waste container: tapering body, sloping lid, two wheels, a handle at the back."""
    parts = Parts(rng)
    width, depth, height = (
        uniform(rng, 0.46, 0.60),
        uniform(rng, 0.50, 0.62),
        uniform(rng, 0.90, 1.08),
    )
    low = oval(span(0, 0.78 * width), (-0.34 * depth, 0.36 * depth), 9, 20)
    high = oval(span(0, width - 0.03), span(0, depth), 9, 20)
    parts.add("plastic", loft((low, 0.04), (high, height - 0.09)))
    rim = oval(span(0, width), (-depth / 2 - 0.02, depth / 2 + 0.01), 9, 20)
    lid = oval(span(0, width - 0.06), (-depth / 2 + 0.03, depth / 2 + 0.01), 9, 20)
    parts.add("plastic", loft((rim, height - 0.10), (rim, height - 0.07), (lid, height)))
    x, z = 0.36 * width, 0.36 * depth
    parts.add(
        (40, 42, 45), *both(bar((x, 0.1, z + 0.04), (x + 0.06, 0.1, z + 0.04), 0.10, sides=16))
    )
    parts.add(
        "plastic",
        bar(
            (-x, height - 0.05, depth / 2 + 0.05),
            (x, height - 0.05, depth / 2 + 0.05),
            0.015,
            sides=8,
        ),
        *both(
            box(
                span(x - 0.02, 0.03),
                span(height - 0.055, 0.03),
                (depth / 2 - 0.03, depth / 2 + 0.05),
            )
        ),
    )
    return parts


def swing(rng):
    """Rectangular kitchen bin with a domed swing lid."""
    parts = Parts(rng, "2-fold")
    width, depth, height = (
        uniform(rng, 0.30, 0.42),
        uniform(rng, 0.22, 0.29),
        uniform(rng, 0.50, 0.75),
    )
    low = oval(span(0, 0.8 * width), span(0, 0.8 * depth), 6, 24)
    high = oval(span(0, width - 0.02), span(0, depth - 0.02), 6, 24)
    parts.add("plastic", loft((low, 0), (high, 0.74 * height)))
    rim = oval(span(0, width), span(0, depth), 6, 24)
    parts.add(
        "metal",
        loft(
            (rim, 0.73 * height),
            (rim, 0.79 * height),
            (oval(span(0, 0.72 * width), span(0, 0.45 * depth), 4, 24), height),
        ),
    )
    return parts
