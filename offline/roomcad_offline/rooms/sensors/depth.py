"""Measured depth: what a Sensor makes of the true depth of a view."""

from __future__ import annotations

import numpy as np

from roomcad_offline.rooms.sensors import gaps, steps
from roomcad_offline.rooms.sensors.fields import axial_noise
from roomcad_offline.rooms.sensors.kinds import Sensor

WEAKEST = 4.0  # a weak signal multiplies the noise by so much at most


def measure(view, sensor: Sensor, rng: np.random.Generator) -> np.ndarray:
    """Measured depth (H, W) float32 [m], 0 = missing, of a noise-free render.View.

    `view` needs depth, cosine and dropout; its albedo and points count where it has them.
    """
    strength = gaps.strength(view, sensor)
    seen = steps.rounded(steps.wobble(view.depth, sensor.wobble, rng), sensor.rounding)
    depth = noisy(steps.fly(seen, sensor.flying, rng), strength, sensor, rng)
    depth = quantised(depth, sensor.step)
    lost = (depth < sensor.near) | gaps.gaps(view, seen, strength, sensor, rng)
    return np.where(lost, 0, depth).astype(np.float32)


def axial_sigma(sensor: Sensor, z: np.ndarray | float) -> np.ndarray:
    """Standard deviation of the axial noise at depth z [m], quantisation apart."""
    constant, linear, square = sensor.noise
    return np.sqrt(constant**2 + (linear * z) ** 2 + (square * z**2) ** 2)


def noisy(
    depth: np.ndarray, strength: np.ndarray, sensor: Sensor, rng: np.random.Generator
) -> np.ndarray:
    """Depth with axial noise, more of it where the signal's strength (H, W) is low."""
    if not any(sensor.noise):
        return depth
    sigma = axial_sigma(sensor, depth)
    if sensor.dim:
        sigma = sigma * np.minimum(strength ** np.float32(-sensor.dim), np.float32(WEAKEST))
    return depth + sigma * axial_noise(depth.shape, sensor, rng)


def quantised(depth: np.ndarray, step: float) -> np.ndarray:
    """Depth rounded to whole steps of the inverse depth; 0 = no steps."""
    if not step:
        return depth
    inverse = np.rint(1 / (np.float32(step) * np.maximum(depth, np.float32(steps.FINEST))))
    return 1 / (np.float32(step) * np.maximum(inverse, 1))
