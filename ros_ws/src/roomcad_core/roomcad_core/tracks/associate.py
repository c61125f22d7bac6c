"""Which object of a frame is which track: by class, world position and projected box."""

import numpy as np
from scipy.optimize import linear_sum_assignment

from roomcad_core.camera import project
from roomcad_core.fit_score import thin
from roomcad_core.pose import inverse, transform

CROP_POINTS = 200  # points of a crop that are looked at
NEAREST = 0.1  # [m] points nearer to the camera plane have no usable pixel
CONTINUITY = 4.0  # how much more a track's claim counts where it was seen the last time
OTHER_CLASS = 0.5  # how much an overlap counts where the class is ruled out


def associate(tracks, poses, segmentation, frame, by_place, config):
    """{object id: track id}, each at most once, with the largest total affinity; and the set of
    those objects that are outside the boxes of their tracks, so that only claims speak for it.

    Args:
        tracks: Tracks.
        poses: {track id: T_cam_obj in this frame}; tracks without one are not looked for.
        by_place: twice {object id: {track id: 0-1}}: claims, as good as boxes that overlap; and the
            shares of the objects' places that the last sightings of tracks filled.
        config: TrackConfig.
    """
    known = [track for track in tracks if track.id in poses]
    objects = segmentation.objects
    if not known or not objects:
        return {}, set()
    claimed, last = by_place
    table = np.zeros((len(known), len(objects)))
    boxes, lasting = np.zeros_like(table), np.ones_like(table)
    crops = [thin(obj.points, CROP_POINTS) for obj in objects]
    seen_boxes = np.stack([obj.box for obj in objects])
    for i, track in enumerate(known):
        T_cam_obj = poses[track.id]
        overlaps = box_ious_2d(projected_box(T_cam_obj, track.S, frame), seen_boxes)
        T_obj_grav = inverse(segmentation.T_grav_cam @ T_cam_obj)
        places = shares_in_box(crops, T_obj_grav, track.S, config.margin)
        for j, obj in enumerate(objects):
            geometry = (places[j] + overlaps[j]) / 2
            agreement = class_agreement(track.label, obj)
            boxes[i, j] = geometry * agreement
            share = claimed.get(obj.id, {}).get(track.id, 0.0)
            table[i, j] = max(geometry, share) * agreement
            lasting[i, j] += CONTINUITY * last.get(obj.id, {}).get(track.id, 0.0)
    allowed = np.where(table >= max(config.min_affinity, 1e-9), table, 0.0)
    rows, columns = linear_sum_assignment(-allowed * lasting)
    pairs = [(i, j) for i, j in zip(rows, columns, strict=True) if allowed[i, j] > 0]
    away = {objects[j].id for i, j in pairs if boxes[i, j] < config.min_affinity}
    return {objects[j].id: known[i].id for i, j in pairs}, away


def class_agreement(label, obj):
    """1 for an Object of this class, down to OTHER_CLASS where its class is ruled out."""
    scores = obj.class_scores or {obj.label: obj.score}
    highest = max(scores.values(), default=0.0)
    share = scores.get(label, 0.0) / highest if highest > 0 else 0.0
    if obj.label == label:
        share = 1.0
    return OTHER_CLASS + (1 - OTHER_CLASS) * share


def shares_in_box(crops_grav, T_obj_grav, S, margin):
    """(n,) share of each of n crops (N, 3) inside the box of a posed CAD of size S.

    The box is grown by `margin` [m]. All crops at once: there are many pairs in a frame.
    """
    counts = np.array([len(crop) for crop in crops_grav])
    points_obj = transform(T_obj_grav, np.concatenate(crops_grav))
    inside = (np.abs(points_obj) <= np.asarray(S) / 2 + margin).all(1)
    crop = np.repeat(np.arange(len(counts)), counts)
    return np.bincount(crop, inside, len(counts)) / np.maximum(counts, 1)


def projected_box(T_cam_obj, S, frame):
    """(4,) xyxy [px] of a posed CAD's box inside the image; None where it is out of view.

    Counted from the outer edge of the first pixel, as Object.box.
    """
    signs = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
    corners = transform(T_cam_obj, signs * np.asarray(S) / 2)
    z = corners[:, 2]
    if not (z > NEAREST).any():
        return None
    corners[:, 2] = np.maximum(z, NEAREST)  # the part behind the camera reaches the image's edge
    uv, _ = project(corners, frame.K)
    height, width = frame.depth.shape
    low, high = uv.min(0) + 0.5, uv.max(0) + 0.5
    box = np.concatenate([np.maximum(low, 0), np.minimum(high, [width, height])])
    return box if (box[:2] < box[2:]).all() else None


def box_ious_2d(box, others):
    """(n,) overlap of an xyxy box with others (n, 4); 0 where one is None or not finite."""
    known = np.isfinite(others).all(1)
    if box is None or not known.any():
        return np.zeros(len(others))
    others = np.where(known[:, None], others, 0.0)
    sides = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    common = np.prod(np.maximum(sides, 0), axis=1)
    areas = np.prod(np.maximum(others[:, 2:] - others[:, :2], 0), axis=1)
    whole = np.prod(box[2:] - box[:2]) + areas - common
    return np.where(known & (whole > 0), common / np.where(whole > 0, whole, 1.0), 0.0)
