"""Scan2CAD's cad_appearances.json: how often each CAD stands in each scan."""

import json
from collections import Counter
from pathlib import Path


def read_appearances(path):
    """{scene: {(category, cad_id): count}} of a cad_appearances.json."""
    try:
        entries = json.loads(Path(path).read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: not readable as JSON ({error})") from None
    if not isinstance(entries, dict):
        raise ValueError(f"{path}: got {type(entries).__name__}, expected an object of scenes")
    return {scene: _counts(counts, f"{path}: {scene}") for scene, counts in entries.items()}


def _counts(counts, at):
    if not isinstance(counts, dict):
        raise ValueError(f"{at}: got {type(counts).__name__}, expected an object of counts")
    out = {}
    for key, count in counts.items():
        category, _, cad_id = key.partition("_")
        if not category.isdecimal() or not cad_id:
            raise ValueError(f"{at}: got key {key!r}, expected CATEGORY_CADID")
        if not isinstance(count, int) or isinstance(count, bool) or count < 0:
            raise ValueError(f"{at}: {key}: got {count!r}, expected a count")
        out[category.zfill(8), cad_id] = count
    return out


def write_appearances(appearances, path):
    """Write a cad_appearances.json from {scene: {(category, cad_id): count}}."""
    entries = {
        scene: {f"{category}_{cad_id}": int(n) for (category, cad_id), n in counts.items()}
        for scene, counts in appearances.items()
    }
    Path(path).write_text(json.dumps(entries) + "\n", encoding="utf-8")


def count_appearances(annotations):
    """{scene: {(category, cad_id): count}} as the annotations themselves have it."""
    counts = {scene: Counter() for scene in annotations.scenes}
    rows = zip(annotations.scene, annotations.category, annotations.cad_id, strict=True)
    for scene, category, cad_id in rows:
        counts[str(scene)][str(category), str(cad_id)] += 1
    return {scene: dict(counter) for scene, counter in counts.items()}
