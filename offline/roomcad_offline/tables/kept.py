"""Rows of tables that were written before stay where their predictions lie on another machine."""

from __future__ import annotations

import json
from pathlib import Path

IDENTITY = ("frames", "annotated_models", "detections")  # of a benchmark, and its number of rooms


def identity(rooms):
    """What tells whether two tables are of the same room benchmark; {} without one."""
    if not rooms.about:
        return {}
    return {"rooms": len(rooms.about["scenes"])} | {k: rooms.about[k] for k in IDENTITY}


def keep(record, path):
    """Take over into a table's record what the file `path` has of runs that are not here.

    Args:
        record: as of scene_record or image_record, with the `benchmark` it is of.
        path: .json of the same table.

    Raises:
        FileNotFoundError: no such file.
        ValueError: it is unreadable, or of another benchmark.
    """
    before = _read(Path(path))
    if before.get("benchmark") != record["benchmark"]:
        got, expected = (json.dumps(r.get("benchmark")) for r in (before, record))
        raise ValueError(f"{path}: of another room benchmark: got {got}, expected {expected}")
    for rows in ("rows", "own"):
        old = {_key(e): e["rooms"] for e in before.get(rows, [])}
        for entry in record.get(rows, []):
            if "not_run" in entry["rooms"]:
                entry["rooms"] = old.get(_key(entry), entry["rooms"])
    if "further" in record:
        here = {_run(e) for e in _all(record)}
        gone = [e for e in before.get("further", []) if _run(e) not in here]
        record["further"] = gone + record["further"]


def _read(path):
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: not JSON: {error}") from None
    if not isinstance(record, dict):
        raise ValueError(f"{path}: got {type(record).__name__}, expected a table's record")
    return record


def _key(entry):
    return entry["published"]["key"] if "published" in entry else entry["method"]


def _run(figures):
    return figures["name"], figures.get("way")


def _all(record):
    """Figures of all runs in a record."""
    beside = (e["rooms"] for e in (*record["rows"], *record.get("own", [])))
    return [*(f for f in beside if "not_run" not in f), *record["further"]]
