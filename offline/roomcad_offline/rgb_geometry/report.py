"""roomcad-offline rgb report: what `rgb evaluate` found, in one table, with its pictures."""

import json
import shutil
from pathlib import Path

from roomcad_core.rgb_geometry.model_files import DEPTH, NORMALS
from roomcad_offline.rgb_geometry.evaluate import results_text

MARGIN = 0.1  # share by which a network's error must be below that of the best trivial predictor
ERRORS = {DEPTH: "abs_rel", NORMALS: "mean_deg"}  # the error that decides, by task
PLOT, EXAMPLES = "uncertainty.png", "examples.png"
TEXT = (
    "Networks that see one colour picture against predictors that see none: of each row the mean "
    "over the training pictures, of normals also the commonest direction (the floor's, a wall's). "
    f"A network's error is to be {MARGIN:.0%} below that of the best of them. `abs_rel_scaled`: "
    "after the depths of each picture were scaled to its true median."
)


def read_results(runs):
    """Results of `rgb evaluate` in the folders of trainings, [(run, folder, results)].

    Raises:
        ValueError: a training was not judged.
    """
    found = []
    for run in map(Path, runs):
        paths = sorted(run.glob("*/results.json"))
        if not paths:
            raise ValueError(f"{run}: not judged yet; run first: roomcad-offline rgb evaluate")
        found += [(run, p.parent, json.loads(p.read_text())) for p in paths]
    return found


def margin(results):
    """By what share of it the network's error is below the best trivial predictor's, and whose."""
    error = ERRORS[results["task"]]
    trivial = {name: row[error] for name, row in results.items()
               if isinstance(row, dict) and name != "network"}  # fmt: skip
    best = min(trivial, key=trivial.get)
    return 1 - results["network"][error] / trivial[best], best


def write_report(runs, out, shown=()):
    """Write rgb.json, rgb.md and the plots into folder `out`; returns the text.

    `shown`: names of the data whose example images are put there, too.
    """
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    lines, records = ["# Depth and normals from colour", "", TEXT], []
    for run, folder, results in read_results(runs):
        gain, best = margin(results)
        error = ERRORS[results["task"]]
        records.append({**results, "run": run.name, "margin": gain, "held": gain >= MARGIN})
        held = "held" if gain >= MARGIN else "**not held**"
        lines += ["", f"## {results['task']}: {results['data']}", "", results_text(results), ""]
        lines.append(f"{error} {gain:.0%} below that of `{best}`: {held}.")
        for picture in (PLOT, *([EXAMPLES] if folder.name in shown else ())):
            name = f"rgb_{results['task']}_{folder.name}_{picture}"
            shutil.copyfile(folder / picture, out / name)
            lines += ["", f"![{results['task']}, {results['data']}]({name})"]
    text = "\n".join(lines) + "\n"
    (out / "rgb.json").write_text(json.dumps(records, indent=1) + "\n")
    (out / "rgb.md").write_text(text)
    return text
