"""Bins and monitors; a screen faces -z, the floor or the desk is y = 0."""

from roomcad_core.furniture.parts import DARK, Parts, pick, uniform
from roomcad_core.furniture.solids import (
    bar,
    both,
    box,
    cushion,
    hull,
    lathe,
    loft,
    oval,
    prism,
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
    parts.add("plastic", lathe([(0, height - 0.055), (r + 0.006, height - 0.055), (r + 0.006, height - 0.03),
                                (0.6 * r, height - 0.004), (0, height)], 28))  # fmt: skip
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
    parts.add("plastic", bar((-x, height - 0.05, depth / 2 + 0.05), (x, height - 0.05, depth / 2 + 0.05), 0.015, sides=8),
              *both(box(span(x - 0.02, 0.03), span(height - 0.055, 0.03), (depth / 2 - 0.03, depth / 2 + 0.05))))  # fmt: skip
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
    parts.add("metal", loft((rim, 0.73 * height), (rim, 0.79 * height),
                            (oval(span(0, 0.72 * width), span(0, 0.45 * depth), 4, 24), height)))  # fmt: skip
    return parts


def _screen(parts, width, y, z, thick, bezel):
    """Slab with a dark, slightly sunk picture area over the range y, its front at z."""
    body = box(span(0, width), y, (z, z + thick), 0.2 * min(thick, 0.02))
    x, lit = span(0, width - 2 * bezel), (y[0] + 1.6 * bezel, y[1] - bezel)
    parts.add("plastic", body - box(x, lit, (z - 0.01, z + 0.003)))
    parts.add(
        "screen",
        box((x[0] - 0.001, x[1] + 0.001), (lit[0] - 0.001, lit[1] + 0.001), (z + 0.003, z + 0.006)),
    )


def desk(rng):
    """Computer monitor on a neck and a foot plate."""
    parts = Parts(rng).paint("plastic", pick(rng, *DARK))
    width = uniform(rng, 0.44, 0.72)
    tall, low = width * uniform(rng, 0.56, 0.66), uniform(rng, 0.09, 0.18)
    thick = uniform(rng, 0.025, 0.05)
    _screen(parts, width, (low, low + tall), -thick, thick, uniform(rng, 0.008, 0.02))
    neck = span(0, uniform(rng, 0.05, 0.10))
    parts.add("plastic", box(neck, (0.005, low + 0.5 * tall), (0.005, 0.04), 0.006))
    parts.add("plastic", box(span(0, 0.16), span(low + 0.5 * tall, 0.14), (-0.004, 0.03), 0.008))
    deep = uniform(rng, 0.16, 0.24)
    foot = oval(
        span(0, width * uniform(rng, 0.36, 0.5)), span(0.0, deep), pick(rng, 2.0, 4.0, 12.0), 24
    )
    parts.add("plastic", prism(foot, (0, 0.014)))
    return parts


def tv(rng):
    """Flat television on two feet or a centre stand."""
    parts = Parts(rng).paint("plastic", pick(rng, *DARK))
    width = uniform(rng, 0.75, 1.45)
    tall, low, thick = (
        width * uniform(rng, 0.565, 0.60),
        uniform(rng, 0.05, 0.09),
        uniform(rng, 0.03, 0.07),
    )
    _screen(parts, width, (low, low + tall), -thick / 2, thick, uniform(rng, 0.008, 0.02))
    parts.add(
        "plastic",
        box(
            span(0, 0.6 * width),
            (low + 0.05, low + 0.5 * tall),
            (thick / 2 - 0.01, thick / 2 + 0.025),
            0.01,
        ),
    )
    deep = uniform(rng, 0.20, 0.32)
    if rng.random() < 0.5:
        foot = hull([(0.31 * width + s * 0.012, y, z) for s in (-1, 1)
                     for y, z in ((low + 0.03, -0.012), (low + 0.03, 0.012), (0.0, -deep / 2),
                                  (0.008, -deep / 2), (0.0, deep / 2), (0.008, deep / 2))])  # fmt: skip
        parts.add("metal", *both(foot))
    else:
        parts.add("plastic", box(span(0, 0.45 * width), (0, 0.014), span(0, deep), 0.004))
        parts.add("plastic", box(span(0, 0.14 * width), (0.005, low + 0.1), (-0.01, 0.03), 0.006))
    return parts


def wall_tv(rng):
    """Flat television without a foot, a mount at its back."""
    parts = Parts(rng).paint("plastic", pick(rng, *DARK))
    width = uniform(rng, 0.8, 1.5)
    tall, thick = width * uniform(rng, 0.565, 0.59), uniform(rng, 0.025, 0.05)
    _screen(parts, width, (0, tall), 0, thick, uniform(rng, 0.006, 0.018))
    parts.add(
        "plastic",
        box(span(0, 0.5 * width), (0.08 * tall, 0.6 * tall), (thick - 0.01, thick + 0.025), 0.01),
    )
    parts.add("metal", box(span(0, 0.35), span(0.5 * tall, 0.2), (thick, thick + 0.05)))
    return parts


def all_in_one(rng):
    """Desktop computer in the screen: a chin below the picture, on a bent metal foot."""
    parts = Parts(rng).paint("plastic", pick(rng, *DARK))
    width = uniform(rng, 0.48, 0.65)
    tall, low, thick = width * uniform(rng, 0.60, 0.68), uniform(rng, 0.09, 0.13), 0.03
    _screen(parts, width, (low + 0.06, low + 0.06 + tall), -thick, thick, 0.018)
    parts.add("metal", box(span(0, width), (low, low + 0.065), (-thick, 0), 0.004))
    parts.add("metal", hull([(x, y, z) for x in (-0.09, 0.09) for y in (0, 0.012) for z in (-0.11, 0.10)]),
              hull([(x, y, z + dz) for x in (-0.09, 0.09) for y, z in ((0.0, 0.09), (low + 0.22, -0.005))
                    for dz in (0, 0.012)]))  # fmt: skip
    return parts


def crt(rng):
    """Old cathode-ray set: a deep case tapering to the back."""
    parts = Parts(rng).paint("plastic", pick(rng, *DARK))
    width = uniform(rng, 0.38, 0.62)
    tall, deep = width * uniform(rng, 0.78, 0.86), width * uniform(rng, 0.8, 0.95)
    x = width / 2
    front = box(span(0, width), (0.03, 0.03 + tall), (-deep / 2, -deep / 2 + 0.10), 0.012)
    glass = cushion(
        span(0, 1.7 * x), (0.03 + 0.14 * tall, 0.03 + 0.93 * tall), span(-deep / 2 + 0.01, 0.04), 8
    )
    parts.add(
        "plastic",
        front
        - box(
            span(0, 1.72 * x), (0.03 + 0.13 * tall, 0.03 + 0.94 * tall), (-deep, -deep / 2 + 0.015)
        ),
    )
    parts.add("screen", glass)
    parts.add("plastic", hull([(s * u * x, y, z) for s in (-1, 1)
                               for u, y, z in ((0.97, 0.04, -deep / 2 + 0.09), (0.97, 0.02 + tall, -deep / 2 + 0.09),
                                               (0.55, 0.06, deep / 2), (0.55, 0.03 + 0.7 * tall, deep / 2))]))  # fmt: skip
    parts.add("plastic", box(span(0, 0.6 * width), (0, 0.05), (-0.3 * deep, 0.35 * deep), 0.01))
    return parts
