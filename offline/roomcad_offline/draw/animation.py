"""A short animation from a list of pictures."""

import cv2
import numpy as np
from PIL import Image


def write_gif(path, pictures, fps=6, width=480):
    """Write RGB pictures (H, W, 3) as a looping GIF reduced to `width` pixels."""
    if not pictures:
        raise ValueError(f"{path}: no pictures to animate")
    frames = [Image.fromarray(_reduce(p, width)).quantize(128) for p in pictures]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=1000 // fps, loop=0)


def contact_sheet(pictures, columns=3, width=480):
    """One RGB image with the pictures in rows of `columns`, each `width` wide."""
    small = [_reduce(p, width) for p in pictures]
    small += [np.zeros_like(small[0])] * (-len(small) % columns)
    rows = [np.hstack(small[i : i + columns]) for i in range(0, len(small), columns)]
    return np.vstack(rows)


def _reduce(picture, width):
    height = round(picture.shape[0] * width / picture.shape[1])
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
