"""Monitors and televisions; the screen faces -z, the desk is y = 0."""

from roomcad_core.furniture.parts import DARK, Parts, pick, uniform
from roomcad_core.furniture.solids import (
    both,
    box,
    cushion,
    hull,
    oval,
    prism,
    span,
)


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
        foot = hull(
            [
                (0.31 * width + s * 0.012, y, z)
                for s in (-1, 1)
                for y, z in (
                    (low + 0.03, -0.012),
                    (low + 0.03, 0.012),
                    (0.0, -deep / 2),
                    (0.008, -deep / 2),
                    (0.0, deep / 2),
                    (0.008, deep / 2),
                )
            ]
        )
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
    parts.add(
        "metal",
        hull([(x, y, z) for x in (-0.09, 0.09) for y in (0, 0.012) for z in (-0.11, 0.10)]),
        hull(
            [
                (x, y, z + dz)
                for x in (-0.09, 0.09)
                for y, z in ((0.0, 0.09), (low + 0.22, -0.005))
                for dz in (0, 0.012)
            ]
        ),
    )
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
    parts.add(
        "plastic",
        hull(
            [
                (s * u * x, y, z)
                for s in (-1, 1)
                for u, y, z in (
                    (0.97, 0.04, -deep / 2 + 0.09),
                    (0.97, 0.02 + tall, -deep / 2 + 0.09),
                    (0.55, 0.06, deep / 2),
                    (0.55, 0.03 + 0.7 * tall, deep / 2),
                )
            ]
        ),
    )
    parts.add("plastic", box(span(0, 0.6 * width), (0, 0.05), (-0.3 * deep, 0.35 * deep), 0.01))
    return parts
