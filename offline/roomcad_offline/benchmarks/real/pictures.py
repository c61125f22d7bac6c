"""What one judges by: pieces with their classes beside the truth, rooms from above."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from roomcad_core.camera import unproject
from roomcad_core.classes import COLORS
from roomcad_core.pose import transform
from roomcad_core.types import Placed
from roomcad_offline.benchmarks.real.predictions import Predictions
from roomcad_offline.benchmarks.real.room import Room
from roomcad_offline.draw.top_view import draw_footprint
from roomcad_offline.instances.pictures import overlaid, spread

FRAMES = 6  # in the picture of a room
MAP_FRAMES, MAP_POINTS = 30, 2500  # of a top view; points of each frame
LEAST_LABELLED = 400  # px; smaller things get no name


def draw_room(room: Room, predictions: Predictions, out: Path) -> None:
    """Write ROOM_frames.jpg and, where the true boxes are known, ROOM_top.jpg into `out`."""
    out.mkdir(parents=True, exist_ok=True)
    draw_frames(room, predictions, out / f"{room.name}_frames.jpg")
    if room.truth.boxes is not None:
        draw_top(room, predictions, out / f"{room.name}_top.jpg")


def draw_frames(room: Room, predictions: Predictions, path: Path) -> None:
    """A row a frame: colour, truth with its names, the robot's pieces with their classes."""
    from matplotlib.figure import Figure

    rows = list(spread(len(predictions), FRAMES))
    figure = Figure(figsize=(13, 3.35 * len(rows)), layout="constrained")
    axes = figure.subplots(len(rows), 3, squeeze=False)
    for row, k in zip(axes, rows, strict=True):
        prediction = predictions[int(k)]
        frame = room.frame(prediction.frame)
        truth = room.frame_truth(frame)
        known = frame.depth > 0
        row[0].imshow(frame.color)
        row[0].set_ylabel(f"frame {prediction.frame}", fontsize=9)
        if truth is not None:
            names = {i: c.name for i, c in truth.categories.items()}
            things = [i for i, c in truth.categories.items() if c.kind != "structure"]
            shown = np.where(known & np.isin(truth.instances, things), truth.instances, 0)
            _show(row[1], frame.color, shown, names, {})
        scores = {p.id: f"{p.label} {p.score:.2f}" for p in prediction.pieces}
        colors = {p.id: COLORS[p.label] for p in prediction.pieces if p.label in COLORS}
        _show(row[2], frame.color, prediction.segments, scores, colors)
    for axis, title in zip(axes[0], ("colour", "truth", "found"), strict=True):
        axis.set_title(title)
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])
    figure.savefig(path, dpi=80)


def _show(axis, color, ids, names, colors):
    axis.imshow(overlaid(color, ids, colors))
    for i in np.unique(ids[ids > 0]):
        v, u = np.nonzero(ids == i)
        if len(v) >= LEAST_LABELLED:
            axis.text(np.median(u), np.median(v), names.get(int(i), "?"), fontsize=7, ha="center",
                      color="w", bbox={"fc": "k", "alpha": 0.55, "lw": 0, "pad": 1})  # fmt: skip


def draw_top(room: Room, predictions: Predictions, path: Path) -> None:
    """The aligned room from above: points, true boxes (dashed), shown CADs (filled)."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 9), dpi=90, layout="constrained")
    axis = figure.add_subplot()
    points = map_points(room, predictions)
    axis.scatter(points[:, 0], points[:, 1], s=0.3, c="0.75", linewidths=0, zorder=0)
    for box in room.truth.boxes:
        _true_box(axis, box)
    T = room.truth.T_aligned_world
    for placed in predictions.room:
        moved = Placed(**{**vars(placed), "T_world_obj": T @ placed.T_world_obj})
        draw_footprint(axis, moved, filled=True)
    axis.set(aspect="equal", xlabel="x [m]", ylabel="y [m]")
    axis.set_title(f"{room.name}: true boxes dashed (grey: not asked for), shown CADs filled")
    figure.savefig(path)


def _true_box(axis, box):
    ours = box.category.kind == "furniture"
    color = np.array(COLORS[box.category.label]) / 255 * 0.7 if ours else "0.6"
    x = box.center[0] + box.size[0] / 2 * np.array([-1, 1, 1, -1, -1])
    y = box.center[1] + box.size[1] / 2 * np.array([-1, -1, 1, 1, -1])
    axis.plot(x, y, ls="--", lw=1.6 if ours else 0.8, color=color, zorder=4)
    axis.text(x[0], y[2], box.category.name, fontsize=7, color=color, va="bottom", zorder=5)


def map_points(room: Room, predictions: Predictions) -> np.ndarray:
    """(N, 3) points of the room in the aligned frame, below 2 m."""
    found = [np.zeros((0, 3))]
    for k in spread(len(predictions), MAP_FRAMES):
        frame = room.frame(predictions.number(int(k)))
        if frame.T_world_cam is not None:
            points = unproject(frame.depth, frame.K)[frame.depth > 0]
            points = points[:: max(len(points) // MAP_POINTS, 1)]
            found.append(transform(room.truth.T_aligned_world @ frame.T_world_cam, points))
    points = np.concatenate(found)
    return points[points[:, 2] < 2.0]


def draw_reliability(kinds: dict, path: Path) -> None:
    """Share that is right of shown objects by their probability, a line a kind."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5, 4.2), dpi=100, layout="constrained")
    axis = figure.add_subplot()
    axis.plot([0, 1], [0, 1], color="0.7", lw=1)
    for kind, record in kinds.items():
        told = record["objects"] and record["objects"]["reliability"]
        if told:
            _, counts, probability, right = zip(*told["curve"], strict=True)
            axis.plot(probability, right, "o-", ms=4, label=f"{kind} ({sum(counts)} objects)")
    axis.set(xlim=(0, 1), ylim=(0, 1), xlabel="probability shown", ylabel="share right")
    if axis.get_legend_handles_labels()[0]:
        axis.legend(fontsize=8)
    figure.savefig(path)
