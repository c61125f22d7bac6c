"""The objects shown at the end of a room against its true boxes, all axis-aligned.

An object is right if its class is that of a true box and the axis-aligned box of its posed CAD
has a 3D IoU of at least 0.25 (or 0.5) with it; better scored objects choose first, each true box
is taken once. What lies on a box of furniture that is none of ours, or of something that nobody
named, is not judged. The rest of what is shown is a duplicate, of the wrong class, or a ghost.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from roomcad_core.library import Library
from roomcad_core.types import Frame, Placed
from roomcad_offline.benchmarks.real.room import Room, asked, is_false, posed_box
from roomcad_offline.metrics.boxes3d import aligned_iou
from roomcad_offline.scannet.boxes import Box

IOUS = (0.25, 0.5)
RIGHT, DUPLICATE, WRONG_CLASS, GHOST, NOT_JUDGED = FATES = (
    "right", "duplicate", "wrong class", "ghost", "not judged")  # fmt: skip


@dataclass(frozen=True)
class ShownObject:
    """An object shown at the end of a room."""

    label: str
    score: float  # the probability shown with it
    box: np.ndarray  # (6,) in the aligned frame
    fate: dict[float, str]  # IoU threshold -> one of FATES


@dataclass
class ObjectScores:
    """One room: its true boxes that were asked for, and what became of what was shown."""

    shown: list[ShownObject] = field(default_factory=list)
    true: list[tuple[str, np.ndarray]] = field(default_factory=list)  # label, (6,) box
    found: dict[float, list[bool]] = field(default_factory=dict)  # of each true box
    never_seen: int = 0  # furniture that no frame shows, not asked for
    frames_until_right: list[int | None] = field(default_factory=list)  # of each true box

    def count(self, fate: str, iou: float = IOUS[0]) -> int:
        """Objects shown that met this fate."""
        return sum(s.fate[iou] == fate for s in self.shown)

    def judged(self, iou: float = IOUS[0]) -> int:
        return len(self.shown) - self.count(NOT_JUDGED, iou)


def score_objects(room: Room, shown: tuple[Placed, ...], watch: Watch) -> ObjectScores:
    """ObjectScores of the objects shown at the end of a room whose true boxes are known.

    `watch`: has seen all frames of the room.
    """
    boxes, scores = room.truth.boxes, ObjectScores()
    wanted = [k for k, box in enumerate(boxes) if asked(box.category)]
    seen = [k for k in wanted if watch.seen[k]]
    scores.never_seen = len(wanted) - len(seen)
    ignored = [b for k, b in enumerate(boxes) if k not in seen and not is_false(b.category)]
    scores.true = [(boxes[k].category.label, flat(boxes[k])) for k in seen]
    scores.frames_until_right = [watch.right_after.get(k) for k in seen]
    ranked = sorted(shown, key=lambda p: -p.score)
    found = [(p.label, watch.to_box(p)) for p in ranked]
    fates = {t: fates_of(found, scores.true, ignored, t) for t in IOUS}
    scores.found = {t: taken for t, (_, taken) in fates.items()}
    scores.shown = [
        ShownObject(p.label, p.score, box, {t: fates[t][0][n] for t in IOUS})
        for n, (p, (_, box)) in enumerate(zip(ranked, found, strict=True))
    ]
    return scores


class Boxes:
    """Axis-aligned boxes (6,) of Placed objects in a room's aligned frame; each made once."""

    def __init__(self, room: Room, library: Library):
        self._T, self._library, self._made = room.truth.T_aligned_world, library, {}

    def __call__(self, placed: Placed) -> np.ndarray:
        key = placed.cad_id, placed.T_world_obj.tobytes(), placed.S.tobytes()
        if key not in self._made:
            self._made[key] = posed_box(placed, self._T, self._library)
        return self._made[key]


def flat(box: Box) -> np.ndarray:
    """(6,) centre and size of a Box."""
    return np.concatenate([box.center, box.size]).astype(float)


def fates_of(found, true, ignored, iou):
    """Fates of `found` [(label, box)], best first, and whether each of `true` is found.

    `ignored`: Boxes of what is neither asked for nor false.
    """
    overlaps = aligned_iou([b for _, b in found], [b for _, b in true])
    beside = aligned_iou([b for _, b in found], [flat(b) for b in ignored])
    taken, fates = [False] * len(true), []
    for n, (label, _) in enumerate(found):
        near = [k for k in np.argsort(-overlaps[n], kind="stable") if overlaps[n, k] >= iou]
        same = [k for k in near if true[k][0] == label]
        free = [k for k in same if not taken[k]]
        if free:
            taken[free[0]] = True
            fates.append(RIGHT)
        elif same:
            fates.append(DUPLICATE)
        elif near:
            fates.append(WRONG_CLASS)
        else:
            fates.append(NOT_JUDGED if (beside[n] >= iou).any() else GHOST)
    return fates, taken


class Watch:
    """Sees the frames of a room in order: which true boxes they show, and when each was right.

    Attributes:
        seen: Counter {position in truth.boxes: frames that showed it}.
        right_after: {position: frames that had shown it when it was right for the first time}.
        to_box: Boxes of the room.
    """

    def __init__(self, room: Room, library: Library):
        self._room, self.to_box = room, Boxes(room, library)
        self.seen, self.right_after = Counter(), {}

    def add(self, frame: Frame, shown: tuple[Placed, ...]) -> None:
        """See a Frame and what was shown after it."""
        visible = self._room.seen_boxes(frame)
        self.seen.update(visible)
        for k in visible - set(self.right_after):
            box = self._room.truth.boxes[k]
            mine = [self.to_box(p) for p in shown if p.label == box.category.label]
            if mine and aligned_iou(mine, flat(box)).max() >= IOUS[0]:
                self.right_after[k] = self.seen[k]


def fate_counts(scores: ObjectScores) -> dict[str, int]:
    """{fate: number of shown objects} at the first IoU."""
    counts = Counter(s.fate[IOUS[0]] for s in scores.shown)
    return {fate: counts[fate] for fate in FATES}
