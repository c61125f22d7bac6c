"""log.csv of a training run as a picture: losses, accuracy and AUC over the images seen."""

import csv
from pathlib import Path


def read_log(path):
    """{column: ([step], [value])} of a log.csv; rows without a value of a column are left out."""
    columns = {}
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            for name, value in row.items():
                if value:
                    steps, values = columns.setdefault(name, ([], []))
                    steps.append(int(float(row["step"])))
                    values.append(float(value))
    return columns


def draw_curves(folder, images):
    """Write curves.png beside the log.csv of a run; `images` are those of a step.

    Returns:
        Path of the picture.
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    columns = read_log(Path(folder) / "log.csv")
    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(11, 3.4))
    panels = (
        (left, {"align": "distance of CAD points [m]"}, "log"),
        (middle, {"accuracy": "chosen by σ", "accuracy_first": "first azimuth",
                  "accuracy_best_of_four": "best of four", "position_right": "position",
                  "rotation_right": "rotation", "size_right": "size"}, "linear"),
        (right, {"auc": "AUC of σ", "classify": "loss of σ"}, "linear"),
    )  # fmt: skip
    for axis, names, scale in panels:
        for name in (n for n in names if n in columns):
            steps, values = columns[name]
            style = "o-" if len(steps) < 40 else "-"
            axis.plot([s * images for s in steps], values, style, ms=3, lw=1.3, label=names[name])
        axis.set(xlabel="images", yscale=scale)
        axis.grid(alpha=0.3)
        if axis.lines:
            axis.legend(fontsize=7)
    left.set_title("Updates", fontsize=9)
    middle.set_title("Validation scenes: share right", fontsize=9)
    right.set_title("Judgement", fontsize=9)
    figure.tight_layout()
    path = Path(folder) / "curves.png"
    figure.savefig(path, dpi=120)
    plt.close(figure)
    return path
