"""Axis-aligned 3D boxes (centre, size): overlap, and average precision as VoteNet defines it."""

from __future__ import annotations

import numpy as np


def aligned_iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(N, M) intersection over union of boxes a (N, 6) and b (M, 6): centre, size [m]."""
    a, b = np.asarray(a, float).reshape(-1, 6), np.asarray(b, float).reshape(-1, 6)
    low = np.maximum((a[:, :3] - a[:, 3:] / 2)[:, None], (b[:, :3] - b[:, 3:] / 2)[None])
    high = np.minimum((a[:, :3] + a[:, 3:] / 2)[:, None], (b[:, :3] + b[:, 3:] / 2)[None])
    common = np.maximum(high - low, 0).prod(-1)
    both = a[:, 3:].prod(-1)[:, None] + b[:, 3:].prod(-1)[None] - common
    return common / np.maximum(both, 1e-12)


def box_around(points: np.ndarray) -> np.ndarray:
    """(6,) centre and size of the axis-aligned box of (N, 3) points [m]."""
    low, high = points.min(0), points.max(0)
    return np.concatenate([(low + high) / 2, high - low])


def average_precision(right: np.ndarray, true: int) -> float:
    """Area under the precision-recall curve, precision made monotone (VOC 2010, as VoteNet has it).

    Args:
        right: (N,) bool of the detections, best score first.
        true: number of true objects, at least 1.
    """
    hits = np.cumsum(np.asarray(right, bool))
    recall = np.concatenate([[0.0], hits / true])
    precision = np.concatenate([[0.0], hits / np.arange(1, len(hits) + 1), [0.0]])
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(recall) * precision[1:-1]))


def votenet_right(boxes: np.ndarray, true: np.ndarray, iou: float) -> np.ndarray:
    """(N,) bool: which detections of one class in one room are right (VoteNet's eval_det).

    Args:
        boxes: (N, 6) detections, best score first. true: (M, 6) true boxes of the class.
        iou: a detection is right if the true box it overlaps most, by more than this, is free.
    """
    overlaps = aligned_iou(boxes, true)
    taken, right = set(), np.zeros(len(boxes), bool)
    for i in range(len(boxes) if len(true) else 0):
        j = int(np.argmax(overlaps[i]))
        right[i] = overlaps[i, j] > iou and j not in taken
        if right[i]:
            taken.add(j)
    return right
