"""Extremes over square windows, one axis after the other: far faster on CPUs than max_pool2d."""

import torch
from torch.nn.functional import pad


def highest(values, radius):
    """(B, H, W) largest value within `radius` pixels of the image."""
    along_rows = _highest_of_rows(values, radius)
    return _highest_of_rows(along_rows.transpose(1, 2), radius).transpose(1, 2)


def lowest(values, radius):
    """(B, H, W) smallest value within `radius` pixels."""
    return -highest(-values, radius)


def _highest_of_rows(values, radius):
    """(B, H, W) largest value within `radius` pixels along the last axis."""
    size = values.shape[2]
    least = torch.finfo(values.dtype).min if values.is_floating_point() else -(2**15)
    padded = pad(values, (radius, radius), value=least)
    best = values
    for shift in range(2 * radius + 1):
        if shift != radius:
            best = torch.maximum(best, padded[..., shift : shift + size])
    return best
