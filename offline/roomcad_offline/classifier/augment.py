"""What happens to furniture between CAD and crop, on whole batches.

Every step works on a Batch in metres, z up; AugmentConfig switches the steps on and off, which is
what the ablation table does.
"""

from dataclasses import dataclass

import numpy as np

from roomcad_core.crop_input import extra_numbers, normalise
from roomcad_offline.classifier import surroundings
from roomcad_offline.classifier.self_occlusion import visible


@dataclass(frozen=True)
class AugmentConfig:
    """Probabilities and strengths of the augmentations; 0 or False switches one off."""

    points: int = 512  # points of a network input
    yaw: bool = True  # any direction about the up axis; otherwise as stored
    stretch: float = 0.2  # log of the largest anisotropic scale
    tilt: float = 0.04  # deviation of the gravity direction [rad]
    scan: float = 0.85  # whole CAD surfaces are seen by one to three virtual views
    part_drop: float = 0.4  # a ball around a random point is missing
    truncate: float = 0.35  # cut at the image border or hidden from below
    density: float = 0.5  # points thin out along a direction
    surroundings: float = 0.5  # floor, wall and neighbours left on the crop
    clutter: float = 0.1  # the post's uniform background
    noise: float = 0.012  # largest deviation of the points [m]
    size: float = 0.6  # probability that metric size is told
    floor: float = 0.5  # probability that the height over the floor is told
    # The same for crops cut out of rooms, as the robot knows them: size nearly always, the height
    # where it sees the floor.
    room_size: float = 0.9
    room_floor: float = 0.7


def augment(samples, radii, config, rng):
    """Network inputs of a batch of Samples.

    Args:
        samples: Samples of the batch.
        radii: {label index: radii [m] of that class}, for clouds without a metric scale.
        config: AugmentConfig.
        rng: NumPy generator.

    Returns:
        points (B, config.points, 3) and extra (B, N_EXTRA), both float32.
    """
    points = to_metres(samples, radii, rng)
    points = turn_and_stretch(points, config, rng)
    weight = seen(points, samples.whole & (rng.random(len(points)) < config.scan), rng)
    # What was cut out of a room is hidden, truncated and surrounded as the robot will see it.
    weight *= np.where(samples.cut[:, None], 1, thinned(points, config, rng))
    chosen = choose(points, weight, config.points, rng)
    chosen = np.where(samples.cut[:, None, None], chosen, surroundings.add(chosen, config, rng))
    sigma = config.noise * rng.random((len(chosen), 1, 1), np.float32)
    chosen = chosen + sigma * rng.standard_normal(chosen.shape, np.float32)
    chosen = tilted(chosen, config.tilt, rng)
    unit, centre, radius = normalise(chosen)
    told = rng.random((2, len(unit))) < chance_told(samples, config)
    return unit, extra_numbers(radius, centre[:, 2], told[0], told[1] & samples.floor)


def chance_told(samples, config):
    """(2, B) probability that size and height are told."""
    alone = np.array([[config.size], [config.floor]])
    return np.where(samples.cut, [[config.room_size], [config.room_floor]], alone)


def to_metres(samples, radii, rng):
    """Points (B, P, 3) in metres; a cloud without scale gets one that its class may have."""
    points = samples.points.copy()
    for i in np.flatnonzero(~samples.metric):
        radius = rng.choice(radii[int(samples.labels[i])]) * np.exp(rng.normal(0, 0.1))
        points[i] *= radius / np.linalg.norm(points[i], axis=1).max()
    for i in np.flatnonzero(samples.floor & ~samples.metric):
        points[i, :, 2] -= points[i, :, 2].min()
    return points


def turn_and_stretch(points, config, rng):
    """Random yaw and mirroring, with an anisotropic scale between two turns."""
    if not config.yaw:
        return points
    batch = len(points)
    first, second = rng.uniform(0, 2 * np.pi, (2, batch))
    scale = np.exp(rng.uniform(-config.stretch, config.stretch, (batch, 3)))
    scale[:, 0] *= rng.choice([-1, 1], batch)
    matrix = yaw_matrix(second) @ (scale[:, :, None] * yaw_matrix(first))
    return points @ matrix.astype(np.float32).transpose(0, 2, 1)


def yaw_matrix(angle):
    """(B, 3, 3) rotations about z."""
    c, s, zero, one = np.cos(angle), np.sin(angle), np.zeros_like(angle), np.ones_like(angle)
    return np.stack([c, -s, zero, s, c, zero, zero, zero, one], -1).reshape(-1, 3, 3)


def seen(points, scanned, rng):
    """(B, P) float32 weight: 0 for points that no virtual view of a scanned cloud sees."""
    weight = np.ones(points.shape[:2], np.float32)
    index = np.flatnonzero(scanned)
    if len(index):
        weight[index] = visible(points[index], rng)
    return weight


def thinned(points, config, rng):
    """(B, P) float32 weight after part dropping, truncation and uneven density."""
    batch = len(points)
    low, high = points.min(1, keepdims=True), points.max(1, keepdims=True)
    extent = np.linalg.norm(high - low, axis=2)  # (B, 1)
    weight = np.ones(points.shape[:2], np.float32)
    pick = rng.integers(points.shape[1], size=batch)
    ball = np.linalg.norm(points - points[np.arange(batch), pick][:, None], axis=2)
    radius = rng.uniform(0.08, 0.3, (batch, 1)) * extent
    weight[(ball < radius) & (rng.random((batch, 1)) < config.part_drop)] = 0
    position = along(points, cut_directions(batch, rng))
    cut = position < rng.uniform(0.05, 0.45, (batch, 1))
    weight[cut & (rng.random((batch, 1)) < config.truncate)] = 0
    slope = rng.uniform(0, 3, (batch, 1)) * (rng.random((batch, 1)) < config.density)
    weight *= np.exp(-slope * along(points, rng.standard_normal((batch, 3))))
    return weight.astype(np.float32)


def cut_directions(batch, rng):
    """(B, 3): sideways cuts (image border), and cuts from below (something stands in front)."""
    azimuth = rng.uniform(0, 2 * np.pi, batch)
    side = np.stack([np.cos(azimuth), np.sin(azimuth), np.zeros(batch)], 1)
    side[rng.random(batch) < 0.4] = (0, 0, 1)
    return side


def along(points, direction):
    """(B, P) position along a direction (B, 3), from 0 to 1 over each cloud."""
    position = np.einsum("bpk,bk->bp", points, direction.astype(np.float32))
    low, high = position.min(1, keepdims=True), position.max(1, keepdims=True)
    return (position - low) / np.maximum(high - low, 1e-6)


def choose(points, weight, n, rng):
    """`n` points of each cloud drawn by weight; those of weight 0 never, others maybe twice."""
    key = rng.random(weight.shape, np.float32) / np.maximum(weight, 1e-9)
    n_kept = np.maximum((weight > 0).sum(1), 1)
    order = np.argsort(key, axis=1)
    slot = np.arange(n)[None] % np.minimum(n_kept, points.shape[1])[:, None]
    index = np.take_along_axis(order, slot, 1)
    return np.take_along_axis(points, index[..., None], 1)


def tilted(points, sigma, rng):
    """Each cloud turned a little about a horizontal axis: gravity is known to a few degrees."""
    a, b = sigma * rng.standard_normal((2, len(points))).astype(np.float32)
    x, y, z = np.moveaxis(points, -1, 0)
    return np.stack([x + b[:, None] * z, y + a[:, None] * z, z - b[:, None] * x - a[:, None] * y],
                    -1)  # fmt: skip
