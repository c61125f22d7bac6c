"""The measurement as JSON, Markdown and a picture."""

from __future__ import annotations

import json

import numpy as np

from roomcad_offline.temporal.figures import MOST_PASSES, passes_by_frame, steps

BLUE, RED, GREY = "#4c78a8", "#e45756", "0.6"


def write(record, results, out):
    """temporal.json, temporal.md and temporal.png in folder `out`; returns the text."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "temporal.json").write_text(json.dumps(record, indent=1) + "\n")
    text = markdown(record)
    (out / "temporal.md").write_text(text)
    draw(results, out / "temporal.png")
    return text


def markdown(record):
    """The record as text."""
    about, figures = record["about"], record["figures"]
    passes, share, changes = figures["passes"], figures["accuracy"], figures["jitter"]
    lines = [
        "# Tracks against four initialisations every frame",
        "",
        f"Aligner `{about['aligner']}`, {len(about['rooms'])} simulated rooms (`rooms make`, seed "
        f"{_joined(about['seeds'])}), {about['frames']} frames at {_joined(about['fps'])} Hz, "
        f"given {about['given']}; "
        f"{figures['object_views']} views of true objects, {figures['confirmed_tracks']} tracks "
        f"found of {figures['tracks']} begun.",
    ]
    if about["aligner"] == "truth":
        lines += [
            "",
            "The aligner is a stand-in that knows the truth: these figures prove nothing.",
        ]
    lines += ["", "| | every frame | tracks | |", "| --- | --- | --- | --- |"]
    lines.append(_row("passes of an object in a frame", passes["every_frame"], passes["tracked"]))
    lines.append(_row("- while it is tracked", "", passes["steady"]))
    lines.append(_row("- with things never found", "", passes["tracked_all_objects"]))
    lines.append(_row("right class and pose [%]", share["every_frame"], share["tracked"]))
    names = {
        "position_mm": "position [mm]",
        "rotation_deg": "turn [deg]",
        "size_percent": "size [%]",
    }
    for kind, name in names.items() if changes else ():
        c = changes[kind]
        lines.append(_row(f"change of {name}, mean", c["every_frame"], c["tracked"], c["ratio"]))
        lines.append(
            _row(f"change of {name}, median", c["every_frame_median"], c["tracked_median"])
        )
    lines.append(_row("identity switches of masks (MOTS)", "", figures["mask_switches"]))
    lines.append(_row("identity switches of placed CADs", "", figures["placed_switches"]))
    lines.append(_row("identity switches of pieces", "", figures["identity_switches"]))
    largest = figures["largest_piece_switches"]
    lines.append(_row("- with every change of the largest piece", "", largest))
    lines.append(_row("most true objects of a track", "", figures["objects_of_a_track"]))
    lines.append(_row("furniture shown on which a CAD stands [%]", "", figures["placed_share"]))
    lines += ["", "| bar | held |", "| --- | --- |"]
    words = {True: "yes", False: "no", None: "not measured"}
    lines += [f"| {bar} | {words[held]} |" for bar, held in figures["bars"].items()]
    return "\n".join([*lines, "", "\n\n".join(NOTES)]) + "\n"


NOTES = (
    "Passes are pose updates and scorings, each initialisation and CAD model counted (of the ICP "
    "baseline: its runs and scorings), of all objects whose track was found at some time, from the "
    "first search on.",
    "A change is that of a still object's world pose from one frame to the next, where both modes "
    "have both; the last column is the ratio of the means.",
    "Identity switches are CLEAR MOT's. Of masks, as MOTS counts: the track whose object has a "
    "mask IoU above 0.5 with the true one. Of placed CADs: a true object keeps its track while "
    "that track's CAD stands on it, 3D IoU 0.25 or more; this is what is seen in RViz. Of pieces, "
    "stricter: a true object keeps its track while one of its pieces is that track's; a piece "
    "shows it with half of its pixels or more, also a small piece, or one that shows another "
    "object with the other half. The row below counts each change of the track that the largest "
    "piece belongs to.",
)


def _joined(values):
    return ", ".join(f"{v:g}" for v in values)


def _row(name, every, tracked, ratio=""):
    cells = ("" if v is None else f"{v:g}" if isinstance(v, float) else str(v)
             for v in (every, tracked, ratio))  # fmt: skip
    return f"| {name} | {' | '.join(cells)} |"


def draw(results, path):
    """Passes over time, and how far poses jump from frame to frame."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(12.6, 3.9))
    for mode, color, name in (("every", GREY, "every frame"), ("tracked", BLUE, "tracks")):
        left.plot(*passes_by_frame(results, mode), color=color, lw=1.5, label=name)
    left.axhline(MOST_PASSES, color=RED, lw=1, ls="--", label="bar")
    left.set(xlabel="frame", ylabel="passes of an object, mean", yscale="log")
    left.legend(fontsize=8)
    changes = steps([row for result in results for row in result.rows])
    for axis, i, unit, name in ((middle, 0, 1000, "position [mm]"),
                                (right, 1, 180 / np.pi, "turn [deg]")):  # fmt: skip
        for mode, color in (("every_frame", GREY), ("tracked", BLUE)):
            values = np.sort(changes[mode][:, i]) * unit
            axis.plot(values, np.linspace(0, 1, len(values)), color=color, lw=1.8)
        axis.set(xlabel=f"change from frame to frame: {name}", xscale="symlog", ylim=(0, 1.02))
        axis.set_xlim(left=0)
    middle.set_ylabel("share of changes below")
    for axis in (left, middle, right):
        axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)
