"""Single frames: which pieces of furniture are found and named, and what else is shown as such.

Only pixels with a depth count. A piece of furniture is asked for if it shows at least LEAST of
the image. It is found if a piece has its mask at IoU MATCH, whatever class that piece gets. What
is shown (any class but `other`) really is what most of its pixels are; where that is structure or
a loose prop it is false; where nobody knows, or it is furniture outside our classes, it is not
judged.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from roomcad_core.classes import CLASSES
from roomcad_core.types import OTHER
from roomcad_offline.benchmarks.real.predictions import Piece
from roomcad_offline.benchmarks.real.room import asked, is_false
from roomcad_offline.instances.scores import LEAST
from roomcad_offline.metrics.mask_ap import IGNORED, MaskAp, Masks
from roomcad_offline.scannet.categories import Category
from roomcad_offline.scannet.frames import FrameTruth

IOUS = (0.25, 0.5)
MATCH = 0.5
NOT_FOUND = "not found"
NOT_FURNITURE = "no furniture"


@dataclass(frozen=True)
class TrueView:
    """A piece of furniture that a frame shows, and how well it was found."""

    category: Category
    found: dict[float, bool]  # IoU threshold -> a piece of that IoU or more is its own
    label: str  # class of its piece at MATCH; NOT_FOUND without one


@dataclass(frozen=True)
class ShownPiece:
    """A piece whose class is one of ours, and what it really is."""

    label: str
    score: float
    really: Category
    matched: bool  # it is the piece of a true view at MATCH


@dataclass(frozen=True)
class FrameScore:
    """What was judged in one frame."""

    views: tuple[TrueView, ...]
    shown: tuple[ShownPiece, ...]
    hidden_false: int  # pieces called `other` that really are structure or a prop: rightly so
    masks: Masks


def score_frame(
    truth: FrameTruth, segments: np.ndarray, pieces: tuple[Piece, ...], known: np.ndarray
) -> FrameScore:
    """Judge one frame.

    Args:
        truth: of the frame, on the same grid.
        segments: (H, W) ids of the pieces, 0 = none.
        pieces: with their classes.
        known: (H, W) bool, pixels with a depth.
    """
    ids, shared = overlaps(truth.instances, segments, pieces, known)
    categories = [truth.categories.get(int(i)) for i in ids]
    area, taken = shared.sum(1), shared[:, 1:].sum(0)
    iou = shared[:, 1:] / np.maximum(area[:, None] + taken - shared[:, 1:], 1)
    furniture = np.array([c is not None and asked(c) for c in categories], bool)
    is_asked = furniture & (area >= LEAST * known.size)
    own = {t: own_pieces(np.where(is_asked[:, None], iou, 0), t) for t in IOUS}
    views = tuple(
        TrueView(categories[k], {t: k in own[t] for t in IOUS},
                 pieces[own[MATCH][k]].label if k in own[MATCH] else NOT_FOUND)
        for k in np.flatnonzero(is_asked)
    )  # fmt: skip
    really = [most(categories, shared[:, 1 + j]) for j in range(len(pieces))]
    matched = set(
        own_pieces(np.where(furniture[:, None], iou, 0), MATCH).values()
    )  # small ones too
    shown = tuple(
        ShownPiece(p.label, p.score, really[j], j in matched)
        for j, p in enumerate(pieces)
        if p.label in CLASSES and taken[j] and really[j] is not None
    )
    hidden = sum(
        p.label == OTHER and bool(taken[j]) and really[j] is not None and is_false(really[j])
        for j, p in enumerate(pieces)
    )
    return FrameScore(
        views, shown, hidden, masks_of(truth, ids, is_asked, categories, segments, pieces, known)
    )


def overlaps(instances, segments, pieces, known):
    """True ids (N,), and the pixels (N, 1 + M) they share with no piece and with each piece."""
    ids, row = np.unique(instances[known], return_inverse=True)
    column = np.zeros(int(max(segments.max(initial=0), max((p.id for p in pieces), default=0))) + 1,
                      int)  # fmt: skip
    for j, piece in enumerate(pieces):
        column[piece.id] = 1 + j
    shared = np.zeros((len(ids), 1 + len(pieces)))
    np.add.at(shared, (row, column[segments[known]]), 1)
    return ids, shared


def own_pieces(iou, least):
    """{row: column} of (N, M) overlaps of at least `least`, best pairs first, each used once."""
    pairs, rows, columns = {}, set(), set()
    for flat in np.argsort(-iou, axis=None, kind="stable"):
        k, j = np.unravel_index(flat, iou.shape)
        if iou[k, j] < least:
            break
        if k not in rows and j not in columns:
            pairs[int(k)] = int(j)
            rows.add(k)
            columns.add(j)
    return pairs


def most(categories, pixels):
    """The Category that most of a piece's pixels have, or None where none is known.

    Instances of one category count together: a wall may be annotated in parts.
    """
    by_name = Counter()
    for category, n in zip(categories, pixels, strict=True):
        if category is not None and n:
            by_name[category] += n
    return by_name.most_common(1)[0][0] if by_name else None


def masks_of(truth, ids, is_asked, categories, segments, pieces, known):
    """Masks for the average precision: what is not asked for and not false is ignored."""
    ignored = [c is None or not (is_asked[k] or is_false(c)) for k, c in enumerate(categories)]
    true = [known & (truth.instances == i) for i, one in zip(ids, is_asked, strict=True) if one]
    label = [CLASSES.index(c.label) for c, one in zip(categories, is_asked, strict=True) if one]
    if any(ignored):
        true.append(known & np.isin(truth.instances, ids[ignored]))
        label.append(IGNORED)
    found = [p for p in pieces if p.label in CLASSES]
    shape = (0, *known.shape)
    return Masks(
        np.array(true) if true else np.zeros(shape, bool),
        np.array(label, int),
        np.array([known & (segments == p.id) for p in found]) if found else np.zeros(shape, bool),
        np.array([CLASSES.index(p.label) for p in found], int),
        np.array([p.score for p in found], float),
    )


@dataclass
class FrameScores:
    """Counts over the frames of one room."""

    frames: int = 0
    without_truth: int = 0
    damaged: int = 0  # their files could not be read: not served
    views: Counter = field(default_factory=Counter)  # (label, what) -> n; what: see COUNTED
    confusion: Counter = field(default_factory=Counter)  # (true label, label given) -> n
    shown: Counter = field(default_factory=Counter)  # (label, category, kind) -> n
    shown_matched: int = 0
    hidden_false: int = 0

    def add(self, score: FrameScore) -> None:
        """Count a frame."""
        self.frames += 1
        self.hidden_false += score.hidden_false
        for view in score.views:
            label = view.category.label
            right = view.label == label
            self.views[label, "true"] += 1
            for t in IOUS:
                self.views[label, f"found_{t}"] += view.found[t]
            self.views[label, "right"] += right
            self.confusion[label, view.label] += 1
        for piece in score.shown:
            self.shown[piece.label, piece.really.name, piece.really.kind] += 1
            self.shown_matched += piece.matched
            if is_false(piece.really):
                self.confusion[NOT_FURNITURE, piece.label] += 1
        self.confusion[NOT_FURNITURE, OTHER] += score.hidden_false

    def total(self, what: str, label: str | None = None) -> int:
        """Views counted as `what` (true, found_0.25, found_0.5, right), of one class or all."""
        return sum(n for (c, w), n in self.views.items() if w == what and label in (None, c))

    def shown_kind(self, *kinds: str) -> int:
        """Shown pieces that really are of these kinds."""
        return sum(n for (_, _, kind), n in self.shown.items() if kind in kinds)

    @property
    def false(self) -> int:
        return self.shown_kind("structure", "prop")

    @property
    def judged(self) -> int:
        """Shown pieces of which one knows whether they are false."""
        return self.false + self.shown_kind("furniture")


def frame_ap() -> MaskAp:
    """An empty average precision over the classes."""
    return MaskAp(len(CLASSES), IOUS)
