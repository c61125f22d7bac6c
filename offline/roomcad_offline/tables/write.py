"""All tables and figures into one folder."""

from __future__ import annotations

import json
from pathlib import Path

from roomcad_offline.evaluation.sigma_analysis import draw_calibration
from roomcad_offline.tables import figures
from roomcad_offline.tables.image_table import image_markdown, image_record
from roomcad_offline.tables.kept import identity, keep
from roomcad_offline.tables.markdown import not_run
from roomcad_offline.tables.published import read_published
from roomcad_offline.tables.rooms import MAIN, TABLE1, TABLE4
from roomcad_offline.tables.sampling_table import sampling_markdown, sampling_record
from roomcad_offline.tables.scene_tables import scene_markdown, scene_record
from roomcad_offline.tables.timing import time_markdown, time_record

TITLE1 = "Table 1: alignment accuracy per scene"
TITLE4 = "Table 4: objects aligned jointly, and latents of an object (per scene, no pre-training)"
FIGURES = {
    "Figure 4a, selection by σ": "figure4a_selection.png",
    "Figure 4b, calibration of σ and of the 2D confidence": "figure4b_calibration.png",
    "Figure 4c, training": "figure4c_training.png",
}


def write_tables(rooms, trainings, bench, out, kept=False):
    """Write table1 to table4 (.json, .md) and the pictures of Figure 4.

    Args:
        rooms: rooms.Rooms.
        trainings: {name: folder with log.csv} for the curves.
        bench: path of bench.json.
        out: folder.
        kept: runs that are not here keep the figures that the tables in `out` have of them, and
            pictures that are there stay as they are.

    Returns:
        {"table1.md": text, ...}.
    """
    published, out = read_published(), Path(out)
    out.mkdir(parents=True, exist_ok=True)
    pictures = write_figures(rooms, trainings, out, kept)
    first = scene_record(published["table1"], TABLE1, rooms, further=True)
    first |= {"time": time_record(published, bench), "figures": pictures}
    fourth = scene_record(published["table4"], TABLE4, rooms, further=False)
    second, third = image_record(published, rooms), sampling_record(published)
    for name, record in (("table1", first), ("table2", second), ("table4", fourth)):
        record["benchmark"] = identity(rooms)
        if kept:
            keep(record, out / f"{name}.json")
    text1 = scene_markdown(TITLE1, published, first, rooms)
    text1 += "\n".join(["", *time_markdown(first["time"]), "", *figure_lines(pictures)]) + "\n"
    texts = {
        "table1": (first, text1),
        "table2": (second, image_markdown(published, second, rooms)),
        "table3": (third, sampling_markdown(third)),
        "table4": (fourth, scene_markdown(TITLE4, published, fourth, rooms)),
    }
    for name, (record, text) in texts.items():
        (out / f"{name}.json").write_text(json.dumps(record, indent=1, allow_nan=False) + "\n")
        (out / f"{name}.md").write_text(text)
    return {f"{name}.md": text for name, (_, text) in texts.items()}


def write_figures(rooms, trainings, out, kept=False):
    """Draw what there is; {caption: file name, or {"not_run": why}}."""
    if kept:
        missing = {"not_run": "no picture was kept"}
        return {c: f if (out / f).is_file() else missing for c, f in FIGURES.items()}
    made = {}
    chosen = {n: s for n, s in rooms.runs.items() if (s["selection"] or {}).get("n")}
    selection, calibration, training = FIGURES
    if chosen:
        made[selection] = FIGURES[selection]
        figures.draw_selection(chosen, out / made[selection])
    else:
        why = rooms.absent or "no predictions with several initialisations"
        made[selection] = {"not_run": why}
    name = MAIN if MAIN in rooms.runs else next(iter(chosen), None)
    if name and any(table["n"] for table in rooms.runs[name]["calibration"].values()):
        made[calibration] = FIGURES[calibration]
        draw_calibration(rooms.runs[name]["calibration"], out / made[calibration], name)
    else:
        made[calibration] = {"not_run": rooms.absent or f"no predictions {MAIN!r} of a network"}
    if trainings:
        made[training] = FIGURES[training]
        figures.draw_training(trainings, out / made[training])
    else:
        made[training] = {"not_run": "no training's folder with a log.csv (--runs)"}
    return made


def figure_lines(pictures):
    """Lines that show the pictures, or say why there is none."""
    lines = ["## Figure 4"]
    for caption, file in pictures.items():
        there = isinstance(file, str)
        text = f"![{caption}]({file})" if there else f"{caption}: {not_run(file['not_run'])}."
        lines += ["", text]
    return lines
