"""log.csv of a training as a picture: loss, learning rate, and metrics of the validation."""

from pathlib import Path

from roomcad_core.rgb_geometry.model_files import DEPTH
from roomcad_offline.multi_sparc.curves import read_log

SHARES = {"within_11.25_deg": "within 11.25°", "within_22.5_deg": "22.5°", "within_30_deg": "30°"}
ERRORS = {"mean_deg": "mean angle [°]", "median_deg": "median angle [°]"}
DEPTH_ERRORS = {"abs_rel": "abs-rel", "abs_rel_scaled": "abs-rel, scaled", "rmse": "RMSE [m]"}


def draw_curves(folder, task):
    """Write curves.png beside the log.csv of a run; returns its path."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    log = read_log(Path(folder) / "log.csv")
    figure, axes = plt.subplots(1, 3, figsize=(11, 3.4))
    panels = (
        ("Training: negative log-likelihood", {"loss": "loss"}),
        ("Validation: errors", DEPTH_ERRORS if task == DEPTH else ERRORS),
        ("Validation: shares", {"delta_1.25": "δ < 1.25"} if task == DEPTH else SHARES),
    )
    for axis, (title, names) in zip(axes, panels, strict=True):
        for name in (n for n in names if n in log):
            steps, values = log[name]
            style = "o-" if len(steps) < 40 else "-"
            axis.plot(steps, values, style, ms=3, lw=1.3, label=names[name])
        axis.set(xlabel="steps")
        axis.set_title(title, fontsize=9)
        axis.grid(alpha=0.3)
        if axis.lines:
            axis.legend(fontsize=7)
    _draw_rate(axes[0], log)
    figure.tight_layout()
    path = Path(folder) / "curves.png"
    figure.savefig(path, dpi=120)
    plt.close(figure)
    return path


def _draw_rate(axis, log):
    """Learning rate on an axis of its own."""
    right = axis.twinx()
    right.plot(*log["learning_rate"], color="0.7", lw=1)
    right.set_ylabel("learning rate", fontsize=7, color="0.5")
    right.tick_params(labelsize=6)
