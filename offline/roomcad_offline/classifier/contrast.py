"""Keeps crops of one CAD model together in the embedding, so that retrieval can tell models."""

import torch
from torch.nn import functional

TEMPERATURE = 0.1


def contrastive_loss(embedding, group, labels):
    """Supervised contrastive loss (Khosla et al., 2020) with CAD models as classes.

    A crop is compared with those of its own furniture class only: retrieval looks no further.

    Args:
        embedding: (B, D) any scale.
        group: (B,) int number of the CAD model each crop shows; -1 = none to compare.
        labels: (B,) furniture class.

    Returns:
        Scalar; 0 where no two crops of the batch show the same model.
    """
    unit = functional.normalize(embedding, dim=1)
    similarity = unit @ unit.T / TEMPERATURE
    other_crop = ~torch.eye(len(unit), dtype=torch.bool)
    compared = (labels[:, None] == labels) & other_crop
    positive = (group[:, None] == group) & (group >= 0)[:, None] & compared
    counts = positive.sum(1)
    if not counts.any():
        return embedding.sum() * 0
    # Finite stand-in for "not compared": rows without any comparison must not give NaN.
    log_sum = torch.logsumexp(similarity.masked_fill(~compared, -1e4), 1, keepdim=True)
    mean = torch.where(positive, similarity - log_sum, 0).sum(1) / counts.clamp_min(1)
    return -mean[counts > 0].mean()
