"""Views as what the network and its loss take."""

import numpy as np
import torch

from roomcad_core.camera import rays
from roomcad_core.segment.instances.channels import channels, picture_input
from roomcad_offline.instances.augment import augmented
from roomcad_offline.instances.truth import UNKNOWN


def sample(view):
    """Tensors of a View: cells (channels, h, w) and picture (3, 2h, 2w), what the network is given;
    points (3, h, w), ids (h, w) and kinds (h, w), what it is to learn."""
    known = view.q > 0
    depth = np.divide(1, view.q, out=np.zeros_like(view.q), where=known)
    R = view.R_grav_cam.astype(np.float32)
    points = (rays(known.shape, view.K) @ R.T) * depth[..., None]
    cells = channels(view.q, points, view.normals, view.floor_z, view.picture)
    kinds = np.where(known, view.kinds, UNKNOWN).astype(np.int64)
    ids = np.where(known, view.ids, 0).astype(np.int64)
    points = np.ascontiguousarray(points.transpose(2, 0, 1))
    picture = picture_input(view.picture, known.shape)
    return tuple(map(torch.from_numpy, (cells, picture, points, ids, kinds)))


def batches(views, config, batch, rng, most=0):
    """Yield batches of changed Views in random order; a remainder that fills none is left out.

    Args:
        views: RoomViews, or a list of Views.
        config: SampleConfig.
        batch: Views of a batch.
        rng: numpy Generator.
        most: Views at most; 0 = all.
    """
    order = rng.permutation(len(views))[: most or None]
    for start in range(0, len(order) - batch + 1, batch):
        chosen = order[start : start + batch]
        yield stacked([sample(augmented(views[int(i)], config, rng)) for i in chosen])


def stacked(samples):
    """A batch of samples."""
    return tuple(torch.stack(tensors) for tensors in zip(*samples, strict=True))
