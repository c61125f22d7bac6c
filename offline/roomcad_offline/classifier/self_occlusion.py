"""Which points of a whole surface a camera going by sees."""

import numpy as np

from roomcad_core.views import seen_from

MAX_VIEWS = 3
ARC = np.radians(160)


def visible(points, rng):
    """(B, P) bool of clouds (B, P, 3), z up: seen in one of one to MAX_VIEWS views on an arc."""
    batch = len(points)
    n_views = rng.integers(1, MAX_VIEWS + 1, batch)
    first, elevation = rng.uniform(0, 2 * np.pi, batch), np.radians(rng.uniform(0, 45, batch))
    result = np.zeros(points.shape[:2], bool)
    for view in range(MAX_VIEWS):
        azimuth = first + (rng.uniform(0, ARC, batch) if view else 0)
        index = np.flatnonzero(n_views > view)
        result[index] |= seen_from(points[index], azimuth[index], elevation[index])
    return result
