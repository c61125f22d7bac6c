"""The 11-class protocol: trained on ModelNet40's classes, tested on ScanObjectNN's eleven."""

from roomcad_offline.scan_gap import published
from roomcad_offline.scan_gap.evaluate import COLUMNS, scores
from roomcad_offline.scan_gap.recipe_names import RECIPE_NAMES
from roomcad_offline.scan_gap.scanobjectnn import FILES

MAIN = "pb_t50_rs"  # the variant of the ScanObjectNN paper's table


def rows(study):
    """Ours by recipe, variant and column, then the published methods."""
    result = []
    for recipe in RECIPE_NAMES:
        results = study.eleven.get(recipe)
        if results is None:
            reason = f"recipe {recipe} is not trained for 11 classes (`scan-gap train --eleven`)"
            result.append({**_head(f"ours, {recipe}", MAIN), "note": f"not run: {reason}"})
            continue
        for variant in FILES:
            for column in COLUMNS:
                result.append(_ours(study, recipe, variant, column))
    return result + published_rows()


def _head(method, variant, column=""):
    """A row without numbers."""
    empty = dict.fromkeys(("data", "n", "top1", "low", "high"), "")
    return {"method": method, "variant": variant, "column": column, **empty, "published_top1": ""}


def _ours(study, recipe, variant, column):
    """Row of one of our networks."""
    row = _head(f"ours, {recipe}", variant, column)
    prediction = study.eleven[recipe].get(variant, column)
    if prediction is None:
        return {**row, "note": f"not run: {study.missing.get(variant, variant)}"}
    s, facts = scores(prediction), study.eleven[recipe].facts
    low, high = s["interval"]
    row |= {"data": prediction.data, "n": s["n"], "top1": s["top1"], "low": low, "high": high}
    if variant == MAIN and recipe == "baseline":
        row["published_top1"] = published.ELEVEN_PB_T50_RS["PointNet"]
    note = f"trained on {len(facts['classes'])} classes, {facts['epochs']} epochs"
    return {**row, "note": note}


def published_rows():
    """The published numbers; neither source says in which frame it compares, so no column."""
    paper = "ScanObjectNN paper: trained on 40 classes, mapped to 11"
    result = [
        {**_head(name, MAIN), "published_top1": value, "note": paper}
        for name, value in published.ELEVEN_PB_T50_RS.items()
    ]
    best = "sim-to-real record: trained on 11 classes, 2,048 points"
    for name, values in published.ELEVEN_SIM_TO_REAL.items():
        for variant, value in values.items():
            result.append({**_head(name, variant), "published_top1": value, "note": best})
    return result
