"""One object followed from frame to frame: its pose, its state and what is remembered of it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

import numpy as np

from roomcad_core.pose import inverse
from roomcad_core.types import OTHER, Alignment, Placed

NEW, TRACKED, LOST = "NEW", "TRACKED", "LOST"
ALIKE = 0.5  # overlap of their votes from which two tracks in one place are the same thing


@dataclass(frozen=True)
class Track:
    """A piece of furniture with an id that stays.

    NEW: no score was high enough yet. TRACKED: found, and since then not lost; it may be out of
    view. LOST: found once, but the score fell, or it is not where it should be seen.
    """

    id: int
    label: str
    cad_id: str
    symmetry: str  # of the CAD, a key of pose.SYMMETRIES
    S: np.ndarray  # (3,) metric size along the CAD axes [m]
    T_cam_obj: np.ndarray  # (4, 4) in the camera that saw it last
    T_world_obj: np.ndarray | None  # (4, 4), None where no camera pose was known so far
    camera: str  # frame id of the camera that saw it last
    seen: float  # stamp of that frame [s]
    sigma: float  # score then
    state: str = NEW
    confirmed: bool = False  # was found often enough: worth showing
    found: int = 0  # sightings with a score that makes it TRACKED
    sightings: int = 0  # all, its first one not counted
    level: float = 0.0  # running mean of the trusted scores
    votes: dict[str, float] = field(default_factory=dict)  # class -> summed probability
    challenges: int = 0  # searches that the votes asked for, in vain
    weight: float = 0.0  # sightings the pose is a mean of
    away: int = 0  # successive sightings that disagree with the pose
    unsure: bool = False  # the next alignment takes more updates
    retry_in: int | None = None  # sightings until the next search; None = none is needed
    failures: int = 0  # searches since it was last found
    missed: int = 0  # successive frames that should have shown it
    ghost: int = 0  # successive frames that saw through it
    reason: str = ""  # why it is not seen or LOST, a short stable name

    @property
    def class_score(self):
        """Mean probability of its class over its sightings."""
        total = sum(self.votes.values())
        return self.votes.get(self.label, 0.0) / total if total > 0 else 0.0

    def changed(self, **values):
        """The Track with other values."""
        return dataclasses.replace(self, **values)

    def pose_in(self, frame, grace):
        """Its T_cam_obj in the camera of a Frame, or None where nothing is known of it.

        Without world poses it is where this camera saw it last, at most `grace` seconds ago.
        """
        if frame.T_world_cam is not None and self.T_world_obj is not None:
            return inverse(frame.T_world_cam) @ self.T_world_obj
        recent = abs(frame.stamp - self.seen) <= grace
        return self.T_cam_obj if self.camera == frame.frame_id and recent else None

    def alignment(self, object_id):
        """Alignment of an object of the frame that saw it last."""
        return Alignment(
            object_id, self.label, self.cad_id, self.T_cam_obj, self.S, self.sigma, self.class_score
        )

    def placed(self):
        """Placed in the world; ValueError where its world pose is not known."""
        if self.T_world_obj is None:
            raise ValueError(f"track {self.id} has no world pose: no camera pose was known")
        return Placed(
            self.id, self.label, self.cad_id, self.T_world_obj, self.S, self.symmetry, self.sigma
        )


@dataclass(frozen=True)
class Ended:
    """A track that is no more. `reason` is a short stable name."""

    id: int
    reason: str


def votes_of(obj, alignment=None):
    """{class, `other` included: probability} that a sighting adds to the votes of its track.

    `obj`: Object, or None where only its Alignment is known.
    """
    if obj is None:
        return {alignment.label: alignment.class_score, OTHER: 1 - alignment.class_score}
    return dict(obj.class_scores or {obj.label or OTHER: obj.score})


def added(votes, more):
    """Two {class: sum} added up."""
    return {c: votes.get(c, 0.0) + more.get(c, 0.0) for c in {**votes, **more}}


def alike(votes, other):
    """Overlap in 0-1 of two {class: sum} as distributions over the furniture."""
    a, b = ({c: p for c, p in v.items() if c != OTHER} for v in (votes, other))
    total_a, total_b = sum(a.values()), sum(b.values())
    if not (total_a > 0 and total_b > 0):
        return 0.0
    return sum(min(p / total_a, b.get(c, 0.0) / total_b) for c, p in a.items())


def same_kind(track, other):
    """Whether two Tracks in one place may be the same thing, by what was seen of them."""
    return alike(track.votes, other.votes) >= ALIKE
