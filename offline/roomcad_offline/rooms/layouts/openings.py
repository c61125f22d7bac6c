"""Doors, windows, curtains and pictures as Things that hang on a wall.

Their frame: x along the wall, y into the room with the wall's surface at y = 0, z up from the
lowest point. What is behind the surface shows only where the wall has a hole.
"""

from __future__ import annotations

import numpy as np

from roomcad_offline.rooms import shapes
from roomcad_offline.rooms.clutter import thing

RECESS = 0.12  # [m] depth of the hole of a window


def at(x, y, z, width, depth, height):
    """Block with its middle at x, its back at y and its bottom at z."""
    return shapes.box((x - width / 2, y, z), (x + width / 2, y + depth, z + height))


def frame(width, height, rim, front, back=0.0, sill=True):
    """Bars round an opening of width and height, `rim` wide, from y = back to front."""
    deep = front - back
    side = (width + rim) / 2
    bars = [at(s * side, back, 0, rim, deep, height + rim) for s in (-1, 1)]
    bars.append(at(0, back, height, width, deep, rim))
    if sill:
        bars.append(at(0, back, -rim, width + 2 * rim, deep, rim))
    return shapes.merged(bars)


def door(rng, width, height, angle=0.0, side=0):
    """A door whose leaf is open by `angle` [rad]: into the room, or out of it if negative.

    `side`: where its hinges are, -1 at negative x, 1 at positive x, 0 anywhere.
    """
    rim = rng.uniform(0.05, 0.1)
    kind = str(rng.choice(["wood", "wood", "ceramic", "plain", "wall"]))
    casing = kind if rng.random() < 0.5 else str(rng.choice(["ceramic", "wood", "metal"]))
    leaf, trim = _leaf(rng, width - 0.01, height - 0.01)
    hinge = (side or rng.choice([-1, 1])) * width / 2
    turn = angle if hinge < 0 else -angle

    def swung(mesh):
        return shapes.moved(shapes.moved(mesh, (-hinge, 0.04, 0)), (hinge, -0.04, 0), turn)

    parts = [(frame(width, height, rim, 0.025, -0.15, sill=False), casing), (swung(leaf), kind)]
    parts += [(swung(mesh), material) for mesh, material in trim]
    return thing("door", *parts)


def _leaf(rng, width, height):
    """The leaf, and its panels, panes and handles as (mesh, material)."""
    leaf = at(0, -0.04, 0.005, width, 0.04, height - 0.005)
    style, trim = rng.integers(4), []
    if style == 1:  # two raised panels
        for low, high in ((0.1, 0.42), (0.5, 0.92)):
            panel = at(0, -0.05, low * height, width * 0.7, 0.06, (high - low) * height)
            trim.append((panel, "ceramic" if rng.random() < 0.5 else "wood"))
    elif style == 2:  # a pane
        low = rng.uniform(0.3, 0.55)
        pane = at(0, -0.045, low * height, width * 0.6, 0.05, (0.92 - low) * height)
        trim.append((pane, str(rng.choice(["frosted", "night", "glass"]))))
    for side in (-1, 1):
        y = 0.0 if side > 0 else -0.09
        for x in (-0.42, 0.42):
            trim.append((at(x * width, y, 1.0, 0.11, 0.05, 0.025), "metal"))
    return leaf, trim


def window(rng, width, height):
    """A window in a hole of the wall: frame, bars, panes, sill, sometimes a blind."""
    bar = rng.uniform(0.04, 0.07)
    pane = str(rng.choice(["glass", "glass", "night", "frosted"]))
    color = str(rng.choice(["ceramic", "ceramic", "wood", "black", "metal"]))
    inner = [at(0, -RECESS, z, width, 0.05, bar) for z in (0, height - bar)]
    wings = int(np.clip(round(width / rng.uniform(0.5, 1.1)), 1, 6))
    for x in np.linspace(-0.5, 0.5, wings + 1) * (width - bar):
        inner.append(at(x, -RECESS, 0, bar, 0.06, height))
    parts = [
        (at(0, -RECESS - 0.02, 0, width, 0.04, height), pane),
        (shapes.merged(inner), color),
    ]
    if rng.random() < 0.6:
        parts.append((at(0, -RECESS, -0.03, width + 0.08, RECESS + 0.06, 0.03), "ceramic"))
    if rng.random() < 0.35:
        parts.append((_blind(rng, width, height), str(rng.choice(["ceramic", "fabric", "wood"]))))
    return thing("window", *parts)


def _blind(rng, width, height):
    """Slats, or a roller blind, over the upper part of a window."""
    drop = height * rng.uniform(0.25, 1.0)
    if rng.random() < 0.4:
        return at(0, -0.05, height - drop, width * 0.97, 0.006, drop)
    tilt = rng.uniform(-1.0, 1.0)
    slat = shapes.block(width * 0.97, 0.045, 0.003)
    heights = np.arange(height - drop, height, rng.uniform(0.04, 0.07))
    return shapes.merged([shapes.moved(slat, (0, -0.045, z), 0.0, tilt) for z in heights])


def curtain(rng, width, height, depth, name="curtain"):
    """Cloth in folds, one piece or two with a gap, below a rod."""
    depth = float(np.clip(depth, 0.06, 0.3))
    gap = width * rng.uniform(0.1, 0.5) if width > 1.0 and rng.random() < 0.4 else 0.0
    sides = [(-width / 2, width / 2)]
    if gap:
        sides = [(-width / 2, -gap / 2), (gap / 2, width / 2)]
    cloth = shapes.merged([_cloth(rng, a, b, depth, height) for a, b in sides])
    rod = shapes.tube(
        [(-width / 2 - 0.05, depth / 2, height), (width / 2 + 0.05, depth / 2, height)], 0.012
    )
    material = str(rng.choice(["fabric", "fabric", "plain", "stripes", "ceramic"]))
    return thing(name, (cloth, material), (rod, "metal"))


def _cloth(rng, start, end, depth, height):
    """A hanging sheet from x = start to end, its folds deeper at the bottom."""
    n = max(12, int((end - start) / 0.02))
    x = np.linspace(start, end, n)
    folds = rng.uniform(0.1, 0.22)  # [m] of one
    phase = 2 * np.pi * x / folds + 0.8 * np.sin(x * rng.uniform(2, 6) + rng.uniform(0, 6))
    z = np.linspace(0.0, height, 4)[:, None]
    deep = depth / 2 * rng.uniform(0.5, 0.9) * (1 - 0.4 * z / height)
    y = depth / 2 + deep * np.sin(phase + 0.3 * (z / height - 0.5))
    return shapes.sheet(np.stack(np.broadcast_arrays(x, y, z), -1))


def picture(rng, width, height):
    """A picture in a frame, or a poster without one."""
    if rng.random() < 0.3:
        return thing("picture", (at(0, 0, 0, width, 0.004, height), "picture"))
    rim = min(rng.uniform(0.015, 0.05), width / 5, height / 5)
    inner_width, inner_height = width - 2 * rim, height - 2 * rim
    border = shapes.moved(frame(inner_width, inner_height, rim, 0.025), (0, 0, rim))
    mount = at(0, 0, rim, inner_width, 0.012, inner_height)
    image = at(0, 0, height * 0.2, width * 0.62, 0.014, height * 0.6)
    kind = str(rng.choice(["wood", "black", "ceramic", "metal"]))
    parts = [(border, kind), (mount, str(rng.choice(["picture", "ceramic"])))]
    return thing("picture", *parts, (image, "picture"))


def whiteboard(rng, width, height):
    """A board in a thin frame with a tray."""
    board = at(0, 0, 0, width, 0.015, height)
    kind = "ceramic" if rng.random() < 0.8 else str(rng.choice(["plain", "cardboard"]))
    rim = shapes.merged(
        [frame(width, height, 0.02, 0.02), at(0, 0, -0.03, width * 0.7, 0.08, 0.015)]
    )
    return thing("whiteboard", (board, kind), (rim, "metal"))


def mirror(rng, width, height):
    """A mirror, framed or not."""
    parts = [(at(0, 0, 0, width, 0.01, height), "mirror")]
    if rng.random() < 0.5:
        parts.append((frame(width, height, 0.03, 0.02), "wood"))
    return thing("mirror", *parts)
