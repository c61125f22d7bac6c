"""The study's tables as rows (dicts): ours and published side by side, absent ones named.

Every function takes a state.Study. A row that was not measured has no `top1` but a `note` that
begins with "not run".
"""

import numpy as np

from roomcad_offline.scan_gap import ablations, decompose, published, taxonomy
from roomcad_offline.scan_gap.evaluate import ALIGNED, COLUMNS, bootstrap, scores
from roomcad_offline.scan_gap.recipe_names import RECIPE_NAMES
from roomcad_offline.scan_gap.variants import VARIANTS

REAL = tuple(v for v in VARIANTS if v != "modelnet40")
EXTRA = ("sunrgbd",)


def by_variant(study, recipe="baseline"):
    """Table 1: one row for ModelNet40, two (as published, aligned) for every real variant."""
    rows = []
    for variant in (*VARIANTS, *EXTRA):
        n, top1, mean = published.TABLE_1.get(variant, ("", "", ""))
        known = {"published_n": n, "published_top1": top1, "published_mean_per_class": mean}
        columns = (ALIGNED,) if variant == "modelnet40" else COLUMNS
        for column in columns:
            head = {"variant": variant, "column": column}
            rows.append({**head, **_measured(study, recipe, variant, column), **known})
    return rows


def retraining(study):
    """Figure 8's numbers: recipe x variant x column."""
    rows = []
    for recipe in RECIPE_NAMES:
        for variant in (*VARIANTS, *EXTRA):
            columns = (ALIGNED,) if variant == "modelnet40" else COLUMNS
            for column in columns:
                head = {"recipe": recipe, "variant": variant, "column": column}
                known = published.RETRAINING.get((recipe, variant), "")
                measured = _measured(study, recipe, variant, column)
                rows.append({**head, **measured, "published_top1": known})
    return rows


def _measured(study, recipe, variant, column):
    """The measured columns of a row, or the reason why there are none."""
    empty = dict.fromkeys(
        ("data", "n", "top1", "low", "high", "mean_per_class", "best_class", "best")
        + ("worst_class", "worst"),
        "",
    )
    reason = why_not(study, recipe, variant)
    if reason:
        return {**empty, "note": f"not run: {reason}"}
    prediction = study.results[recipe].get(variant, column)
    s = scores(prediction)
    return {
        "data": prediction.data,
        "n": s["n"],
        "top1": s["top1"],
        "low": s["interval"][0],
        "high": s["interval"][1],
        "mean_per_class": s["mean_per_class"],
        "best_class": s["best"][0],
        "best": s["best"][1],
        "worst_class": s["worst"][0],
        "worst": s["worst"][1],
        "note": study.trained(recipe),
    }


def why_not(study, recipe, variant):
    """Why a recipe has no predictions of a variant, or None."""
    if recipe not in study.results:
        return study.not_run.get(recipe, f"recipe {recipe} is not trained")
    if study.results[recipe].get(variant, ALIGNED) is None:
        return study.missing.get(variant, f"{variant} was not there when {recipe} was evaluated")
    return None


def per_class(study):
    """Recipe x variant x column x class: n and accuracy, with what the post prints."""
    rows = []
    for recipe, results in study.results.items():
        for variant in (*VARIANTS, *EXTRA):
            columns = (ALIGNED,) if variant == "modelnet40" else COLUMNS
            for column in columns:
                prediction = results.get(variant, column)
                if prediction is not None:
                    rows += _class_rows(recipe, prediction)
    return rows


def _class_rows(recipe, prediction):
    """One row a class of one prediction; a class without objects says so."""
    known = published.PER_CLASS.get((recipe, prediction.variant), {})
    measured = scores(prediction)["per_class"]
    return [
        {
            "recipe": recipe,
            "variant": prediction.variant,
            "column": prediction.column,
            "class": name,
            "data": prediction.data,
            "n": measured.get(name, {}).get("n", 0),
            "accuracy": measured.get(name, {}).get("accuracy", ""),
            "published_accuracy": known.get(name, ""),
            "note": "" if name in measured else "not run: no object of this class in the data",
        }
        for name in prediction.classes
    ]


def table_2(study, recipe="rot32_bg", column=ALIGNED):
    """Table 2: per class on OBJ_BG, baseline against a retraining, and what its errors are."""
    found = {
        (r["recipe"], r["class"]): r
        for r in per_class(study)
        if r["variant"] == "obj_bg" and r["column"] == column
    }
    known = published.PER_CLASS
    rows = []
    for name in published.PER_CLASS["baseline", "obj_bg"]:
        before, after = (found.get((r, name), {}) for r in ("baseline", recipe))
        both = "" not in (before.get("accuracy", ""), after.get("accuracy", ""))
        gain = round(after["accuracy"] - before["accuracy"], 4) if both else ""
        rows.append(
            {
                "class": name,
                "n": before.get("n", ""),
                "baseline": before.get("accuracy", ""),
                recipe: after.get("accuracy", ""),
                "delta": gain,
                "dominant_failure": dominant_failure(study, name, column),
                "published_baseline": known["baseline", "obj_bg"][name],
                "published_rot32_bg": known["rot32_bg", "obj_bg"][name],
            }
        )
    return rows


def dominant_failure(study, name, column):
    """The commonest mechanism among a class's sorted errors, or ""."""
    found = [r["mechanism"] for r in study.failures if (r["true"], r["column"]) == (name, column)]
    return max(taxonomy.MECHANISMS, key=found.count) if found else ""


def ablation(study, recipe="baseline"):
    """Figure 6's numbers: every point of the three curves."""
    rows = []
    for curve, values in ablations.CURVES.items():
        for value in values:
            known = published.ABLATIONS[curve].get(value, "")
            row = {"curve": curve, "value": value, "published_top1": known}
            row.update(dict.fromkeys(("data", "n", "top1", "low", "high"), ""))
            row.update(dict.fromkeys(("commonest", "commonest_share"), ""))
            variant = ablations.variant_of(curve, value)
            reason = why_not(study, recipe, variant)
            if reason:
                rows.append({**row, "note": f"not run: {reason}"})
                continue
            p = study.results[recipe].get(variant)
            low, high = bootstrap(p.right)
            row |= {"data": p.data, "n": len(p.right), "top1": round(float(p.right.mean()), 4)}
            counts = np.bincount(p.predicted, minlength=len(p.classes))
            row["commonest"] = p.classes[counts.argmax()]
            row["commonest_share"] = round(float(counts.max() / counts.sum()), 4)
            rows.append({**row, "low": low, "high": high, "note": study.trained(recipe)})
    return rows


def ablation_claims(study):
    """Whether our curves show what the post says of its own."""
    rows = []
    for curve, values in ablations.CURVES.items():
        measured = [r["top1"] for r in ablation(study) if r["curve"] == curve]
        if "" not in measured:
            for claim, holds, text in ablations.claims(curve, values, measured):
                rows.append({"curve": curve, "claim": claim, "holds": holds, "ours": text})
    return rows


def failure_shares(study):
    """Figure 7's numbers: column x mechanism; column `all` is every object, right or wrong."""
    rows = []
    for column in (*COLUMNS, "all"):
        found = [r for r in study.failures if r["column"] == column]
        for mechanism, share in taxonomy.shares(found).items():
            row = {"column": column, "mechanism": mechanism, "n": len(found)}
            row |= {"data": found[0]["data"] if found else "", "share": share if found else ""}
            note = "" if found else "not run: no errors of the baseline at hand"
            known = "" if column == "all" else published.TAXONOMY[mechanism]
            rows.append({**row, "published_share": known, "note": note})
    return rows


def finding(study):
    """The parts of the gap by recipe, and the accuracies they are differences of."""
    if "baseline" not in study.results:
        return [{"recipe": "baseline", "part": "gap", "note": _not_run(study)}]
    result = []
    for recipe, results in study.results.items():
        head = {"recipe": recipe}
        parts = decompose.attribution(results)
        for part in parts.values():
            low, high = part.interval
            known = decompose.PUBLISHED.get(part.name, "") if recipe == "baseline" else ""
            row = {**head, "part": part.name, "meaning": part.meaning, "value": part.value}
            result.append({**row, "low": low, "high": high, "published": known})
        if decompose.measured(parts):
            names = ("axis_of_the_posts_82", "scan_of_the_posts_82")
            for name, value in zip(names, decompose.split_of_post(parts), strict=True):
                meaning = "share of the post's 82 points, mean over both orders"
                row = {**head, "part": name, "meaning": meaning, "value": round(value / 100, 4)}
                result.append({**row, "published": decompose.PUBLISHED["gap"]})
        for variant, column, value, (low, high), n in decompose.accuracy_rows(results):
            row = {**head, "part": f"top1 {variant} {column}", "meaning": "accuracy"}
            result.append({**row, "value": value, "low": low, "high": high, "n": n})
    return result


def _not_run(study):
    return f"not run: {why_not(study, 'baseline', 'modelnet40')}"
