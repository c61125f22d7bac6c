"""Random images: smooth noise, and the part of it that stays with a camera."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter

from roomcad_offline.rooms.sensors.kinds import Sensor

COARSE = 2.0  # blur of a coarse image [px]; wider noise is drawn small and enlarged
SCALES = (
    (1.5, 0.45),
    (6.0, 0.55),
    (24.0, 0.70),
)  # blur [px] and weight of patches; squares add to 1
VOXELS = 64  # a side of the repeating noise in space; a power of two
VOXEL = 0.02  # side of one [m]
BLUR_3D = (1.5, 7.0)  # sizes of its patches [voxels]


def soft_noise(shape: tuple[int, int], blur: float, rng: np.random.Generator) -> np.ndarray:
    """(H, W) float32 noise of about unit deviation, smoothed over `blur` px."""
    factor = max(blur / COARSE, 1.0)
    height, width = shape
    small = (max(int(np.ceil(height / factor)), 2), max(int(np.ceil(width / factor)), 2))
    white = rng.standard_normal(small, np.float32)
    blur = blur / factor
    if blur > 0.3:
        white = cv2.GaussianBlur(white, (0, 0), blur) * np.float32(2 * np.sqrt(np.pi) * blur)
    return white if factor == 1 else cv2.resize(white, (width, height), None, 0, 0, cv2.INTER_CUBIC)


def patch_noise(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """(H, W) float32 noise of unit deviation, alike over patches of several sizes."""
    return sum(np.float32(weight) * soft_noise(shape, blur, rng) for blur, weight in SCALES)


@lru_cache(maxsize=8)
def _pattern(shape, blur, seed):
    """Noise that a camera shows in every frame; not to be written to."""
    image = soft_noise(shape, blur, np.random.default_rng([seed, 0]))
    image.setflags(write=False)
    return image


def axial_noise(shape: tuple[int, int], sensor: Sensor, rng: np.random.Generator) -> np.ndarray:
    """(H, W) unit noise of the depth of one frame of a Sensor; a part of it never changes."""
    now = soft_noise(shape, sensor.blur, rng)
    return _mixed(now, _pattern(shape, sensor.blur, sensor.seed), sensor.pattern)


def gap_noise(view, sensor: Sensor, rng: np.random.Generator) -> np.ndarray:
    """(H, W) unit noise that decides where a frame of a Sensor has gaps: high is missing.

    A part of it belongs to the surfaces, where the view has points, and so stays as one goes by.
    """
    now = patch_noise(view.depth.shape, rng)
    points = getattr(view, "points", None)
    return now if points is None else _mixed(now, on_surface(points, sensor.seed), sensor.fixed)


def _mixed(now, stays, share):
    """Unit noise of which `share` (of the variance) is that which stays."""
    return np.float32(np.sqrt(1 - share)) * now + np.float32(np.sqrt(share)) * stays


@lru_cache(maxsize=4)
def _volume(seed):
    """(VOXELS,) * 3 float32 repeating noise of unit deviation, of several sizes."""
    white = np.random.default_rng([seed, 1]).standard_normal((2, *(VOXELS,) * 3), np.float32)
    layers = [gaussian_filter(w, blur, mode="wrap") for w, blur in zip(white, BLUR_3D, strict=True)]
    return sum((layer - layer.mean()) / layer.std() for layer in layers) / np.float32(
        np.sqrt(len(layers))
    )


def on_surface(points: np.ndarray, seed: int) -> np.ndarray:
    """(H, W) unit noise at points (H, W, 3) [m]: the same from everywhere."""
    cell = (points * np.float32(1 / VOXEL)).astype(np.int32) & (VOXELS - 1)
    return _volume(seed).ravel()[(cell[..., 0] * VOXELS + cell[..., 1]) * VOXELS + cell[..., 2]]
