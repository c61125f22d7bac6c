"""What a depth camera does at depth steps: moved, rounded, mixed, in the projector's shadow."""

from __future__ import annotations

import cv2
import numpy as np

from roomcad_offline.rooms.sensors.fields import soft_noise
from roomcad_offline.rooms.sensors.kinds import Sensor

REFERENCE_WIDTH = 640  # of the image in which a Sensor counts its pixels
STEP = 1.06  # ratio of depths that makes a step
FINEST = 1e-6  # [m] keeps divisions finite
WAVE = 4.0  # pixels over which the place of a step is alike [px]


def range_around(depth: np.ndarray, reach: int) -> tuple[np.ndarray, np.ndarray]:
    """Nearest and farthest depth (H, W) within `reach` px of each pixel, itself included."""
    around = np.ones((2 * reach + 1,) * 2, np.uint8)
    return cv2.erode(depth, around), cv2.dilate(depth, around)


def edges(depth: np.ndarray, reach: int = 1) -> np.ndarray:
    """(H, W) True within `reach` px of a depth step."""
    nearest, farthest = range_around(depth, reach)
    return farthest > STEP * nearest + FINEST


def wobble(depth: np.ndarray, sigma: float, rng: np.random.Generator) -> np.ndarray:
    """Depth whose steps wave by `sigma` px; away from steps nothing changes."""
    if not sigma:
        return depth
    height, width = depth.shape
    u, v = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    u += np.float32(sigma) * soft_noise(depth.shape, WAVE, rng)
    v += np.float32(sigma) * soft_noise(depth.shape, WAVE, rng)
    moved = cv2.remap(depth, u, v, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
    return np.where(edges(depth, int(np.ceil(2.5 * sigma))), moved, depth)


def rounded(depth: np.ndarray, side: int) -> np.ndarray:
    """Depth after a median of `side` px: corners are round, thin things are gone."""
    if not side:
        return depth
    return np.where(edges(depth, side // 2), cv2.medianBlur(depth, side), depth)


def fly(depth: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Mix the nearest and the farthest neighbour in a share of the pixels at steps."""
    if not share:
        return depth
    nearest, farthest = range_around(depth, 1)
    mixed = (farthest > STEP * nearest + FINEST) & (rng.random(depth.shape, np.float32) < share)
    weight = rng.random(depth.shape, np.float32)
    return np.where(mixed & (depth > 0), weight * nearest + (1 - weight) * farthest, depth)


def shift_of(depth: np.ndarray, sensor: Sensor) -> np.ndarray:
    """(H, W) shift between camera and projector [px of this image]."""
    scale = sensor.parallax * depth.shape[1] / REFERENCE_WIDTH
    return np.float32(scale) / np.maximum(depth, np.float32(0.1))


def unlit(depth: np.ndarray, sensor: Sensor) -> np.ndarray:
    """(H, W) True where something nearer keeps the projector's light away.

    The projector (or second camera) is right of the camera. It sees a pixel at column
    u + disparity; going left, a pixel is unlit where one further right already covered its column.
    With a negative parallax it is on the left, and everything is mirrored.
    """
    if sensor.parallax < 0:
        depth = depth[:, ::-1]
    column = np.arange(depth.shape[1], dtype=np.float32) - abs(shift_of(depth, sensor))
    nearest = np.minimum.accumulate(column[:, ::-1], axis=1)[:, ::-1]
    dark = column > nearest + 1.0
    return dark if sensor.parallax >= 0 else dark[:, ::-1]


def outside(depth: np.ndarray, sensor: Sensor) -> np.ndarray:
    """(H, W) True where the projector's pattern or the other camera's image has ended."""
    width = depth.shape[1]
    scale = sensor.parallax * width / REFERENCE_WIDTH
    lost = np.zeros(depth.shape, bool)
    if scale > 0:
        lost |= np.arange(width) < shift_of(depth, sensor) - scale * sensor.border
    lost[: round(sensor.margin * width / REFERENCE_WIDTH)] = True
    return lost
