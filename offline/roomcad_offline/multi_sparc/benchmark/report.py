"""The benchmark's record, kept by parts and written as JSON and Markdown."""

from __future__ import annotations

import json
from pathlib import Path

STAGE_NAMES = {
    "own": "nothing",
    "mask": "masks",
    "class": "masks, classes",
    "cad": "masks, classes, CAD ids",
}
SELECTION_NAMES = {
    "sigma": "sigma",
    "first": "azimuth 0",
    "2d_confidence": "2D confidence (equal for all four: any of them)",
    "2d_box_overlap": "2D overlap of the CAD's box with the mask's",
    "best_of_four": "the best of the four (oracle)",
}


def save_part(folder, kind, name, record):
    """Keep a method's record in folder/judged; kind: `method` or `stages`."""
    path = Path(folder) / "judged" / f"{kind}.{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record, indent=1) + "\n")


def read_parts(folder, kind, views_sha256):
    """{name: record} of all parts of a kind that were judged on these views, icp first."""
    found = {}
    for path in sorted((Path(folder) / "judged").glob(f"{kind}.*.json")):
        record = json.loads(path.read_text())
        if record.get("views_sha256") == views_sha256:
            found[path.name[len(kind) + 1 : -len(".json")]] = record
    return dict(sorted(found.items(), key=lambda item: item[0] != "icp"))


def write(record, out):
    """alignment.json and alignment.md in folder `out`."""
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    (out / "alignment.json").write_text(json.dumps(record, indent=1) + "\n")
    (out / "alignment.md").write_text(markdown(record))


def networks_of(record):
    """The methods that are networks."""
    return {name: r for name, r in record["methods"].items() if "by_updates" in r}


def markdown(record):
    """The record as text; {"benchmark", "methods", "stages"}."""
    lines = head(record["benchmark"])
    if record["methods"]:
        lines += accuracy(record["methods"]) + classes(record["methods"])
    lines += scores(record["methods"])
    for name, network in networks_of(record).items():
        lines += selection(name, network) + updates(name, network) + sigma(name, network)
    for name, stages in record["stages"].items():
        lines += stage_table(name, stages)
    return "\n".join(lines) + "\n"


def head(b):
    width, height = b["size"]
    return [
        "# Alignment on the fixed benchmark",
        "",
        f"{b['rooms']} simulated rooms with sensor noise, {b['frames']} frames of {width}x{height}"
        f" px, {b['seconds_between_frames']:g} s apart on a walk, furnished from the {b['models']}"
        " CAD models of Sweet Home 3D that no alignment network was trained on (models.csv),"
        f" each axis scaled by {b['scales'][0]:g} to {b['scales'][1]:g}.",
        "",
        f"{b['views']} object views, of which **{b['counted']} count**: {b['rule']}.",
        "",
        "A development set: no weights and no calibration saw these rooms or models, but choices",
        "were made with its figures in view: polishing by ICP and resizing, the pairing distance",
        "(the baseline's, too), how a result is chosen and scored, that sigma learns on own",
        "results, fine-tuning on simulated rooms.",
        "",
        "Right: within 20 cm, 20 degrees, 20 %, over symmetric turns. Masks, boxes and CAD ids are"
        " the true ones, unless said otherwise. Intervals: 95 %, bootstrap over rooms.",
        "",
    ]


def accuracy(methods):
    lines = [
        "## Accuracy",
        "",
        "| method | counted views | 95 % | mean over classes | all object views | "
        + " | ".join(f"{round(100 * r['from'])}-{round(100 * r['to'])} % visible"
                     for r in next(iter(methods.values()))["by_visibility"])
        + " |",
        "| --- |" + " --- |" * 8,
    ]  # fmt: skip
    for name, r in methods.items():
        low, high = r["counted"]["interval_95"]
        bins = " | ".join(f"{shown(b['accuracy'])} ({b['n']})" for b in r["by_visibility"])
        lines.append(
            f"| {name} | **{shown(r['counted']['accuracy'])}** ({r['counted']['n']}) |"
            f" {low:.2f} to {high:.2f} | {shown(r['class_mean'])} |"
            f" {shown(r['all']['accuracy'])} ({r['all']['n']}) | {bins} |"
        )
    return [*lines, ""]


def classes(methods):
    first = next(iter(methods.values()))["per_class"]
    lines = [
        "| counted views | " + " | ".join(f"{c} ({row['n']})" for c, row in first.items()) + " |",
        "| --- |" + " --- |" * len(first),
    ]
    for name, r in methods.items():
        cells = (shown(r["per_class"].get(c, {}).get("accuracy")) for c in first)
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return [*lines, "", "![accuracy by class](alignment_classes.png)", ""]


def scores(methods):
    """The published score of the robot's aligners, where they were judged."""
    judged = {name: r for name, r in methods.items() if "score" in r}
    if not judged:
        return []
    lines = [
        "## The robot's score as a probability",
        "",
        "| method | AUC | ECE | mean score | accuracy |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, r in judged.items():
        s = r["score"]
        lines.append(f"| {name} | **{s['auc']:.3f}** | **{s['ece']:.3f}** |"
                     f" {s['mean_score']:.3f} | {shown(r['counted']['accuracy'])} |")  # fmt: skip
    pictures = (f"![{name}](alignment_calibration_{name}.png)" for name in judged)
    return [*lines, "", *pictures, ""]


def selection(name, r):
    lines = [
        f"## {name}: which of the four initialisations",
        "",
        f"{r['updates']} updates, mode {r['mode']}, trained for {r['steps']} batches.",
        "",
        "| selected by | accuracy |",
        "| --- | --- |",
    ]
    lines += [f"| {SELECTION_NAMES[k]} | {shown(v)} |" for k, v in r["selection"].items()]
    return [*lines, ""]


def updates(name, r):
    lines = ["| updates | sigma | azimuth 0 | best of four |", "| --- | --- | --- | --- |"]
    lines += [
        f"| {n} | {shown(row['sigma'])} | {shown(row['first'])} | {shown(row['best_of_four'])} |"
        for n, row in enumerate(r["by_updates"])
    ]
    return [*lines, "", "![accuracy by number of updates](alignment_updates.png)", ""]


def sigma(name, r):
    s, flat = r["sigma"], r["score_2d"]
    return [
        f"## {name}: sigma",
        "",
        "| score | AUC, selected poses | AUC, all initialisations | ECE | mean score | accuracy |",
        "| --- | --- | --- | --- | --- | --- |",
        f"| sigma | **{s['auc']:.3f}** | {s['auc_all_initialisations']:.3f} | **{s['ece']:.3f}** |"
        f" {s['mean_score']:.3f} | {shown(r['selection']['sigma'])} |",
        f"| 2D overlap | {flat['auc']:.3f} | | {flat['ece']:.3f} | {flat['mean_score']:.3f} |"
        f" {shown(r['selection']['2d_box_overlap'])} |",
        "",
        f"![calibration](alignment_calibration_{name}.png)",
        "",
        f"![examples](alignment_examples_{name}.png)",
        "",
    ]


def stage_table(name, stages):
    lines = [
        f"## Where accuracy is lost: aligner {name}",
        "",
        "Our own segmentation, classification and retrieval, given more and more of the truth; the"
        " library searched is the benchmark's, whose CAD models no network was trained on.",
        "",
        "| given | accuracy | lost | segmented | class right | CAD right | aligned |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    ordered = [k for k in STAGE_NAMES if k in stages]
    values = [stages[k]["counted"]["accuracy"] for k in ordered]
    for k, value, better in zip(ordered, values, [*values[1:], None], strict=True):
        lost = "" if better is None or value is None else f"{100 * (better - value):+.1f}"
        keys = ("segmented", "class_right", "cad_right", "aligned")
        cells = " | ".join(shown(stages[k][key]) for key in keys)
        lines.append(f"| {STAGE_NAMES[k]} | **{shown(value)}** | {lost} | {cells} |")
    return [*lines, ""]


def shown(value):
    """Three digits, or a dash where there was nothing to count."""
    return "-" if value is None else f"{value:.3f}"
