"""Pictures of the deployed classifier: reliability, accuracy a class, what it is trained on."""

import numpy as np

from roomcad_offline.classifier.augment import augment
from roomcad_offline.classifier.samples import LABELS


def _pyplot():
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    return plt


def draw_reliability(calibration, path):
    """Accuracy against stated probability, with the number of crops of every bin."""
    plt = _pyplot()
    rows = calibration["curve"]
    figure, axis = plt.subplots(figsize=(4.6, 4.4))
    axis.plot([0, 1], [0, 1], color="0.7", lw=1)
    middle, count, confidence, accuracy = (np.array(c) for c in zip(*rows, strict=True))
    axis.bar(middle + 0.05, accuracy, 0.092, color="#4c78a8", alpha=0.85)
    axis.plot(confidence, accuracy, "o-", color="#e45756", lw=1.4, ms=4)
    for x, y, n in zip(middle + 0.05, accuracy, count, strict=True):
        axis.text(x, y + 0.015, str(int(n)), ha="center", fontsize=7, color="0.3")
    axis.set(xlim=(0, 1), ylim=(0, 1.06), xlabel="stated probability", ylabel="share right")
    axis.set_title(
        f"Reliability on {calibration['crops']} crops of simulated rooms\n"
        f"expected calibration error {calibration['ece']:.3f}", fontsize=9
    )  # fmt: skip
    _save(figure, path, plt)


def draw_real(records, path):
    """Accuracy with its interval on every real data set, beside the bar asked for."""
    plt = _pyplot()
    run = [r for r in records if "accuracy" in r]
    figure, axis = plt.subplots(figsize=(6.4, 0.7 + 0.7 * len(run)))
    for y, r in enumerate(run):
        low, high = r["interval_95"]
        axis.barh(y, r["accuracy"], 0.55, color="#4c78a8")
        axis.plot([low, high], [y, y], color="0.2", lw=1.5)
        axis.plot([r["bar"]] * 2, [y - 0.36, y + 0.36], color="#e45756", lw=2)
        axis.text(0.01, y, f"{r['data']}, {r['n']} objects", va="center", color="w", fontsize=8)
        axis.text(1.01, y, f"{r['accuracy']:.2f}", va="center", fontsize=9)
    axis.set(xlim=(0, 1), yticks=[], xlabel="accuracy (line: 95 % bootstrap; red: what was asked)")
    axis.invert_yaxis()
    _save(figure, path, plt)


def draw_training(samples, radii, config, path, seed=0):
    """A gallery of network inputs, two of every class."""
    plt = _pyplot()
    rng = np.random.default_rng(seed)
    index = np.concatenate(
        [rng.choice(np.flatnonzero(samples.labels == k), 2) for k in np.unique(samples.labels)]
    )
    points, _ = augment(samples[index], radii, config, rng)
    columns = 8
    rows = -(-len(index) // columns)
    figure = plt.figure(figsize=(columns * 1.5, rows * 1.6))
    for k, (cloud, label) in enumerate(zip(points, samples.labels[index], strict=True)):
        axis = figure.add_subplot(rows, columns, k + 1, projection="3d")
        axis.scatter(*cloud.T, s=1.2, c=cloud[:, 2], cmap="viridis")
        axis.set(xlim=(-0.8, 0.8), ylim=(-0.8, 0.8), zlim=(-0.8, 0.8))
        axis.set_axis_off()
        axis.view_init(18, 35)
        axis.set_title(LABELS[label], fontsize=8, pad=-4)
    figure.subplots_adjust(0, 0, 1, 0.96, 0, 0.08)
    _save(figure, path, plt)


def draw_ablation(table, path):
    """Mean accuracy of every row against the full training."""
    plt = _pyplot()
    figure, axis = plt.subplots(figsize=(7.4, 0.6 + 0.36 * len(table)))
    full = table[0]["mean"]
    for y, row in enumerate(table):
        color = "#54a24b" if y == 0 else "#4c78a8"
        axis.barh(y, row["mean"], 0.62, color=color)
        change = "" if y == 0 else f"  {100 * (row['mean'] - full):+.1f}"
        axis.text(row["mean"] + 0.005, y, f"{row['mean']:.3f}{change}", va="center", fontsize=8)
    axis.axvline(full, color="#54a24b", lw=1, ls=":")
    axis.set_yticks(range(len(table)), [r["without"] for r in table], fontsize=8)
    axis.set(xlim=(0, 1), xlabel="accuracy, mean over the real data sets and simulated rooms")
    axis.invert_yaxis()
    _save(figure, path, plt)


def _save(figure, path, plt):
    figure.tight_layout() if not any(hasattr(a, "get_zlim") for a in figure.axes) else None
    figure.savefig(path, dpi=110)
    plt.close(figure)
