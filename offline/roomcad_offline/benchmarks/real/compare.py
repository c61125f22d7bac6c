"""Several evaluations side by side: what an ingredient of the robot is worth in real rooms."""

from __future__ import annotations

import json
from pathlib import Path

from roomcad_offline.benchmarks.real.report import TITLES, with_interval
from roomcad_offline.tables.markdown import table

FIGURES = {
    "recall_0.5": "recall, IoU 0.5",
    "class_right": "class right of those",
    "both_right": "both right",
    "false_share": "false share",
}


def read_named(text: str) -> tuple[str, dict]:
    """(name, record) of NAME=FILE, a real.json; ValueError if it is none."""
    name, _, path = text.partition("=")
    if not name or not path:
        raise ValueError(f"got {text!r}, expected NAME=FILE")
    try:
        record = json.loads(Path(path).read_text(encoding="utf-8"))
        record["kinds"]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{path}: not a real.json of `real evaluate`: {error}") from None
    return name, record


def markdown(records: dict[str, dict]) -> str:
    """A table for each kind of room: a row an evaluation, single frames only."""
    lines = []
    for kind, title in TITLES.items():
        rows = [
            [name, *(with_interval(record["kinds"][kind]["frames"][key]) for key in FIGURES)]
            for name, record in records.items()
            if kind in record["kinds"]
        ]
        if rows:
            lines += [f"{title[0].upper()}{title[1:]}:", "",
                      *table(["", *FIGURES.values()], rows), ""]  # fmt: skip
    return "\n".join(lines)
