"""Predictors that look at no picture: what a network must beat.

Depth: the mean of each row over the training images. Normals: of each row the mean direction, and
its commonest one (the floor's at the bottom, a wall's above).
"""

import json

import numpy as np

from roomcad_core.rgb_geometry.model_files import DEPTH

CELLS = 24  # of the square that directions towards the camera are counted in, along each side
MOST = 500  # training images that are looked at


def fit_trivial(samples):
    """{name: (h,) or (h, 3) list} of the training Samples, unchanged and evenly spread."""
    task, rows = samples.network.task, samples.network.height // 2
    spread = np.linspace(0, len(samples) - 1, min(MOST, len(samples))).astype(int)
    sums = DepthRows(rows) if task == DEPTH else NormalRows(rows)
    for i in spread:
        sums.add(samples[0, int(i)][1].numpy())
    return sums.result()


class DepthRows:
    """Mean depth by row."""

    def __init__(self, rows):
        self._sum, self._count = np.zeros(rows), np.zeros(rows)

    def add(self, truth):
        self._sum += truth.sum(1)
        self._count += (truth > 0).sum(1)

    def result(self):
        mean = self._sum.sum() / max(self._count.sum(), 1)  # of rows that never show anything
        rows = np.where(self._count, self._sum / np.maximum(self._count, 1), mean)
        return {"mean_by_row": rows.tolist()}


class NormalRows:
    """Mean and commonest direction by row."""

    def __init__(self, rows):
        self._sum = np.zeros((rows, 3))
        self._cells = np.zeros((rows, CELLS * CELLS, 3))  # sums of the normals of each cell
        self._counts = np.zeros((rows, CELLS * CELLS))

    def add(self, truth):
        normal = truth.transpose(1, 2, 0)
        self._sum += normal.sum(1)
        cell = np.clip((normal[..., :2] + 1) * (CELLS / 2), 0, CELLS - 1).astype(int)
        cell = cell[..., 1] * CELLS + cell[..., 0]
        known = (normal * normal).sum(2) > 0.5
        for row in range(len(normal)):
            k, n = cell[row][known[row]], normal[row][known[row]]
            np.add.at(self._cells[row], k, n)
            np.add.at(self._counts[row], k, 1)

    def result(self):
        best = self._counts.argmax(1)
        commonest = self._cells[np.arange(len(best)), best]
        found = {"mean_by_row": self._sum, "commonest_by_row": commonest}
        return {name: _unit(rows).tolist() for name, rows in found.items()}


def _unit(rows):
    """Directions (h, 3) of length 1; where there is none, towards the camera."""
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.where(length > 0, rows / np.maximum(length, 1e-9), [0.0, 0.0, -1.0])


def trivial_map(rows, width):
    """(h, w) or (3, h, w) float32 map of a predictor's rows."""
    rows = np.asarray(rows, np.float32)
    return np.repeat(rows.T[..., None], width, -1)


def write_trivial(found, path):
    path.write_text(json.dumps(found) + "\n")


def read_trivial(path):
    """What fit_trivial found, of a run's folder."""
    return json.loads(path.read_text())
