"""How right depths and normals are, and how well their uncertainty tells it.

Depth metrics are means over images, as published tables have them; normals' are over all pixels.
"""

import numpy as np

from roomcad_core.rgb_geometry.model_files import DEPTH
from roomcad_core.rgb_geometry.networks import expected_angle

LIMITS_DEG = (11.25, 22.5, 30.0)
ANGLE_BINS = 18_000  # hundredths of a degree, for the median
SURENESS_BINS = 25


class DepthMetrics:
    """Collects images; `result()` gives abs_rel, rmse [m], delta_1.25 and abs_rel_scaled.

    The last is abs_rel after the prediction is scaled to the true median of its image: what
    remains if the camera's height or a known thing told the scale.
    """

    def __init__(self):
        self._rows = []

    def add(self, predicted, truth):
        """One image: (h, w) depths [m]; pixels with truth 0 are left out."""
        known = truth > 0
        if not known.any():
            return
        d, t = np.maximum(predicted[known], 1e-3).astype(float), truth[known].astype(float)
        ratio = np.maximum(d / t, t / d)
        scaled = d * (np.median(t) / np.median(d))
        self._rows.append((
            np.mean(np.abs(d - t) / t), np.sqrt(np.mean((d - t) ** 2)), np.mean(ratio < 1.25),
            np.mean(np.abs(scaled - t) / t),
        ))  # fmt: skip

    def result(self):
        names = "abs_rel", "rmse", "delta_1.25", "abs_rel_scaled"
        means = np.mean(self._rows, 0) if self._rows else np.full(len(names), np.nan)
        return dict(zip(names, map(float, means), strict=True)) | {"images": len(self._rows)}


class NormalMetrics:
    """Collects images; `result()` gives mean and median angle and shares within LIMITS_DEG."""

    def __init__(self):
        self._counts = np.zeros(ANGLE_BINS, np.int64)
        self._sum, self._within = 0.0, np.zeros(len(LIMITS_DEG), np.int64)
        self._images = 0

    def add(self, predicted, truth):
        """One image: (3, h, w) unit normals; pixels with truth 0 are left out."""
        angle = np.degrees(angles(predicted, truth))[known_normals(truth)]
        if not angle.size:
            return
        index = np.minimum((angle * (ANGLE_BINS / 180)).astype(int), ANGLE_BINS - 1)
        self._counts += np.bincount(index, minlength=ANGLE_BINS)
        self._sum += float(angle.sum(dtype=float))
        self._within += [(angle < limit).sum() for limit in LIMITS_DEG]
        self._images += 1

    def result(self):
        n = max(int(self._counts.sum()), 1)
        middle = np.searchsorted(np.cumsum(self._counts), n / 2)
        shares = {f"within_{d:g}_deg": float(c / n) for d, c in
                  zip(LIMITS_DEG, self._within, strict=True)}  # fmt: skip
        median = float((middle + 0.5) * 180 / ANGLE_BINS)
        return {"mean_deg": self._sum / n, "median_deg": median, **shares, "images": self._images}


class Sureness:
    """Predicted against actual error in logarithmic bins of the predicted one."""

    def __init__(self, low, high):
        self.edges = np.geomspace(low, high, SURENESS_BINS + 1)
        self._sums = np.zeros((3, SURENESS_BINS))

    def add(self, predicted, error):
        """(N,) errors that were expected, and those there are: same unit, and 0 or more."""
        k = np.clip(np.searchsorted(self.edges, predicted) - 1, 0, SURENESS_BINS - 1)
        for row, values in zip(self._sums, (None, predicted, error), strict=True):
            row += np.bincount(k, values, SURENESS_BINS)

    def rows(self):
        """[{pixels, expected, actual}] of the bins that have any, from sure to unsure."""
        count, expected, actual = self._sums
        return [{"pixels": int(n), "expected": float(e / n), "actual": float(a / n)}
                for n, e, a in zip(count, expected, actual, strict=True) if n]  # fmt: skip


def make_metrics(task):
    """DepthMetrics or NormalMetrics."""
    return DepthMetrics() if task == DEPTH else NormalMetrics()


def make_sureness(task):
    """Sureness of depth errors [m] or of angles [deg]."""
    return Sureness(0.01, 5.0) if task == DEPTH else Sureness(0.5, 90.0)


def expected_and_actual(task, mean, sureness, truth):
    """(N,) expected and actual absolute errors of the known pixels: [m] or [deg].

    Args:
        mean, sureness: one image's maps as the network gives them (of depth in metres).
        truth: its true map.
    """
    if task == DEPTH:
        known = truth > 0
        # The mean of |x| under a Gaussian is sigma sqrt(2 / pi).
        return sureness[known] * np.sqrt(2 / np.pi), np.abs(mean - truth)[known]
    known = known_normals(truth)
    return np.degrees(expected_angle(sureness[known])), np.degrees(angles(mean, truth)[known])


def angles(a, b):
    """(h, w) angles [rad] between vectors (3, h, w)."""
    cross = np.linalg.norm(np.cross(a, b, axis=0), axis=0)
    return np.arctan2(cross, np.einsum("c...,c...->...", a, b))


def known_normals(truth):
    """(h, w) where there is a true normal (3, h, w)."""
    return np.einsum("c...,c...->...", truth, truth) > 0.5
