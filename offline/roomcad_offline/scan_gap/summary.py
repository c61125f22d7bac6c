"""summary.json: every number of the study with its published counterpart, in one flat list."""

import json

from roomcad_offline.scan_gap import eleven, published, reproducibility, rows

# table -> (function of the study, columns that name a row, {column of ours: published column})
TABLES = {
    "table1": (
        rows.by_variant,
        ("variant", "column"),
        {"top1": "published_top1", "mean_per_class": "published_mean_per_class"}
        | {"best": "", "worst": ""},
    ),
    "retraining": (
        rows.retraining,
        ("recipe", "variant", "column"),
        {"top1": "published_top1", "mean_per_class": ""},
    ),
    "per_class": (
        rows.per_class,
        ("recipe", "variant", "column", "class"),
        {"accuracy": "published_accuracy"},
    ),
    "ablation": (rows.ablation, ("curve", "value"), {"top1": "published_top1"}),
    "failures": (rows.failure_shares, ("column", "mechanism"), {"share": "published_share"}),
    "finding": (rows.finding, ("recipe", "part"), {"value": "published"}),
    "eleven": (eleven.rows, ("method", "variant", "column"), {"top1": "published_top1"}),
    "reproducibility": (reproducibility.rows, ("item",), {"ours": "published"}),
}
WITH_INTERVAL = ("top1", "value")


def summary(study):
    """List of {name, ours, published, n, interval, data, note}; None where there is no number."""
    records = []
    for table, (make, keys, metrics) in TABLES.items():
        for row in make(study):
            records += [_record(table, row, keys, ours, known) for ours, known in metrics.items()]
    parameters = {8: published.PARAMETERS_8, 40: published.PARAMETERS_40}
    for classes, count in parameters.items():
        record = dict.fromkeys(("n", "interval", "data"))
        record |= {"name": f"parameters/{classes} classes", "ours": count}
        known = 1_600_000 if classes == 8 else 980_000
        records.append({**record, "published": known, "note": published.PARAMETER_NOTE})
    return records


def _record(table, row, keys, ours, known):
    """One number of a row."""
    name = "/".join([table, *(str(row[k]) for k in keys if row.get(k, "") != ""), ours])
    interval = None
    if ours in WITH_INTERVAL and row.get("low", "") != "":
        interval = [row["low"], row["high"]]
    return {
        "name": name,
        "ours": _number(row.get(ours, "")),
        "published": _number(row.get(known, "")) if known else None,
        "n": _number(row.get("n", "")),
        "interval": interval,
        "data": row.get("data") or None,
        "note": row.get("note", ""),
    }


def _number(value):
    """None for an empty cell."""
    return None if value == "" else value


def deployed_records(rows):
    """The deployed classifier's rows (deployed.rows) in the form of `summary`."""
    return [
        {
            "name": f"deployed/{r['data']}/{r['measure']}",
            "ours": _number(r["ours"]),
            "published": _number(r["post"]),
            "n": _number(r["n"]),
            "interval": None if r["low"] == "" else [r["low"], r["high"]],
            "data": r["data"],
            "note": r["note"] or _beside(r),
        }
        for r in rows
    ]


def _beside(row):
    """What else a number is compared with."""
    said = [f"{name} {row[name]}" for name in ("asked", "literature") if row[name] != ""]
    return "; ".join(said)


def write_summary(study, ours, path):
    """Write the list, one line a number; `ours`: deployed.rows. Returns it."""
    records = summary(study) + deployed_records(ours)
    lines = ",\n".join(json.dumps(r, ensure_ascii=False) for r in records)
    path.write_text("[\n" + lines + "\n]\n")
    return records
