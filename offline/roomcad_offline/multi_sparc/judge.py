"""How well a network aligns the objects of fixed scenes, and how well sigma knows it."""

import torch

from roomcad_offline.multi_sparc.pose import (
    LARGEST_ROTATION,
    LARGEST_SCALE,
    LARGEST_TRANSLATION,
    correct,
    fill_empty,
    pose_errors,
    true_pose,
)
from roomcad_offline.multi_sparc.refine import best, initial_pose, refine


@torch.no_grad()
def judge(network, batches, mode, n, pattern):
    """Figures of a network on Batches, each object started from four azimuths.

    Args:
        network: MultiSparc; its mode is restored.
        batches: Batches with the truth.
        mode: "rgbd" or "rgb", see refine.initial_pose.
        n: updates before the scoring pass.
        pattern: (n_bbox, 2) sample positions in 0-1.

    Returns:
        dict: objects, accuracy (within 20 cm, 20 degrees, 20 %) of the pose that sigma chose, of
        the first azimuth's and of the best of the four; how many chosen poses keep each of the
        three limits; and the AUC of sigma over all poses.
    """
    was_training = network.training
    network.eval()
    chosen, first, any_right, kept, logits, labels = [], [], [], [], [], []
    for batch in batches:
        pose, logit = refine(network, batch, initial_pose(batch, mode, pattern), n, pattern)
        true = fill_empty(true_pose(batch), batch.valid)
        right = torch.stack(
            [correct(pose.map(lambda x, k=k: x[:, k]), true, batch.symmetry) for k in range(4)], 1
        )
        valid = batch.valid
        picked, _ = best(pose, logit)
        chosen.append(correct(picked, true, batch.symmetry)[valid])
        kept.append(_within(picked, true, batch.symmetry)[valid])
        first.append(right[:, 0][valid])
        any_right.append(right.any(1)[valid])
        logits.append(logit.transpose(1, 2)[valid].flatten())
        labels.append(right.transpose(1, 2)[valid].flatten())
    network.train(was_training)
    share = {"accuracy": chosen, "accuracy_first": first, "accuracy_best_of_four": any_right}
    figures = {name: torch.cat(parts).float().mean().item() for name, parts in share.items()}
    for name, part in zip(("position", "rotation", "size"), torch.cat(kept).T, strict=True):
        figures[f"{name}_right"] = part.float().mean().item()
    objects = sum(len(part) for part in chosen)
    return {"objects": objects, **figures, "auc": auc(torch.cat(logits), torch.cat(labels))}


def _within(pose, true, symmetry):
    """(..., 3) bool: position, rotation and size within their limits."""
    position, angle, size = pose_errors(pose, true, symmetry)
    limits = LARGEST_TRANSLATION, LARGEST_ROTATION, LARGEST_SCALE
    return torch.stack([e <= m for e, m in zip((position, angle, size), limits, strict=True)], -1)


def auc(scores, labels):
    """Area under the ROC curve: how often a right pose scores above a wrong one; ties count half.

    0.5 where all labels are equal.
    """
    positive, negative = scores[labels], scores[~labels]
    if not len(positive) or not len(negative):
        return 0.5
    ordered = negative.sort().values
    below = torch.searchsorted(ordered, positive)
    upto = torch.searchsorted(ordered, positive, right=True)
    return ((below + upto).double().mean() / (2 * len(negative))).item()
