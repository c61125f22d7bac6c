"""Intervals of a figure over rooms: what is seen in one room is not independent."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

RESAMPLED = 1000
QUANTILES = (0.025, 0.975)


def resamples(n: int, seed: int = 0, count: int = RESAMPLED) -> np.ndarray:
    """(count, n) indices: n rooms drawn with replacement, `count` times."""
    return np.random.default_rng(seed).integers(n, size=(count, n))


def interval(
    counts: np.ndarray, figure: Callable[[np.ndarray], np.ndarray], seed: int = 0
) -> list[float] | None:
    """95 % interval of a figure of summed counts (Efron's percentile bootstrap over rooms).

    Args:
        counts: (R, K) counts of each room.
        figure: (..., K) summed counts -> (...) figure; NaN where it is not defined.
        seed: of the resampling.

    Returns:
        [low, high]; None where there are fewer than two rooms or nothing to count.
    """
    counts = np.asarray(counts, float)
    if len(counts) < 2:
        return None
    with np.errstate(invalid="ignore", divide="ignore"):
        values = figure(counts[resamples(len(counts), seed)].sum(1))
    values = values[np.isfinite(values)]
    return [float(q) for q in np.quantile(values, QUANTILES)] if len(values) else None


def ratio(counts: np.ndarray) -> np.ndarray:
    """First of two counts (..., 2) as a share of the second; NaN where that is 0."""
    return counts[..., 0] / np.where(counts[..., 1] > 0, counts[..., 1], np.nan)


def f1(counts: np.ndarray) -> np.ndarray:
    """2 right / (found + true) of counts (..., 3): right, found, true."""
    both = counts[..., 1] + counts[..., 2]
    return 2 * counts[..., 0] / np.where(both > 0, both, np.nan)
