"""README.md of the results: the finding, the tables and the figures as Markdown."""

from roomcad_offline.scan_gap import eleven, finding, reproducibility, rows
from roomcad_offline.scan_gap.evaluate import ALIGNED, AS_PUBLISHED
from roomcad_offline.scan_gap.variants import TITLES

COLUMN_TITLES = {AS_PUBLISHED: "as published", ALIGNED: "aligned"}
NOTABLE = 0.05  # a difference to a printed accuracy that the text mentions


def document(study, captions, deployed=()):
    """README.md: the finding, the tables and the figures; `deployed`: rows of deployed.rows."""
    parts = ["# The scan gap: a PointNet trained on CAD meets real scans", _preamble(study)]
    parts += ["## The finding", finding.paragraph(study), *_figures(captions, "fig09")]
    parts += [
        "## Table 1: the variants",
        variant_table(study),
        *_figures(captions, "fig01", "fig02"),
    ]
    parts += ["## Table 2: per class on OBJ_BG", *class_tables(study)]
    parts += _figures(captions, "fig03", "fig04")
    parts += ["## The controlled ablations", ablation_table(study), *claims(study)]
    parts += _figures(captions, "fig05", "fig06", "fig07")
    parts += ["## Synthetic-only retraining", retraining_table(study), *_figures(captions, "fig08")]
    parts += ["## The deployed classifier", deployed_table(deployed)]
    parts += ["## ModelNet40 to ScanObjectNN, 11 classes", eleven_table(study)]
    parts += ["## Table 3: reproducibility", markdown(reproducibility.rows(study))]
    return "\n\n".join(parts) + "\n"


def _preamble(study):
    """What this is, made by which command, with which limits."""
    lines = [
        "Made by `roomcad-offline scan-gap study`; every number with its published counterpart is "
        "in [summary.json](summary.json), the predictions behind them in `predictions/`.",
        "**as published**: CAD as its files are (z up), scans as ScanObjectNN's files are (y up). "
        "**aligned**: the same scans turned upright. Intervals are 95 % bootstraps over objects.",
    ]
    if not study.config.get("scanobjectnn"):
        lines.append(
            "ScanObjectNN was not on disk: real objects cut from ScanNet rooms "
            f"({_stand_in(study)}) stand in for OBJ_ONLY and OBJ_BG. Published and measured "
            "accuracies are therefore about different objects, and not all eight classes occur."
        )
    unfinished = {r: study.trained(r) for r in study.results if "UNFINISHED" in study.trained(r)}
    lines += [f"**{recipe} is {text}.**" for recipe, text in unfinished.items()]
    return "\n\n".join(lines)


def _stand_in(study):
    """Name, size and classes of the stand-in data."""
    for results in study.results.values():
        p = results.get("obj_only")
        if p is not None:
            return f"{p.data.split('/')[0]}, n = {len(p.labels)}: {finding.class_counts(p)}"
    return "absent too"


def _figures(captions, *names):
    """Markdown of the figures that exist."""
    found = [f for n in names for f in captions if f.startswith(n)]
    return [f"![{captions[f]}]({f})\n\n*{captions[f]}*" for f in found]


def variant_table(study):
    """Table 1 as Markdown."""
    table = []
    for r in rows.by_variant(study):
        known = (
            ""
            if r["published_top1"] == ""
            else "{} / {}".format(share(r["published_top1"]), share(r["published_mean_per_class"]))
        )
        table.append(
            {
                "variant": TITLES[r["variant"]],
                "column": "" if r["variant"] == "modelnet40" else COLUMN_TITLES[r["column"]],
                "data": r["data"],
                "n": r["n"],
                "top-1": accuracy(r),
                "per class": share(r["mean_per_class"]),
                "best": f"{r['best_class']} {share(r['best'])}".strip(),
                "worst": f"{r['worst_class']} {share(r['worst'])}".strip(),
                "post: n": r["published_n"],
                "post: top-1 / per class": known if r["column"] == _posts(r) else "",
            }
        )
    return markdown(table)


def _posts(row):
    """The column that is the post's own."""
    return ALIGNED if row["variant"] == "modelnet40" else AS_PUBLISHED


def class_tables(study):
    """Table 2 for the post's recipe as published, and for the yaw recipe aligned."""
    parts = []
    for recipe, column in (
        ("rot32_bg", AS_PUBLISHED),
        ("rot32_bg", ALIGNED),
        ("yaw32_bg", ALIGNED),
    ):
        absent = [r for r in ("baseline", recipe) if rows.why_not(study, r, "obj_bg")]
        title = f"baseline and {recipe}, {COLUMN_TITLES[column]}"
        if absent:
            parts.append(f"{title}: not run: {rows.why_not(study, absent[0], 'obj_bg')}.")
            continue
        data = study.results[recipe].get("obj_bg", column).data
        table = rows.table_2(study, recipe, column)
        parts.append(f"{title} ({data}; {study.trained(recipe)}):\n\n{markdown(table)}")
    return parts


def ablation_table(study):
    """Figure 6's points as Markdown."""
    return markdown(
        [
            {
                "curve": r["curve"],
                "magnitude": r["value"],
                "top-1": accuracy(r),
                "post": share(r["published_top1"]),
            }
            for r in rows.ablation(study)
        ]
    )


def claims(study):
    """What the post says of its curves, whether ours agree, and where the numbers differ."""
    table = rows.ablation_claims(study)
    if not table:
        return ["Shapes: not run."]
    marked = [{**claim, "holds": "yes" if claim["holds"] else "**no**"} for claim in table]
    return [markdown(marked), differences(study)]


def differences(study):
    """Where our curves are off the post's printed points, and where ours end."""
    measured = [r for r in rows.ablation(study) if r["top1"] != ""]
    known = [r for r in measured if r["published_top1"] != ""]
    off = [
        f"{r['curve']} {r['value']:g} ({r['top1']:.2f} against {r['published_top1']:.2f})"
        for r in known
        if abs(r["top1"] - r["published_top1"]) > NOTABLE
    ]
    said = ", ".join(off) if off else "nowhere"
    floor = [r for r in measured if r["curve"] == "background"][-1]
    return (
        f"Ours are more than {100 * NOTABLE:.0f} points off the post's printed points: {said}. "
        f"Where clutter drowns the object the network answers with the class that clutter looks "
        f"like to it: with {floor['value']} background points {100 * floor['commonest_share']:.0f} "
        f"% of the clouds are called {floor['commonest']}. Which class that is, and how much of "
        f"the others survives, changes even between epochs of one training: the collapse is a "
        f"property of the method, the level of its floor is not. {occlusion_note(measured)}"
    )


def occlusion_note(measured):
    """Where the occlusion curve falls, from its own rows."""
    rows_of_curve = [r for r in measured if r["curve"] == "occlusion"]
    steps = [
        (a["value"], b["value"], (a["top1"] - b["top1"]) / (b["value"] - a["value"]))
        for a, b in zip(rows_of_curve, rows_of_curve[1:], strict=False)
    ]
    (low, high, first), (low_2, high_2, second) = sorted(steps, key=lambda s: -s[2])[:2]
    end = rows_of_curve[-1]
    return (
        f"Occlusion falls fastest from {low:g} to {high:g} ({100 * first:.0f} points per unit) and "
        f"from {low_2:g} to {high_2:g} ({100 * second:.0f}): one cliff around the middle, whose "
        f"exact place our sample of {end['n']} clouds does not settle; the post printed three of "
        f"its points, which leave it open as well. At {end['value']:g} "
        f"{100 * end['commonest_share']:.0f} % of the clouds are called {end['commonest']}: what "
        f"is left there is again the floor of one training."
    )


def retraining_table(study):
    """Figure 8's numbers as Markdown, a line per recipe and variant that were run."""
    table, absent = {}, {}
    for r in rows.retraining(study):
        if r["top1"] == "":
            where = r["recipe"] if r["recipe"] not in study.results else TITLES[r["variant"]]
            absent[where] = r["note"]
            continue
        line = table.setdefault(
            (r["recipe"], r["variant"]),
            {"recipe": r["recipe"], "variant": TITLES[r["variant"]], "n": r["n"]}
            | {"as published": "", "aligned": "", "post": share(r["published_top1"])},
        )
        line[COLUMN_TITLES[r["column"]]] = accuracy(r)
    notes = [f"- {where}: {note}" for where, note in absent.items()]
    return "\n\n".join([markdown(list(table.values())), *(["\n".join(notes)] if notes else [])])


def eleven_table(study):
    """The 11-class protocol as Markdown."""
    table = [
        {
            "method": r["method"],
            "variant": TITLES[r["variant"]],
            "column": COLUMN_TITLES.get(r["column"], ""),
            "data": r["data"],
            "n": r["n"],
            "top-1": accuracy(r) if r["top1"] != "" else "",
            "published": share(r["published_top1"]),
            "note": r["note"],
        }
        for r in eleven.rows(study)
    ]
    return markdown(table)


def deployed_table(rows):
    """The deployed classifier beside the post's best network, as Markdown."""
    if not rows:
        return "not run: `roomcad-offline classifier evaluate` makes its figures"
    return (
        "Trained on CAD only, like the post's; see [its results](../classifier/README.md). "
        "`post`: rot32+background; `literature`: PDG with PointNet, 11 classes.\n\n"
        + markdown([{**r, "ours": share(r["ours"])} for r in rows])
    )


def accuracy(row):
    """Top-1 with its interval, or why there is none."""
    if row["top1"] == "":
        return row["note"]
    return f"{row['top1']:.3f} ({row['low']:.2f} to {row['high']:.2f})"


def share(value):
    """A share with two or three decimals, or nothing."""
    return "" if value == "" else f"{value:.3f}".removesuffix("0")


def markdown(table):
    """Rows (dicts) as a Markdown table; the columns of the first row."""
    if not table:
        return "not run"
    columns = list(table[0])
    lines = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    lines += ["| " + " | ".join(str(r.get(c, "")) for c in columns) + " |" for r in table]
    return "\n".join(lines)
