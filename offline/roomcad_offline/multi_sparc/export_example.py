"""Inputs of the loop for checks and benchmarks: random maps with objects ahead of the camera.

Random, but of the right size everywhere: depths of 1 to 4 m, objects of half a metre to a metre,
CAD points on boxes, and poses that put them into the image.
"""

from types import SimpleNamespace

import numpy as np
import torch

from roomcad_offline.multi_sparc.export_loop import OUTPUTS
from roomcad_offline.multi_sparc.inputs import sample_pattern
from roomcad_offline.multi_sparc.pose import Pose, rotation
from roomcad_offline.multi_sparc.refine import refine


def example_feeds(config, initialisations=4, size=(120, 160), seed=0, empty=0):
    """{input name: array} of the exported loop.

    Args:
        config: ModelConfig.
        initialisations: initial poses of every object.
        size: height and width of the maps [px].
        seed: of everything that is random.
        empty: how many of the last slots hold no object.
    """
    rng = np.random.default_rng(seed)
    objects, (height, width) = config.network.n_mul, size
    depth = rng.uniform(1, 4, (1, height, width)) * (rng.random((1, height, width)) < 0.9)
    corner = np.sort(rng.uniform(-0.1, 1.1, (2, objects, 2)), axis=0) * (width, height)
    points, normals = _boxes(objects, config.inputs.n_cad, rng)
    arrays = {
        "rgb": rng.random((3, height, width)),
        "normal": _unit(rng.normal(size=(3, height, width)), 0) * (depth > 0),
        "depth": depth,
        "instance": rng.integers(0, objects + 1, (height, width), np.int32),
        "K": np.array([[0.9 * width, 0, width / 2], [0, 0.9 * width, height / 2], [0, 0, 1]]),
        "valid": np.arange(objects) < objects - empty,
        "box": np.concatenate([corner[0], corner[1] + 1], 1),
        "cad_points": points,
        "cad_normals": normals,
        **_poses(initialisations, objects, rng),
    }
    return {n: a.astype(np.float32) if a.dtype == np.float64 else a for n, a in arrays.items()}


def refined_by_torch(network, feeds, n):
    """{output name: array} of the loop in torch."""
    tensors = {name: torch.from_numpy(array)[None] for name, array in feeds.items()}
    pose = Pose(*(tensors.pop(name) for name in "TRS"))
    pattern = sample_pattern(network.config.inputs.n_bbox)
    with torch.inference_mode():
        pose, logit = refine(network, SimpleNamespace(**tensors), pose, n, pattern)
    return {name: x[0].numpy() for name, x in zip(OUTPUTS, (*pose, logit), strict=True)}


def largest_differences(out, wanted, valid):
    """{output name: largest difference} over the slots that hold objects."""
    return {name: float(np.abs(out[name] - wanted[name])[:, valid].max()) for name in OUTPUTS}


def _boxes(objects, n, rng):
    """Points and normals (objects, n, 3) on unit boxes."""
    points = rng.uniform(-0.5, 0.5, (objects, n, 3))
    side, sign = rng.integers(0, 3, (objects, n)), rng.choice([-1.0, 1.0], (objects, n))
    normals = np.eye(3)[side] * sign[..., None]
    return np.where(normals, normals / 2, points), normals


def _poses(initialisations, objects, rng):
    """T, R and S of objects 2 to 3 m ahead; all initialisations at the same place."""
    x = np.linspace(-0.8, 0.8, objects)
    T = np.stack([x, rng.uniform(-0.3, 0.3, objects), rng.uniform(2, 3, objects)], 1)
    S = rng.uniform(0.5, 1, (objects, 3))
    turns = torch.from_numpy(rng.normal(size=(initialisations, objects, 4)))
    repeated = {k: np.repeat(v[None], initialisations, 0) for k, v in (("T", T), ("S", S))}
    return repeated | {"R": rotation(turns).numpy()}


def _unit(vectors, axis):
    return vectors / np.linalg.norm(vectors, axis=axis, keepdims=True)
