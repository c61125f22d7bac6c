"""Detections split what geometry merged, join what it split, and name the objects."""

from __future__ import annotations

import numpy as np

WHOLE = 0.75  # an instance with this share of its pixels in a detection belongs to it
COVER = 0.3  # a detection must find this share of its region in the instances it takes
DEPTH_SPAN = 0.6  # a box without mask takes pixels this close to its central depth [m]


def apply_detections(instances, depth, detections, min_pixels):
    """Refine an instance image by detections.

    Args:
        instances: (H, W) uint16 ids, 0 = background.
        depth: (H, W) float32 [m], 0 = missing.
        detections: Detections, best first; a pixel goes to the best that claims it.
        min_pixels: smaller results are not made into objects [px].

    Returns:
        instances (H, W) uint16 with ids 1..n, and {id: (label, score)} of the named ones.
    """
    ids = instances.astype(np.int64)
    names, free = {}, int(ids.max()) + 1
    for detection in detections:
        open_ = ~np.isin(ids, list(names))
        region = _region(detection, ids, depth) & open_
        mine = _claim(ids, region, detection.mask is not None)
        if np.count_nonzero(mine) >= min_pixels:
            ids[mine] = free
            names[free] = (detection.label, detection.score)
            free += 1
    return _renumber(ids, names)


def _region(detection, ids, depth):
    """(H, W) bool, the pixels that a detection is about."""
    if detection.mask is not None:
        return detection.mask
    x0, y0, x1, y1 = np.round(detection.box).astype(int)
    inside = np.zeros(ids.shape, bool)
    inside[y0:y1, x0:x1] = True
    dx, dy = (x1 - x0) // 4, (y1 - y0) // 4
    core = np.s_[y0 + dy : y1 - dy, x0 + dx : x1 - dx]
    seen = depth[core][(depth[core] > 0) & (ids[core] > 0)]
    if not len(seen):
        return np.zeros(ids.shape, bool)
    return inside & (ids > 0) & (np.abs(depth - np.median(seen)) < DEPTH_SPAN)


def _claim(ids, region, is_mask):
    """(H, W) bool, the pixels that become the detection's object."""
    size = np.bincount(ids.ravel())
    shared = np.bincount(ids[region], minlength=len(size))
    whole = shared >= WHOLE * np.maximum(size, 1)
    whole[0] = False
    mine = whole[ids] | (region & (ids > 0))
    total = np.count_nonzero(region)
    if np.count_nonzero(mine & region) >= COVER * total:
        return mine
    # Flat things such as a wall-mounted monitor went out with their wall: only a mask knows them.
    return region if is_mask else np.zeros_like(region)


def _renumber(ids, names):
    """Ids 1..n without gaps, uint16, and the names under the new ids."""
    old, new = np.unique(ids, return_inverse=True)
    if old[0] != 0:
        old, new = np.concatenate([[0], old]), new + 1
    number = {int(k): i for i, k in enumerate(old)}
    named = {number[k]: name for k, name in names.items() if k in number}
    return new.reshape(ids.shape).astype(np.uint16), named
