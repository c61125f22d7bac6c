"""What training minimises: distances of CAD points, and the judgement of poses.

The paper sums the L1 distances of 1000 points; here they are averaged over points and objects
(and summed over x, y and z), so that neither the number of points nor of objects changes the
learning rate: the loss reads as metres. Updates are compared with the symmetric equivalent of the
truth that is nearest to the pose they start from.

An image is an example either for updates or for the judgement (about 3 to 1), never for both:
no loss flows from the judgement of update examples, nor from the updates of judged ones.
"""

from typing import NamedTuple

import torch
from torch.nn import functional

from roomcad_offline.multi_sparc.pose import (
    LOGIT,
    Pose,
    correct,
    fill_empty,
    nearest_equivalent,
    pose_points,
    true_pose,
    update,
)

LOSS_POINTS = 1000


class Losses(NamedTuple):
    """Losses of one pass, and what became of the poses."""

    align: torch.Tensor  # mean L1 distance [m] of update examples, 0 if there are none
    classify: torch.Tensor  # mean cross entropy of judged examples, 0 if there are none
    moved: Pose  # (B, M) poses after the update, detached: where the next pass starts
    label: torch.Tensor  # (B, M) bool, the starting pose was correct

    @property
    def total(self):
        return self.align + self.classify


def training_losses(output, start, batch, judged, scale_factor):
    """Losses of one pass.

    Args:
        output: (B, M, 11) raw outputs at the poses `start`.
        start: Pose (B, M).
        batch: Batch with the truth.
        judged: (B,) bool, images whose poses are judged; the others' poses are updated.
        scale_factor: as in NetworkConfig.

    Returns:
        Losses.
    """
    output = output.to(start.T.dtype)
    true = fill_empty(true_pose(batch), batch.valid)
    moved = update(start, output, scale_factor)
    label = correct(start, true, batch.symmetry) & batch.valid
    target = nearest_equivalent(start.R, true, batch.symmetry)
    points = batch.cad_points[:, :, :LOSS_POINTS]
    align = masked_mean(point_distance(moved, target, points), batch.valid & ~judged[:, None])
    entropy = functional.binary_cross_entropy_with_logits(
        output[..., LOGIT], label.to(output.dtype), reduction="none"
    )
    classify = masked_mean(entropy, batch.valid & judged[:, None])
    return Losses(align, classify, moved.map(torch.Tensor.detach), label)


def point_distance(pose, true, points):
    """(B, M) mean L1 distance [m] of CAD points (B, M, P, 3) under two poses."""
    apart = (pose_points(pose, points) - pose_points(true, points)).abs()
    return apart.sum(-1).mean(-1)


def masked_mean(values, mask):
    """Mean of the values where the mask holds; 0, with no gradient, where it holds nowhere."""
    kept = torch.where(mask, values, torch.zeros_like(values))
    return kept.sum() / mask.sum().clamp(min=1)
