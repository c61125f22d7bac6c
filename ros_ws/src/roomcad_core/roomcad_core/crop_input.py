"""Crops to what the classifier's network sees; training and robot share this file.

A cloud is centred on the middle of its upright box and scaled by its radius, both taken without
the outermost points: a few stray ones must not shrink the object. What the scaling takes away
(metric size, height over the floor) goes in as numbers of its own, with flags that say whether it
is known.
"""

import numpy as np

TRIM = 0.01  # share of the points left out at either end of each axis
LIMIT = 1.25  # stray points are pulled in to this many radii
MIN_POINTS = 32  # crops of fewer points say nothing
EXTENTS = (1e-3, 100.0)  # [m] nor do crops whose longest side is shorter or longer
N_EXTRA = 4  # size known, log size, floor known, height over the floor
TYPICAL_RADIUS = 0.6  # [m] for which the log size is 0


def normalise(points):
    """Clouds (..., N, 3) to the unit sphere.

    Returns:
        unit (..., N, 3) float32, centre (..., 3) and radius (...), in the units of `points`.
        Points that are all equal come out as zeros with radius 0.
    """
    points = np.asarray(points, np.float32)
    n = points.shape[-2]
    low, high = int(TRIM * n), n - 1 - int(TRIM * n)
    ordered = np.partition(points, (low, high), axis=-2)
    centre = (ordered[..., low, :] + ordered[..., high, :]) / 2
    unit = points - centre[..., None, :]
    distance = np.linalg.norm(unit, axis=-1)
    radius = np.partition(distance, high, axis=-1)[..., high]
    safe = np.maximum(radius, 1e-6)[..., None]
    distance /= safe
    unit /= (safe * np.maximum(distance / LIMIT, 1))[..., None]
    return unit, centre, radius


def unit_sphere(points):
    """Clouds (..., N, 3) about their mean and scaled to radius 1, as the scan-gap study has them.

    Returns float32 of the same shape; points that are all equal come out as zeros.
    """
    points = np.asarray(points, np.float32)
    unit = points - points.mean(-2, keepdims=True)
    radius = np.linalg.norm(unit, axis=-1).max(-1)[..., None, None]
    return unit / np.maximum(radius, 1e-6)


def extra_numbers(radius, height, size_known, floor_known):
    """(..., N_EXTRA) float32 of the radius [m] and the centre's height over the floor [m]."""
    radius = np.maximum(radius, 1e-3)
    columns = [
        size_known,
        np.where(size_known, np.log(radius / TYPICAL_RADIUS), 0),
        floor_known,
        np.where(floor_known, height, 0),
    ]
    return np.stack(np.broadcast_arrays(*columns), -1).astype(np.float32)


def fixed_size(points, n, rng):
    """`n` rows of a cloud: a random choice, or all and some of them twice."""
    have = len(points)
    if have >= n:
        return points[rng.choice(have, n, replace=False)]
    return np.concatenate([points, points[rng.integers(have, size=n - have)]])


def crop_fault(points):
    """Why a crop (N, 3) [m] cannot be classified, with got and expected; "" if it can."""
    if len(points) < MIN_POINTS:
        return f"got {len(points)} points, expected at least {MIN_POINTS}"
    finite = np.isfinite(points)
    if not finite.all():
        bad = int((~finite).any(1).sum())
        return f"got NaN or infinity in {bad} of {len(points)} points, expected numbers"
    extent = (points.max(0) - points.min(0)).max()
    low, high = EXTENTS
    if not low <= extent <= high:
        return f"got a longest side of {extent:g} m, expected {low:g} to {high:g} m"
    return ""
