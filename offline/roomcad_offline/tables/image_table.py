"""Table 2: accuracy per image and AP mesh."""

from __future__ import annotations

from roomcad_offline.tables.markdown import not_run, number, table
from roomcad_offline.tables.rooms import ELSEWHERE, TABLE2, settings_of, training_of
from roomcad_offline.tables.scene_tables import different_data

RADII = ("0.3", "0.5", "0.7")
NO_MESH = "AP mesh was not asked for (--mesh)"


def image_record(published, rooms):
    """Plain values: published rows, and all runs of the room benchmark."""
    rows = []
    for row in published["table2"]:
        name = TABLE2.get(row["key"])
        if name is None:
            beside = {"not_run": ELSEWHERE}
        elif rooms.of(name) is None:
            beside = {"not_run": rooms.why(name)}
        else:
            beside = image_figures(name, rooms.of(name))
        rows.append({"published": row, "rooms": beside})
    others = [name for name in rooms.runs if name not in TABLE2.values()]
    return {"rows": rows, "further": [image_figures(n, rooms.of(n)) for n in others]}


def image_figures(name, scores):
    """Plain figures of one run."""
    image = scores["image"]
    mesh = {str(t["rho"]): {k: t[k] for k in ("AP50", "APmean")} for t in scores.get("mesh", [])}
    return {
        "name": name,
        "class": image["class"],
        "instance": image["instance"],
        "mesh": mesh or {"not_run": NO_MESH},
        "settings": settings_of(scores),
        "training": training_of(scores),
    }


def image_markdown(published, record, rooms):
    """The table, as text."""
    names = [f"{kind}, ρ {r}" for r in RADII for kind in ("AP50", "APmean")]
    head = ["", *names, "class", "instance", "class, of objects", "instance, of objects"]
    rows = [["*ScanNet, published*", *[""] * 10]]
    for entry in record["rows"]:
        row = entry["published"]
        both = [number(row["class"]), number(row["instance"])]
        rows.append([row["method"], *_mesh_cells(row["mesh"]), *both, "", ""])
    rows.append(["*rooms (different data)*", *[""] * 10])
    for entry in record["rows"]:
        beside, method = entry["rooms"], entry["published"]["method"]
        if "not_run" in beside:
            rows.append([method, not_run(beside["not_run"]), *[""] * 9])
        else:
            rows.append(_run_cells(f"{method}: {beside['name']}", beside))
    rows += [_run_cells(_label(e), e) for e in record["further"]]
    title = "# Table 2: alignment accuracy per image and AP mesh"
    text = (
        "In %. `class` and `instance` are of the predictions, as in the paper; `of objects`: share"
        " of the annotated, visible objects that were found."
    )
    lines = [title, "", *different_data(published, rooms), "", *table(head, rows), "", text]
    return "\n".join(lines) + "\n"


def _label(e):
    return f"{e['name']} ({e['settings']})" if e["settings"] else e["name"]


def _run_cells(label, e):
    sides = ("predictions", "objects")
    shares = [number(e[kind][side]) for side in sides for kind in ("class", "instance")]
    return [label, *_mesh_cells(e["mesh"]), *shares]


def _mesh_cells(mesh):
    if "not_run" in mesh:
        return [not_run(mesh["not_run"]), *[""] * 5]
    return [number(mesh[r][kind]) for r in RADII for kind in ("AP50", "APmean")]
