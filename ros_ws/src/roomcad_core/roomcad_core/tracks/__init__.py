"""Objects followed from frame to frame: who is who, where alignment starts, what is believed."""

from roomcad_core.tracks.follow import Follower, aligner_settings
from roomcad_core.tracks.track import LOST, NEW, TRACKED, Ended, Track
from roomcad_core.tracks.tracker import Tracker, Update

__all__ = [
    "LOST",
    "NEW",
    "TRACKED",
    "Ended",
    "Follower",
    "Track",
    "Tracker",
    "Update",
    "aligner_settings",
]
