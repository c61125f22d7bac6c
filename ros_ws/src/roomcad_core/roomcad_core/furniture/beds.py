"""Beds; the head end is +z, the foot end -z, the floor is y = 0."""

import numpy as np

from roomcad_core.furniture.parts import Parts, pick, uniform
from roomcad_core.furniture.solids import bar, both, box, cushion, four, leg, oval, prism, span


def single(rng):
    """Bed for one on a frame with legs."""
    return _framed(rng, uniform(rng, 0.86, 1.05), 1)


def double(rng):
    """Bed for two on a frame with legs."""
    return _framed(rng, uniform(rng, 1.35, 1.85), 2)


def _framed(rng, width, n_pillows):
    parts = Parts(rng)
    long, frame = uniform(rng, 1.92, 2.08), uniform(rng, 0.26, 0.36)
    z = long / 2
    bedding(parts, width - 0.05, (-z + 0.03, z - 0.03), frame, n_pillows)
    parts.add("wood", box(span(0, width), (frame - 0.14, frame), span(0, long), 0.008))
    parts.add("wood", *four(leg((width / 2 - 0.05, frame - 0.12, z - 0.06),
                                (width / 2 - 0.05, 0, z - 0.06), 0.035, 0.028)))  # fmt: skip
    _headboard(parts, width, z, uniform(rng, 0.75, 1.15))
    if rng.random() < 0.35:
        parts.add("wood", box(span(0, width), (0.05, frame + 0.2), (-z - 0.04, -z + 0.005), 0.008))
    return parts


def bedding(parts, width, z, y, n_pillows):
    """Mattress, blanket and pillows on the level y over the range z."""
    top = y + uniform(parts.rng, 0.16, 0.24)
    parts.add("linen", box(span(0, width), (y - 0.02, top), z, 0.035))
    fold = z[1] - uniform(parts.rng, 0.5, 0.75)
    parts.add(
        "fabric", box(span(0, width + 0.03), (y + 0.03, top + 0.03), (z[0] - 0.015, fold), 0.03)
    )
    for x in (np.arange(n_pillows) - (n_pillows - 1) / 2) * width / n_pillows:
        wide = min(0.68, width / n_pillows - 0.06)
        parts.add(
            "linen",
            cushion(span(x, wide), (top - 0.04, top + 0.11), (z[1] - 0.42, z[1] - 0.01), 3.5),
        )


def _headboard(parts, width, z, top):
    """Closed board, padded board, bars, or a board with a rounded top."""
    kind = pick(parts.rng, "board", "padded", "bars", "round")
    x = width / 2
    if kind == "bars":
        parts.add(
            "metal", *both(bar((x - 0.02, 0, z + 0.012), (x - 0.02, top, z + 0.012), 0.02, sides=8))
        )
        for y in (0.35, top - 0.02):
            parts.add(
                "metal", bar((-x + 0.02, y, z + 0.012), (x - 0.02, y, z + 0.012), 0.015, sides=8)
            )
        for c in np.linspace(-x, x, 9)[1:-1]:
            parts.add(
                "metal", bar((c, 0.35, z + 0.012), (c, top - 0.02, z + 0.012), 0.008, sides=6)
            )
    elif kind == "round":
        outline = oval(span(0, width + 0.04), (0.1 - top, top), 3.0, 32)
        outline[:, 1] = np.maximum(outline[:, 1], 0.05)
        parts.add("wood", prism(outline, (z - 0.005, z + 0.045), "z"))
    else:
        material = "fabric" if kind == "padded" else "wood"
        thick = 0.10 if kind == "padded" else 0.045
        parts.add(
            material, box(span(0, width + 0.06), (0, top), (z - 0.005, z + thick), 0.25 * thick)
        )


def divan(rng):
    """Upholstered box bed: the mattress lies on a closed base, often with a headboard."""
    parts = Parts(rng)
    width, long = pick(rng, uniform(rng, 0.9, 1.1), uniform(rng, 1.4, 1.8)), uniform(rng, 1.95, 2.1)
    base, z = uniform(rng, 0.26, 0.36), long / 2
    parts.add("fabric", box(span(0, width), (0.04, base), span(0, long), 0.015))
    parts.add(
        "plastic",
        *four(leg((width / 2 - 0.08, 0.06, z - 0.08), (width / 2 - 0.08, 0, z - 0.08), 0.025)),
    )
    bedding(parts, width - 0.01, (-z + 0.005, z - 0.005), base, 2 if width > 1.3 else 1)
    if rng.random() < 0.7:
        top = uniform(rng, 0.85, 1.2)
        parts.add("fabric", box(span(0, width + 0.02), (0, top), (z - 0.005, z + 0.09), 0.03))
    return parts


def bunk(rng):
    """Two beds above each other with posts, rails and a ladder."""
    parts = Parts(rng)
    width, long, height = (
        uniform(rng, 0.88, 1.02),
        uniform(rng, 1.95, 2.08),
        uniform(rng, 1.5, 1.75),
    )
    x, z, r = width / 2, long / 2, 0.03
    parts.add("wood", *four(leg((x - r, height, z - r), (x - r, 0, z - r), r)))
    for level in (0.28, height - 0.38):
        parts.add("wood", box(span(0, width - 0.02), (level, level + 0.10), span(0, long - 0.02)))
        bedding(parts, width - 0.09, (-z + 0.07, z - 0.07), level + 0.10, 1)
        for end in (-1, 1):
            parts.add(
                "wood",
                box(span(0, width - 0.06), (level + 0.2, level + 0.36), span(end * (z - r), 0.025)),
            )
    parts.add(
        "wood",
        *both(box(span(x - 0.02, 0.022), (height - 0.12, height - 0.03), (-z + 0.55, z - 0.02))),
    )
    parts.add(
        "wood", box(span(-x + 0.02, 0.022), (height - 0.12, height - 0.03), (-z + 0.02, z - 0.02))
    )
    for end in (-z + 0.12, -z + 0.5):
        parts.add("wood", box((x - 0.01, x + 0.03), (0, height - 0.02), span(end, 0.035)))
    for y in np.arange(0.25, height - 0.2, 0.27):
        parts.add("wood", box((x, x + 0.025), (y, y + 0.03), (-z + 0.12, -z + 0.5)))
    return parts


def day_bed(rng):
    """Bed with low rails at both ends and one long side; the open side is -x or +x."""
    parts = Parts(rng)
    width, long, frame = uniform(rng, 0.9, 1.0), uniform(rng, 1.95, 2.1), uniform(rng, 0.28, 0.34)
    z, rail = long / 2, uniform(rng, 0.62, 0.78)
    bedding(parts, width - 0.06, (-z + 0.03, z - 0.03), frame, 1)
    parts.add("wood", box(span(0, width), (frame - 0.1, frame), span(0, long)))
    for end in (-1, 1):
        parts.add("wood", box(span(0, width), (0, rail), span(end * (z + 0.01), 0.04), 0.008))
    side = pick(rng, -1, 1)
    parts.add(
        "wood", box(span(side * width / 2, 0.04), (frame - 0.1, rail - 0.03), span(0, long), 0.008)
    )
    return parts
