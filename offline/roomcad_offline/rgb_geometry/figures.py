"""Pictures of an evaluation: uncertainty against error, and example images."""

import numpy as np
import torch

from roomcad_core.rgb_geometry.model_files import DEPTH
from roomcad_offline.rgb_geometry.metrics import expected_and_actual, known_normals

EXAMPLES = 5
TICKS = [m * 10.0**e for e in range(-3, 3) for m in (1, 1.5, 2, 3, 5, 7)]  # of logarithmic axes
LEAST_SHARE = 1e-4  # of the pixels that a bin must have to be drawn


def pyplot():
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    return plt


def draw_sureness(found, path):
    """Expected against actual error of evaluate's results; on the diagonal it is told rightly."""
    plt = pyplot()
    unit = "m" if found["task"] == DEPTH else "°"
    total = sum(row["pixels"] for row in found["sureness"])
    rows = [r for r in found["sureness"] if r["pixels"] >= LEAST_SHARE * total]
    expected, actual, pixels = (
        np.array([row[k] for row in rows]) for k in ("expected", "actual", "pixels")
    )
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.6))
    limits = [min(expected.min(), actual.min()), max(expected.max(), actual.max())]
    left.plot(limits, limits, "--", color="0.6", lw=1, label="as expected")
    left.plot(expected, actual, "o-", ms=4, lw=1.3, label="network")
    left.set(xscale="log", yscale="log", xlabel=f"expected error [{unit}]",
             ylabel=f"actual error [{unit}]")  # fmt: skip
    ticks = [t for t in TICKS if limits[0] / 1.2 <= t <= limits[1] * 1.2]
    for axis in (left.xaxis, left.yaxis):
        axis.set_ticks(ticks, labels=[f"{t:g}" for t in ticks])
        axis.set_ticks([], minor=True)
    left.legend(fontsize=7)
    right.bar(range(len(rows)), pixels / total, color="0.6")
    right.set_xticks(range(len(rows)), [f"{e:.2g}" for e in expected], rotation=90, fontsize=6)
    right.set(xlabel=f"expected error [{unit}]", ylabel="share of the pixels")
    left.grid(alpha=0.3)
    figure.suptitle(f"Uncertainty of {found['task']}: {found['data']}", fontsize=9)
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    plt.close(figure)


@torch.no_grad()
def draw_examples(network, samples, path):
    """Picture, truth, prediction, expected and actual error of evenly spread images, a row each."""
    plt = pyplot()
    chosen = np.linspace(0, len(samples) - 1, min(EXAMPLES, len(samples)) + 2).astype(int)[1:-1]
    device, task = next(network.parameters()).device, network.config.task
    figure, axes = plt.subplots(len(chosen), 5, figsize=(12, 1.9 * len(chosen)), squeeze=False)
    network.eval()
    for row, i in zip(axes, chosen, strict=True):
        rgb, truth, factor = samples[0, int(i)]
        mean, unsure = (out[0].cpu().numpy() for out in network(rgb[None].to(device)))
        truth = truth.numpy()
        if task == DEPTH:
            truth, mean, unsure = (a * float(factor) for a in (truth, mean, unsure))
        _draw_row(row, task, rgb.numpy(), truth, mean, unsure)
    for axis, name in zip(axes[0], ("picture", "truth", "network", "expected error", "error"),
                          strict=True):  # fmt: skip
        axis.set_title(name, fontsize=9)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _draw_row(row, task, rgb, truth, mean, unsure):
    known = truth > 0 if task == DEPTH else known_normals(truth)
    everywhere = np.where(known, truth, mean)  # so that the expected error has every pixel
    expected, actual = (a.reshape(known.shape) for a in
                        expected_and_actual(task, mean, unsure, everywhere))  # fmt: skip
    top = 1.0 if task == DEPTH else 60.0
    images = [(rgb.transpose(1, 2, 0), {})]
    if task == DEPTH:
        far = max(float(truth.max()), 1.0)
        scale = {"vmin": 0, "vmax": far, "cmap": "viridis"}
        images += [(np.where(known, truth, np.nan), scale), (mean, scale)]
    else:
        images += [(coloured(truth, known), {}), (coloured(mean, np.ones_like(known)), {})]
    error = {"vmin": 0, "vmax": top, "cmap": "magma"}
    images += [(expected, error), (np.where(known, actual, np.nan), error)]
    for axis, (image, how) in zip(row, images, strict=True):
        axis.imshow(image, **how)
        axis.axis("off")


def coloured(normal, known):
    """(h, w, 3) colours in 0-1 of normals (3, h, w): right red, up green, towards us blue."""
    right_up_us = normal * np.array([1, -1, -1])[:, None, None]
    return np.clip(np.where(known, 0.5 + 0.5 * right_up_us, 1), 0, 1).transpose(1, 2, 0)
