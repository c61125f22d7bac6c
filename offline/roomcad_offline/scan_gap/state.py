"""What a study has measured so far: predictions on disk, from which all tables are made."""

import csv
import json
from dataclasses import dataclass, field
from pathlib import Path

from roomcad_offline.scan_gap.evaluate import load_results

FAILURES = "failures.csv"
STATE = "study.json"
POSTS_EPOCHS = 200


@dataclass
class Study:
    """Everything the tables and figures show; reading it needs neither torch nor the data."""

    results: dict = field(default_factory=dict)  # recipe -> Results, 8 classes
    eleven: dict = field(default_factory=dict)  # recipe -> Results, 11 classes
    failures: list = field(default_factory=list)  # rows of taxonomy.taxonomy with their column
    missing: dict = field(default_factory=dict)  # variant -> what is missing
    not_run: dict = field(default_factory=dict)  # recipe -> why there are no predictions
    config: dict = field(default_factory=dict)
    machine: dict = field(default_factory=dict)

    def trained(self, recipe):
        """How far a recipe's network was trained, as captions say it."""
        facts = self.results[recipe].facts
        if facts.get("epochs") is None:
            return f"weights {facts['source']}"
        if facts["epochs"] < facts["planned_epochs"]:
            return f"UNFINISHED: {facts['epochs']} of {facts['planned_epochs']} epochs"
        of_post = "" if facts["epochs"] == POSTS_EPOCHS else f" (the post: {POSTS_EPOCHS})"
        return f"{facts['epochs']} epochs{of_post}"

    def hardest(self):
        """The variant whose errors are sorted: PB_T50_RS as in the post, else OBJ_BG."""
        have = self.results.get("baseline")
        for variant in ("pb_t50_rs", "obj_bg"):
            if have and have.get(variant, "as_published"):
                return variant
        return None


def predictions_folder(out):
    """Folder of the predictions below the study's output folder."""
    return Path(out) / "predictions"


def save_state(study, out):
    """Write what is neither predictions nor made from them."""
    folder = predictions_folder(out)
    folder.mkdir(parents=True, exist_ok=True)
    state = {k: getattr(study, k) for k in ("missing", "not_run", "config", "machine")}
    (folder / STATE).write_text(json.dumps(state, indent=1, default=str) + "\n")
    write_csv(study.failures, folder / FAILURES)


def load_study(out):
    """Study of an output folder; FileNotFoundError where nothing was evaluated yet."""
    folder = predictions_folder(out)
    if not (folder / STATE).is_file():
        raise FileNotFoundError(f"{folder / STATE}: no such file; run `scan-gap evaluate` first")
    try:
        study = Study(**json.loads((folder / STATE).read_text()))
    except (ValueError, TypeError) as error:
        raise ValueError(f"{folder / STATE}: damaged: {error}") from None
    for path in sorted(folder.glob("*.json")):
        if path.name != STATE:
            results = load_results(path)
            protocol = study.eleven if path.stem.endswith("_11") else study.results
            protocol[results.recipe] = results
    study.failures = read_csv(folder / FAILURES)
    return study


def write_csv(rows, path):
    """Rows (dicts) as CSV, the columns in order of appearance; no rows make an empty file."""
    columns = list(dict.fromkeys(k for row in rows for k in row))
    with open(path, "w", newline="") as file:
        if columns:
            writer = csv.DictWriter(file, columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


def read_csv(path):
    """Rows of a CSV as dicts of text."""
    if not Path(path).is_file():
        return []
    with open(path, newline="") as file:
        return list(csv.DictReader(file))
