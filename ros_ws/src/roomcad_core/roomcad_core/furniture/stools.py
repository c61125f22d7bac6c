"""Stools, symmetric about the up axis; the floor is y = 0."""

from roomcad_core.furniture.parts import Parts, pick, uniform
from roomcad_core.furniture.solids import (
    bar,
    both,
    cushion,
    four,
    lathe,
    leg,
    span,
)


def stool(rng):
    """Backless stool, low or bar height: four legs and a round or square seat."""
    parts = Parts(rng, symmetry="4-fold")
    height = pick(rng, uniform(rng, 0.42, 0.50), uniform(rng, 0.60, 0.78))
    half = uniform(rng, 0.15, 0.20)
    if rng.random() < 0.5:
        parts.add(
            "wood",
            lathe(
                [
                    (0, height - 0.035),
                    (half - 0.01, height - 0.035),
                    (half, height - 0.02),
                    (half - 0.01, height),
                    (0, height),
                ],
                24,
            ),
        )
    else:
        parts.add(
            "fabric", cushion(span(0, 2 * half), (height - 0.06, height), span(0, 2 * half), 8)
        )
    at, out, low = half * 0.68, half * 0.95, uniform(rng, 0.12, 0.25)
    material = pick(rng, "wood", "metal")
    r = 0.018 if material == "wood" else 0.012
    parts.add(material, *four(leg((at, height - 0.025, at), (out, 0, out), r, 0.8 * r, 8)))
    mid = at + (out - at) * (1 - low / height)
    rail = bar((mid, low, -mid), (mid, low, mid), 0.6 * r, sides=6)
    parts.add(material, *both(rail), *[s.rotate([0, 90, 0]) for s in both(rail)])
    return parts


def bar_stool(rng):
    """High seat on a disc foot and a stem, with a foot ring; some have a low back."""
    parts = Parts(rng, symmetry="rotational")
    height, r = uniform(rng, 0.63, 0.80), uniform(rng, 0.17, 0.21)
    foot = uniform(rng, 0.18, 0.22)
    parts.add("metal", lathe([(0, 0), (foot, 0), (foot, 0.012), (0.035, 0.035), (0.025, 0.06),
                              (0.025, height - 0.05), (0, height - 0.05)]))  # fmt: skip
    parts.add("fabric", lathe([(0, height - 0.07), (r - 0.02, height - 0.07), (r, height - 0.035),
                               (r - 0.02, height), (0, height)]))  # fmt: skip
    return parts
