"""Two tracks of one thing: alignments that come to stand where a track is already."""

from roomcad_core.scene import box_iou, share_inside
from roomcad_core.tracks.track import LOST

SAME = 0.5  # 3D IoU from which two found tracks of a class cannot both be there
INSIDE = 0.5  # of the smaller box, from which two things cannot both be there: see share_inside
BELOW = {"chair": ("table", "desk"), "bin": ("table", "desk")}  # what stands in the box of what


def track_at(alignment, tracks, poses, T_grav_cam, least):
    """The confirmed Track that stands where an Alignment does, or None.

    Args:
        alignment: Alignment.
        tracks: Tracks, poses: {track id: T_cam_obj}; those without a pose are not looked at.
        T_grav_cam: (4, 4); boxes are compared in a frame that is z-up.
        least: 3D IoU that is needed; INSIDE is worth as much.
    """
    best, found = 1.0, None
    T_own, S = T_grav_cam @ alignment.T_cam_obj, alignment.S
    for track in tracks:
        if track.confirmed and track.id in poses:
            T = T_grav_cam @ poses[track.id]
            clash = box_iou(T_own, S, T, track.S) / max(least, 1e-9)
            if not may_nest(alignment.label, track.label):
                clash = max(clash, share_inside(T_own, S, T, track.S) / INSIDE)
            if clash >= best:
                best, found = clash, track
    return found


def may_nest(label, other):
    """Whether one thing may stand in the box of another: a chair at a desk."""
    return other in BELOW.get(label, ()) or label in BELOW.get(other, ())


def can_be(track, label):
    """Whether a thing of a class may be a Track that was not seen: a lost one may be anything."""
    return track.label == label or track.state == LOST


def doubles(tracks, poses, T_grav_cam):
    """{id of a track: id of the one it is a double of}, the older one stays."""
    found = {}
    known = sorted((t for t in tracks if t.confirmed and t.id in poses), key=lambda t: t.id)
    for i, old in enumerate(known):
        if old.id in found:
            continue
        T_old = T_grav_cam @ poses[old.id]
        for young in known[i + 1 :]:
            T_young = T_grav_cam @ poses[young.id]
            if young.label == old.label and box_iou(T_old, old.S, T_young, young.S) >= SAME:
                found[young.id] = old.id
    return found
