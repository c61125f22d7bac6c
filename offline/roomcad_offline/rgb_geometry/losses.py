"""Negative log-likelihoods of true depths and normals under the predicted distributions."""

import math

import torch
from torch.nn import functional as F

from roomcad_core.rgb_geometry.model_files import DEPTH

TINY = 1e-12


def gaussian_nll(mean, sigma, truth):
    """log(sigma sqrt(2 pi)) + (truth - mean)^2 / (2 sigma^2), elementwise."""
    z = (truth - mean) / sigma
    return torch.log(sigma) + 0.5 * z * z + 0.5 * math.log(2 * math.pi)


def angle_between(a, b):
    """(B, h, w) angles [rad] between unit vectors (B, 3, h, w), with a gradient everywhere.

    From sine and cosine: the gradient of acos has no bound where the two nearly agree.
    """
    cross = torch.linalg.cross(a, b, dim=1)
    sine = torch.sqrt((cross * cross).sum(1) + TINY)
    return torch.atan2(sine, (a * b).sum(1))


def angular_vmf_nll(mean, kappa, truth):
    """Of the density (kappa^2 + 1) exp(-kappa angle) / (2 pi (1 + exp(-kappa pi))) on the sphere.

    Args:
        mean: (B, 3, h, w) unit vectors.
        kappa: (B, h, w) concentration, above 0.
        truth: (B, 3, h, w) unit vectors.

    Returns:
        (B, h, w).
    """
    angle = angle_between(mean, truth)
    spread = F.softplus(-math.pi * kappa)  # log(1 + exp(-kappa pi))
    return kappa * angle + spread - torch.log1p(kappa * kappa) + math.log(2 * math.pi)


def task_loss(task, output, truth):
    """Mean negative log-likelihood over the known pixels of a batch; 0 where there are none.

    Args:
        task: key of TASKS.
        output: what GeometryNetwork gives.
        truth: (B, h, w) depths or (B, 3, h, w) unit normals; 0 = unknown.
    """
    if task == DEPTH:
        known, nll = truth > 0, gaussian_nll(*output, truth)
    else:
        known = (truth * truth).sum(1) > 0.5
        nll = angular_vmf_nll(*output, truth)
    return torch.where(known, nll, 0).sum() / known.sum().clamp(min=1)
