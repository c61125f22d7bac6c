"""What ScanNet calls things, and which of them are furniture of ours; one table, categories.csv.

Columns: name; scannet_id, the `id` of scannetv2-labels.combined.tsv (the 200 of ScanNet200);
nyu40_id, where 38 to 40 ("other ...") follow `kind`; label, one of our classes; kind; same_as, the
row a name shares everything but its name with. `kind` is one of

    furniture        ours: asked for, and right or wrong when shown
    other furniture  neither asked for nor false when shown
    prop             loose things: pillows, boxes, lamps
    structure        what is built in: walls, doors, curtains, counters, pictures
    unknown          nobody knows whether it is ours: neither asked for nor false when shown
"""

from __future__ import annotations

import csv
import logging
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

log = logging.getLogger(__name__)

TABLE = Path(__file__).with_name("categories.csv")
KINDS = ("furniture", "other furniture", "prop", "structure", "unknown")
UNANNOTATED = "unannotated"
NYU40 = (
    *("wall", "floor", "cabinet", "bed", "chair", "sofa", "table", "door", "window", "bookshelf"),
    *("picture", "counter", "blinds", "desk", "shelves", "curtain", "dresser", "pillow", "mirror"),
    *("floor mat", "clothes", "ceiling", "books", "refridgerator", "television", "paper", "towel"),
    *("shower curtain", "box", "whiteboard", "person", "night stand", "toilet", "sink", "lamp"),
    *("bathtub", "bag", "otherstructure", "otherfurniture", "otherprop"),
)
# Whose id label images carry for a name that ScanNet's list of 200 lacks.
STAND_INS = {
    "other furniture": "furniture",
    "prop": "decoration",
    "structure": "structure",
    "unknown": "object",
}


@dataclass(frozen=True)
class Category:
    """One name and what it means."""

    name: str
    scannet_id: int = 0  # 0 = none
    nyu40_id: int = 0  # 1 to 40, 0 = none
    label: str = ""  # one of roomcad_core.classes.CLASSES where kind is furniture, else ""
    kind: str = "unknown"

    @property
    def is_furniture(self) -> bool:
        """True for furniture of our classes."""
        return self.kind == "furniture"


def by_name(name: str) -> Category:
    """Category of a raw, NYU40, VoteNet or Scan2CAD name; capitals and underscores are ignored.

    A name that nobody knows is of kind `unknown`, and reported once.
    """
    return table().get(_key(name)) or _stranger(name.strip())


def by_scannet_id(number: int) -> Category:
    """Category of a raw id as in ScanNet's label images; 0 is `unannotated`."""
    if number == 0:
        return table()[UNANNOTATED]
    return _raw().get(int(number)) or _stranger(f"ScanNet id {number}", int(number))


def by_nyu40(number: int) -> Category:
    """Category of an NYU40 id, 1 to 40; 0 is `unannotated`."""
    if number == 0:
        return table()[UNANNOTATED]
    if not 1 <= number <= len(NYU40):
        return _stranger(f"NYU40 id {number}")
    return table()[NYU40[number - 1]]


def writable_id(category: Category) -> int:
    """The raw id to write into a label image: its own, else one of the same kind."""
    return category.scannet_id or table()[STAND_INS[category.kind]].scannet_id


@cache
def table() -> dict[str, Category]:
    """{name in small letters: Category} of all rows, in their order."""
    with TABLE.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    own = {row["name"]: _category(row) for row in rows if not row["same_as"]}
    shared = {r["name"]: replace(own[r["same_as"]], name=r["name"]) for r in rows if r["same_as"]}
    return own | shared


@cache
def _raw():
    """{scannet_id: Category} of the raw names."""
    found = {}
    for category in table().values():
        if category.scannet_id:
            found.setdefault(category.scannet_id, category)  # own rows come before shared ones
    return found


def _category(row):
    numbers = (int(row[column] or 0) for column in ("scannet_id", "nyu40_id"))
    return Category(row["name"], *numbers, row["label"], row["kind"])


@cache  # so that each is reported once
def _stranger(name, scannet_id=0):
    log.warning("category %r is not in %s: taken for unknown", name, TABLE.name)
    return Category(name, scannet_id)


def _key(name):
    return " ".join(name.replace("_", " ").lower().split())
