"""Table 2: accuracy per image and AP mesh."""

from __future__ import annotations

from roomcad_offline.tables.markdown import not_run, number, table
from roomcad_offline.tables.rooms import ELSEWHERE, OWN, SEEN, TABLE2, settings_of, training_of
from roomcad_offline.tables.scene_tables import different_data

RADII = ("0.3", "0.5", "0.7")
NO_MESH = "AP mesh was not asked for (--mesh)"


def image_record(published, rooms):
    """Plain values: published rows, and all runs of the room benchmark."""
    rows = []
    for row in published["table2"]:
        name = TABLE2.get(row["key"])
        beside = {"not_run": ELSEWHERE} if name is None else _of_run(name, rooms)
        rows.append({"published": row, "rooms": beside})
    own = [{"method": method, "rooms": _of_run(name, rooms)} for _, method, name in OWN]
    listed = (*TABLE2.values(), *(name for _, _, name in OWN))
    others = [image_figures(n, rooms.of(n)) for n in rooms.runs if n not in listed]
    return {"rows": rows, "own": own, "further": others}


def _of_run(name, rooms):
    """Figures of predictions, or why there are none."""
    scores = rooms.of(name)
    return {"not_run": rooms.why(name)} if scores is None else image_figures(name, scores)


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
    shown = [(e["published"]["method"], e["rooms"]) for e in record["rows"]]
    shown += [(e["method"], e["rooms"]) for e in record["own"]]
    for method, beside in shown:
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
    lines += ["", SEEN]
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
