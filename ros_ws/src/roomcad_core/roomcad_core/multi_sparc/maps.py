"""A frame as the network sees it: colour, normals, depth and object ids in small maps.

The whole image is fitted into the maps and centred; where its sides have another ratio, the rest
stays empty. Intrinsics and boxes go along exactly. Every map pixel looks at SAMPLES x SAMPLES
points of its area: the valid depth nearest to its centre says which surface it shows, as a ray
through the centre would (so edges stay sharp, and thin legs appear as often as in training);
its id is that sample's, and its depth the mean over the samples of the same surface. Normals come
from this depth, or where a frame has normals of its own are that sample's.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from roomcad_core.multi_sparc.normals import normals_from_depth

SAMPLES = 4  # along each side of a map pixel
FARTHEST = 100.0  # [m] what measures more than this does not measure
SAME_SURFACE = 0.04  # depths of a surface differ within a map pixel by less of themselves


@dataclass(frozen=True)
class Grid:
    """Where an image lies in the maps: map position = factor * image position + shift.

    Positions count from the outer edge of the first pixel.
    """

    shape: tuple[int, int]  # height, width of the image [px]
    map_shape: tuple[int, int]
    factor: float
    shift: tuple[float, float]  # x, y [map px]

    @classmethod
    def fitting(cls, shape, map_shape):
        """The largest Grid that shows a whole image (H, W), centred."""
        factor = min(m / n for m, n in zip(map_shape, shape, strict=True))
        y, x = ((m - factor * n) / 2 for m, n in zip(map_shape, shape, strict=True))
        return cls(tuple(shape), tuple(map_shape), factor, (x, y))

    def intrinsics(self, K):
        """(3, 3) K of the maps; pixel centres at integer coordinates, there and here."""
        out = np.array(K, float)
        out[:2] *= self.factor
        out[:2, 2] += self.factor / 2 + np.array(self.shift) - 0.5
        return out

    def box(self, box):
        """(4,) float32 xyxy of the maps, pixel centres at integers, of an image's box.

        The image's boxes (Object.box) count from the outer edge of its first pixel. As in
        training they end half a map beside the maps.
        """
        size = np.array(self.map_shape[::-1])
        low_high = np.asarray(box, float).reshape(2, 2) * self.factor + self.shift - 0.5
        return low_high.clip(-size / 2, 1.5 * size).astype(np.float32).ravel()

    def samples(self):
        """Image row of each of the SAMPLES * height sample rows, the same of columns; -1 = none."""
        axes = zip(self.map_shape, self.shape, reversed(self.shift), strict=True)
        return tuple(self._along(m, n, shift) for m, n, shift in axes)

    def _along(self, map_size, size, shift):
        at = (np.arange(map_size * SAMPLES) + 0.5) / SAMPLES
        index = np.floor((at - shift) / self.factor).astype(int)
        return np.where((index >= 0) & (index < size), index, -1)


@dataclass(frozen=True)
class Maps:
    """One frame at the size of the maps."""

    grid: Grid
    rgb: np.ndarray  # (3, H, W) float32 in 0-1
    normal: np.ndarray  # (3, H, W) float32 unit, camera frame, towards the camera; 0 = unknown
    depth: np.ndarray  # (H, W) float32 z-depth [m], 0 = missing
    ids: np.ndarray  # (H, W) object ids of the segmentation, 0 = none
    K: np.ndarray  # (3, 3) float64 intrinsics [px of the maps]


def make_maps(frame, instances, map_shape):
    """Maps of a Frame and its instance image.

    Args:
        frame: Frame of any size.
        instances: (H, W) unsigned object ids on the frame's grid.
        map_shape: height, width of the maps [px].

    Raises:
        ValueError: the two have different sizes.
    """
    if instances.shape != frame.depth.shape:
        raise ValueError(f"instances {instances.shape}, expected {frame.depth.shape} as the depth")
    grid = Grid.fitting(frame.depth.shape, map_shape)
    rows, columns = grid.samples()
    depth, chosen = _surface(_usable(_pick(frame.depth, rows, columns)))
    K = grid.intrinsics(frame.K)
    if frame.normals is None:
        normal = normals_from_depth(depth, K)
    else:
        normal = _of_sample(_pick(frame.normals, rows, columns), chosen)
    ids = _of_sample(_pick(instances, rows, columns), chosen)
    return Maps(
        grid,
        _colour(_pick(frame.color, rows, columns), map_shape),
        np.ascontiguousarray(normal.transpose(2, 0, 1)),
        depth,
        ids,
        K,
    )


def _pick(image, rows, columns):
    """Rows and columns of an image, 0 for those below 0."""
    height, width = image.shape[:2]
    if np.array_equal(rows, np.arange(height)) and np.array_equal(columns, np.arange(width)):
        return image
    out = image.take(np.maximum(rows, 0), 0).take(np.maximum(columns, 0), 1)
    out[rows < 0], out[:, columns < 0] = 0, 0
    return out


def _usable(depth):
    """Float32 depth, 0 where it is not a number, negative or beyond FARTHEST."""
    return np.where((depth > 0) & (depth < FARTHEST), depth, 0).astype(np.float32, copy=False)


def _surface(depth):
    """Depth of each map pixel from its samples, and which sample it follows (index of _order)."""
    samples = [depth[i::SAMPLES, j::SAMPLES] for i, j in _order()]
    first = samples[0].copy()
    chosen = np.zeros(first.shape, np.intp)
    for k, sample in enumerate(samples[1:], 1):
        take = (first == 0) & (sample > 0)
        first[take], chosen[take] = sample[take], k
    reach = SAME_SURFACE * first
    total, count = np.zeros_like(first), np.zeros_like(first)
    for sample in samples:
        alike = np.abs(sample - first) < reach
        total += sample * alike
        count += alike
    return total / np.maximum(count, 1), chosen


def _of_sample(image, chosen):
    """(H, W, ...) value of the chosen sample of each map pixel."""
    i, j = np.array(_order()).T
    rows, columns = np.indices(chosen.shape, sparse=True)
    return image[rows * SAMPLES + i[chosen], columns * SAMPLES + j[chosen]]


def _order():
    """(row, column) of a map pixel's samples, from its centre outwards."""
    middle = (SAMPLES - 1) / 2
    places = [(i, j) for i in range(SAMPLES) for j in range(SAMPLES)]
    return sorted(places, key=lambda p: (p[0] - middle) ** 2 + (p[1] - middle) ** 2)


def _colour(color, map_shape):
    """(3, H, W) float32 means of the samples' (.., 3) uint8 colours, in 0-1."""
    small = cv2.resize(color, map_shape[::-1], interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(small.transpose(2, 0, 1)) * np.float32(1 / 255)
