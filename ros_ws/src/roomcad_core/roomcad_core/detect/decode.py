"""Tensors of a detector to boxes, class numbers, scores and masks, one function a layout."""

from __future__ import annotations

from math import ceil

import numpy as np

LARGEST = 16.0  # exp(16) cells are wider than any image: such sizes are no logarithms


class YoloxDecoder:
    """Raw grid outputs (1, N, 5 + classes): x, y, log size in cells, objectness, classes."""

    def __init__(self, spec):
        self._spec = spec
        self._cells, self._strides = grid(spec)

    def __call__(self, tensors):
        """Boxes xyxy (M, 4) in input pixels, class numbers (M,), scores (M,), no masks.

        Rows whose objectness alone is below the least score are left out before all else.
        """
        rows = output_rows(self._spec, tensors, None if self._spec.decoded else len(self._cells))
        near = np.flatnonzero(rows[:, 4] >= self._spec.score)
        rows = rows[near]
        scores = rows[:, 4:5] * rows[:, 5:]
        index = scores.argmax(axis=1)
        best = scores[np.arange(len(index)), index]
        strong = best >= self._spec.score
        centre, size = self._pixels(rows[strong], near[strong])
        boxes = np.concatenate([centre - size / 2, centre + size / 2], axis=1)
        return boxes, index[strong], best[strong], None

    def _pixels(self, rows, near):
        """Centres and sizes (M, 2) in input pixels."""
        centre, size = rows[:, :2], rows[:, 2:4]
        if self._spec.decoded:
            if (size <= 0).any():
                raise ValueError("yolox output: sizes below 0; are they logarithms? decoded: false")
            return centre, size
        if (size > LARGEST).any():
            raise ValueError(
                "yolox output: sizes are no logarithms; are they pixels? decoded: true"
            )
        stride = self._strides[near]
        return (centre + self._cells[near]) * stride, np.exp(size) * stride


class NanodetDecoder:
    """Grid outputs (1, N, classes + 4 (reg_max + 1)): class scores, then the four sides.

    The softmax of a side's numbers is how likely it lies 0, 1, ... reg_max strides away from the
    cell's prior, its middle or corner; its distance is the mean of that (X. Li et al., Generalized
    Focal Loss, NeurIPS 2020, section 3). The sides are left, top, right, bottom.
    """

    def __init__(self, spec):
        self._spec = spec
        cells, self._strides = grid(spec)
        self._priors = (cells + spec.prior) * self._strides

    def __call__(self, tensors):
        """Boxes xyxy (M, 4) in input pixels, class numbers (M,), scores (M,), no masks."""
        rows = output_rows(self._spec, tensors, len(self._priors))
        scores, sides = np.split(rows, [len(self._spec.class_names)], axis=1)
        if not (scores.min() >= 0 and scores.max() <= 1):
            low, high = scores.min(), scores.max()
            raise ValueError(f"nanodet output: scores from {low:g} to {high:g}, expected 0 to 1")
        index = scores.argmax(axis=1)
        best = scores[np.arange(len(index)), index]
        strong = np.flatnonzero(best >= self._spec.score)
        sides = sides[strong].reshape(-1, 4, self._spec.reg_max + 1)
        weights = np.exp(sides - sides.max(axis=2, keepdims=True))
        distances = weights @ np.arange(sides.shape[2]) / weights.sum(axis=2)
        distances, priors = distances * self._strides[strong], self._priors[strong]
        boxes = np.concatenate([priors - distances[:, :2], priors + distances[:, 2:]], axis=1)
        return boxes, index[strong], best[strong], None


def output_rows(spec, tensors, cells):
    """The rows (N, columns) float32 of a grid output; ValueError unless N is `cells`, if given."""
    rows = np.asarray(tensors["output"], np.float32)
    if rows.ndim != 3 or rows.shape[0] != 1 or rows.shape[2] != spec.columns:
        want = f"(1, N, {spec.columns})"
        raise ValueError(f"{spec.layout} output: got shape {rows.shape}, expected {want}")
    if cells is not None and rows.shape[1] != cells:
        message = f"got {rows.shape[1]} rows, expected {cells}"
        raise ValueError(f"{spec.layout} output: {message} for strides {spec.strides}")
    return rows[0]


def grid(spec):
    """Cell corners (N, 2) in cells and strides (N, 1) in input pixels of all rows of an output.

    Where a stride does not divide the input, its last cells reach beyond it.
    """
    cells, strides = [], []
    for stride in spec.strides:
        rows, cols = np.mgrid[: ceil(spec.height / stride), : ceil(spec.width / stride)]
        cells.append(np.column_stack([cols.ravel(), rows.ravel()]))
        strides.append(np.full((rows.size, 1), stride))
    return np.concatenate(cells).astype(np.float32), np.concatenate(strides).astype(np.float32)


class MaskRcnnDecoder:
    """boxes (N, 4), labels (N,), scores (N,), masks (N, 1, h, w): torchvision's four outputs."""

    def __init__(self, spec):
        self._spec = spec

    def __call__(self, tensors):
        """Boxes xyxy (N, 4) in input pixels, classes, scores (N,), masks (N, h, w) or None."""
        boxes, scores = (np.asarray(tensors[k], np.float32) for k in ("boxes", "scores"))
        labels = np.asarray(tensors["labels"])
        if scores.ndim != 1:
            raise ValueError(f"maskrcnn scores: got shape {scores.shape}, expected (N,)")
        n = len(scores)
        for name, array, shape in (("boxes", boxes, (n, 4)), ("labels", labels, (n,))):
            if array.shape != shape:
                raise ValueError(f"maskrcnn {name}: got shape {array.shape}, expected {shape}")
        masks = tensors.get("masks")
        if masks is not None and (masks.ndim != 4 or masks.shape[:2] != (n, 1)):
            raise ValueError(f"maskrcnn masks: got shape {masks.shape}, expected ({n}, 1, h, w)")
        known = len(self._spec.class_names)
        if n and not (labels.min() >= 0 and labels.max() < known):
            raise ValueError(f"maskrcnn labels: got {labels.max()}, but there are {known} classes")
        strong = np.flatnonzero(scores >= self._spec.score)
        masks = None if masks is None else masks[strong, 0]
        return boxes[strong], labels[strong].astype(int), scores[strong], masks


DECODERS = {"yolox": YoloxDecoder, "nanodet": NanodetDecoder, "maskrcnn": MaskRcnnDecoder}


def suppress(boxes, scores, indices, overlap):
    """Non-maximum suppression inside each class: kept row numbers, best first.

    Args:
        boxes: (N, 4) xyxy. scores: (N,). indices: (N,) class numbers.
        overlap: IoU above which the weaker of two boxes of one class goes.
    """
    order = np.argsort(-scores, kind="stable")
    area = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    kept = []
    while len(order):
        best, rest = order[0], order[1:]
        kept.append(best)
        low = np.maximum(boxes[best, :2], boxes[rest, :2])
        high = np.minimum(boxes[best, 2:], boxes[rest, 2:])
        shared = np.prod(np.maximum(high - low, 0), axis=1)
        iou = shared / (area[best] + area[rest] - shared)
        order = rest[(iou <= overlap) | (indices[rest] != indices[best])]
    return np.array(kept, int)
