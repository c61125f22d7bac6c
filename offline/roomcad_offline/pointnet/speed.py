"""How fast the post's PointNet trains here, against a plain loop and against the CPU's peak."""

import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from roomcad_offline.pointnet.allocator import keep_buffers
from roomcad_offline.pointnet.network import WIDTHS, PointNet

BATCH, POINTS, CLASSES = 32, 1024, 8
STEPS = 8
SAMPLES = 200 * 4057  # clouds of the post's training: 200 epochs
# Forward and backward of the point layers, two operations a multiply-add, three passes.
FLOPS = 3 * 2 * POINTS * sum(a * b for a, b in zip(WIDTHS[:-1], WIDTHS[1:], strict=True))


class PlainPointNet(nn.Module):
    """The same network written the usual way: Conv1d, batch norm, ReLU, then the max."""

    def __init__(self):
        super().__init__()
        layers = []
        for a, b in zip(WIDTHS[:-1], WIDTHS[1:], strict=True):
            layers += [nn.Conv1d(a, b, 1), nn.BatchNorm1d(b), nn.ReLU()]
        self.points = nn.Sequential(*layers)
        self.head = nn.Sequential(
            nn.Linear(1024, 512), nn.BatchNorm1d(512), nn.ReLU(), nn.Dropout(0.3),
            nn.Linear(512, 256), nn.BatchNorm1d(256), nn.ReLU(), nn.Dropout(0.3),
            nn.Linear(256, CLASSES),
        )  # fmt: skip

    def forward(self, points):
        """Logits (B, CLASSES) of clouds (B, N, 3)."""
        return self.head(self.points(points.transpose(1, 2)).amax(2))


def training_speed():
    """Clouds a second of the plain loop and of ours, and the share of the matrix-product peak.

    The operations are counted as the plain network needs them; ours needs fewer.
    """
    plain = clouds_per_second(PlainPointNet(), bf16=False)
    keep_buffers()
    ours = clouds_per_second(PointNet(CLASSES), bf16=True)
    peak = product_peak(torch.bfloat16)
    return {
        "plain_clouds_per_second": round(plain, 1),
        "clouds_per_second": round(ours, 1),
        "ratio": round(ours / plain, 1),
        "minutes_for_200_epochs": round(SAMPLES / ours / 60, 1),
        "peak_gflops_bf16": round(peak / 1e9),
        "peak_gflops_fp32": round(product_peak(torch.float32) / 1e9),
        "share_of_peak": round(ours * FLOPS / peak, 2),
    }


def clouds_per_second(network, bf16):
    """Clouds a second of forward, backward and Adam, the best of STEPS steps."""
    generator = torch.Generator().manual_seed(0)
    points = torch.randn(BATCH, POINTS, 3, generator=generator)
    labels = torch.randint(CLASSES, (BATCH,), generator=generator)
    optimiser = torch.optim.Adam(network.train().parameters(), fused=True)
    times = []
    for _ in range(STEPS):
        start = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            logits = network(points)
        optimiser.zero_grad()
        functional.cross_entropy(logits.float(), labels).backward()
        optimiser.step()
        times.append(time.perf_counter() - start)
    return BATCH / float(np.median(times[2:]))


def product_peak(dtype, n=2048, repeats=6):
    """Operations a second of the best of several n x n matrix products."""
    a, b = torch.randn(n, n).to(dtype), torch.randn(n, n).to(dtype)
    best = np.inf
    for _ in range(repeats):
        start = time.perf_counter()
        a @ b
        best = min(best, time.perf_counter() - start)
    return 2 * n**3 / best
