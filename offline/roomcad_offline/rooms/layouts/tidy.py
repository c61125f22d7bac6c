"""What a layout means: boxes that are no room's, twice there or inside others are left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from roomcad_offline.rooms.layouts.fit import split
from roomcad_offline.rooms.layouts.read import Box

BIN = (0.7, 0.95)  # [m] width and height that a bin has at most
COUNTER = (0.88, 0.93)  # [m] height of worktops
FEWEST = 2  # pieces of furniture of a room


@dataclass(frozen=True)
class Sorted:
    """The boxes of a room by how they are built."""

    furniture: tuple[Box, ...]
    fixed: tuple[Box, ...]  # doors, windows, pictures, curtains
    built: tuple[Box, ...]  # counters, sinks, refrigerators
    other: tuple[Box, ...]  # furniture that is none of ours


def shifted(boxes, shift):
    """Boxes in another frame, the floor at 0."""
    return [box.moved(shift) for box in boxes]


def sort(boxes, rng):
    """Sorted boxes of a room; walls and floors are known to be outside of all of them."""
    furniture, fixed, built, other = [], [], [], []
    counters = [b for b in boxes if b.kind == "counter"]
    for box in boxes:
        if box.kind == "garbagebin" and not is_bin(box, rng):
            other.append(box)
        elif box.label:
            lowered = under_counter(box, counters)
            if lowered is not None and not inside_another(lowered, furniture):
                furniture += split(lowered)
        elif box.kind in ("counter", "sink", "refrigerator"):
            built.append(box)
        else:
            fixed.append(box)
    return Sorted(*map(tuple, (furniture, fixed, built, other)))


def is_bin(box, rng):
    """True if a box of "other furniture" is as large as a bin, for most of those."""
    small = max(box.size[:2]) < BIN[0] and 0.2 < box.high[2] < BIN[1]
    return bool(small and rng.random() < 0.75)


def under_counter(box, counters):
    """A box cut to the height below a worktop on it; None for things in a counter's place."""
    for counter in counters:
        if shared(box, counter) < 0.5 or box.low[2] > 1.0:
            continue
        return None  # the counter has fronts of its own
    return box


def inside_another(box, others):
    """True if most of a box lies in another one of its own or a bulky kind."""
    for other in others:
        low = np.maximum(box.low, other.low)
        common = np.prod(np.clip(np.minimum(box.high, other.high) - low, 0, None))
        smaller = min(np.prod(box.size), np.prod(other.size))
        hollow = {box.label, other.label} & {"table", "desk"}
        if common > (0.85 if hollow else 0.45) * smaller:
            return True
    return False


def shared(box, other):
    """Share of a box's floor area that lies under another."""
    low = np.maximum(box.low, other.low)[:2]
    common = np.clip(np.minimum(box.high, other.high)[:2] - low, 0, None)
    return float(np.prod(common) / np.prod(box.size[:2]))
