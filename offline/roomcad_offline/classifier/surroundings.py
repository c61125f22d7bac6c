"""What a box crop holds beside its object: floor, wall, neighbouring things, clutter."""

import numpy as np

MAX_SHARE = 0.45  # of the points that may belong to one kind of surroundings
FLOOR, WALL, NEIGHBOUR, CLUTTER = range(1, 5)  # 0 is the object


def add(points, config, rng):
    """Clouds (B, N, 3) in metres with a part of their points replaced by surroundings."""
    batch, n, _ = points.shape
    low, high = points.min(1), points.max(1)
    kind = kinds(batch, n, config, rng)
    made = {
        FLOOR: floor(low, high, n, rng),
        WALL: wall(low, high, n, rng),
        NEIGHBOUR: neighbour(points, low, high, rng),
        CLUTTER: uniform(low, high, n, rng),
    }
    for k, candidates in made.items():
        inside = ~np.isnan(candidates[..., 0])
        points = np.where(((kind == k) & inside)[..., None], candidates, points)
    return points.astype(np.float32)


def kinds(batch, n, config, rng):
    """(B, N) kind of every point: 0 for the object's own."""
    p = np.array([config.surroundings] * 3 + [config.clutter]) * np.array([1, 0.5, 0.6, 1])
    share = rng.uniform(0.02, MAX_SHARE, (batch, 4)) * (rng.random((batch, 4)) < p)
    share *= np.minimum(1, 0.65 / np.maximum(share.sum(1, keepdims=True), 1e-9))
    edges = np.cumsum(share, 1)
    draw = rng.random((batch, n))
    kind = np.zeros((batch, n), int)
    for k in range(4):
        below = 0 if k == 0 else edges[:, k - 1 : k]
        kind[(draw >= below) & (draw < edges[:, k : k + 1])] = k + 1
    return kind


def box(low, high, margin):
    """The box of a crop grown by `margin` (B, 1) [m] sideways."""
    grow = np.concatenate([margin, margin, np.zeros_like(margin)], 1)
    return low - grow, high + grow


def uniform(low, high, n, rng):
    """(B, N, 3) points anywhere in the box of the crop, grown by a tenth."""
    grow = 0.1 * (high - low)
    low, high = low - grow, high + grow
    return low[:, None] + (high - low)[:, None] * rng.random((len(low), n, 3), np.float32)


def floor(low, high, n, rng):
    """A piece of floor under the object, ended by a random straight line."""
    batch = len(low)
    a, b = box(low, high, rng.uniform(0, 0.25, (batch, 1)))
    points = a[:, None] + (b - a)[:, None] * rng.random((batch, n, 3))
    points[..., 2] = low[:, None, 2] + rng.normal(0, 0.006, (batch, n))
    return ended(points, (a + b) / 2, np.linalg.norm(b - a, axis=1), rng)


def wall(low, high, n, rng):
    """A piece of wall along one side of the box, ended by a random straight line."""
    batch = len(low)
    a, b = box(low, high, rng.uniform(0, 0.25, (batch, 1)))
    points = a[:, None] + (b - a)[:, None] * rng.random((batch, n, 3))
    axis, far = rng.integers(2, size=batch), rng.random(batch) < 0.5
    rows = np.arange(batch)
    side = np.where(far, high[rows, axis], low[rows, axis])
    side = side + np.where(far, 1, -1) * rng.uniform(-0.03, 0.15, batch)
    points[rows, :, axis] = side[:, None] + rng.normal(0, 0.006, (batch, n))
    return ended(points, (a + b) / 2, np.linalg.norm(b - a, axis=1), rng)


def ended(points, centre, size, rng):
    """NaN for points beyond a random vertical plane; two of three patches stay whole."""
    batch = len(points)
    azimuth = rng.uniform(0, 2 * np.pi, batch)
    normal = np.stack([np.cos(azimuth), np.sin(azimuth), np.zeros(batch)], 1)
    offset = np.einsum("bnk,bk->bn", points - centre[:, None], normal)
    limit = np.where(rng.random(batch) < 0.33, rng.uniform(-0.2, 0.2, batch) * size, np.inf)
    points[offset > limit[:, None]] = np.nan
    return points


def neighbour(points, low, high, rng):
    """Points of another cloud of the batch standing beside this one, where they fall in its box."""
    batch = len(points)
    other = np.roll(np.arange(batch), rng.integers(1, max(batch, 2)))
    azimuth = rng.uniform(0, 2 * np.pi, batch)
    direction = np.stack([np.cos(azimuth), np.sin(azimuth), np.zeros(batch)], 1)
    reach = (np.linalg.norm((high - low)[:, :2], axis=1) +
             np.linalg.norm((high - low)[other][:, :2], axis=1)) / 2  # fmt: skip
    moved = points[other] - ((low + high) / 2)[other][:, None] + ((low + high) / 2)[:, None]
    moved = moved + (direction * (reach * rng.uniform(0.4, 0.9, batch))[:, None])[:, None]
    moved[..., 2] += (low[:, 2] - moved[..., 2].min(1))[:, None]
    a, b = box(low, high, rng.uniform(0.02, 0.2, (batch, 1)))
    outside = ((moved < a[:, None]) | (moved > b[:, None])).any(2)
    moved[outside] = np.nan
    return moved
