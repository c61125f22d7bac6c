"""Objects from labels: what is too small or too flat goes, the rest gets box, mask and crop."""

from __future__ import annotations

import cv2
import numpy as np
from scipy.ndimage import find_objects

from roomcad_core.segment.surface import reduce_depth
from roomcad_core.types import Object

APART = 64.0  # farther than points in view lie from each other [m]; keeps float32 to millimetres
BEHIND = 0.04  # share of the depth; surfaces seen at 75 degrees and sensor noise stay below it


def keep_objects(surface, labels, floor_z, config):
    """Labels (h, w) of the things that are large enough, largest first, numbered 1..n."""
    if labels.max() == 0:
        return labels
    n = int(labels.max())
    ids, points = labelled(labels, surface.points)
    count = np.bincount(ids, minlength=n)
    low, high = bounds(ids, points, n)
    size = high - low
    rise = high[:, 2] - (floor_z if floor_z is not None else -np.inf)
    good = (count >= config.min_points) & (rise >= config.min_height)
    good &= size.max(axis=1) >= config.min_size
    kept = np.flatnonzero(good)
    kept = kept[np.argsort(-count[kept], kind="stable")]
    numbers = np.zeros(len(good) + 1, labels.dtype)
    numbers[kept + 1] = np.arange(1, len(kept) + 1)
    return numbers[labels]


def labelled(labels, points):
    """Label minus one (N,) and point (N, 3) of all pixels that have a label."""
    at = np.flatnonzero(labels > 0)
    return labels.ravel()[at] - 1, points.reshape(-1, 3).take(at, axis=0)


def bounds(ids, points, n):
    """(2, n, 3) lowest and highest coordinates of each id's points, without 3 % outliers.

    Zeros for an id without points.
    """
    count = np.bincount(ids, minlength=n)
    some = np.flatnonzero(count)
    starts = (np.cumsum(count) - count)[some]
    # Ids a room apart: sorting a coordinate sorts it inside each of them.
    apart = np.asarray(APART * ids, np.float32)
    ordered = np.sort(np.ascontiguousarray(points.T, np.float32) + apart, axis=1)
    out = np.zeros((2, n, 3))
    for found, share in zip(out, (0.03, 0.97), strict=True):
        at = starts + (share * (count[some] - 1)).astype(int)
        found[some] = (ordered[:, at] - APART * some).T
    return out


def full_resolution(labels, stride, depth):
    """(H, W) uint16 ids from labels on the working grid; `depth` (H, W) [m] is the full image.

    A working pixel stands for the nearest of its block. Pixels of the block that lie BEHIND it or
    farther are of whatever is seen past the object's edge, and get no id.
    """
    height, width = depth.shape
    size = (labels.shape[1] * stride, labels.shape[0] * stride)
    large = cv2.resize(labels.astype(np.uint16), size, interpolation=cv2.INTER_NEAREST)
    large = np.ascontiguousarray(large[:height, :width])
    if stride > 1:
        nearest = reduce_depth(depth, stride)
        nearest = cv2.resize(nearest, size, interpolation=cv2.INTER_NEAREST)[:height, :width]
        large[depth > nearest * (1 + BEHIND)] = 0
    return large


def make_objects(instances, found, frame, T_grav_cam, config, context=None):
    """Objects of an instance image (H, W), with crops in the grav frame.

    `found` maps the ids that a detector names to its Detections; `context` the ids of others to
    class_scores, what their surroundings say, where anything is known of that.
    """
    context = context or {}
    known = (instances > 0) & (frame.depth > 0) & np.isfinite(frame.depth)
    pixels = np.flatnonzero(known)
    ids = instances.ravel()[pixels]
    pixels = pixels[np.argsort(ids, kind="stable")]
    ends = np.cumsum(np.bincount(ids, minlength=int(instances.max()) + 1))
    objects = []
    for i, box in bounding_boxes(instances).items():
        mine = pixels[ends[i - 1] : ends[i]]
        if len(mine):
            points = crop(mine, frame, T_grav_cam, config.max_points)
            objects.append(Object(i, box, points, **named(found.get(i), context.get(i))))
    return tuple(objects)


def named(detection, context=None):
    """What an Object takes over from its Detection or None: class, scores and CAD models.

    Without a Detection it is the class_scores that its surroundings suggest, if any.
    """
    if detection is None:
        return {"class_scores": context or {}}
    label, score = detection.label, detection.score
    scores = {label: score}
    return {"label": label, "score": score, "class_scores": scores, "cad_ids": detection.cad_ids}


def crop(pixels, frame, T_grav_cam, max_points):
    """(N <= max_points, 3) float32 points, grav frame, of an even choice of flat pixel numbers."""
    take = np.linspace(0, len(pixels) - 1, min(len(pixels), max_points)).astype(int)
    rows, cols = np.divmod(pixels[take], frame.depth.shape[1])
    K, z = frame.K, frame.depth[rows, cols]
    x, y = (cols - K[0, 2]) / K[0, 0] * z, (rows - K[1, 2]) / K[1, 1] * z
    return (np.column_stack([x, y, z]) @ T_grav_cam[:3, :3].T).astype(np.float32)


def bounding_boxes(instances):
    """{id: (4,) float32 xyxy box} of every id > 0 in an instance image."""
    return {
        i: np.array([cols.start, rows.start, cols.stop, rows.stop], np.float32)
        for i, place in enumerate(find_objects(instances), 1)
        if place is not None
        for rows, cols in [place]
    }
