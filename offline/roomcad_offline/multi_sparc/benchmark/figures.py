"""Pictures of the benchmark: calibration (Figure 4b of the paper), classes, updates."""

from __future__ import annotations

import numpy as np

BLUE, GREEN, RED, GREY = "#4c78a8", "#54a24b", "#e45756", "0.6"


def _pyplot():
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    return plt


def draw_calibration(name, scores, path):
    """Share of right poses against the first of {name: judge_score's record}, with counts, and
    accuracy of the most certain poses by each."""
    plt = _pyplot()
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.4, 4.4))
    main = next(iter(scores))
    _reliability(left, main, scores[main])
    for (text, score), color in zip(scores.items(), (BLUE, GREEN), strict=False):
        kept, accuracy = zip(*score["sorted_accuracy"], strict=True)
        right.plot(kept, accuracy, color=color, lw=1.8, label=text)
    right.set(xlim=(0, 1), ylim=(0, 1.04), xlabel="share kept, most certain first")
    right.set(ylabel="accuracy of what is kept", title="Ranking")
    right.legend(loc="lower left", fontsize=8)
    figure.suptitle(f"{name}: pose selected by {main}, counted object views", fontsize=10)
    _save(figure, path, plt)


def _reliability(axis, name, sigma):
    axis.plot([0, 1], [0, 1], color=GREY, lw=1)
    rows = np.array(sigma["reliability"], float).reshape(-1, 4)
    for low, count, mean, accuracy in rows:
        axis.bar(low + 0.05, accuracy, 0.092, color=BLUE, alpha=0.85)
        axis.plot(mean, accuracy, "o", color=RED, ms=4)
        axis.text(low + 0.05, accuracy + 0.015, str(int(count)), ha="center", fontsize=7)
    axis.set(xlim=(0, 1), ylim=(0, 1.06), xlabel=f"{name} (dots: mean of the bin)")
    axis.set_ylabel("share right (numbers: object views)")
    axis.set_title(f"ECE {sigma['ece']:.3f}, AUC {sigma['auc']:.3f}", fontsize=10)


def draw_classes(methods, path):
    """Accuracy of every class, one bar a method; under each class its number of views."""
    plt = _pyplot()
    classes = sorted({c for record in methods.values() for c in record["per_class"]})
    figure, axis = plt.subplots(figsize=(9.4, 3.8))
    width = 0.8 / max(len(methods), 1)
    for k, (name, record) in enumerate(methods.items()):
        rows = [record["per_class"].get(c, {}) for c in classes]
        heights = [row.get("accuracy") or 0 for row in rows]
        x = np.arange(len(classes)) + (k - (len(methods) - 1) / 2) * width
        color = GREY if name == "icp" else None
        label = f"{name} ({record['counted']['accuracy']:.3f})"
        axis.bar(x, heights, 0.92 * width, label=label, color=color)
    first = next(iter(methods.values()))["per_class"]
    names = [f"{c}\n{first.get(c, {}).get('n', 0)}" for c in classes]
    axis.set_xticks(range(len(classes)), names, fontsize=8)
    axis.set(ylim=(0, 1), ylabel="accuracy")
    axis.legend(fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(methods))
    _save(figure, path, plt)


def draw_updates(networks, path):
    """Accuracy after 0, 1, 2 ... updates: selected by sigma, azimuth 0 alone, best of four."""
    plt = _pyplot()
    figure, axis = plt.subplots(figsize=(5.2, 4.0))
    for (name, record), color in zip(networks.items(), (BLUE, RED, GREEN, "k"), strict=False):
        for key, style in (("best_of_four", ":"), ("sigma", "o-"), ("first", "--")):
            values = [row[key] for row in record["by_updates"]]
            label = f"{name}, {key.replace('_', ' ')}"
            axis.plot(range(len(values)), values, style, color=color, ms=4, lw=1.5, label=label)
    most = max(len(r["by_updates"]) for r in networks.values())
    axis.set_xticks(range(most))
    axis.set(ylim=(0, 1), xlabel="updates", ylabel="accuracy")
    axis.legend(fontsize=8)
    _save(figure, path, plt)


def _save(figure, path, plt):
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)
