"""Brightness, contrast, saturation, sharpness and noise of colour images."""

from __future__ import annotations

import cv2
import numpy as np

LAPLACE_OF_NOISE = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
BLOCK = 16  # side of the blocks whose flattest say what is noise [px]
FLATTEST = 10  # percentile of them
GREY_LEVELS = (5, 250)  # blocks darker or brighter than these are clipped


def color_statistics(color: np.ndarray) -> dict[str, float]:
    """Figures of one (H, W, 3) uint8 RGB image, all in grey levels of 0-255.

    Noise is Immerkaer's ("Fast noise variance estimation", 1996): the mean response to a filter
    that cancels planes, here of the flattest blocks, so that texture does not count.
    """
    grey = cv2.cvtColor(color, cv2.COLOR_RGB2GRAY).astype(np.float32)
    saturation = cv2.cvtColor(color, cv2.COLOR_RGB2HSV)[..., 1]
    return {
        "brightness": float(grey.mean()),
        "contrast": float(grey.std()),
        "clipped": float((grey >= GREY_LEVELS[1]).mean()),
        "saturation": float(saturation.mean()),
        "sharpness": float(cv2.Laplacian(grey, cv2.CV_32F).var()),
        "noise": _noise(grey),
        "red_blue": float(color[..., 0].mean() - color[..., 2].mean()),
    }


def _noise(grey):
    response = np.abs(cv2.filter2D(grey, -1, LAPLACE_OF_NOISE))
    height, width = (n // BLOCK * BLOCK for n in grey.shape)
    if not height or not width:
        return float("nan")

    def blocks(image):
        return cv2.resize(
            image[:height, :width], (width // BLOCK, height // BLOCK), None, 0, 0, cv2.INTER_AREA
        )

    level, inner = blocks(grey), blocks(response)
    fit = inner[(level > GREY_LEVELS[0]) & (level < GREY_LEVELS[1])]
    sigma = np.sqrt(np.pi / 2) / 6 * fit
    return float(np.percentile(sigma, FLATTEST)) if len(sigma) else float("nan")
