"""Instances over colour images, one column a method, the truth first where it is known."""

import colorsys

import cv2
import numpy as np

GOLDEN = 0.618034  # of a turn of the colour circle from each id to the next
SHARE = 0.6  # of the colour over an instance
RIM = np.ones((3, 3), np.uint8)
CLOSING = np.ones((9, 9), np.uint8)  # pixels without depth are no edges of an instance


def spread(n, most):
    """Indices of at most so many of n things, evenly spread, in order."""
    return np.linspace(0, n - 1, min(n, most or n)).round().astype(int)


def draw_frames(frames, methods, path):
    """Write a picture: a row a Frame; columns colour, truth if any, each of the Segmenters.

    Args:
        frames: Frames; all with true instances or none.
        methods: {name: Segmenter}.
        path: PNG file.
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    with_truth = frames[0].instances is not None
    names = ["colour", *(["truth"] if with_truth else []), *methods]
    height, width = frames[0].depth.shape
    size = 2.6 * len(names), 2.6 * height / width * len(frames) + 0.3
    figure, axes = plt.subplots(len(frames), len(names), figsize=size, squeeze=False)
    for row, frame in zip(axes, frames, strict=True):
        images = [frame.color]
        if with_truth:
            images.append(overlaid(frame.color, np.where(frame.depth > 0, frame.instances, 0)))
        images += [overlaid(frame.color, find(frame).instances) for find in methods.values()]
        for axis, image in zip(row, images, strict=True):
            axis.imshow(image)
            axis.axis("off")
    for axis, name in zip(axes[0], names, strict=True):
        axis.set_title(name, fontsize=9)
    figure.tight_layout(pad=0.4)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def overlaid(color, instances, hues=None):
    """Copy of `color` (H, W, 3) with the ids > 0 of (H, W) coloured and outlined in white.

    `hues`: {id: RGB in 0-255}; the other ids get colours of their own.
    """
    picture = color.astype(np.float32)
    for i in np.unique(instances[instances > 0]):
        mask = instances == i
        own = 255 * np.array(colorsys.hsv_to_rgb(i * GOLDEN % 1, 0.85, 1.0))
        hue = np.array((hues or {}).get(i, own), np.float32)
        picture[mask] = (1 - SHARE) * picture[mask] + SHARE * hue
        whole = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, CLOSING)
        picture[(whole > 0) & (cv2.erode(whole, RIM) == 0)] = 255
    return picture.astype(np.uint8)
