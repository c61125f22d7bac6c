"""Per-image results as JSON-ready values and as Markdown."""

from collections import Counter

SHOWN = 20  # problems listed in the Markdown; the JSON has all


def image_record(result, files):
    """JSON-ready dict of an image_evaluation.ImageResult; `files` {what: path} are noted."""
    problems = (*result.judged.truth.problems, *result.predictions.problems)
    return {
        "kind": "per-image alignment accuracy",
        "files": files,
        "frames": result.frames,
        "not_counted_objects": result.hidden,
        "accuracy": result.accuracy,
        "calibration": result.calibration,
        "selection": result.selection,
        "problems": problem_record(problems),
    }


def mesh_record(tables, rule, min_iou, failed, files, problems):
    """JSON-ready dict of ap_mesh's tables."""
    return {
        "kind": "AP mesh",
        "files": files,
        "rule": {**vars(rule), "radii": list(rule.radii), "min_iou": min_iou},
        "tables": tables,
        "without_mesh": [{"row": row, "reason": reason} for row, reason in failed],
        "problems": problem_record(problems),
    }


def problem_record(problems):
    """Counts by verdict and kind, and every problem as text."""
    counts = Counter(f"{p.kind} ({p.verdict})" for p in problems)
    return {"counts": dict(counts), "all": [str(p) for p in problems]}


def image_markdown(record):
    """The tables of image_record."""
    lines = ["# Per-image alignment accuracy", "", *_files(record)]
    for name, table in record["accuracy"].items():
        lines += ["", f"## Scale error: {name}", "", *_accuracy_lines(table)]
    lines += [
        "",
        "`of predictions`: right / predictions; `of objects`: found / annotated objects that "
        "count. Averages over classes are over those with objects.",
        "",
        f"{record['frames']} frames. Objects that do not count: {_counts(record)}.",
    ]
    lines += [*_calibration_lines(record), *_selection_lines(record["selection"])]
    return "\n".join([*lines, *problem_lines(record)]) + "\n"


def _accuracy_lines(table):
    rows = [
        "| class | objects | found | of objects [%] | predictions | right | of predictions [%] |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, c in table["classes"].items():
        if not c["objects"] and not c["predictions"]:
            continue  # only objects that do not count, and predictions of them
        rows.append(_row(name, c, c["accuracy_objects"], c["accuracy_predictions"]))
    for kind, name in (("class", "**class average**"), ("instance", "**instance average**")):
        shares = table[kind]["objects"], table[kind]["predictions"]
        rows.append(_row(name, table["counts"] if kind == "instance" else {}, *shares))
    return rows


def _row(name, c, of_objects, of_predictions):
    counts = [str(c.get(k, "")) for k in ("objects", "found_objects")]
    right = [str(c.get(k, "")) for k in ("predictions", "right_predictions")]
    cells = [name, *counts, percent(of_objects), *right, percent(of_predictions)]
    return f"| {' | '.join(cells)} |"


def percent(value):
    """One decimal, or a dash for None."""
    return "-" if value is None else f"{value:.1f}"


def mesh_markdown(record):
    """The tables of mesh_record."""
    tables = record["tables"]
    head = [f"{n}, rho {t['rho']}" for t in tables for n in ("AP50", "APmean")]
    lines = ["# AP mesh", "", *_files(record), "", f"| class | objects | {' | '.join(head)} |"]
    lines.append("| --- | ---: |" + " ---: |" * len(head))
    for name in tables[0]["classes"]:
        objects = tables[0]["classes"][name]["objects"]
        lines.append(_mesh_row(name, objects, [t["classes"][name] for t in tables]))
    lines.append(_mesh_row("**mean**", "", tables))
    if record["without_mesh"]:
        first = record["without_mesh"][0]
        number = len(record["without_mesh"])
        lines += ["", f"{number} predictions without a usable mesh, F1 0: {first['reason']}"]
    return "\n".join([*lines, *problem_lines(record)]) + "\n"


def _mesh_row(name, objects, tables):
    values = [percent(t[n]) for t in tables for n in ("AP50", "APmean")]
    return f"| {name} | {objects} | {' | '.join(values)} |"


def _files(record):
    return [f"- {what}: `{path}`" for what, path in record["files"].items() if path]


def _counts(record):
    parts = [f"{n} {reason}" for reason, n in record["not_counted_objects"].items()]
    return ", ".join(parts) or "none"


def _calibration_lines(record):
    tables = {name: table for name, table in record["calibration"].items() if table["n"]}
    if not tables:
        return ["", "No calibration: the file has no finite score in 0-1 in every row."]
    lines = ["", "| score | predictions | right [%] | AUC | ECE | Brier |"]
    lines.append("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name, t in tables.items():
        auc = "-" if t["auc"] is None else f"{t['auc']:.3f}"
        right = percent(100 * t["accuracy"])
        lines.append(f"| {name} | {t['n']} | {right} | {auc} | {t['ece']:.3f} | {t['brier']:.3f} |")
    return lines


def _selection_lines(table):
    if not table or not table["n"]:
        return []
    choices = ("by_sigma", "first", "random", "best")
    shares = " | ".join(percent(100 * table[name]) for name in choices)
    return [
        "",
        "| objects | chosen by score [%] | first [%] | any (expected) [%] | best (oracle) [%] |",
        "| ---: | ---: | ---: | ---: | ---: |",
        f"| {table['n']} | {shares} |",
    ]


def problem_lines(record):
    """A section with the counts and the first SHOWN problems; nothing where there are none."""
    problems = record["problems"]
    if not problems["all"]:
        return []
    lines = ["", "## Problems", ""]
    lines += [f"- {kind}: {n}" for kind, n in problems["counts"].items()]
    lines += ["", *(f"    {text}" for text in problems["all"][:SHOWN])]
    if len(problems["all"]) > SHOWN:
        lines.append(f"    ... and {len(problems['all']) - SHOWN} more, see the JSON file")
    return lines
