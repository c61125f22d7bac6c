"""The paper's numbers: published.json, with the names of its tables and rows."""

import json
from importlib.resources import files

FILE = "published.json"


def read_published():
    """Plain values: "data" (what they were measured on), "classes", "annotated" {class: count},
    "table1" to "table4" (lists of rows) and "time" (parts of one alignment)."""
    text = files("roomcad_offline.tables").joinpath(FILE).read_text(encoding="utf-8")
    return json.loads(text)
