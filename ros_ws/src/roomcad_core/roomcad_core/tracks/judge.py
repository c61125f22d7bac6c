"""What a frame changes in a track: its pose, its state, and whether it goes on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from roomcad_core.tracks.ghosts import THROUGH, VISIBLE
from roomcad_core.tracks.smooth import blended, nearest_equivalent, off
from roomcad_core.tracks.start import is_challenged
from roomcad_core.tracks.track import LOST, TRACKED, Track, added, votes_of
from roomcad_core.types import Alignment, Frame, Object, Start

LEVEL_SHARE = 0.2  # of the newest score in the running mean
BETTER = 0.05  # than usual scores the CAD of a search that a settled track takes
BESIDE = 2  # times as many sightings confirm what touches a known thing, as it may be part of it
AGREE = 2  # successive sightings away from a pose that move the track there
MOST_DOUBLINGS = 10


@dataclass(frozen=True)
class Sighting:
    """An alignment of a track's object in one frame."""

    alignment: Alignment
    symmetry: str  # of its CAD
    obj: Object | None  # None where only the alignment is known
    frame: Frame
    start: Start | None  # None = aligned from scratch
    displaced: bool = False  # it is the track's by its place, but outside the track's box
    beside: bool = False  # it touches another known thing of its kind
    shadowed: bool = False  # another track that was found stands there

    @property
    def searched(self):
        """Whether several azimuths were tried."""
        return self.start is None


def born(track_id, sighting, config):
    """A new Track, TRACKED at once if its score is high enough."""
    a, frame = sighting.alignment, sighting.frame
    T_world_obj = None if frame.T_world_cam is None else frame.T_world_cam @ a.T_cam_obj
    votes = votes_of(sighting.obj, a)
    track = Track(
        track_id, a.label, a.cad_id, sighting.symmetry, np.asarray(a.S, float), a.T_cam_obj,
        T_world_obj, frame.frame_id, frame.stamp, a.score, votes=votes, weight=a.score,
    )  # fmt: skip
    return _with_state(track, sighting, config)


def sighted(track, T_cam_obj, sighting, config):
    """The Track after a sighting; T_cam_obj (4, 4): where it was expected in that frame."""
    frame, score = sighting.frame, sighting.alignment.score
    challenged = is_challenged(track)
    if sighting.displaced and not sighting.searched:  # that alone speaks against the pose
        track = track.changed(away=track.away + 1)
    believed = score >= config.sigma_low or (not track.confirmed and score >= track.sigma)
    if believed:
        out = _with_pose(track, T_cam_obj, sighting, config)
    else:
        out = track.changed(T_cam_obj=T_cam_obj)
    votes = votes_of(sighting.obj, sighting.alignment)
    if challenged and sighting.searched:
        vain = out.label == track.label
        out = out.changed(votes=votes, challenges=track.challenges + 1 if vain else 0)
    else:
        out = out.changed(votes=added(out.votes, votes))
    out = out.changed(camera=frame.frame_id, seen=frame.stamp, sigma=score, missed=0)
    out = out.changed(sightings=track.sightings + 1)
    return _with_state(out.changed(ghost=0) if believed else out, sighting, config)


def rested(track, T_cam_obj, obj, frame):
    """The Track after a frame whose Object of it was not aligned: it stands where it did."""
    return track.changed(
        T_cam_obj=T_cam_obj, votes=added(track.votes, votes_of(obj)), camera=frame.frame_id,
        seen=frame.stamp, sightings=track.sightings + 1, missed=0, ghost=0, reason="",
    )  # fmt: skip


def _with_pose(track, T_cam_obj, sighting, config):
    """The Track with the pose, and the CAD, that a believed sighting leads to."""
    a = sighting.alignment
    if a.cad_id != track.cad_id:
        open_to_change = not _is_settled(track) or is_challenged(track) or sighting.displaced
        open_to_change |= a.score > track.level + BETTER
        if sighting.searched and open_to_change:
            return _moved(track, sighting)
        return track.changed(T_cam_obj=T_cam_obj)  # a settled track keeps its CAD
    T, S = nearest_equivalent(a.T_cam_obj, a.S, T_cam_obj, track.symmetry)
    distance, turn = off(T_cam_obj, T)
    if distance <= config.moved and turn <= config.turned:
        return _averaged(track, T_cam_obj, (T, S), sighting, config)
    found_elsewhere = sighting.displaced and sighting.searched
    if _is_settled(track) and not found_elsewhere and track.away + 1 < AGREE:
        return track.changed(T_cam_obj=T_cam_obj, away=track.away + 1)
    return _moved(track, sighting, T, S)


def _is_settled(track):
    return track.state == TRACKED


def _moved(track, sighting, T=None, S=None):
    """The Track where, and what, the sighting says; (T, S): an equal pose to take instead."""
    a, T_world_cam = sighting.alignment, sighting.frame.T_world_cam
    T, S = (a.T_cam_obj, a.S) if T is None else (T, S)
    T_world_obj = track.T_world_obj if T_world_cam is None else T_world_cam @ T
    return track.changed(
        label=a.label, cad_id=a.cad_id, symmetry=sighting.symmetry, S=np.asarray(S, float),
        T_cam_obj=T, T_world_obj=T_world_obj, weight=a.score, away=0,
    )  # fmt: skip


def _averaged(track, T_cam_obj, pose, sighting, config):
    """The Track at the mean of its sightings; only a world pose can be averaged."""
    T_world_cam = sighting.frame.T_world_cam
    if T_world_cam is None or track.T_world_obj is None:
        return _moved(track, sighting, *pose)
    score = max(sighting.alignment.score, 1e-3)
    share = score / (min(track.weight, config.memory) + score)
    T, S = blended((T_cam_obj, track.S), pose, share)
    weight = min(track.weight + score, config.memory)
    return track.changed(T_cam_obj=T, T_world_obj=T_world_cam @ T, S=S, weight=weight, away=0)


def _with_state(track, sighting, config):
    """The Track in the state that the score leads to; two thresholds keep it from flickering."""
    score = sighting.alignment.score
    fell = score < max(config.sigma_low, track.level - config.drop)
    if score >= config.sigma_high and not sighting.shadowed:
        level, found = _level(track, sighting, config), track.found + 1
        needed = config.confirm * (BESIDE if sighting.beside else 1)
        confirmed = track.confirmed or found >= needed
        return track.changed(
            state=TRACKED, found=found, confirmed=confirmed, level=level,
            retry_in=None, failures=0, reason="", unsure=fell and track.state == TRACKED,
        )  # fmt: skip
    if track.state == TRACKED:
        if score < config.sigma_low and _tried_hard(sighting, config):
            return track.changed(state=LOST, retry_in=0, reason="low_score")
        level = _level(track, sighting, config)
        return track.changed(level=level, unsure=fell, reason="")
    return _not_found(track, sighting, config)


def _level(track, sighting, config):
    """The score that is usual from now on; what more updates do not raise has become usual."""
    score = sighting.alignment.score
    if track.state != TRACKED or (track.unsure and _tried_hard(sighting, config)):
        return score
    return (1 - LEVEL_SHARE) * track.level + LEVEL_SHARE * score


def _tried_hard(sighting, config):
    return sighting.searched or sighting.start.updates >= config.updates_unsure


def _not_found(track, sighting, config):
    """A NEW or LOST Track that stays so: searches in vain become rarer."""
    track = track.changed(unsure=False)
    if sighting.alignment.score >= config.sigma_high:  # only shadowed: nothing to search for
        return track.changed(retry_in=None, reason="shadowed")
    reason = "low_score"
    if sighting.searched:
        wait = config.retry * 2 ** min(track.failures, MOST_DOUBLINGS)
        return track.changed(retry_in=wait, failures=track.failures + 1, reason=reason)
    left = config.retry if track.retry_in is None else track.retry_in - 1
    return track.changed(retry_in=left, reason=reason)


def unseen(track, verdict, config):
    """The Track after a frame without a sighting of it, given what the depth image says of it."""
    if verdict not in (VISIBLE, THROUGH):
        return track.changed(missed=0, unsure=track.unsure or _is_settled(track), reason=verdict)
    ghost = track.ghost + 1 if verdict == THROUGH else 0
    track = track.changed(missed=track.missed + 1, ghost=ghost, reason=verdict)
    if track.state == TRACKED and track.missed >= config.patience:
        return track.changed(state=LOST, retry_in=0, unsure=True)
    return track


def doubted(track, verdict, config):
    """The Track after a frame with such a sighting of it that was not believed; see unseen.

    Its object is there, so that the pose may be what is wrong: before the track ends as a ghost it
    is searched for once more.
    """
    ghost = track.ghost + 1 if verdict == THROUGH else 0 if verdict == VISIBLE else track.ghost
    last_chance = verdict == THROUGH and ghost == config.ghost_frames - 1
    return track.changed(ghost=ghost, retry_in=0 if last_chance else track.retry_in)


def ending(track, stamp, config):
    """Why a track ends at a time, a short stable name; "" if it goes on."""
    age = stamp - track.seen
    if track.ghost >= config.ghost_frames:
        return "seen_through"
    if not track.confirmed and (track.missed >= config.patience or age > config.grace):
        return "not_confirmed"
    if track.T_world_obj is None and age > config.grace:
        return "no_world_pose"
    return "forgotten" if age > config.forget else ""
