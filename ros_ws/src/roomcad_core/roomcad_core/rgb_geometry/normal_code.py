"""Normals as a colour picture, the code of FrameNet's files: n = 1 - 2 value / 255."""

import numpy as np

SHORTEST = 0.5  # codes of shorter vectors stand for no normal


def encoded_normals(normals):
    """(H, W, 3) uint8 picture of unit normals (H, W, 3), 0 = unknown; less than 0.4 degrees off."""
    return np.clip(np.rint((1 - normals) * 127.5), 0, 255).astype(np.uint8)


def decoded_normals(code):
    """(H, W, 3) float32 unit normals of a uint8 picture, 0 = unknown."""
    normals = 1 - code.astype(np.float32) * np.float32(2 / 255)
    length = np.sqrt(np.einsum("...i,...i", normals, normals))
    normals /= np.maximum(length, np.float32(SHORTEST))[..., None]
    normals[length <= SHORTEST] = 0
    return normals
