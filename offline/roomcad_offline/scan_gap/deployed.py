"""The deployed classifier beside the study: its figures as rows, read from its own results."""

import json
from pathlib import Path

# What is published for the same step, CAD-trained and tested on real scans: the post's best
# network, and the best PointNet of the literature (PDG, 11 classes, as Point-PRC lists it).
POST = {"obj_only": "", "obj_bg": 0.458}
LITERATURE = {"obj_only": 0.676, "obj_bg": 0.585}
BARS = {"furniture_kept": 0.95, "background_rejected": 0.80}


def rows(path):
    """Rows of `classifier evaluate`'s evaluation.json; none where it is absent.

    Raises ValueError where the file is damaged.
    """
    path = Path(path)
    if not path.is_file():
        return []
    try:
        record = json.loads(path.read_text())
        found = [_real(r) for r in record["real"]]
        found += [_rooms(record["rooms"], what) for what in (*BARS, "class_accuracy")]
        calibration = record["calibration"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: not the results of `classifier evaluate`: {error}") from None
    n = calibration["crops"]
    return [*found, _row("simulated rooms", "calibration error", n, calibration["ece"])]


def _real(r):
    """A row of a real data set."""
    if "not_run" in r:
        return _row(r["data"], "top1", "", "", note=f"not run: {r['not_run']}")
    file, variant = r["data"].split("/")
    # The published numbers are about indoor scans fused from many views, not single images.
    known = variant if "scannet" in file else None
    row = _row(r["data"], "top1", r["n"], r["accuracy"], asked=r["bar"])
    row |= {"low": r["interval_95"][0], "high": r["interval_95"][1]}
    row |= {"post": POST.get(known, ""), "literature": LITERATURE.get(known, "")}
    return row


def _rooms(r, what):
    """A row of the simulated rooms."""
    kind = "background" if what.startswith("background") else "furniture"
    name = what.replace("_", " ")
    return _row("simulated rooms", name, r["crops"][kind], r[what], asked=BARS.get(what, ""))


def _row(data, measure, n, ours, asked="", note=""):
    """A row with every column."""
    return {
        "data": data, "measure": measure, "n": n, "ours": ours, "low": "", "high": "",
        "asked": asked, "post": "", "literature": "", "note": note,
    }  # fmt: skip
