"""Images into a detector without changing their aspect, and masks the way back."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True)
class Fit:
    """Where an image lies in a detector's input: input pixel = image pixel * factor + shift."""

    factor: np.ndarray  # (2,) x, y: rounding to whole pixels makes them differ a little
    shift: np.ndarray  # (2,) [px]

    def to_image(self, boxes):
        """Boxes (N, 4) xyxy of the input in image pixels."""
        return (boxes - np.tile(self.shift, 2)) / np.tile(self.factor, 2)


def letterbox(color, spec):
    """Fit an image into the detector's input.

    Args:
        color: (H, W, 3) uint8 RGB.
        spec: DetectorSpec.

    Returns:
        tensor ((1,) 3, height, width) float32, and its Fit.
    """
    height, width = color.shape[:2]
    factor = min(spec.width / width, spec.height / height)
    size = max(1, round(width * factor)), max(1, round(height * factor))
    room = np.array([spec.width - size[0], spec.height - size[1]])
    x, y = room // 2 if spec.centred else (0, 0)
    canvas = np.full((spec.height, spec.width, 3), spec.fill, np.uint8)
    canvas[y : y + size[1], x : x + size[0]] = cv2.resize(color, size)
    if spec.color == "bgr":
        canvas = canvas[..., ::-1]
    values = (canvas * np.float32(spec.scale) - np.float32(spec.mean)) / np.float32(spec.std)
    tensor = np.ascontiguousarray(values.transpose(2, 0, 1), np.float32)
    fit = Fit(np.array(size) / (width, height), np.array([x, y], float))
    return (tensor[None] if spec.batch else tensor), fit


def check_color(color):
    """Raise ValueError unless this is an RGB image."""
    if color.dtype != np.uint8 or color.ndim != 3 or color.shape[2] != 3 or not color.size:
        raise ValueError(
            f"detector: got an image {color.dtype} {color.shape}, expected uint8 (H, W, 3)"
        )


def paste_mask(mask, area, shape):
    """(H, W) bool where a probability mask that covers `area` of an image is above one half.

    Args:
        mask: (h, w) float32.
        area: (4,) xyxy the outer edges of the mask in the image [px]; may reach beyond it.
        shape: (H, W) of the image.
    """
    out = np.zeros(shape, bool)
    low = np.maximum(np.floor(area[:2]).astype(int), 0)
    high = np.minimum(np.ceil(area[2:]).astype(int), (shape[1], shape[0]))
    if (high <= low).any():
        return out
    step = (area[2:] - area[:2]) / (mask.shape[1], mask.shape[0])
    # Pixel centres: mask pixel (0, 0) lies half a step inside the area.
    origin = area[:2] + step / 2 - 0.5 - low
    T = np.array([[step[0], 0, origin[0]], [0, step[1], origin[1]]])
    size = tuple(int(n) for n in high - low)
    large = cv2.warpAffine(mask.astype(np.float32), T, size, borderMode=cv2.BORDER_REPLICATE)
    rows, cols = (np.arange(low[k], high[k]) + 0.5 for k in (1, 0))
    inside = ((rows >= area[1]) & (rows <= area[3]))[:, None] & (
        (cols >= area[0]) & (cols <= area[2])
    )
    out[low[1] : high[1], low[0] : high[0]] = (large > 0.5) & inside
    return out
