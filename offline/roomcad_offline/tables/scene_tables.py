"""Tables 1 and 4: accuracy per scene, published rows beside the room benchmark's."""

from __future__ import annotations

from roomcad_offline.tables.markdown import not_run, number, table
from roomcad_offline.tables.rooms import (
    BEST,
    BY_2D,
    ELSEWHERE,
    FUSED,
    OWN,
    SEEN,
    settings_of,
    training_of,
)

PRESET = "sparc"  # whose rules the columns by class follow; `roca` is shown beside
OTHER = "roca"
BUDGETS = (
    "What our runs are: nothing is trained on the room benchmark. Rows with pre-training are the"
    " long training of `live` on synthetic scenes, fine-tuned on simulated rooms of other models"
    " (models/align_live.md); all other rows are variants of `live` with one thing changed"
    " (multi_sparc/variants.py), trained for one small, equal budget by `align ablate`: their"
    " sparse rows have 50 and 20 samples, their latents are a half and a quarter of `live`'s."
)


def scene_record(published, chosen, rooms, further):
    """Plain values of a table.

    Args:
        published: rows of published.json.
        chosen: {row key: (name of predictions, way)}; rows without an entry are other methods.
        rooms: Rooms.
        further: also list our rows that the paper has none of, and all else the benchmark has.
    """
    rows = [{"published": row, "rooms": _beside(row["key"], chosen, rooms)} for row in published]
    record = {"rows": rows, "preset": PRESET}
    if further:
        own = {method: (name, BEST) for _, method, name in OWN}
        record["own"] = [
            {"under": under, "method": method, "rooms": _beside(method, own, rooms)}
            for under, method, _ in OWN
        ]
        listed = [*chosen.values(), *own.values()]
        record["further"] = [
            ours(name, way, scores)
            for name, scores in rooms.runs.items()
            for way in (BEST, BY_2D, FUSED)
            if way in scores["scene"] and (name, way) not in listed
        ]
    return record


def _beside(key, chosen, rooms):
    if key not in chosen:
        return {"not_run": ELSEWHERE}
    name, way = chosen[key]
    scores = rooms.of(name)
    if scores is None:
        return {"not_run": rooms.why(name)}
    if way not in scores["scene"]:
        return {"not_run": f"predictions {name!r} hold no 2D score"}
    return ours(name, way, scores)


def ours(name, way, scores):
    """Plain figures of one way to score one run."""
    figures = scores["scene"][way]
    return {
        "name": name,
        "way": way,
        "training": training_of(scores),
        "settings": settings_of(scores),
        "passes": scores["passes"],
        **{preset: figures[preset] for preset in figures},
    }


def scene_markdown(title, published, record, rooms):
    """The table, as text."""
    classes = published["classes"]
    head = ["", *classes, "class", "instance", "ms"]
    head += ["rooms: class", "rooms: instance", "rooms: instance (roca)", "rooms: run"]
    counts = [published["annotated"][c] for c in classes]
    rows = [["annotated", *counts, len(classes), sum(counts), "", "", _annotated(rooms), "", ""]]
    group = ""
    for entry in record["rows"]:
        row = entry["published"]
        if row["group"] and row["group"] != group:
            group = row["group"]
            rows.append([f"*{group}*", *[""] * (len(head) - 1)])
        cells = [row["method"], *(number(row["classes"][c]) for c in classes)]
        cells += [number(row["class"]), number(row["instance"]), number(row["ms"], 0)]
        rows.append(cells + _room_cells(entry["rooms"]))
        rows += [
            [own["method"], *[""] * (len(cells) - 1), *_room_cells(own["rooms"])]
            for own in record.get("own", [])
            if own["under"] == row["key"]
        ]
    lines = [f"# {title}", "", *different_data(published, rooms), "", *table(head, rows), ""]
    lines += [BUDGETS, "", *([SEEN, ""] if "own" in record else [])]
    return "\n".join([*lines, *_by_class(record, classes)]).rstrip() + "\n"


def different_data(published, rooms):
    """Sentences that say what the two groups of numbers were measured on."""
    lines = [
        f"Published, in %: {published['data']}.",
        "`rooms`: this project on the **room benchmark, which is different data** (simulated rooms"
        " of CAD models that no alignment network saw). The two groups of numbers are not to be"
        " compared with each other, only rows within a group.",
    ]
    if not rooms.runs:
        return [*lines, f"Nothing was run there: {rooms.absent}."]
    b = rooms.about
    lines.append(
        f"{len(b['scenes'])} rooms, {b['frames']} frames, {b['annotated_models']} annotated models,"
        f" {b['detections']['detected']} 2D detections that are imperfect on purpose."
    )
    return lines


def _annotated(rooms):
    return rooms.about.get("annotated_models", "")


def _room_cells(entry):
    if "not_run" in entry:
        return [not_run(entry["not_run"]), "", "", ""]
    main, other = entry[PRESET], entry[OTHER]
    run = f"{entry['name']}, {entry['way']}"
    return [number(main["class"]), number(main["instance"]), number(other["instance"]), run]


def _by_class(record, classes):
    """Everything of the room benchmark, class by class."""
    rows = [*record["rows"], *record.get("own", [])]
    entries = [e["rooms"] for e in rows if "not_run" not in e["rooms"]]
    entries = list({(e["name"], e["way"]): e for e in entries}.values()) + record.get("further", [])
    if not entries:
        return []
    head = ["run", "one pose an object by", *classes, "class", "instance", "instance (roca)"]
    head += ["passes", "settings", "training"]
    rows = []
    for e in entries:
        figures = e[PRESET]["classes"]
        cells = [e["name"], e["way"]]
        cells += [number(figures.get(c, {}).get("accuracy")) for c in classes]
        cells += [number(e[PRESET]["class"]), number(e[PRESET]["instance"])]
        rows.append([*cells, number(e[OTHER]["instance"]), number(e["passes"]), e["settings"],
                     e["training"] or "none"])  # fmt: skip
    counts = entries[0][PRESET]["classes"]
    annotated = [counts.get(c, {}).get("n", 0) for c in classes]
    first = ["annotated", "", *annotated, len(counts), entries[0][PRESET]["n"], *[""] * 4]
    lines = ["## Room benchmark by class", "", *table(head, [first, *rows], left=2), ""]
    return [
        *lines,
        "Accuracy in % by the rules of preset `sparc` (20 cm, 20°, 20 %); `roca` beside it."
        " `best frame`: the paper's selection, 3D NMS by score; `fused`: sigma-weighted over time."
        " `passes`: network passes spent on an object and frame.",
    ]
