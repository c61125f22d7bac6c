"""An aligner that follows objects where that is asked for: what every frontend aligns with."""

import dataclasses

from roomcad_core.tracks.tracker import Tracker


def aligner_settings(align, tracks):
    """AlignConfig of a Follower's aligner, and the numbers of updates that tracks may ask it for.

    Args:
        align: AlignConfig, tracks: TrackConfig.
    """
    if not tracks.enabled:
        return align, ()
    # A search need not be as long where later frames go on from what it finds.
    align = dataclasses.replace(align, updates=tracks.updates_search)
    return align, (tracks.updates_stable, tracks.updates_unsure)


class Follower:
    """Called with a Frame and a Segmentation it gives Alignments, those of followed objects in
    the poses of their tracks.

    Attributes:
        library: the CAD library of the aligner and the tracks.
        aligner: what aligns, see align.make_aligner.
        update: what the last frame made of the tracks (Update); None where objects are not
            followed, and before the first frame.
    """

    def __init__(self, aligner, library, config, before=None):
        """`config`: TrackConfig.

        `before`: a Follower with the same library whose tracks go on under the new settings.
        """
        self.library, self.update = library, None
        self.aligner, self._tracker = aligner, None
        if config.enabled:
            self._tracker = (before and before._tracker) or Tracker(config, library)
            self._tracker.config = config

    @property
    def engine(self):
        """What the alignments are computed with."""
        return self.aligner.engine

    @property
    def dropped(self):
        """Objects of the last frame that could not be aligned (tuple of types.Dropped)."""
        return self.aligner.dropped

    @property
    def follows(self):
        """Whether objects are followed."""
        return self._tracker is not None

    @property
    def tracks(self):
        """Tracks after the last frame; () where objects are not followed."""
        return self._tracker.tracks if self._tracker else ()

    @property
    def standing(self):
        """Tuple of the confirmed tracks of which the place in the world is known."""
        return tuple(t for t in self.tracks if t.confirmed and t.T_world_obj is not None)

    def room(self):
        """Tuple of Placed: what is known of the room. Ids are those of the tracks."""
        return tuple(track.placed() for track in self.standing)

    def __call__(self, frame, segmentation):
        """Tuple of Alignments of one Frame."""
        if self._tracker is None:
            return self.aligner(frame, segmentation)
        self.update = self._tracker(frame, segmentation, self.aligner)
        return self.update.alignments

    def shown(self, alignments):
        """Those Alignments of the last frame that are worth showing, and {object id: track id}.

        They are those of confirmed tracks; all, and {}, where objects are not followed.
        """
        if self._tracker is None:
            return alignments, {}
        ids = {track.id for track in self.tracks if track.confirmed}
        owners = {obj: i for obj, i in self.update.owners.items() if i in ids}
        return tuple(a for a in alignments if a.object_id in owners), owners

    def reset(self, reason="asked"):
        """End all tracks; returns the tuple of Ended."""
        return self._tracker.reset(reason) if self._tracker else ()
