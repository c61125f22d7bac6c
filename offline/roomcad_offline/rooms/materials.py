"""Procedural materials: a texture tile with its metric size, and how a depth sensor sees it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

TILE = 256  # texels along a side


@dataclass(frozen=True)
class Material:
    """What a surface looks like."""

    tile: np.ndarray  # (TILE, TILE, 3) float32 sRGB in 0-1, repeats seamlessly
    size: float  # side of the tile [m]
    dropout: float = 0.0  # share of the depth pixels that black or shiny surfaces lose
    glow: float = 0.0  # own light, for windows and lamps


def smooth(rng, blur):
    """(TILE, TILE) repeating noise with zero mean and unit deviation; `blur` [texels] per axis."""
    noise = gaussian_filter(rng.normal(size=(TILE, TILE)), blur, mode="wrap")
    return (noise - noise.mean()) / noise.std()


def hue(rng, saturation=(0.15, 0.6), value=(0.3, 0.85)):
    """(3,) random sRGB colour."""
    phase = rng.uniform(0, 1) + np.array([0, 1 / 3, 2 / 3])
    wheel = 0.5 + 0.5 * np.cos(2 * np.pi * phase)
    s, v = rng.uniform(*saturation), rng.uniform(*value)
    return v * (1 - s * (1 - wheel))


def paint(color, shade):
    """(TILE, TILE, 3) tile: `color` (3,) or (TILE, TILE, 3) times 1 + shade (TILE, TILE)."""
    return np.clip(color * (1 + shade[..., None]), 0, 1).astype(np.float32)


def wood(rng, size=1.0):
    """Grain along u, brown from pale to dark."""
    colors = ((0.80, 0.65, 0.47), (0.62, 0.43, 0.27), (0.45, 0.29, 0.19), (0.86, 0.77, 0.62))
    color = np.array(colors[rng.integers(4)]) * rng.uniform(0.85, 1.1)
    v = np.arange(TILE)[:, None] / TILE * 2 * np.pi
    rings = np.sin(rng.integers(5, 11) * v + 1.6 * smooth(rng, (9, 60)))
    return Material(paint(color, 0.07 * rings + 0.06 * smooth(rng, (0.8, 25))), size)


def parquet(rng):
    """Planks of wood, each of its own shade."""
    base = wood(rng).tile
    rows = rng.integers(4, 9)
    v, u = np.mgrid[:TILE, :TILE] / TILE
    row = (v * rows).astype(int)
    u = (u + rng.random(rows)[row]) % 1.0
    plank = (u * 2).astype(int)
    shade = rng.normal(0, 0.09, (rows, 2))[row, plank]
    gap = ((v * rows) % 1 < 0.03) | ((u * 2) % 1 < 0.006)
    return Material(paint(base, np.where(gap, -0.5, shade)), rng.uniform(0.8, 1.3))


def plain(rng):
    """One colour, faintly mottled."""
    return Material(paint(hue(rng), 0.015 * smooth(rng, 6) + 0.01 * smooth(rng, 0.7)), 1.0)


def wall(rng):
    """Pale paint."""
    color = hue(rng, (0.0, 0.25), (0.72, 0.95))
    return Material(paint(color, 0.012 * smooth(rng, 20) + 0.008 * smooth(rng, 0.8)), 2.0)


def stripes(rng):
    """Two colours side by side."""
    a, b = hue(rng), hue(rng)
    u = np.arange(TILE)[None, :] * rng.integers(4, 14) / TILE % 1
    mask = np.broadcast_to(u < rng.uniform(0.3, 0.6), (TILE, TILE))
    return Material(paint(np.where(mask[..., None], a, b), 0.03 * smooth(rng, 0.8)), 0.8)


def wallpaper(rng):
    """Pale stripes of nearly one colour."""
    color = hue(rng, (0.0, 0.18), (0.7, 0.92))
    u = np.arange(TILE)[None, :] * rng.integers(6, 12) / TILE % 1
    shade = np.broadcast_to(np.where(u < 0.5, -0.05, 0.03), (TILE, TILE))
    return Material(paint(color, shade + 0.01 * smooth(rng, 1)), 1.6)


def fabric(rng):
    """Woven threads."""
    v, u = np.mgrid[:TILE, :TILE]
    weave = 0.05 * (np.sin(u * np.pi / 2) * np.sin(v * np.pi / 2))
    shade = weave + 0.06 * smooth(rng, 0.9) + 0.05 * smooth(rng, 16)
    return Material(paint(hue(rng, (0.1, 0.65), (0.25, 0.8)), shade), 0.6)


def carpet(rng):
    """Coarse pile."""
    shade = 0.12 * smooth(rng, 0.8) + 0.05 * smooth(rng, 12)
    return Material(paint(hue(rng, (0.05, 0.4), (0.25, 0.7)), shade), 0.9)


def tiles(rng):
    """Square tiles with grout."""
    n = rng.integers(3, 7)
    v, u = np.mgrid[:TILE, :TILE] / TILE * n
    shade = rng.normal(0, 0.03, (n, n))[v.astype(int), u.astype(int)]
    grout = (v % 1 < 0.035) | (u % 1 < 0.035)
    shade = np.where(grout, -0.25, shade) + 0.02 * smooth(rng, 4)
    return Material(paint(hue(rng, (0.0, 0.3), (0.55, 0.9)), shade), rng.uniform(0.9, 1.8), 0.02)


def ceramic(rng):
    """White, glossy."""
    return Material(paint(np.full(3, 0.9), 0.01 * smooth(rng, 12)), 1.0, 0.04)


def metal(rng):
    """Brushed grey; loses some depth."""
    color = np.array([1, 1, 1.03]) * rng.uniform(0.35, 0.7)
    return Material(paint(color, 0.06 * smooth(rng, (0.6, 20))), 0.5, 0.15)


def black(rng):
    """Black plastic; swallows the sensor's light."""
    return Material(paint(np.full(3, rng.uniform(0.06, 0.16)), 0.05 * smooth(rng, 1)), 0.5, 0.2)


def screen(rng):
    """A display that is switched off: black glass."""
    return Material(paint(np.full(3, 0.07), 0.1 * smooth(rng, 40)), 1.0, 0.6)


def glass(rng):
    """Daylight in a window."""
    return Material(paint(np.array([0.85, 0.92, 1.0]), 0.06 * smooth(rng, 30)), 2.0, 0.9, 1.2)


def lampshade(rng):
    """Bright paper."""
    return Material(paint(np.array([1.0, 0.92, 0.75]), 0.03 * smooth(rng, 3)), 0.5, 0.0, 0.7)


def cardboard(rng):
    """Brown board with a strip of tape."""
    color = np.tile(np.array([0.66, 0.50, 0.34]) * rng.uniform(0.85, 1.1), (TILE, TILE, 1))
    color[116:140] = (0.80, 0.72, 0.58)
    return Material(paint(color, 0.03 * smooth(rng, (1, 8))), 0.6)


def leaves(rng):
    """Mottled green."""
    color = np.array([0.25, rng.uniform(0.4, 0.6), 0.18])
    return Material(paint(color, 0.25 * smooth(rng, 5)), 0.3)


def stone(rng):
    """Speckled stone or laminate of worktops."""
    speckle = 0.12 * smooth(rng, 0.8) + 0.06 * smooth(rng, 4)
    return Material(paint(hue(rng, (0.0, 0.2), (0.2, 0.9)), speckle), 0.5, 0.03)


def night(rng):
    """A dark window pane: it mirrors, and its depth is mostly missing."""
    return Material(paint(np.full(3, rng.uniform(0.05, 0.25)), 0.2 * smooth(rng, 40)), 2.0, 0.85)


def frosted(rng):
    """Milky glass of showers and doors."""
    return Material(paint(np.array([0.72, 0.8, 0.82]), 0.04 * smooth(rng, 10)), 1.0, 0.6)


def mirror(rng):
    """A mirror: grey patches of a room that is not there."""
    return Material(paint(np.full(3, 0.55), 0.2 * smooth(rng, (20, 35))), 1.5, 0.8)


def picture(rng):
    """Coloured patches: posters, book covers."""
    color = np.tile(hue(rng), (TILE, TILE, 1))
    for _ in range(rng.integers(5, 14)):
        y, x = rng.integers(0, TILE - 20, 2)
        h, w = rng.integers(20, 120, 2)
        color[y : y + h, x : x + w] = hue(rng, (0.1, 0.8), (0.1, 0.95))
    return Material(paint(color, 0.03 * smooth(rng, 3)), 0.5)


MATERIALS = {
    f.__name__: f
    for f in (
        *(wood, parquet, plain, wall, stripes, wallpaper, fabric, carpet, tiles, ceramic, metal),
        *(black, screen, glass, lampshade, cardboard, leaves, picture),
        *(stone, night, frosted, mirror),
    )
}

# How a part of a CAD model is dressed, by what its colour stands for in furniture.parts.
DRESS = {
    "wood": ("wood", "wood", "wood", "plain"),
    "fabric": ("fabric", "fabric", "stripes", "plain"),
    "metal": ("metal", "metal", "black", "plain"),
    "plastic": ("plain", "plain", "black"),
    "accent": ("picture", "plain"),
    "white": ("plain", "ceramic"),
    "screen": ("screen",),
    "linen": ("fabric", "stripes"),
}
CERAMIC = ("bathtub", "toilet")  # classes whose white parts are ceramic


def dress(color, label, rng):
    """Name of a material for a part with that RGB colour of a model of class `label`."""
    from roomcad_core.furniture import parts

    palette = {**parts.MATERIALS, "accent": parts.ACCENTS}
    palette |= {name: (c,) for name, c in parts.FIXED.items()}
    away = {
        name: np.abs(np.asarray(colors, float) - color).max(1).min()
        for name, colors in palette.items()
    }
    name = min(away, key=away.get)
    if name == "white" and label in CERAMIC:
        return "ceramic"
    return DRESS[name][rng.integers(len(DRESS[name]))]
