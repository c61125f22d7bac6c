"""Colour images as consumer cameras make them of linear light."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

LONGEST = 15  # motion blur at most [px]
WAVES = 3  # slow waves that make up the drift of the exposure
PERIODS = (3.0, 20.0)  # of them [s]
GREY = np.array([0.299, 0.587, 0.114], np.float32)


@dataclass(frozen=True)
class ColorCamera:
    """A colour camera and its processing; the defaults are flawless."""

    blur: float = 0.6  # of lens and pixels [px]
    gains: tuple[float, float, float] = (1.0, 1.0, 1.0)  # white balance, of R, G, B
    vignette: float = 0.0  # light lost in the corners
    contrast: float = 1.0  # slope of the tone curve in its middle
    saturation: float = 1.0
    grain: float = 0.0  # noise [grey levels]
    sharpen: float = 0.0  # of the camera's own sharpening
    motion: float = 0.0  # mean length of motion blur [px]
    drift: float = 0.0  # standard deviation of the logarithm of the exposure
    jpeg: int = 100  # quality of the stored image; 100 = as it is
    seed: int = 0  # of the drift


def draw_color(rng: np.random.Generator) -> ColorCamera:
    """A ColorCamera with its own quality, from phones and tablets to headsets."""
    warm, tint = rng.normal(0, 0.06), rng.normal(0, 0.02)
    return ColorCamera(
        blur=float(rng.uniform(0.6, 1.1)),
        gains=(float(np.exp(warm)), float(np.exp(tint)), float(np.exp(-warm))),
        vignette=float(rng.uniform(0, 0.3)),
        contrast=float(rng.uniform(0.95, 1.5)),
        saturation=float(rng.uniform(0.5, 1.3)),
        grain=float(rng.uniform(0.5, 2.5)),
        sharpen=float(min(rng.exponential(0.8), 3.0)),
        motion=float(rng.uniform(0.2, 2.5)),
        drift=float(rng.uniform(0.05, 0.3)),
        jpeg=int(rng.integers(60, 96)),
        seed=int(rng.integers(2**31)),
    )


def develop(
    light: np.ndarray,
    exposure: float,
    camera: ColorCamera | None,
    rng: np.random.Generator | None,
    time: float = 0.0,
) -> np.ndarray:
    """(H, W, 3) uint8 colour image of linear light at a time [s]; no camera: the clean image."""
    camera = camera or ColorCamera()
    linear = cv2.GaussianBlur(light, (0, 0), camera.blur)
    linear = motion_blurred(linear, camera.motion, rng)
    gains = np.float32(exposure * drift(camera, time)) * np.array(camera.gains, np.float32)
    linear *= gains if not camera.vignette else falloff(light.shape[:2], camera.vignette) * gains
    image = 255 * np.clip(linear, 0, 1) ** np.float32(1 / 2.2)
    image = toned(image, camera)
    if camera.grain:
        image += np.float32(camera.grain) * rng.standard_normal(image.shape, np.float32)
    if camera.sharpen:
        image += np.float32(camera.sharpen) * (image - cv2.GaussianBlur(image, (0, 0), 1.2))
    return stored(np.clip(image + 0.5, 0, 255).astype(np.uint8), camera.jpeg)


def motion_blurred(image: np.ndarray, mean: float, rng: np.random.Generator | None) -> np.ndarray:
    """The image as it runs over the sensor, in a random direction, `mean` px on average."""
    length = min(rng.exponential(mean), LONGEST) if mean else 0.0
    if length < 1:
        return image
    angle = rng.uniform(0, np.pi)
    half = (np.array([np.cos(angle), np.sin(angle)]) * length / 2 * 16).round().astype(int)
    side = 2 * int(np.ceil(length / 2)) + 1
    kernel, middle = np.zeros((side, side), np.float32), side // 2 * 16
    cv2.line(kernel, tuple(middle - half), tuple(middle + half), 1.0, 1, cv2.LINE_8, 4)
    return cv2.filter2D(image, -1, kernel / kernel.sum())


def drift(camera: ColorCamera, time: float) -> float:
    """Factor of the exposure at a time [s]: an automatic camera is slow, and never quite right."""
    if not camera.drift:
        return 1.0
    rng = np.random.default_rng(camera.seed)
    phase, period = rng.uniform(0, 2 * np.pi, WAVES), rng.uniform(*PERIODS, WAVES)
    waves = np.sin(phase + 2 * np.pi * time / period).sum() * np.sqrt(2 / WAVES)
    return float(np.exp(camera.drift * waves))


@lru_cache(maxsize=8)
def falloff(shape: tuple[int, int], loss: float) -> np.ndarray:
    """(H, W, 1) float32 light that is left of 1, by the distance from the middle."""
    height, width = shape
    u = np.arange(width, dtype=np.float32)[None] - (width - 1) / 2
    v = np.arange(height, dtype=np.float32)[:, None] - (height - 1) / 2
    square = (u**2 + v**2) * 4 / (width**2 + height**2)
    return (1 - np.float32(loss) * square)[..., None].astype(np.float32)


def toned(image: np.ndarray, camera: ColorCamera) -> np.ndarray:
    """The image with a camera's contrast around middle grey and its saturation."""
    if camera.contrast != 1:
        image = 118 + np.float32(camera.contrast) * (image - 118)
    if camera.saturation != 1:
        grey = (image @ GREY)[..., None]
        image = grey + np.float32(camera.saturation) * (image - grey)
    return image


def stored(image: np.ndarray, quality: int) -> np.ndarray:
    """The image after a JPEG encoder of that quality; 100 = as it is."""
    if quality >= 100:
        return image
    _, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1])
