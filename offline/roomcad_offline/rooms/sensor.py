"""What a depth camera makes of the true depth: noise, quantisation and missing pixels.

Structured light measures disparity, so its noise and its steps grow with z^2, and what the
projector cannot see is missing. Time of flight has finer noise and mixes depths at edges.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Sensor:
    """A depth camera; disparities are those of an image REFERENCE_WIDTH px wide."""

    kind: str  # structured_light or tof
    baseline: float = 0.075  # camera to projector [m]; structured light only
    disparity_noise: float = 0.05  # standard deviation [px]
    disparity_step: float = 0.125  # quantisation [px]; 0 = none
    offset_noise: float = 0.0015  # noise that does not grow with distance [m]
    lateral: float = 0.5  # jitter of the viewing direction [px]
    flying: float = 0.0  # share of edge pixels that mix two depths
    edge_loss: float = 0.5  # share of edge pixels that are missing
    grazing: float = 0.17  # cosine of incidence below which pixels vanish
    near: float = 0.35  # range [m]
    far: float = 5.5


REFERENCE_WIDTH = 640
REFERENCE_FOCAL = 550.0  # [px]
FINEST = 1e-6  # [m] keeps divisions finite


def draw_sensor(kind, rng):
    """A Sensor of a kind (or `any`) with its own quality."""
    if kind == "any":
        kind = str(rng.choice(["structured_light", "tof"]))
    noise = float(rng.uniform(0.03, 0.07))
    if kind == "tof":
        return Sensor(kind, 0.0, noise * 0.6, 0.0, 0.002, 0.4, 0.5, 0.25, 0.12, 0.25, 6.5)
    return Sensor(kind, disparity_noise=noise, far=float(rng.uniform(4.5, 6.0)))


def axial_sigma(sensor, z):
    """Standard deviation of the axial noise at depth z [m], quantisation apart."""
    per_pixel = z**2 / (REFERENCE_FOCAL * (sensor.baseline or Sensor.baseline))
    return np.hypot(sensor.offset_noise, sensor.disparity_noise * per_pixel)


def measure(view, sensor, rng):
    """Measured depth (H, W) float32 [m], 0 = missing, of a noise-free render.View."""
    true = view.depth
    edge = edges(true)
    depth = jitter(true, sensor.lateral, rng)
    depth = fly(depth, edge, sensor.flying, rng)
    depth = depth + axial_sigma(sensor, depth) * correlated(true.shape, rng)
    if sensor.disparity_step:
        depth = quantise(depth, sensor)
    lost = (
        (true <= 0)
        | (depth < sensor.near)
        | (depth > sensor.far * (1 + 0.02 * rng.standard_normal(true.shape, np.float32)))
    )
    lost |= edge & (rng.random(true.shape, np.float32) < sensor.edge_loss)
    lost |= view.cosine < sensor.grazing * (0.5 + rng.random(true.shape, np.float32))
    lost |= patches(true.shape, rng) < view.dropout
    lost |= rng.random(true.shape, np.float32) < 0.001
    if sensor.baseline:
        lost |= unlit(true, sensor)
    return np.where(lost, 0, depth).astype(np.float32)


def neighbours(depth):
    """Nearest and farthest depth (H, W) among each pixel and its eight neighbours."""
    import cv2

    around = np.ones((3, 3), np.uint8)
    return cv2.erode(depth, around), cv2.dilate(depth, around)


def edges(depth):
    """(H, W) True beside depth steps of more than 4 %."""
    nearest, farthest = neighbours(depth)
    return farthest > 1.04 * nearest + FINEST


def jitter(depth, sigma, rng):
    """Depth looked up a little beside each pixel, `sigma` px away."""
    height, width = depth.shape
    dv, du = np.rint(sigma * rng.standard_normal((2, height, width), np.float32)).astype(np.int32)
    v = np.clip(np.arange(height, dtype=np.int32)[:, None] + dv, 0, height - 1)
    u = np.clip(np.arange(width, dtype=np.int32) + du, 0, width - 1)
    return depth.ravel()[v * width + u]


def fly(depth, edge, share, rng):
    """Mix the nearest and the farthest neighbour in a share of the edge pixels."""
    if share == 0:
        return depth
    mixed = edge & (rng.random(depth.shape, np.float32) < share)
    weight = rng.random(depth.shape, np.float32)
    nearest, farthest = neighbours(depth)
    mix = weight * nearest + (1 - weight) * farthest
    return np.where(mixed & (depth > 0), mix, depth)


def soft_noise(shape, blur, rng):
    """(H, W) float32 noise of unit deviation, smoothed over `blur` px."""
    import cv2

    white = rng.standard_normal(shape, np.float32)
    return cv2.GaussianBlur(white, (0, 0), blur) * np.float32(2 * np.sqrt(np.pi) * blur)


def correlated(shape, rng):
    """(H, W) unit noise, correlated over about two pixels as window matching makes it."""
    white = rng.standard_normal(shape, np.float32)
    return 0.6 * white + 0.8 * soft_noise(shape, 1.0, rng)


def quantise(depth, sensor):
    """Depth rounded to whole steps of disparity."""
    scale = REFERENCE_FOCAL * sensor.baseline / sensor.disparity_step
    return scale / np.maximum(np.rint(scale / np.maximum(depth, FINEST)), 1)


def patches(shape, rng):
    """(H, W) values in 0-1, equally likely but alike over patches of several sizes."""
    from scipy.special import ndtr

    return ndtr(0.5 * soft_noise(shape, 1.5, rng) + 0.866 * soft_noise(shape, 10.0, rng))


def unlit(depth, sensor):
    """(H, W) True where something nearer keeps the projector's light away.

    The projector is right of the camera. It sees a pixel at column u + disparity; going left,
    a pixel is unlit where one further right already covered its column.
    """
    focal = REFERENCE_FOCAL * depth.shape[1] / REFERENCE_WIDTH
    shift = focal * sensor.baseline / np.maximum(depth, 0.1)
    column = np.arange(depth.shape[1]) - shift
    nearest = np.minimum.accumulate(column[:, ::-1], axis=1)[:, ::-1]
    return column > nearest + 1.0


def develop(light, exposure, noise, rng):
    """(H, W, 3) uint8 colour image of linear light; `noise`: False gives the clean one."""
    import cv2

    linear = cv2.GaussianBlur(light, (0, 0), 0.6)
    image = 255 * np.clip(linear * exposure, 0, 1) ** (1 / 2.2)
    if noise:
        grain = rng.standard_normal(image.shape, np.float32)
        image += grain * rng.uniform(1.5, 4.0)
    return np.clip(image + 0.5, 0, 255).astype(np.uint8)
