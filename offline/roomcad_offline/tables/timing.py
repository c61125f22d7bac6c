"""The time decomposition: the paper's sum, and what bench.json measured here."""

from __future__ import annotations

import json
from pathlib import Path

from roomcad_offline.tables.markdown import not_run, number, table


def time_record(published, bench):
    """Plain values; `bench`: path of bench.json."""
    bench = Path(bench)
    try:
        measured = json.loads(bench.read_text(encoding="utf-8"))
        stages = {name: ms["median"] for name, ms in measured["stages"]["ms"].items()}
    except FileNotFoundError:
        return {"published": published["time"], "not_run": f"no {bench.name} (`make bench`)"}
    except (ValueError, KeyError, TypeError) as error:
        why = f"{bench.name} holds no times of stages ({error!r})"
        return {"published": published["time"], "not_run": why}
    about = {k: measured["stages"].get(k) for k in ("image", "alignments_per_frame")}
    found = {"stages_ms": stages, "machine": measured.get("machine", {}), **about}
    loops = {k: v for k, v in measured.items() if k.startswith("align")}
    return {"published": published["time"], "measured": found, "aligners": loops}


def time_markdown(record):
    """Lines of the section."""
    head = ["published, Titan Xp", "inputs [ms]", "network [ms]", "passes", "total [ms]",
            "one initialisation [ms]"]  # fmt: skip
    rows = []
    for row in record["published"]:
        once = row["passes"] * (row["inputs_ms"] + row["network_ms"])
        passes = f"{row['initialisations']} x {row['passes']}"
        parts = [row["inputs_ms"], row["network_ms"], passes, row["total_ms"], once]
        rows.append([row["variant"], *parts])
    lines = ["## Time", "", *table(head, rows), ""]
    if "not_run" in record:
        return [*lines, f"Here: {not_run(record['not_run'])}."]
    m = record["measured"]
    head = ["stage, here", "median [ms]"]
    lines += table(head, [[name, number(ms)] for name, ms in m["stages_ms"].items()])
    size = " x ".join(map(str, m["image"] or []))
    return [
        *lines,
        "",
        f"Measured by `make bench` on {m['machine'].get('cpu', 'an unknown CPU')},"
        f" {m['machine'].get('cores', '?')} cores; {size} px,"
        f" {m['alignments_per_frame']} alignments a frame.",
    ]
