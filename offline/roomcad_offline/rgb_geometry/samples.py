"""Pictures and their true maps, as tensors, from Views; in any order, always the same."""

import bisect
import itertools

import cv2
import numpy as np
import torch

from roomcad_core.multi_sparc.maps import Grid, make_maps
from roomcad_core.multi_sparc.normals import normals_from_depth
from roomcad_core.rgb_geometry.model_files import DEPTH
from roomcad_core.rgb_geometry.picture import fitted_picture
from roomcad_core.types import Frame
from roomcad_offline.rgb_geometry.augment import coloured, mirrored, random_window
from roomcad_offline.rgb_geometry.config import FOCAL
from roomcad_offline.rgb_geometry.scenes import open_scene


class Images:
    """All images of scenes, opened one scene after the other; [i] -> View."""

    def __init__(self, folders, progress=True):
        from tqdm import tqdm

        bar = tqdm(folders, "scenes", unit="scene", disable=not progress or len(folders) < 20)
        self.scenes = [open_scene(folder) for folder in bar]
        self._ends = list(itertools.accumulate(len(scene) for scene in self.scenes))

    def __len__(self):
        return self._ends[-1]

    def __getitem__(self, i):
        k = bisect.bisect_right(self._ends, i)
        return self.scenes[k][i - self._ends[k] + len(self.scenes[k])]

    def check(self, task):
        """Raise ValueError if a scene cannot teach the task."""
        bad = [str(s.path) for s in self.scenes if task == DEPTH and not s.has_depth]
        if bad:
            raise ValueError(f"{bad[0]}: has normals but no depth ({len(bad)} such scenes)")


class Samples(torch.utils.data.Dataset):
    """[(epoch, i)] -> sample i of `images`; changed at random, by seed, epoch and i, if training.

    A sample: rgb (3, H, W) in 0-1; truth, (h, w) depths for a camera of FOCAL [m] or (3, h, w)
    normals, 0 = unknown; factor, by which such depths become the image's.
    """

    def __init__(self, images, network, config, seed=None):
        """`network`: NetworkConfig; `config`: SampleConfig; seed: None = nothing is changed."""
        images.check(network.task)
        self.images, self.network, self.config, self.seed = images, network, config, seed

    def __len__(self):
        return len(self.images)

    def __getitem__(self, key):
        epoch, i = key
        view = self.images[i]
        if self.seed is None:
            return self._tensors(view, None)
        rng = np.random.default_rng([self.seed, epoch, i])
        return self._tensors(random_window(view, self.config.smallest_window, rng), rng)

    def _tensors(self, view, rng):
        shape = self.network.height, self.network.width
        half = shape[0] // 2, shape[1] // 2
        rgb = fitted_picture(view.color, shape)
        depth_task = self.network.task == DEPTH
        truth, factor = (true_depth if depth_task else true_normals)(view, half, self.config)
        if rng is not None:
            rgb = coloured(rgb, self.config, rng)
            if rng.random() < self.config.flip:
                rgb, truth = mirrored(rgb, truth)
        maps = (torch.from_numpy(np.ascontiguousarray(a, np.float32)) for a in (rgb, truth))
        return (*maps, torch.tensor(factor, dtype=torch.float32))


def true_depth(view, shape, config):
    """(h, w) depths for a camera of FOCAL, and the factor that makes them the image's."""
    maps = _maps(view, shape)
    inside = (maps.depth >= config.nearest) & (maps.depth <= config.farthest)
    factor = maps.K[0, 0] / (FOCAL * shape[1])
    return np.where(inside, maps.depth / factor, 0), factor


def true_normals(view, shape, config):
    """(3, h, w) unit normals: the View's, or else those of its depth; and the factor 1."""
    if view.normal is not None:
        return fitted_normals(view.normal, shape).transpose(2, 0, 1), 1.0
    maps = _maps(view, shape)
    inside = (maps.depth >= config.nearest) & (maps.depth <= config.farthest)
    depth = np.where(inside, maps.depth, np.float32(0))
    return normals_from_depth(depth, maps.K, config.normal_radius).transpose(2, 0, 1), 1.0


def fitted_normals(normal, shape):
    """(h, w, 3) means of unit normals (H, W, 3), placed as fitted_picture places colours."""
    factor = Grid.fitting(normal.shape[:2], shape).factor
    size = [min(max(round(factor * n), 1), m) for n, m in zip(normal.shape, shape, strict=False)]
    small = cv2.resize(normal, size[::-1], interpolation=cv2.INTER_AREA)
    length = np.linalg.norm(small, axis=2, keepdims=True)
    # Means of few normals, or of ones that disagree, are none.
    small = np.where(length > 0.7, small / np.maximum(length, 1e-6), 0)
    out = np.zeros((*shape, 3), np.float32)
    top, left = (shape[0] - size[0]) // 2, (shape[1] - size[1]) // 2
    out[top : top + size[0], left : left + size[1]] = small
    return out


def _maps(view, shape):
    frame = Frame(0.0, view.color, view.depth, view.K)
    return make_maps(frame, np.zeros(view.depth.shape, np.uint16), shape)


def batches(n, images, seed, first=0, rank=0, size=1):
    """Endless lists of (epoch, i): each epoch all n samples once in another order.

    Args:
        n: number of samples.
        images: of a batch, in each of the processes.
        seed: of the orders.
        first: batch to begin with, as if those before had been given.
        rank, size: of this process; each has images of its own.
    """
    per_epoch = steps_per_epoch(n, images, size)
    for step in itertools.count(first):
        epoch, k = divmod(step, per_epoch)
        if k == 0 or step == first:
            order = np.random.default_rng([seed, epoch]).permutation(n)
        start = (k * size + rank) * images
        yield [(epoch, int(i)) for i in order[start : start + images]]


def steps_per_epoch(n, images, size=1):
    """Batches of an epoch; a remainder that fills none is left out (another one each time)."""
    if n < images * size:
        raise ValueError(f"{n} images, expected at least a batch: {images * size}")
    return n // (images * size)
