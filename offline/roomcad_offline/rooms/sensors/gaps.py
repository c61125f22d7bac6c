"""Where a depth camera has no depth."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.special import ndtri

from roomcad_offline.rooms.sensors import steps
from roomcad_offline.rooms.sensors.fields import gap_noise
from roomcad_offline.rooms.sensors.kinds import Sensor

REFLECTANCE = 0.5  # of surfaces whose colour nobody knows
DARKEST = 0.004  # black paint still throws back so much
DISTORTION = 0.06  # of the depth camera's lens at the corners, where it has its own grid
CLEAR = 2.0  # a field of view of so many half diagonals has no corners


def gaps(
    view, seen: np.ndarray, strength: np.ndarray, sensor: Sensor, rng: np.random.Generator
) -> np.ndarray:
    """(H, W) True where a Sensor has no depth for a render.View.

    Args:
        seen: (H, W) depth after its steps were moved [m]. strength: see `strength`.
    """
    lost = (view.depth <= 0) | (seen <= 0) | unseen(view, strength, sensor, rng)
    if sensor.edge_loss:
        at_step = steps.edges(seen, sensor.edge_reach)
        lost |= at_step & (rng.random(seen.shape, np.float32) < sensor.edge_loss)
    if sensor.parallax:
        lost |= steps.unlit(view.depth, sensor) | steps.outside(seen, sensor)
    if sensor.view < CLEAR:
        lost |= outside_field(seen.shape, sensor.view, sensor.seed)
    if max(sensor.grid) > 1:
        lost |= between_samples(seen, sensor)
    return lost


def strength(view, sensor: Sensor) -> np.ndarray:
    """(H, W) float32 share of its reach that the sensor has on each surface, in 0-1."""
    albedo = getattr(view, "albedo", None)
    albedo = np.float32(REFLECTANCE) if albedo is None else np.clip(albedo, DARKEST, 1)
    cosine = np.maximum(view.cosine, np.float32(0.01))
    return cosine ** np.float32(sensor.slant) * albedo ** np.float32(sensor.dark)


def unseen(view, strength: np.ndarray, sensor: Sensor, rng: np.random.Generator) -> np.ndarray:
    """(H, W) True where too little light comes back: far, slanted, dark, shiny or glassy."""
    noise = gap_noise(view, sensor, rng)
    ratio = np.float32(sensor.reach) * strength / np.maximum(view.depth, np.float32(0.05))
    lost = noise * np.float32(sensor.fade) > np.log(ratio)
    lost |= -noise < ndtri(np.clip(view.dropout, 0, 1))
    ragged = 1 + np.float32(0.02) * noise
    lost |= view.depth > sensor.far * ragged
    if sensor.grazing:
        lost |= view.cosine < sensor.grazing * (1 + np.float32(0.3) * noise)
    if sensor.speckle:
        lost |= rng.random(noise.shape, np.float32) < sensor.speckle
    return lost


@lru_cache(maxsize=8)
def outside_field(shape: tuple[int, int], radius: float, seed: int) -> np.ndarray:
    """(H, W) True outside the depth camera's round field of view, which is a little off centre."""
    height, width = shape
    x, y = np.random.default_rng([seed, 7]).normal(0, 0.06, 2)
    u = (np.arange(width) / (width - 1) - 0.5 - x) * width
    v = (np.arange(height)[:, None] / (height - 1) - 0.5 - y) * height
    return u**2 + v**2 > (radius * np.hypot(width, height) / 2) ** 2


@lru_cache(maxsize=8)
def _own_grid(shape, grid):
    """Pixel columns and rows (H, W) float32 in the depth camera's samples, its lens included."""
    height, width = shape
    u = np.arange(width, dtype=np.float32)[None] - width / 2
    v = np.arange(height, dtype=np.float32)[:, None] - height / 2
    bent = 1 + DISTORTION * (u**2 + v**2) / (np.hypot(width, height) / 2) ** 2
    return (u * bent / grid[0]).astype(np.float32), (v * bent / grid[1]).astype(np.float32)


def between_samples(depth: np.ndarray, sensor: Sensor) -> np.ndarray:
    """(H, W) True where the coarser depth image, moved to the colour camera, leaves gaps.

    Sample n lands on the pixel nearest to n * grid - shift, so a pixel stays empty where its place
    among the samples is more than half a pixel from a whole one. The shift depends on the depth,
    which draws the curved lines that such images have.
    """
    u, v = _own_grid(depth.shape, sensor.grid)
    shift = steps.shift_of(depth, sensor)
    return _empty(u + shift / np.float32(sensor.grid[0]), sensor.grid[0]) | _empty(
        v + shift / np.float32(2 * sensor.grid[1]), sensor.grid[1]
    )


def _empty(place, grid):
    """Where no sample lands, for places counted in samples that are `grid` pixels apart."""
    return np.abs(place - np.rint(place)) > 0.5 / grid
