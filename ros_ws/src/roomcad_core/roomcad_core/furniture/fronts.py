"""Fronts that cabinets and desks share; they stand 15 mm proud of a body whose front is -z."""

import numpy as np

from roomcad_core.furniture.solids import bar, box, span

GAP = 0.006  # between neighbouring fronts [m]; a visible groove
PROUD = 0.015


def drawer_fronts(parts, x, y, z, n, material="wood"):
    """n drawers one above the other over the ranges x, y, in front of the plane z."""
    edges = np.linspace(*y, n + 1)
    for low, high in zip(edges, edges[1:], strict=False):
        front(parts, x, (low, high), z, material)
        handle(parts, np.mean(x), (low + high) / 2, z, min(0.14, 0.5 * (x[1] - x[0])))


def door_fronts(parts, x, y, z, n, material="wood"):
    """n doors side by side; handles meet in pairs."""
    edges = np.linspace(*x, n + 1)
    for i, (low, high) in enumerate(zip(edges, edges[1:], strict=False)):
        front(parts, (low, high), y, z, material)
        right = i % 2 == 0 if n > 1 else True
        height = min(max(np.mean(y), y[0] + 0.1), 1.1)
        handle(parts, high - 0.05 if right else low + 0.05, height, z, 0.12, upright=True)


def front(parts, x, y, z, material):
    """One panel over the ranges x, y less the gap."""
    half = GAP / 2
    parts.add(material, box((x[0] + half, x[1] - half), (y[0] + half, y[1] - half),
                            (z - PROUD, z + 0.002)))  # fmt: skip


def handle(parts, x, y, z, length, upright=False):
    """A bar, or a knob where it is short, on a front at (x, y)."""
    out = z - PROUD - 0.02
    if upright:
        ends = [(x, y - length / 2, out), (x, y + length / 2, out)]
        foot = box(span(x, 0.008), span(y, 0.04), (out, z))
    else:
        ends = [(x - length / 2, y, out), (x + length / 2, y, out)]
        foot = box(span(x, 0.04), span(y, 0.008), (out, z))
    parts.add("metal", bar(*ends, 0.006, sides=4), foot)
