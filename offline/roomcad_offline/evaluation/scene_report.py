"""Per-scene results as JSON values and as Markdown."""

import dataclasses
from collections import Counter

SHOWN = 5  # bad rows of a kind that the Markdown names; the JSON has all


def result_record(result):
    """Plain values of a SceneResult."""
    return {
        "rules": dataclasses.asdict(result.rules),
        "accuracy": result.summary(),
        "classes": {
            name: {"right": right, "annotated": total, "accuracy": result.accuracy(name)}
            for name, (right, total) in result.classes.items()
        },
        "scenes": {
            name: {"right": right, "annotated": total}
            for name, (right, total) in result.scenes.items()
        },
        "scenes_without_predictions": list(result.missing),
        "predictions": dict(result.counts),
    }


def report_record(results, sources):
    """Plain values of one evaluation.

    Args:
        results: {variant: SceneResult}, the plain variant first.
        sources: {what: file} that were read.
    """
    first = next(iter(results.values()))
    problems = list(dict.fromkeys(p for r in results.values() for p in r.problems))
    return {
        "preset": first.rules.name,
        "sources": {name: str(path) for name, path in sources.items() if path},
        "variants": {name: result_record(result) for name, result in results.items()},
        "problem_counts": dict(Counter(f"{p.kind} ({p.verdict})" for p in problems)),
        "problems": [dataclasses.asdict(p) for p in problems],
    }


def markdown(record):
    """A table with a row a class and a column a variant, what was counted, and bad input."""
    variants = record["variants"]
    first = next(iter(variants.values()))
    lines = [
        f"# Per-scene accuracy, preset `{record['preset']}`",
        "",
        "| class | annotated | " + " | ".join(f"{name} [%]" for name in variants) + " |",
        "|---|---:|" + "---:|" * len(variants),
    ]
    for name, row in first["classes"].items():
        values = [variant["classes"][name]["accuracy"] for variant in variants.values()]
        lines.append(_row(name, row["annotated"], values))
    total = sum(row["annotated"] for row in first["classes"].values())
    labels = (("class mean", "class_mean"), ("instance mean", "instance_mean"))
    for label, key in labels:
        values = [variant["accuracy"][key] for variant in variants.values()]
        lines.append(_row(f"**{label}**", total, values))
    return "\n".join([*lines, "", *_counted(first), "", *_problems(record)]).rstrip() + "\n"


def _row(name, total, values):
    cells = ("-" if value is None else f"{value:.1f}" for value in values)
    return f"| {name} | {total} | " + " | ".join(cells) + " |"


def _counted(variant):
    """Sentences on scenes and predictions."""
    missing, rules = variant["scenes_without_predictions"], variant["rules"]
    counted = "counted" if rules["missing_scenes"] == "count" else "left out of the denominators"
    states = ", ".join(f"{n} {state}" for state, n in variant["predictions"].items())
    return [
        f"{len(variant['scenes'])} scenes with predictions; {len(missing)} without, {counted}.",
        "",
        f"{sum(variant['predictions'].values())} predictions: {states}.",
    ]


def _problems(record):
    """Bad input by kind, with the first places of each."""
    if not record["problems"]:
        return ["No bad input."]
    lines = ["Bad input, and rows left out by rule:", ""]
    for name, count in record["problem_counts"].items():
        lines.append(f"- {name}: {count}")
        same = [p for p in record["problems"] if f"{p['kind']} ({p['verdict']})" == name]
        lines += [f"  - {p['file']}, {p['where']}: {p['what']}" for p in same[:SHOWN]]
        if len(same) > SHOWN:
            lines.append(f"  - and {len(same) - SHOWN} more, all in the JSON file")
    return lines
