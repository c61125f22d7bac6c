"""The tracks of one frame in the making: sightings taken one by one, then what was not seen."""

from __future__ import annotations

from roomcad_core.tracks import judge
from roomcad_core.tracks.ghosts import look, verdict
from roomcad_core.tracks.judge import Sighting
from roomcad_core.tracks.overlap import can_be, doubles, track_at
from roomcad_core.tracks.track import Ended


class Step:
    """Call `take` with every Alignment, then `finish`.

    Attributes:
        tracks: {id: Track}.
        owners: {object id: track id} of the alignments taken.
    """

    def __init__(self, frame, plan, tracks, config, library):
        self._frame, self._plan = frame, plan
        self._config, self._library = config, library
        self._objects = {obj.id: obj for obj in plan.segmentation.objects}
        self._ended = []
        self._believed = set()  # ids of tracks whose sighting was believed
        self.tracks, self.owners = dict(tracks), {}

    def take(self, alignment, free_id):
        """Give an Alignment to its track, or to a new one with the id `free_id`.

        One that returns takes its former id. Returns the last id that is in use.
        """
        own = self.tracks.get(self._plan.owners.get(alignment.object_id))
        there = None
        if own is None or not own.confirmed:
            there = self._found_at(alignment, own)
        if there is not None and self._is_free(there) and can_be(there, alignment.label):
            if own is not None:
                self._end(own.id, "merged")
            own, there = there, None
        sighting = self._sighting(alignment, there is not None)
        if own is None:
            i = self._plan.returning.get(alignment.object_id, free_id)
            self._put(judge.born(i, sighting, self._config), alignment)
            return max(i, free_id - 1)
        self._put(judge.sighted(own, self._plan.poses[own.id], sighting, self._config), alignment)
        return free_id - 1

    def rest(self, object_id):
        """Let the track of an object go on that was not aligned, because it rests."""
        i = self._plan.owners[object_id]
        obj, pose = self._objects[object_id], self._plan.poses[i]
        self.tracks[i] = judge.rested(self.tracks[i], pose, obj, self._frame)
        self.owners[object_id] = i
        self._believed.add(i)

    def _found_at(self, alignment, own):
        """Another confirmed Track where an Alignment stands, or None."""
        others = [t for t in self.tracks.values() if t is not own]
        T_grav_cam, least = self._plan.segmentation.T_grav_cam, self._config.overlap
        return track_at(alignment, others, self._plan.poses, T_grav_cam, least)

    def _is_free(self, track):
        """Whether no object of this frame is the track's."""
        return track.id not in self.owners.values() and track.id not in self._plan.owners.values()

    def _sighting(self, alignment, shadowed):
        start = self._plan.starts.get(alignment.object_id)
        symmetry = self._library[alignment.cad_id].symmetry
        obj = self._objects.get(alignment.object_id)
        displaced = alignment.object_id in self._plan.displaced
        beside = alignment.object_id in self._plan.beside
        return Sighting(alignment, symmetry, obj, self._frame, start, displaced, beside, shadowed)

    def _put(self, track, alignment):
        self.tracks[track.id] = track
        self.owners[alignment.object_id] = track.id
        if alignment.score >= self._config.sigma_low:
            self._believed.add(track.id)

    def finish(self):
        """Judge what was not seen and end what is to end; returns the tuple of Ended."""
        seen = set(self.owners.values())
        for i in set(self.tracks) - self._believed:
            if i not in self._plan.poses:
                continue
            track, found = self.tracks[i], self._verdict(i)
            doubted = i in seen
            self.tracks[i] = (
                judge.doubted(track, found, self._config)
                if doubted
                else judge.unseen(track, found, self._config)
            )
        for i, track in list(self.tracks.items()):
            reason = judge.ending(track, self._frame.stamp, self._config)
            if reason:
                self._end(i, reason)
        for young in self._doubles():
            self._end(young, "merged")
        return tuple(self._ended)

    def _verdict(self, i):
        """What the depth image says of a track's place."""
        track = self.tracks[i]
        seen = look(self._library[track.cad_id], self._plan.poses[i], track.S, self._frame)
        return verdict(seen, self._config.ghost_share)

    def _doubles(self):
        poses = {i: self.tracks[i].T_cam_obj for i in self.owners.values() if i in self.tracks}
        poses = {i: self._plan.poses[i] for i in self.tracks if i in self._plan.poses} | poses
        return doubles(self.tracks.values(), poses, self._plan.segmentation.T_grav_cam)

    def _end(self, i, reason):
        self._ended.append(Ended(i, reason))
        del self.tracks[i]
