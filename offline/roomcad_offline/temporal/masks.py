"""Which track's mask shows a true object, as the MOTS benchmark decides it (Voigtlaender and others
2019, section 4): by a mask IoU above one half, which only one track can have."""

from __future__ import annotations

import numpy as np

from roomcad_offline.instances.scores import LEAST
from roomcad_offline.temporal.standing import Standing

OVERLAP = 0.5  # mask IoU above which a track shows a true object


def shown_by(room, index, frame, instances, owners, truth):
    """Standings of the furniture that a Frame shows: the track whose mask matches it, if any.

    Args:
        room, index: its room's name and its number.
        instances: (H, W) object ids of the segmentation.
        owners: {object id: id of the confirmed track whose object it is}.
        truth: ids of the true objects, as in frame.instances.
    """
    track_of = np.zeros(int(instances.max()) + 1, int)
    for obj, track in owners.items():
        track_of[obj] = track
    tracks = track_of[instances]
    sizes, out = np.bincount(tracks.ravel()), []
    for i in truth:
        mine = frame.instances == i
        area = np.count_nonzero(mine)
        if area < LEAST * mine.size:
            continue
        common = np.bincount(tracks[mine], minlength=len(sizes))
        iou = common / (area + sizes - common)
        iou[0] = 0.0  # no track
        best = int(iou.argmax())
        out.append(Standing(room, index, i, best if iou[best] > OVERLAP else None))
    return out
