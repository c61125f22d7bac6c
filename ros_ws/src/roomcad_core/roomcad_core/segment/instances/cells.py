"""The working grid as the cells of a fixed grid that a network looks at, and labels back.

The whole working grid is fitted into the cells and centred. Every cell looks at SAMPLES x SAMPLES
places of its area and shows the nearest thing there, so that thin legs do not vanish.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SAMPLES = 2  # along each side of a cell
SAME = 0.05  # a working pixel shows what its cell shows if 1/z differs by less than this share
AROUND = ((0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1))


@dataclass(frozen=True)
class Cells:
    """What each cell of a grid (h, w) shows."""

    rows: np.ndarray  # (h, w) row of the working pixel that the cell shows
    cols: np.ndarray  # (h, w) its column
    q: np.ndarray  # (h, w) float32 its inverse depth [1/m], 0 = unknown

    def of(self, image):
        """Values (h, w, ...) that the cells show of a working image; 0 where nothing is known."""
        at = self.rows * image.shape[1] + self.cols
        values = image.reshape(-1, *image.shape[2:]).take(at, axis=0)
        values[self.q == 0] = 0
        return values


def fit_cells(q, shape):
    """Cells of a working grid.

    Args:
        q: (H, W) float32 inverse depth [1/m], 0 = unknown.
        shape: (h, w) of the cells.
    """
    factor = fitting(q.shape, shape)
    rows, cols = (_places(n, m, factor) for n, m in zip(q.shape, shape, strict=True))
    fine = q[np.maximum(rows, 0)][:, np.maximum(cols, 0)]
    fine[rows < 0] = 0
    fine[:, cols < 0] = 0
    parts = [fine[a::SAMPLES, b::SAMPLES] for a in range(SAMPLES) for b in range(SAMPLES)]
    nearest, best = parts[0].copy(), np.zeros(shape, int)
    for k, part in enumerate(parts[1:], 1):
        np.copyto(best, k, where=part > nearest)
        np.maximum(nearest, part, out=nearest)
    y, x = np.ogrid[: shape[0], : shape[1]]
    at_rows = np.maximum(rows, 0)[SAMPLES * y + best // SAMPLES]
    return Cells(at_rows, np.maximum(cols, 0)[SAMPLES * x + best % SAMPLES], nearest)


def fitting(size, shape):
    """Cells along the side of a working pixel, for a working grid (H, W) in (h, w) cells."""
    return min(m / n for n, m in zip(size, shape, strict=True))


def _places(n, m, factor):
    """(SAMPLES * m,) working pixels that m cells look at along an axis of n, -1 = outside."""
    at = (np.arange(SAMPLES * m) + 0.5) / SAMPLES
    places = np.floor((at - (m - factor * n) / 2) / factor).astype(int)
    return np.where((places >= 0) & (places < n), places, -1)


def labels_of_pixels(labels, cells, q):
    """(H, W) int32 labels of the working pixels: those of the cells that show the same surface.

    Args:
        labels: (h, w) labels of the cells, 0 = background.
        cells: their Cells.
        q: (H, W) inverse depth of the working pixels [1/m], 0 = unknown.
    """
    factor = fitting(q.shape, labels.shape)
    index = [
        np.clip(((np.arange(n) + 0.5) * factor + (m - factor * n) / 2).astype(int), 0, m - 1)
        for n, m in zip(q.shape, labels.shape, strict=True)
    ]
    place = np.ix_(*index)
    same = np.abs(cells.q[place] - q) < SAME * q
    out = np.where(same, labels[place], 0).astype(np.int32)
    shown, padded = np.pad(cells.q, 1), np.pad(labels, 1)
    rows, cols = np.nonzero((q > 0) & ~same)  # at edges: what the cells around them show
    for dy, dx in AROUND:
        at = index[0][rows] + 1 + dy, index[1][cols] + 1 + dx
        here = q[rows, cols]
        take = np.abs(shown[at] - here) < SAME * here
        out[rows[take], cols[take]] = padded[at][take]
        rows, cols = rows[~take], cols[~take]
    return out
