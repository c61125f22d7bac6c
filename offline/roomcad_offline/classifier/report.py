"""The deployed classifier's figures as Markdown."""

CHAMFERS = ("retrieved", "best_of_five", "nearest_in_size", "best_possible", "random")


def markdown(record):
    """Text of offline/results/classifier/README.md for the record of evaluate.judge_all."""
    lines = [
        "# The deployed classifier",
        "",
        "No real object was trained on, and none chose an epoch: the weights are the last ones;",
        "temperature and the weight of `other` come from simulated rooms. But the strength of",
        "three augmentations (part dropping, truncation, surroundings) was kept after two trials",
        "had been seen on these real objects, and two later trainings followed a score of 0.79",
        "and 0.78 on OBJ_ONLY: the first told size and height more often, the second added fused",
        "scans of simulated rooms and epochs. What they changed was judged on simulated rooms and",
        "on scans of CAD models that were not trained on. So real objects and test rooms are",
        "development sets, not untouched tests.",
        "Inputs in training, two of each class: [picture](training.png).",
        "",
    ]
    lines += real_table(record["real"]) + rooms_table(record) + retrieval_table(record["retrieval"])
    if record.get("ablation"):
        lines += ablation_table(record["ablation"])
    return "\n".join(lines) + "\n"


def real_table(records):
    """Accuracy on real objects, 8 classes, 4 votes."""
    lines = [
        "## Real objects (8 classes, 4 votes)",
        "",
        "| data | objects | accuracy | 95 % interval | asked | mean per class | per class (n) |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for r in records:
        if "not_run" in r:
            lines.append(f"| {r['data']} | | not run: {r['not_run']} | | | | |")
            continue
        classes = ", ".join(
            f"{k} {v['accuracy']:.2f} ({v['n']})" for k, v in r["per_class"].items()
        )
        low, high = r["interval_95"]
        lines.append(
            f"| {r['data']} | {r['n']} | **{r['accuracy']:.3f}** | {low:.2f} to {high:.2f} | "
            f"{r['bar']:.2f} | {r['mean_per_class']:.3f} | {classes} |"
        )
    return [*lines, ""]


def rooms_table(record):
    """Keeping, rejecting and naming of crops of simulated rooms; calibration."""
    r, c = record["rooms"], record["calibration"]
    n = r["crops"]
    return [
        "## Segments of simulated rooms of unseen models",
        "",
        "Furniture is a segment that shows 40 % or more of the object's near side, a fragment less"
        " than 20 %.",
        "",
        "| what | crops | share | asked |",
        "| --- | --- | --- | --- |",
        f"| furniture kept (not `other`) | {n['furniture']} | "
        f"**{shown(r['furniture_kept'])}** | 0.95 |",
        f"| furniture of which only 20-40 % is shown, kept | {n.get('partial', 0)} | "
        f"{shown(r['partial_kept'])} | |",
        f"| walls, clutter, plants rejected | {n['background']} | "
        f"**{shown(r['background_rejected'])}** | 0.80 |",
        f"| fragments of furniture rejected | {n['fragment']} | "
        f"{shown(r['fragments_rejected'])} | |",
        "| all segments that are mostly furniture, slivers too, kept | "
        f"{sum(n.values()) - n['background']} | {shown(r['all_furniture_kept'])} | |",
        f"| class right, of 11, of furniture | {n['furniture']} | {shown(r['class_accuracy'])} | |",
        "",
        f"Expected calibration error over {c['crops']} crops: {c['ece']:.3f}"
        " ([reliability](reliability.png)).",
        "",
    ]


def shown(value):
    """Three digits, or a dash where there was nothing to count."""
    return "-" if value is None else f"{value:.3f}"


def retrieval_table(records):
    """Hits and Chamfer distances of the retrieved CAD models."""
    lines = [
        "## Retrieval by embedding",
        "",
        "Furniture of simulated rooms, class given. Chamfer distances between CAD surfaces in the"
        " unit box, x 1000.",
        "",
        "| rooms | objects | top-1 | top-5 | chance | retrieved | best of 5 | nearest in size | "
        "best possible | random of the class |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, r in records.items():
        far = (r[f"chamfer_{k}"] for k in CHAMFERS)
        hits = [r["top1"], r["top5"], r["chance_top1"]]
        shown = [f"{h:.3f}" if r["top5"] else "-" for h in hits]
        cells = [name, str(r["objects"]), *shown, *(f"{1000 * d:.1f}" for d in far)]
        lines.append("| " + " | ".join(cells) + " |")
    return [*lines, ""]


def ablation_table(rows):
    """Worth of every ingredient."""
    names = [k for k in rows[0] if k not in ("without", "epochs")]
    lines = [
        "## What each ingredient is worth",
        "",
        f"Each row trained for {rows[0]['epochs']} epochs, everything else alike"
        " ([picture](ablation.png)), which is short; and one object is 1.6 points of OBJ_ONLY and"
        " OBJ_BG and 4.3 of SUN RGB-D, so only large differences mean something. `rooms`: class"
        " right, of furniture in the validation rooms.",
        "",
        f"| training | {' | '.join(names)} |",
        "| --- |" + " --- |" * len(names),
    ]
    for row in rows:
        lines.append(f"| {row['without']} | {' | '.join(f'{row[k]:.3f}' for k in names)} |")
    return [*lines, ""]
