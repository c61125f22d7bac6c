"""Random changes of training samples: part of the image, light, colour, blur, noise, mirror."""

import cv2
import numpy as np

from roomcad_offline.rgb_geometry.scenes import window

SHARP = 0.3  # [px] a blur of less changes nothing
GREY = np.array([0.299, 0.587, 0.114], np.float32)


def random_window(view, smallest, rng):
    """A random part of a View with its ratio of sides, which are at least `smallest` of its."""
    height, width = view.color.shape[:2]
    share = rng.uniform(smallest, 1)
    h, w = max(1, round(share * height)), max(1, round(share * width))
    x, y = rng.integers(0, width - w + 1), rng.integers(0, height - h + 1)
    return window(view, x, y, w, h)


def coloured(rgb, config, rng):
    """(3, H, W) float32 in 0-1 with other light, colours, sharpness and noise.

    Args:
        rgb: (3, H, W) float32 in 0-1.
        config: SampleConfig.
        rng: numpy Generator.
    """
    brightness, contrast, saturation = 1 + rng.uniform(-config.light, config.light, 3)
    grey = np.einsum("chw,c->hw", rgb, GREY)
    saturation *= rng.random() >= config.grey
    out = grey + saturation * (rgb - grey)
    out = (out - grey.mean()) * contrast + grey.mean() * brightness
    out *= 1 + rng.uniform(-config.tint, config.tint, (3, 1, 1))
    width = rng.uniform(0, config.blur)
    if width > SHARP:
        out = np.stack([cv2.GaussianBlur(channel, (0, 0), width) for channel in out])
    noise = rng.uniform(0, config.noise) * rng.standard_normal(rgb.shape, np.float32)
    return np.clip(out + noise, 0, 1).astype(np.float32)


def mirrored(rgb, truth):
    """Picture and truth with left and right exchanged; of normals also the direction."""
    rgb, truth = rgb[..., ::-1], truth[..., ::-1]
    if truth.ndim == 3:
        truth = truth * np.array([-1, 1, 1], np.float32)[:, None, None]
    return rgb, truth
