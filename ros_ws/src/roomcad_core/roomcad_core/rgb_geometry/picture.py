"""A colour image as the networks take it, and their maps as the image has them.

The whole image is fitted into the picture and centred, as multi_sparc.maps does it; where the sides
have another ratio, its outermost pixels are repeated (a black border would look like a thing).
"""

import cv2
import numpy as np

from roomcad_core.multi_sparc.maps import Grid


def fitted_picture(rgb, shape):
    """(3, *shape) float32 in 0-1 of an image.

    Args:
        rgb: (H, W, 3) uint8 RGB, of any size.
        shape: height, width of the picture [px].

    Raises:
        ValueError: no uint8 colour image, or an empty one.
    """
    rgb = np.asarray(rgb)
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or not rgb.size:
        raise ValueError(f"rgb: got {rgb.dtype} {rgb.shape}, expected uint8 (H, W, 3)")
    factor = Grid.fitting(rgb.shape[:2], shape).factor
    height, width = (
        min(max(round(factor * n), 1), m) for n, m in zip(rgb.shape, shape, strict=False)
    )
    kind = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    small = cv2.resize(rgb, (width, height), interpolation=kind)
    top, left = (shape[0] - height) // 2, (shape[1] - width) // 2
    sides = top, shape[0] - height - top, left, shape[1] - width - left
    small = cv2.copyMakeBorder(small, *sides, cv2.BORDER_REPLICATE)
    return np.ascontiguousarray(small.transpose(2, 0, 1)) * np.float32(1 / 255)


def image_sized(values, shape):
    """Maps (h, w) or (h, w, C) float32 of a fitted picture at the pixels of its image, (H, W, ..).

    Args:
        values: maps of the whole picture, of any size with its ratio.
        shape: height, width of the image [px].
    """
    grid = Grid.fitting(shape, values.shape[:2])
    places = [grid.factor / 2 + shift - 0.5 for shift in grid.shift]
    to_map = np.array([[grid.factor, 0, places[0]], [0, grid.factor, places[1]]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(
        values, to_map, tuple(shape)[::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE
    )


def focal_of_maps(K, shape, map_shape):
    """fx / width of the maps that an image (H, W) with intrinsics K is fitted into."""
    grid = Grid.fitting(shape, map_shape)
    return float(grid.intrinsics(K)[0, 0]) / map_shape[1]
