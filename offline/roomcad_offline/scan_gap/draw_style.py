"""Colours, axes and cloud drawing that the study's figures share."""

import numpy as np
from matplotlib.figure import Figure

GRAY, CORAL, BLUE, GREEN = "#8a8f98", "#e4695e", "#3b7dd8", "#3fa373"
DARK, PURPLE, AMBER, LIGHT = "#2b2f36", "#7d5fb2", "#e0a030", "#d9dce1"
RECIPE_COLOURS = {
    "baseline": GRAY,
    "rot32": BLUE,
    "rot32_bg": GREEN,
    "yaw32": AMBER,
    "yaw32_bg": PURPLE,
}
AZIMUTH, ELEVATION = np.radians(-55), np.radians(22)  # from where clouds are looked at


def new_figure(width, height, rows=1, columns=1, **options):
    """Figure [inch] and its axes, without a window or global state."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, **options)


def plain(ax, title=None, y=None, x=None):
    """Axes without a box; titles and labels set."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.set_axisbelow(True)
    ax.grid(axis="y", color=LIGHT, linewidth=0.6)
    ax.tick_params(labelsize=8)
    if title:
        ax.set_title(title, fontsize=10, loc="left", color=DARK)
    if y:
        ax.set_ylabel(y, fontsize=9)
    if x:
        ax.set_xlabel(x, fontsize=9)


def project(points):
    """(N, 2) picture position and (N,) depth of points (N, 3), z up, parallel projection."""
    c, s = np.cos(AZIMUTH), np.sin(AZIMUTH)
    right = points @ np.array([-s, c, 0])
    away = points @ np.array([-c, -s, 0])
    up = points[:, 2] * np.cos(ELEVATION) + away * np.sin(ELEVATION)
    depth = away * np.cos(ELEVATION) - points[:, 2] * np.sin(ELEVATION)
    return np.stack([right, up], 1), depth


def draw_cloud(ax, points, highlighted=None, colour=BLUE, size=2.0):
    """A cloud in the unit sphere, near points darker; `highlighted` (N,) bool in coral."""
    position, depth = project(points)
    order = np.argsort(-depth)
    shade = np.interp(depth, (-1, 1), (1.0, 0.25))
    colours = np.array([_rgb(colour)] * len(points))
    if highlighted is not None:
        colours[highlighted] = _rgb(CORAL)
    colours = 1 - (1 - colours) * shade[:, None]
    ax.scatter(*position[order].T, s=size, c=colours[order], linewidths=0)
    ax.set(xlim=(-1, 1), ylim=(-1, 1), aspect="equal")
    ax.axis("off")


def _rgb(colour):
    """(3,) of a #rrggbb colour."""
    return np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])


def errors(values, intervals):
    """(2, N) lengths for matplotlib's error bars."""
    low, high = np.array(intervals, float).reshape(-1, 2).T
    values = np.asarray(values, float)
    return np.stack([np.maximum(values - low, 0), np.maximum(high - values, 0)])
