"""Where the alignment of a track's object begins, and with how many updates."""

import numpy as np

from roomcad_core.pose import SYMMETRIES, rigid, rotation_y
from roomcad_core.tracks.track import LOST
from roomcad_core.types import OTHER, Start

AZIMUTHS = 4  # of a search where the last pose was; symmetric models need fewer
VOTES = 5.0  # summed probability from which votes against a track's class are heard


def choose_start(track, T_cam_obj, config):
    """Start of a track's object in this frame, or None: a search from scratch, four azimuths.

    A lost object whose score never fell searches with its CAD model only, at its last place.

    Args:
        track: Track, T_cam_obj: (4, 4) where it should be in this frame.
        config: TrackConfig.
    """
    if is_challenged(track):
        return None
    if is_due(track):
        in_doubt = track.state != LOST or track.reason == "low_score" or track.failures
        return None if in_doubt else _turned(track, T_cam_obj, config)
    updates = config.updates_unsure if track.unsure else config.updates_stable
    return Start(track.cad_id, ((T_cam_obj, track.S),), updates, track.class_score)


def _turned(track, T_cam_obj, config):
    """Start from all azimuths of the last pose that differ."""
    n = max(AZIMUTHS // SYMMETRIES[track.symmetry], 1)
    turns = (rigid(rotation_y(k * 2 * np.pi / AZIMUTHS), np.zeros(3)) for k in range(n))
    poses = tuple((T_cam_obj @ turn, track.S) for turn in turns)
    return Start(track.cad_id, poses, config.updates_unsure, track.class_score)


def is_due(track):
    """Whether a track without a trusted pose searches again now."""
    return track.retry_in is not None and track.retry_in <= 0


def is_challenged(track):
    """Whether sightings speak for another class by two to one; twice as many after each search."""
    votes = {c: p for c, p in track.votes.items() if c != OTHER}
    enough = sum(votes.values()) >= VOTES * 2**track.challenges
    return enough and max(votes.values()) > 2 * votes.get(track.label, 0.0)
