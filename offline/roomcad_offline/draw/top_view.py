"""A room from above: measured points, ground truth and found CADs as footprints."""

import numpy as np

from roomcad_core.classes import COLORS
from roomcad_core.pose import affine, transform

# Footprint corners of the unit CAD and the middle of its front (-z).
CORNERS = np.array([[-0.5, 0, -0.5], [0.5, 0, -0.5], [0.5, 0, 0.5], [-0.5, 0, 0.5]])
FRONT = np.array([[0, 0, 0], [0, 0, -0.5]])


def draw_top_view(path, found, truth=(), points=None, camera=None, title=""):
    """Write a PNG of the room seen from above (x right, y up, metres).

    Args:
        found, truth: tuples of Placed; truth is dashed, found filled, ticks mark the fronts.
        points: (N, 3) measured world points shown as grey dots, or None.
        camera: (N, 3) camera path, or None.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 9), dpi=110, layout="constrained")
    axes = figure.add_subplot()
    if points is not None and len(points):
        axes.scatter(points[:, 0], points[:, 1], s=0.3, c="0.75", linewidths=0, zorder=0)
    if camera is not None and len(camera):
        axes.plot(camera[:, 0], camera[:, 1], color="0.4", lw=0.8, label="camera path")
    for placed in truth:
        draw_footprint(axes, placed, filled=False)
    for placed in found:
        draw_footprint(axes, placed, filled=True)
    if truth:
        axes.plot([], [], color="k", ls="--", lw=1, label=f"ground truth ({len(truth)})")
    axes.fill([], [], color="0.6", alpha=0.4, label=f"found ({len(found)})")
    axes.set(aspect="equal", xlabel="x [m]", ylabel="y [m]", title=title)
    axes.legend(loc="upper right", fontsize=8)
    figure.savefig(path)


def draw_footprint(axes, placed, filled):
    """Draw the footprint of a Placed and the side of its front; filled with its name, or dashed."""
    M = affine(placed.T_world_obj, placed.S)
    corners, front = transform(M, CORNERS), transform(M, FRONT)
    color = np.array(COLORS[placed.label]) / 255
    if filled:
        axes.fill(corners[:, 0], corners[:, 1], color=color, alpha=0.35, zorder=2)
        axes.plot(front[:, 0], front[:, 1], color=color, lw=2, zorder=3)
        text = f"{placed.label} {placed.score:.2f}"
        axes.text(*M[:2, 3], text, ha="center", va="center", fontsize=7, zorder=5)
    else:
        ring = np.vstack([corners, corners[:1]])
        axes.plot(ring[:, 0], ring[:, 1], color=color * 0.7, ls="--", lw=1.4, zorder=4)
        axes.plot(front[:, 0], front[:, 1], color=color * 0.7, ls="--", lw=1, zorder=4)
