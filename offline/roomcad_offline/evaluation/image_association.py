"""Which annotated object a detection means: the one of its class with the largest box IoU.

The paper names no smallest IoU. Here the boxes have to overlap by more than `min_iou`, 0 unless
told otherwise; the strict sign makes 0 mean "any overlap" and 0.3 what Mesh R-CNN asks for.
Several detections may mean one object; of equal IoUs the first object in file order is taken.
"""

import numpy as np


def box_iou(a, b):
    """(N, M) IoU of boxes a (N, 4) and b (M, 4), xyxy in one unit; 0 where one is NaN or empty."""
    a, b = np.asarray(a, float)[:, None], np.asarray(b, float)[None]
    low, high = np.maximum(a[..., :2], b[..., :2]), np.minimum(a[..., 2:], b[..., 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=-1)
    both = _area(a) + _area(b) - shared
    with np.errstate(divide="ignore", invalid="ignore"):
        iou = shared / both
    return np.where(np.isfinite(iou) & (_area(a) > 0) & (_area(b) > 0), iou, 0.0)


def _area(boxes):
    return np.prod(np.clip(boxes[..., 2:] - boxes[..., :2], 0, None), axis=-1)


def associate(categories, boxes, true_categories, true_boxes, min_iou=0.0):
    """The object that each detection of one frame means.

    Args:
        categories: (N,) of the detections, `boxes` (N, 4) theirs.
        true_categories: (M,) of the annotated objects, `true_boxes` (M, 4) theirs.
        min_iou: an IoU has to be larger than this.

    Returns:
        index (N,) int of the object, -1 = none; iou (N,), 0 where there is none.
    """
    if not len(categories) or not len(true_categories):
        return np.full(len(categories), -1), np.zeros(len(categories))
    iou = box_iou(boxes, true_boxes)
    iou[np.asarray(categories)[:, None] != np.asarray(true_categories)[None]] = 0.0
    index = iou.argmax(axis=1)
    best = iou[np.arange(len(iou)), index]
    found = best > min_iou
    return np.where(found, index, -1), np.where(found, best, 0.0)


def associate_frames(predicted_frames, categories, boxes, truth, min_iou=0.0):
    """`associate` frame by frame.

    Args:
        predicted_frames: N pairs (scene, frame) of the predictions.
        categories: (N,), boxes: (N, 4) as shares of the image size; NaN never matches.
        truth: image_truth.FrameTruth.

    Returns:
        index (N,) int into `truth`, -1 = none; iou (N,).
    """
    of_frame = rows_by(zip(truth.scene.tolist(), truth.frame.tolist(), strict=True))
    index, iou = np.full(len(categories), -1), np.zeros(len(categories))
    for frame, rows in rows_by(predicted_frames).items():
        true_rows = of_frame.get(frame)
        if true_rows is None:
            continue
        found, iou[rows] = associate(
            categories[rows], boxes[rows], truth.category[true_rows], truth.box[true_rows], min_iou
        )
        index[rows] = np.where(found >= 0, true_rows[found], -1)
    return index, iou


def rows_by(keys):
    """{key: (n,) int rows} of an iterable of keys, in order of first appearance."""
    groups = {}
    for row, key in enumerate(keys):
        groups.setdefault(key, []).append(row)
    return {key: np.array(rows) for key, rows in groups.items()}
