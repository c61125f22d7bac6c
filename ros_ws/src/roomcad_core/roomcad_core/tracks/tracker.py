"""The main path: where tracks are expected, which object is whose, where alignment starts, and
what its result changes.

    tracker = Tracker(config, library)
    update = tracker(frame, segmentation, align)     align(frame, segmentation, starts)

Frames of several cameras may come in turns; with world poses they feed the same tracks.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from roomcad_core.tracks.associate import associate
from roomcad_core.tracks.claims import (
    beside_known,
    claimed_parts,
    claims,
    filled_cubes,
    same_thing,
)
from roomcad_core.tracks.parts import Surfaces, find_parts, join_parts
from roomcad_core.tracks.places import Places
from roomcad_core.tracks.plan import Plan, Update
from roomcad_core.tracks.start import choose_start, rests
from roomcad_core.tracks.step import Step
from roomcad_core.tracks.track import Ended

NO_WORLD_POSE = (
    "no camera pose: objects are followed in the camera frame only. One that leaves the view gets"
    " a new id when it returns, poses are not averaged, and cameras share no tracks."
)


class Tracker:
    """Tracks of one room. Not for several threads at a time."""

    def __init__(self, config, library):
        """`config`: TrackConfig, may change between frames; `library`: that of the aligner."""
        self.config, self._library = config, library
        self._tracks = {}  # id -> Track
        self._left = {}  # id -> Track of those that ended because they were seen through
        self._places = Places()
        self._clocks = {}  # camera -> newest stamp, and the one that was so before it
        self._last_id = 0  # a new thing gets a new id, also after a reset

    @property
    def tracks(self):
        """All Tracks, by id."""
        return tuple(self._tracks.values())

    def __call__(self, frame, segmentation, align):
        """Update of one Frame; `align(frame, segmentation, starts)` gives its Alignments."""
        plan = self.plan(frame, segmentation)
        alignments = align(frame, plan.to_align(), plan.starts)
        return self.update(frame, segmentation, alignments, plan)

    def plan(self, frame, segmentation):
        """Plan of a Frame: whose its objects are, and where their alignment starts."""
        ended = self._checked_clock(frame)
        grace = self.config.grace
        poses = {i: track.pose_in(frame, grace) for i, track in self._tracks.items()}
        poses = {i: pose for i, pose in poses.items() if pose is not None}
        ended += self._united(poses)
        filled = filled_cubes(frame, segmentation)
        claimed = claims(self._places, filled, segmentation, self._tracks)
        last = self._places.last_seen(filled)
        owners, displaced = associate(
            self.tracks, poses, segmentation, frame, (claimed, last), self.config
        )
        surfaces = Surfaces(segmentation, self.tracks, poses, self._library, self.config.margin)
        parts, swallowed = find_parts(surfaces, owners, self.config.part)
        going_on = {i: self._tracks[i] for i in set(poses) - set(swallowed)}
        parts |= claimed_parts(claimed, {*owners, *parts}, going_on, self.config.part)
        if parts:
            segmentation, owners = join_parts(segmentation, owners, parts)
        ids = {}  # of tracks with parts, after they were made one
        for part, whole in sorted(swallowed.items()):
            ids[whole], gone = self._made_one(part, ids.get(whole, whole), poses)
            ended += (gone,)
        owners, parts = ({o: ids.get(i, i) for o, i in x.items()} for x in (owners, parts))
        starts = {
            obj: choose_start(self._tracks[i], poses[i], obj in displaced, self.config)
            for obj, i in owners.items()
        }
        unchanged = {obj: i for obj, i in owners.items() if i not in ids.values()}
        resting = self._resting(frame, unchanged, displaced, surfaces)
        known = {o: start for o, start in starts.items() if start is not None and o not in resting}
        beside = beside_known(self._places, filled, segmentation, owners, self._tracks)
        returning = self._returning(frame, segmentation, filled, {*owners, *parts})
        return Plan(
            segmentation, poses, owners, known, parts, filled, displaced, resting, beside,
            returning, ended,
        )  # fmt: skip

    def update(self, frame, segmentation, alignments, plan=None):
        """Update from the Alignments of a Frame.

        `plan`: what they were made by; None = they were aligned elsewhere, all from scratch.
        """
        plan = plan or replace(self.plan(frame, segmentation), resting=set())
        step = Step(frame, plan, self._tracks, self.config, self._library)
        joined = set(plan.parts) - set(plan.owners)  # to objects of tracks
        whole = [a for a in alignments if a.object_id not in joined]
        for alignment in sorted(whole, key=lambda a: a.object_id not in plan.owners):
            self._last_id = step.take(alignment, self._last_id + 1)
        for obj in sorted(plan.resting):
            step.rest(obj)
        ended = plan.ended + step.finish()
        self._leave(ended)
        self._tracks = dict(sorted(step.tracks.items()))
        self._remember({**step.owners, **plan.parts}, plan.filled)
        shown = [a.object_id for a in alignments] + sorted(plan.resting)
        named = {obj: self._tracks.get(step.owners.get(obj)) for obj in shown}
        named = {obj: track for obj, track in named.items() if track is not None}
        return Update(
            self.tracks,
            {obj: track.id for obj, track in named.items()},
            tuple(track.alignment(obj) for obj, track in named.items()),
            ended,
            NO_WORLD_POSE if frame.T_world_cam is None else "",
        )

    def reset(self, reason="asked"):
        """End all tracks and forget the clocks; returns the tuple of Ended."""
        ended = tuple(Ended(i, reason) for i in self._tracks)
        self._tracks, self._left, self._clocks, self._places = {}, {}, {}, Places()
        return ended

    def _resting(self, frame, owners, displaced, surfaces):
        """Ids of the objects {object id: track id} that need no alignment in this frame."""
        if frame.T_world_cam is None:
            return set()
        return {
            obj
            for obj, i in owners.items()
            if i in surfaces.tracks
            and obj in surfaces.pieces
            and obj not in displaced
            and rests(self._tracks[i], surfaces.on(i, obj).mean(), self.config)
        }

    def _returning(self, frame, segmentation, filled, taken):
        """{object id: id of an ended track} of new objects that are where that was seen.

        A CAD that is seen through ends its track, also if it stood wrong and its object remains.
        """
        oldest = frame.stamp - self.config.forget
        self._left = {i: track for i, track in self._left.items() if track.seen >= oldest}
        claimed = claims(self._places, filled, segmentation, self._left)
        found = claimed_parts(claimed, taken, self._left, self.config.part)
        first = {i: obj for obj, i in sorted(found.items(), reverse=True)}
        return {obj: i for i, obj in first.items()}

    def _leave(self, ended):
        """Remember the known tracks that ended because they were seen through, for some time."""
        for i in (e.id for e in ended if e.reason == "seen_through"):
            if i in self._tracks and self._tracks[i].confirmed:
                self._left[i] = self._tracks[i]

    def _united(self, poses):
        """Make one track of two that are the same thing; returns the tuple of Ended."""
        pairs = same_thing(self._places, self._tracks, self.config.part)
        return tuple(self._made_one(other, owner, poses)[1] for other, owner in pairs)

    def _made_one(self, part, whole, poses):
        """Make one track of two; returns its id and the Ended of the other.

        It is what and where `whole` is, and keeps the older id that was shown: that is known.
        """
        known = self._tracks[part].confirmed
        old, young = sorted((part, whole)) if known else (whole, part)
        pose = poses.get(whole)
        for i in (part, whole):
            poses.pop(i, None)
        if pose is not None:
            poses[old] = pose
        self._tracks[old] = self._tracks[whole].changed(id=old)
        del self._tracks[young]
        self._places.join(old, young)
        return old, Ended(young, "part")

    def _remember(self, owners, filled):
        """Note where tracks were seen: {object id: track id}, {object id: cubes}."""
        seen = {}
        for obj, track in owners.items():
            if track in self._tracks and obj in filled:
                seen.setdefault(track, []).append(filled[obj])
        for track, keys in seen.items():
            self._places.add(track, np.unique(np.concatenate(keys)))
        self._left = {i: t for i, t in self._left.items() if i not in self._tracks}
        self._places.keep({*self._tracks, *self._left})

    def _checked_clock(self, frame):
        """Reset where the clock of this camera went back; frames a little late may pass.

        A frame that goes on from the last but one shows that the last one's stamp was wrong.
        """
        stamp, jump = frame.stamp, self.config.clock_jump
        newest, before = self._clocks.get(frame.frame_id, (stamp, stamp))
        if stamp < newest - jump and stamp >= before - jump:
            newest = before
        back = stamp < newest - jump
        ended = self.reset("clock_went_back") if back else ()
        if back or stamp > newest:
            newest, before = stamp, stamp if back else newest
        self._clocks[frame.frame_id] = newest, before
        return ended
