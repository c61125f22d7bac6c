"""Random changes of colour: a robot's camera has another white balance, light and noise than any
simulated one, and does not stand quite where the depth's does."""

import cv2
import numpy as np

from roomcad_core.segment.instances.channels import PICTURE

FULL = 255
DARKEST = 1e-3  # brightness whose power is still taken


def recoloured(color, config, rng):
    """An image (h, w, 3) uint8 RGB changed at random, or None; config: SampleConfig."""
    if color is None or rng.random() < config.colour_lost:
        return None
    shape = color.shape[:2]
    out = moved(color, PICTURE * rng.uniform(-config.shifted, config.shifted, 2))
    if rng.random() < config.grey:
        out = np.repeat(cv2.cvtColor(out, cv2.COLOR_RGB2GRAY)[..., None], 3, 2)
    if rng.random() < config.swapped:
        out = out[..., rng.permutation(3)]
    exponent, gain = np.exp(rng.normal(0, config.light, 2))
    curve = np.maximum(np.arange(FULL + 1) / FULL, DARKEST) ** exponent * gain * FULL
    tables = curve[:, None] * np.exp(rng.normal(0, config.tint, 3))
    out = cv2.LUT(np.ascontiguousarray(out), tables.astype(np.float32)[:, None])
    out *= (1 + config.shade * smooth(shape, rng))[..., None]
    out += (FULL * config.grain * rng.standard_normal(shape, np.float32))[..., None]
    return np.clip(out + 0.5, 0, FULL).astype(np.uint8)


def moved(color, shift):
    """An image moved to the right and down by a part of a pixel; its edges are repeated."""
    M = np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float32)
    return cv2.warpAffine(color, M, color.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)


def smooth(shape, rng):
    """(h, w) float32 smooth noise with a standard deviation of about 1, as of lamps and windows."""
    coarse = rng.standard_normal((3, 4), np.float32)
    return cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC)
