"""Which track's CAD stands where a true object does: what somebody sees who looks at the room."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from roomcad_core.scene import box_iou
from roomcad_core.tracks.track import TRACKED
from roomcad_offline.instances.scores import LEAST

OVERLAP = 0.25  # 3D IoU from which a CAD stands on a true object


@dataclass(frozen=True)
class Standing:
    """A true object that a frame shows, and the track whose CAD stands there, if any."""

    room: str
    frame: int
    truth: int
    track: int | None


class Stands:
    """Matches tracks to the true objects of one room, frame by frame, as CLEAR MOT does: what was
    a match goes on as long as it is one, the rest is matched anew (Bernardin and Stiefelhagen
    2008, section 2.1)."""

    def __init__(self, room, truth):
        """`room`: its name, `truth`: {id: Placed}."""
        self._room, self._truth, self._last = room, truth, {}

    def __call__(self, index, frame, tracks):
        """Standings of the furniture that a Frame shows, among `tracks` that are found."""
        placed = {t.id: t for t in tracks if t.confirmed and t.state == TRACKED}
        placed = {i: t for i, t in placed.items() if t.T_world_obj is not None}
        shown = [i for i in self._truth if self._is_shown(i, frame)]
        table = {(i, t): self._overlap(i, placed[t]) for i in shown for t in placed}
        found = {i: self._last[i] for i in shown if table.get((i, self._last.get(i)), 0) >= OVERLAP}
        free = [t for t in placed if t not in found.values()]
        left = [i for i in shown if i not in found]
        ious = np.array([[table[i, t] for t in free] for i in left]).reshape(len(left), len(free))
        rows, columns = linear_sum_assignment(-np.where(ious >= OVERLAP, ious, 0))
        pairs = zip(rows, columns, strict=True)
        found |= {left[r]: free[c] for r, c in pairs if ious[r, c] >= OVERLAP}
        self._last |= found
        return [Standing(self._room, index, i, found.get(i)) for i in shown]

    def _is_shown(self, i, frame):
        return np.count_nonzero(frame.instances == i) >= LEAST * frame.instances.size

    def _overlap(self, i, track):
        placed = self._truth[i]
        return box_iou(placed.T_world_obj, placed.S, track.T_world_obj, track.S)


def standing_switches(standings):
    """How often a true object is stood on by another track than the last time it was."""
    last, switches = {}, 0
    for s in standings:
        if s.track is not None:
            key = s.room, s.truth
            switches += last.get(key, s.track) != s.track
            last[key] = s.track
    return switches


def stood_on(standings):
    """Share of the furniture shown on which a track's CAD stands [%], or None."""
    if not standings:
        return None
    return round(100 * float(np.mean([s.track is not None for s in standings])), 2)
