"""log.csv of a training of the instance network as a picture."""

import csv
from pathlib import Path

PANELS = (
    ("Training: parts of the loss", ("kinds", "offset", "overlap", "seed", "agree")),
    ("Validation: shares, by cells", ("recall", "precision", "mean_iou")),
    ("Validation: mistakes", ("merged", "split")),
)


def draw_curves(folder):
    """Write curves.png beside the log.csv of a run; returns its path."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    with open(Path(folder) / "log.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    epochs = [int(float(row["epoch"])) + 1 for row in rows]
    figure, axes = plt.subplots(1, 3, figsize=(11, 3.4))
    for axis, (title, names) in zip(axes, PANELS, strict=True):
        for name in names:
            axis.plot(epochs, [float(r[name]) for r in rows], "o-", ms=3, lw=1.3, label=name)
        axis.set(xlabel="epochs")
        axis.set_title(title, fontsize=9)
        axis.grid(alpha=0.3)
        axis.legend(fontsize=7)
    figure.tight_layout()
    path = Path(folder) / "curves.png"
    figure.savefig(path, dpi=120)
    plt.close(figure)
    return path
