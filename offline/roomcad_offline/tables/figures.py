"""Figures 4a and 4c of the paper from the room benchmark: selection by sigma, training.

4b, calibration, is evaluation.sigma_analysis.draw_calibration.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from roomcad_offline.multi_sparc.curves import read_log

CHOICES = {"by_sigma": "by σ", "first": "first", "random": "random", "best": "best (oracle)"}
LINES = ("#3b7dd8", "#e4695e", "#3fa373", "#e0a030", "#7d5fb2", "#8a8f98", "#2b2f36", "#00a0a8")
MARKED = 40  # curves with fewer points get markers


def draw_selection(runs, path):
    """Accuracy of the pose chosen among the initialisations (Figure 4a).

    Args:
        runs: {name: scores} of those with a "selection".
        path: PNG.
    """
    figure, axis = _figure(1.8 + 1.5 * len(runs), 3.4)
    width = 0.8 / len(CHOICES)
    for k, (key, label) in enumerate(CHOICES.items()):
        x = np.arange(len(runs)) + (k - (len(CHOICES) - 1) / 2) * width
        heights = [100 * s["selection"][key] for s in runs.values()]
        axis.bar(x, heights, 0.92 * width, label=label, color=LINES[k])
        for at, height in zip(x, heights, strict=True):
            axis.text(at, height + 1, f"{height:.0f}", ha="center", fontsize=6.5)
    names = [f"{name}\n{s['selection']['n']} detections" for name, s in runs.items()]
    axis.set_xticks(range(len(runs)), names, fontsize=8)
    axis.set_ylim(0, 108)
    _plain(axis, "final pose chosen among four initialisations", "", "right per image [%]")
    figure.legend(fontsize=8, frameon=False, loc="outside lower center", ncols=len(CHOICES))
    figure.savefig(path, dpi=130)


def draw_training(folders, path):
    """Losses and accuracy of trainings over the images they saw (Figure 4c).

    Args:
        folders: {name: folder with log.csv and config.json}.
        path: PNG.
    """
    figure, (left, right) = _figure(9, 3.8, columns=2)
    for k, (name, folder) in enumerate(folders.items()):
        columns, images = read_log(Path(folder) / "log.csv"), images_a_step(folder)
        colour, dash = LINES[k % len(LINES)], "-" if k < len(LINES) else "--"
        for axis, column, factor in ((left, "align", 1), (right, "accuracy", 100)):
            if column in columns:
                steps, values = columns[column]
                mark = "o" if len(steps) < MARKED else None
                x, y = np.multiply(steps, images / 1000), np.multiply(values, factor)
                label = name if axis is left else None
                axis.plot(x, y, dash, color=colour, lw=1.3, ms=3, marker=mark, label=label)
    left.set_yscale("log")
    for part in ("major", "minor"):
        getattr(left.yaxis, f"set_{part}_formatter")(plain_number)
    right.set_ylim(0, None)
    _plain(left, "distance of CAD points after an update", "images [1000]", "training loss [m]")
    _plain(right, "validation scenes", "images [1000]", "right, chosen by σ [%]")
    figure.legend(fontsize=8, frameon=False, loc="outside lower center", ncols=4)
    figure.savefig(path, dpi=130)


def plain_number(value, _):
    """Tick label of a logarithmic axis."""
    return f"{value:.2g}"


def images_a_step(folder):
    """Images of a training step, by its config.json."""
    import json

    return json.loads((Path(folder) / "config.json").read_text(encoding="utf-8"))["images"]


def _figure(width, height, columns=1):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(1, columns)


def _plain(axis, title, x, y):
    axis.spines[["top", "right"]].set_visible(False)
    axis.set_axisbelow(True)
    axis.grid(axis="y", color="#d9dce1", linewidth=0.6)
    axis.tick_params(which="both", labelsize=8)
    axis.set_title(title, fontsize=10, loc="left")
    axis.set_xlabel(x, fontsize=9)
    axis.set_ylabel(y, fontsize=9)
