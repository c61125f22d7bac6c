"""Training images from recorded frames, alone or among synthetic scenes."""

import dataclasses

import torch

from roomcad_offline.multi_sparc.batch import cat
from roomcad_offline.multi_sparc.scenes import detect
from roomcad_offline.multi_sparc.scenes.draws import Draws
from roomcad_offline.multi_sparc.scenes.generate import STRIDE


class RecordedScenes:
    """Draws Batches of recorded images, each time with other masks, boxes and CAD points.

    Args:
        images: Batch of all images (see recorded.record_all), with exact masks.
        config: SceneConfig; what it says of a detector's errors is taken.
        seed, rank: as for SceneGenerator.
    """

    def __init__(self, images, config, seed=0, rank=0):
        height, width = images.depth.shape[2:]
        self.images, self.seed, self.rank = images, seed, rank
        self.config = dataclasses.replace(
            config, width=width, height=height, n_mul=images.valid.shape[1]
        )

    def batch(self, size, step=0):
        """The Batch of one step."""
        generator = torch.Generator(self.images.device)
        generator.manual_seed((self.seed * STRIDE + self.rank) * STRIDE + step)
        draws = Draws(generator)
        images = self.images[draws.integer(len(self.images), size)]
        return detected(other_points(images, draws), self.config, draws)


class Mixture:
    """Batches of which a share comes from RecordedScenes, the rest from a SceneGenerator."""

    def __init__(self, scenes, recorded, share):
        """`share`: of recorded images, above 0 and below 1."""
        if not 0 < share < 1:
            raise ValueError(f"recorded share: got {share!r}, expected above 0 and below 1")
        self.scenes, self.recorded, self.share = scenes, recorded, share
        self.bank, self.config = scenes.bank, scenes.config

    def batch(self, size, step=0):
        """The Batch of one step, recorded and synthetic images in random order."""
        n = min(max(round(self.share * size), 1), size - 1)
        both = cat([self.recorded.batch(n, step), self.scenes.batch(size - n, step)])
        generator = torch.Generator().manual_seed(step)
        return both[torch.randperm(size, generator=generator).to(both.device)]


def other_points(images, draws):
    """The Batch with its CAD points in another order: a network looks at the first ones."""
    n = images.cad_points.shape[2]
    start = draws.integer(n, *images.valid.shape, 1)
    index = (start + torch.arange(n, device=start.device)) % n
    index = index[..., None].expand_as(images.cad_points)
    fields = {f: getattr(images, f).gather(2, index) for f in ("cad_points", "cad_normals")}
    return dataclasses.replace(images, **fields)


def detected(images, config, draws):
    """The Batch with the masks and boxes that a detector might give."""
    M = images.R_gt * images.S_gt[..., None, :]
    posed = images.cad_points @ M.transpose(2, 3) + images.T_gt[..., None, :]
    whole = detect.whole_boxes(posed, images.K)
    instance = images.instance.long()
    masks = detect.detected_masks(instance, config.n_mul, config, draws)
    boxes = detect.detected_boxes(images.box, whole, config, draws)
    return dataclasses.replace(
        images,
        instance=masks.to(images.instance.dtype),
        box=boxes * images.valid[..., None],
    )
