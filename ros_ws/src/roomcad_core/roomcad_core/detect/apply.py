"""Detections split what the segmentation merged, join what it split, and name the objects."""

from __future__ import annotations

import numpy as np

WHOLE = 0.75  # an instance with this share of its pixels in a detection belongs to it
COVER = 0.3  # a detection must find this share of its region in the instances it takes
DEPTH_SPAN = 0.6  # a box without mask takes pixels this close to its central depth [m]


def apply_detections(instances, depth, detections, min_pixels, only=False):
    """Refine an instance image by detections.

    Args:
        instances: (H, W) uint16 ids, 0 = background.
        depth: (H, W) float32 [m], 0 = missing.
        detections: Detections, best first; a pixel goes to the best that claims it.
        min_pixels: smaller results are not made into objects [px].
        only: what no detection claims becomes background.

    Returns:
        instances (H, W) uint16 with ids 1..n, and {id: Detection} of the detected ones.
    """
    ids = instances.astype(np.int64)
    first = free = int(ids.max()) + 1
    sizes = np.bincount(ids.ravel(), minlength=first)
    found = {}
    for detection in detections:
        region = _region(detection, ids, depth) & (ids < first)
        mine = _claim(ids, sizes, region, detection.mask is not None)
        if np.count_nonzero(mine) >= min_pixels:
            sizes -= np.bincount(ids[mine], minlength=first)
            ids[mine] = free
            found[free] = detection
            free += 1
    if only:
        ids[ids < first] = 0
    return _renumber(ids, found)


def _region(detection, ids, depth):
    """(H, W) bool, the pixels that a detection is about."""
    if detection.mask is not None:
        return detection.mask
    x0, y0, x1, y1 = np.round(detection.box).astype(int)
    inside = np.zeros(ids.shape, bool)
    dx, dy = (x1 - x0) // 4, (y1 - y0) // 4
    core = np.s_[y0 + dy : y1 - dy, x0 + dx : x1 - dx]
    seen = depth[core][(depth[core] > 0) & (ids[core] > 0)]
    if len(seen):
        box = np.s_[y0:y1, x0:x1]
        inside[box] = (ids[box] > 0) & (np.abs(depth[box] - np.median(seen)) < DEPTH_SPAN)
    return inside


def _claim(ids, sizes, region, is_mask):
    """(H, W) bool, the pixels that become the detection's object; `sizes` are those of the ids."""
    shared = np.bincount(ids[region], minlength=len(sizes))
    whole = np.flatnonzero(shared >= WHOLE * np.maximum(sizes, 1))
    mine = region & (ids > 0)
    if np.count_nonzero(mine) < COVER * np.count_nonzero(region):
        # Flat things such as a wall-mounted monitor went out with their wall: only a mask knows.
        return region if is_mask else np.zeros_like(region)
    return mine | np.isin(ids, whole[whole > 0])


def _renumber(ids, found):
    """Ids 1..n without gaps, uint16, and the detections under the new ids."""
    kept = np.flatnonzero(np.bincount(ids.ravel()))
    kept = kept[kept > 0]
    numbers = np.zeros(int(ids.max()) + 1, np.uint16)
    numbers[kept] = np.arange(1, len(kept) + 1)
    return numbers[ids], {int(numbers[k]): d for k, d in found.items() if numbers[k]}
