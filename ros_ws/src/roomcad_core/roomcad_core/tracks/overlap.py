"""Two tracks of one thing: alignments that come to stand where a track is already."""

from roomcad_core.scene import box_iou
from roomcad_core.tracks.track import LOST

SAME = 0.5  # 3D IoU from which two found tracks of a class cannot both be there


def track_at(T_cam_obj, S, tracks, poses, T_grav_cam, least):
    """The confirmed Track that overlaps a posed CAD most, or None.

    Args:
        T_cam_obj, S: the pose.
        tracks: Tracks, poses: {track id: T_cam_obj}; those without a pose are not looked at.
        T_grav_cam: (4, 4); boxes are compared in a frame that is z-up.
        least: 3D IoU that is needed.
    """
    best, found = least, None
    for track in tracks:
        if track.confirmed and track.id in poses:
            T = T_grav_cam @ poses[track.id]
            iou = box_iou(T_grav_cam @ T_cam_obj, S, T, track.S)
            if iou >= best:
                best, found = iou, track
    return found


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
