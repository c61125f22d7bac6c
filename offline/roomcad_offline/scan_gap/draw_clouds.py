"""Figures 1, 2 and 5: class gallery, pipeline diagram, noise gallery."""

import numpy as np
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from roomcad_offline.scan_gap import ablations
from roomcad_offline.scan_gap.clouds import CLASSES_8
from roomcad_offline.scan_gap.draw_style import (
    DARK,
    GRAY,
    LIGHT,
    draw_cloud,
    new_figure,
)
from roomcad_offline.scan_gap.evaluate import ALIGNED, AS_PUBLISHED
from roomcad_offline.scan_gap.rows import by_variant
from roomcad_offline.scan_gap.variants import TITLES, VARIANTS

SHOWN = 3  # which object of a class the galleries show


def class_gallery(study, clouds):
    """Figure 1: every class as CAD (top) and as scan (bottom)."""
    if not {"modelnet40", "obj_bg"} <= set(clouds):
        return "ModelNet40 test or OBJ_BG is not there"
    figure, axes = new_figure(12, 3.2, 2, len(CLASSES_8))
    cad, scans = clouds["modelnet40"], clouds["obj_bg"]
    for column, name in enumerate(CLASSES_8):
        for row, source in enumerate((cad, scans)):
            _class_panel(axes[row, column], source, column)
        axes[0, column].set_title(name, fontsize=10, color=DARK)
    figure.text(0.001, 0.72, "CAD", rotation=90, fontsize=9, color=DARK)
    figure.text(0.001, 0.22, "real scan", rotation=90, fontsize=9, color=DARK)
    counts = ", ".join(f"{c} {int((scans.labels == i).sum())}" for i, c in enumerate(CLASSES_8))
    return figure, (
        f"Figure 1. The eight classes, two sources. Top: ModelNet40 test (n = {len(cad)}). Bottom: "
        f"OBJ_BG from {scans.name} (n = {len(scans)}: {counts}); coral points are background by "
        f"the data's mask."
    )


def _class_panel(ax, source, label):
    """One object of a class, or the words that there is none."""
    of_class = np.flatnonzero(source.labels == label)
    if not len(of_class):
        ax.axis("off")
        ax.text(
            0.5, 0.5, "no object\nin the data", ha="center", va="center", fontsize=8, color=GRAY
        )
        return
    i = of_class[min(SHOWN, len(of_class) - 1)]
    mask = None if source.is_background is None else source.is_background[i]
    draw_cloud(ax, source.points[i], mask)


def noise_gallery(study, clouds):
    """Figure 5: one chair under the five noise levels."""
    if "modelnet40" not in clouds:
        return "ModelNet40 test is not there"
    cad = clouds["modelnet40"]
    chair = cad.points[np.flatnonzero(cad.labels == CLASSES_8.index("chair"))[:1]]
    if not len(chair):
        return "no chair among the CAD clouds"
    values = ablations.CURVES["noise"]
    figure, axes = new_figure(10, 2.3, 1, len(values))
    for ax, sigma in zip(axes[0], values, strict=True):
        draw_cloud(ax, ablations.perturbed(chair, "noise", sigma)[0], size=3)
        ax.set_title(f"σ = {sigma:g}", fontsize=10, color=DARK)
    return figure, (
        "Figure 5. One chair of ModelNet40 test (n = 1) under five levels of noise; σ in units of "
        "the object's radius."
    )


def pipeline(study, clouds):
    """Figure 2: one checkpoint, every test set, two columns."""
    rows = {(r["variant"], r["column"]): r for r in by_variant(study)}
    figure, axes = new_figure(11, 4.4)
    ax = axes[0, 0]
    ax.set(xlim=(0, 11), ylim=(0, 5.4))
    ax.axis("off")
    _box(ax, (0.1, 2.1), 2.2, 1.2, "ModelNet40 train\n8 classes, 1,024 points\nz-up", LIGHT)
    training = _training(study).replace(", ", "\n").replace(": ", "\n")
    _box(ax, (2.9, 2.0), 2.2, 1.4, f"PointNet\n{training}", LIGHT)
    _arrow(ax, (2.3, 2.7), (2.9, 2.7))
    for i, variant in enumerate(VARIANTS):
        y = 4.4 - 1.05 * i
        row = rows[variant, ALIGNED]
        known = row["data"] != ""
        data = f"{row['data']}, n = {row['n']}" if known else "not run"
        colour = (LIGHT if variant == "modelnet40" else "#cfe0f7") if known else "white"
        _box(ax, (5.8, y), 2.5, 0.8, f"{TITLES[variant]}\n{data}", colour)
        _arrow(ax, (5.1, 2.7), (5.8, y + 0.4))
        ax.text(8.45, y + 0.4, _scores(rows, variant), va="center", fontsize=8.5, color=DARK)
    return figure, (
        f"Figure 2. The evaluation: one CAD-trained network ({_training(study)}), ModelNet40 test "
        f"and four variants, each as published (y-up) and aligned (z-up). Numbers are top-1. Data: "
        + "; ".join(_data(rows[v, ALIGNED]) for v in VARIANTS)
        + "."
    )


def _training(study):
    """How far the baseline is trained."""
    return (
        f"baseline, {study.trained('baseline')}" if "baseline" in study.results else "not trained"
    )


def _scores(rows, variant):
    """Accuracies of a branch as text."""
    row = rows[variant, ALIGNED]
    post = f"post {row['published_top1']:.3f}"
    if row["top1"] == "":
        return f"not run ({post})"
    if variant == "modelnet40":
        return f"{row['top1']:.3f}   ({post})"
    tilted = rows[variant, AS_PUBLISHED]
    return f"as published {tilted['top1']:.3f}   ({post})\naligned {row['top1']:.3f}"


def _data(row):
    """Variant, data and n of a row as text."""
    title = TITLES[row["variant"]]
    return f"{title} = {row['data']}, n = {row['n']}" if row["data"] else f"{title} not run"


def _box(ax, corner, width, height, text, colour):
    """A labelled box."""
    style = "round,pad=0.02,rounding_size=0.1"
    ax.add_patch(
        FancyBboxPatch(corner, width, height, boxstyle=style, facecolor=colour, edgecolor=GRAY)
    )
    x, y = corner
    ax.text(x + width / 2, y + height / 2, text, ha="center", va="center", fontsize=8.5)


def _arrow(ax, start, end):
    """A thin arrow."""
    ax.add_patch(
        FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=10, color=GRAY, linewidth=1)
    )
