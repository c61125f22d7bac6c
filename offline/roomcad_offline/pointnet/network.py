"""The vanilla PointNet of the scan-gap post: 3-64-64-128-256-1024, max pool, 512-256-classes.

Points are rows and the shared layers are nn.Linear, which is the same as the post's Conv1d with
kernel 1 and faster on CPUs. 0.972 M parameters at 8 classes; the post says "about 1.6 M", which is
this network with an input T-Net (0.80 M more), while its text says there is none.
"""

import torch
from torch import nn

from roomcad_offline.pointnet.pooled import pooled_linear_norm

WIDTHS = (3, 64, 64, 128, 256, 1024)
HEAD = (512, 256)
DROPOUT = 0.3


class PointNet(nn.Module):
    """Clouds (B, N, 3) to logits (B, classes); `extra` numbers a cloud join the pooled feature."""

    def __init__(self, classes, widths=WIDTHS, head=HEAD, dropout=DROPOUT, extra=0):
        super().__init__()
        pairs = list(zip(widths[:-1], widths[1:], strict=True))
        self.point_linears = nn.ModuleList(nn.Linear(a, b) for a, b in pairs)
        self.point_norms = nn.ModuleList(nn.BatchNorm1d(b) for _, b in pairs)
        wide = (widths[-1] + extra, *head)
        pairs = list(zip(wide[:-1], wide[1:], strict=True))
        self.head_linears = nn.ModuleList(nn.Linear(a, b) for a, b in pairs)
        self.head_norms = nn.ModuleList(nn.BatchNorm1d(b) for _, b in pairs)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(wide[-1], classes)

    def forward(self, points, extra=None):
        """Logits (B, classes) of points (B, N, 3) and, if the network has them, extra (B, E)."""
        return self.classify(self.pool(points), extra)

    def pool(self, points):
        """(B, 1024) pooled feature, after the ReLU."""
        *linears, last = self.point_linears
        *norms, last_norm = self.point_norms
        h = points
        for linear, norm in zip(linears, norms, strict=True):
            h = torch.relu(norm(linear(h).flatten(0, 1))).view(*h.shape[:2], -1)
        if self.training:
            return torch.relu(pooled_linear_norm(h, last, last_norm))
        z = last(h)
        # Max before the norm is exact if each channel is turned so that its gain is positive.
        sign = torch.where(last_norm.weight < 0, -1.0, 1.0)
        return torch.relu(last_norm((z * sign).amax(1) * sign))

    def features(self, pooled, extra=None):
        """(B, 256) the last hidden layer of the head."""
        h = pooled if extra is None else torch.cat([pooled, extra], 1)
        for linear, norm in zip(self.head_linears, self.head_norms, strict=True):
            h = self.dropout(torch.relu(norm(linear(h))))
        return h

    def classify(self, pooled, extra=None):
        """(B, classes) logits of the pooled feature."""
        return self.classifier(self.features(pooled, extra))


def parameter_count(network):
    """Number of trainable parameters."""
    return sum(p.numel() for p in network.parameters() if p.requires_grad)
