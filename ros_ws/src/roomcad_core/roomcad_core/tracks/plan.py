"""What is expected of a frame, and what the frame made of the tracks."""

from __future__ import annotations

from dataclasses import dataclass, replace

from roomcad_core.tracks.track import Ended
from roomcad_core.types import Segmentation, Start


@dataclass(frozen=True)
class Plan:
    """What is expected of a frame before it is aligned."""

    segmentation: Segmentation  # what is to be aligned: parts belong to the objects of their tracks
    poses: dict  # track id -> T_cam_obj (4, 4) in this frame
    owners: dict[int, int]  # object id -> track id
    starts: dict[int, Start]  # object id -> Start; other objects are aligned from scratch
    parts: dict[int, int]  # object id -> id of the track that it is a part of
    filled: dict  # object id -> keys of the cubes that it fills, see Places
    displaced: set[int]  # ids of objects that are outside the boxes of their tracks
    resting: set[int]  # ids of objects that need no alignment
    beside: set[int]  # ids of objects that touch a known thing of their kind
    returning: dict[int, int]  # object id -> id of the ended track whose object it is again
    ended: tuple[Ended, ...] = ()

    def to_align(self):
        """The Segmentation without the objects that need no alignment."""
        objects = (o for o in self.segmentation.objects if o.id not in self.resting)
        return replace(self.segmentation, objects=tuple(objects))


@dataclass(frozen=True)
class Update:
    """What a frame made of the tracks."""

    tracks: tuple  # all Tracks that go on, by id
    owners: dict[int, int]  # object id -> track id, of the aligned objects
    alignments: tuple  # Alignments of these objects, in the poses of their tracks
    ended: tuple[Ended, ...]
    limitation: str = ""  # NO_WORLD_POSE where it holds for this frame
