"""What the network is to learn of a pixel: its thing and its kind, by the category it shows."""

from __future__ import annotations

import numpy as np

from roomcad_core.segment.instances.model_files import KINDS
from roomcad_core.types import OTHER
from roomcad_offline.scannet.categories import Category
from roomcad_offline.scannet.frames import FrameTruth

UNKNOWN = -1  # kind of what teaches nothing
SOME_THING, SOME_STRUCTURE = -2, -3  # nobody knows which
OPENINGS = {"door", "doorframe", "closet door", "window", "curtain", "blinds", "shower curtain",
            "shower door", "showercurtrain", "shower curtain rod", "bathroom stall door",
            "windowsill"}  # fmt: skip
FLOORS = {"floor", "ceiling", "mat", "floor mat", "shower floor"}
COUNTERS = {"counter", "kitchen counter", "bathroom counter", "bar"}
UNNAMED = {"unannotated", "unlabelled"}  # not even annotated as a thing


def kind_of(category: Category) -> int:
    """Place in KINDS of a category, or UNKNOWN, SOME_THING, SOME_STRUCTURE."""
    if category.kind == "furniture":
        return KINDS.index(category.label)
    if category.kind in ("prop", "other furniture"):
        return KINDS.index(OTHER)
    if category.kind == "unknown":
        return UNKNOWN if category.name in UNNAMED else SOME_THING
    if category.name == "structure":
        return SOME_STRUCTURE
    named = (("opening", OPENINGS), ("floor", FLOORS), ("counter", COUNTERS))
    return KINDS.index(next((kind for kind, names in named if category.name in names), "wall"))


def is_thing(category: Category) -> bool:
    """Whether the pixels of a category belong together as a thing."""
    return kind_of(category) == SOME_THING or (
        category.kind in ("furniture", "prop", "other furniture")
    )


def things_and_kinds(truth: FrameTruth) -> tuple[np.ndarray, np.ndarray]:
    """(H, W) int32 ids of things, 0 = none, and (H, W) int8 kinds of a frame's truth."""
    numbers, at = np.unique(truth.instances, return_inverse=True)
    categories = [truth.categories.get(int(i)) if i else None for i in numbers]
    kinds = np.array([UNKNOWN if c is None else kind_of(c) for c in categories], np.int8)
    ids = np.array([i if c is not None and is_thing(c) else 0
                    for i, c in zip(numbers, categories, strict=True)], np.int32)  # fmt: skip
    shape = truth.instances.shape
    return ids[at].reshape(shape), kinds[at].reshape(shape)
