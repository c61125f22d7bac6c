"""What a score is worth: ranking (AUC), calibration, and choosing among initialisations.

The analyses behind Figure 4 of the paper: (a) choosing the pose by the learned score sigma from
several initialisations, (b) the mean accuracy of predictions sorted by their confidence, for sigma
and for the detector's 2D confidence. Arrays in, plain numbers out.
"""

import numpy as np

from roomcad_offline.classifier.calibrate import reliability

GROUPS = 10


def auc(score, right):
    """Area under the ROC curve: how often a right prediction scores above a wrong one.

    score: (N,); right: (N,) bool. Ties count half; None where all are right or all are wrong.
    """
    from scipy.stats import rankdata

    score, right = _checked(score, right)
    n_right, n_wrong = int(right.sum()), int((~right).sum())
    if not n_right or not n_wrong:
        return None
    ranks = rankdata(score)[right].sum() - n_right * (n_right + 1) / 2
    return float(ranks / (n_right * n_wrong))


def calibration(score, right, groups=GROUPS):
    """How far a score in 0-1 is the probability of being right.

    Returns:
        dict: "n", "accuracy", "auc", "ece" (expected calibration error over `groups` equal bins),
        "brier", "bins" [{"low", "count", "score", "accuracy"}] of the bins that are not empty,
        "sorted" [{"count", "score", "accuracy"}] of `groups` equally filled groups, lowest first.
    """
    score, right = _checked(score, right)
    if not len(score):
        return {"n": 0}
    if score.min() < 0 or score.max() > 1:
        raise ValueError(f"scores span {score.min():.3g} to {score.max():.3g}, expected 0 to 1")
    rows, ece = reliability(score, right, groups)
    names = ("low", "count", "score", "accuracy")
    return {
        "n": len(score),
        "accuracy": float(right.mean()),
        "auc": auc(score, right),
        "ece": ece,
        "brier": float(np.mean((score - right) ** 2)),
        "bins": [dict(zip(names, row, strict=True)) for row in rows],
        "sorted": sorted_accuracy(score, right, groups),
    }


def sorted_accuracy(score, right, groups=GROUPS):
    """Mean score and accuracy of equally filled groups of predictions sorted by score."""
    score, right = _checked(score, right)
    order = np.argsort(score, kind="stable")
    parts = np.array_split(order, min(groups, len(order))) if len(order) else []
    return [
        {
            "count": len(part),
            "score": float(score[part].mean()),
            "accuracy": float(right[part].mean()),
        }
        for part in parts
    ]


def selection(sigma, right):
    """Accuracy of the pose chosen among K initialisations, by different choices.

    Args:
        sigma: (N, K) score of every initialisation's final pose; NaN = there is none.
        right: (N, K) bool.

    Returns:
        dict: "n", accuracies of the pose "by_sigma", of the "first", of a "random" one (expected)
        and the "best" of all (the ceiling), and "kept": by_sigma as a share of the ceiling.
    """
    sigma, right = np.asarray(sigma, float), np.asarray(right, bool)
    if sigma.ndim != 2 or sigma.shape != right.shape:
        raise ValueError(f"sigma {sigma.shape} and right {right.shape} must both be (N, K)")
    there = np.isfinite(sigma)
    if not len(sigma):
        return {"n": 0}
    if not there.any(axis=1).all():
        row = int(np.flatnonzero(~there.any(axis=1))[0])
        raise ValueError(f"object {row} has no initialisation with a finite score")
    right = right & there
    rows = np.arange(len(sigma))
    chosen = np.where(there, sigma, -np.inf).argmax(axis=1)
    by_sigma, best = float(right[rows, chosen].mean()), float(right.any(axis=1).mean())
    return {
        "n": len(sigma),
        "by_sigma": by_sigma,
        "first": float(right[rows, there.argmax(axis=1)].mean()),
        "random": float((right.sum(axis=1) / there.sum(axis=1)).mean()),
        "best": best,
        "kept": by_sigma / best if best else None,
    }


def compare_scores(scores, right, groups=GROUPS):
    """{name: calibration} of several scores in 0-1 {name: (N,)} of the same predictions."""
    return {name: calibration(score, right, groups) for name, score in scores.items()}


def draw_calibration(tables, path, name=""):
    """Reliability and sorted accuracy (Figure 4b) of compare_scores' tables as one PNG.

    `name`: of the run, for the title.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot([0, 1], [0, 1], ":", color="#8a8f98", lw=1, label="perfectly calibrated")
    for number, (score, table) in enumerate((n, t) for n, t in tables.items() if t["n"]):
        colour = COLOURS[number % len(COLOURS)]
        text = f"{score} (ECE {table['ece']:.3f}, AUC {_number(table['auc'])})"
        x, y = ([row[k] for row in table["bins"]] for k in ("score", "accuracy"))
        size = [15 + 120 * row["count"] / table["n"] for row in table["bins"]]
        left.plot(x, y, "-", color=colour, lw=1.2, label=text)
        left.scatter(x, y, s=size, color=colour, zorder=3)
        share = (np.arange(len(table["sorted"])) + 0.5) / len(table["sorted"])
        accuracy = [row["accuracy"] for row in table["sorted"]]
        right.plot(100 * share, accuracy, "o-", color=colour, ms=4, lw=1.2)
    _axes(left, f"{name}: reliability" if name else "reliability", "score", "share that is right")
    _axes(right, "sorted by score", "predictions, lowest score first [%]", "share that is right")
    left.set_xlim(-0.02, 1.02)
    figure.legend(fontsize=8, frameon=False, loc="outside lower center", ncols=2)
    figure.savefig(path, dpi=130)


COLOURS = ("#3b7dd8", "#3fa373", "#e4695e", "#7d5fb2", "#e0a030")


def _axes(ax, title, x, y):
    ax.set_ylim(-0.02, 1.02)
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(axis="y", color="#d9dce1", linewidth=0.6)
    ax.set_title(title, fontsize=10, loc="left")
    ax.set_xlabel(x, fontsize=9)
    ax.set_ylabel(y, fontsize=9)
    ax.tick_params(labelsize=8)


def _number(value):
    return "-" if value is None else f"{value:.3f}"


def _checked(score, right):
    score, right = np.asarray(score, float), np.asarray(right, bool)
    if score.ndim != 1 or score.shape != right.shape:
        raise ValueError(f"score {score.shape} and right {right.shape} must both be (N,)")
    if not np.isfinite(score).all():
        raise ValueError("a score is NaN or infinite")
    return score, right
