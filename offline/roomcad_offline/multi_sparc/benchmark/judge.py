"""Who is right: accuracies, sigma's ranking and its calibration, from poses of object views.

A pose is right within 20 cm, 20 degrees and 20 % of the truth (mean of |s/s_true - 1| over the
axes), over the symmetric turns of the true model. An object view without a pose counts as wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from roomcad_core.camera import project
from roomcad_core.classes import CLASSES
from roomcad_core.pose import SYMMETRIES, affine, transform
from roomcad_offline.classifier.calibrate import reliability
from roomcad_offline.multi_sparc.judge import auc
from roomcad_offline.multi_sparc.pose import Pose, correct

VISIBLE = (0.08, 0.25, 0.5, 0.75, 1.0)  # edges of the bins of visibility
RESAMPLED = 1000  # bootstrap samples of rooms
SORTED_POINTS = 40  # of the curve of accuracy over confidence


@dataclass(frozen=True)
class Poses:
    """A results per object view, in the order of the views; NaN = none.

    Attributes:
        T: (N, A, 3) [m], R: (N, A, 3, 3), S: (N, A, 3); camera from object.
        score: (N, A) probability that a pose is right.
    """

    T: np.ndarray
    R: np.ndarray
    S: np.ndarray
    score: np.ndarray

    @classmethod
    def none(cls, n, results=1):
        """No pose at all for `n` views."""
        shapes = (n, results, 3), (n, results, 3, 3), (n, results, 3), (n, results)
        return cls(*(np.full(shape, np.nan) for shape in shapes))


def true_poses(views):
    """The truth of ObjectViews as Poses with one result each, of score 1."""
    T = np.stack([v.T_cam_obj for v in views])[:, None]
    S = np.stack([v.S for v in views])[:, None]
    return Poses(T[..., :3, 3], T[..., :3, :3], S, np.ones(T.shape[:2]))


def right(poses, views):
    """(N, A) bool: which results are within 20 cm, 20 degrees and 20 % of the truth."""
    found, truth = (_torch_pose(p) for p in (poses, true_poses(views)))
    symmetry = torch.tensor([SYMMETRIES[v.symmetry] for v in views])[:, None]
    return correct(found, truth, symmetry).numpy()


def _torch_pose(poses):
    return Pose(*(torch.from_numpy(np.asarray(x, float)) for x in (poses.T, poses.R, poses.S)))


def accuracy_table(is_right, views, seed=0):
    """Accuracies of one result a view.

    Args:
        is_right: (N,) bool.
        views: the N ObjectViews.
        seed: of the bootstrap.

    Returns:
        dict: `counted` (the benchmark's figure, with n, its 95 % interval over rooms and its mean
        over classes), `all` views, `per_class` and `by_visibility` (of the counted, of all).
    """
    counted = np.array([v.counted for v in views])
    label = np.array([v.label for v in views])
    visible = np.array([v.visible for v in views])
    per_class = {c: share(is_right, counted & (label == c)) for c in CLASSES if (label == c).any()}
    means = [row["accuracy"] for row in per_class.values() if row["n"]]
    bins = np.clip(np.digitize(visible, VISIBLE) - 1, 0, len(VISIBLE) - 2)
    return {
        "counted": share(is_right, counted)
        | {"interval_95": interval(is_right[counted], rooms_of(views)[counted], seed)},
        "class_mean": float(np.mean(means)) if means else None,
        "all": share(is_right, np.ones(len(views), bool)),
        "per_class": per_class,
        "by_visibility": [
            {"from": VISIBLE[b], "to": VISIBLE[b + 1], **share(is_right, bins == b)}
            for b in range(len(VISIBLE) - 1)
        ],
    }


def share(is_right, among):
    """Number and accuracy of some views; None where there are none."""
    n = int(among.sum())
    return {"n": n, "accuracy": float(is_right[among].mean()) if n else None}


def rooms_of(views):
    """(N,) names of the views' rooms."""
    return np.array([v.room for v in views])


def interval(is_right, rooms, seed=0):
    """95 % interval of an accuracy over resampled rooms: views of one room are not independent."""
    names, index = np.unique(rooms, return_inverse=True)
    if not len(names):
        return None
    hits = np.bincount(index, weights=is_right, minlength=len(names))
    sizes = np.bincount(index, minlength=len(names))
    chosen = np.random.default_rng(seed).integers(len(names), size=(RESAMPLED, len(names)))
    means = hits[chosen].sum(1) / sizes[chosen].sum(1)
    return [float(q) for q in np.quantile(means, [0.025, 0.975])]


def judge_score(score, is_right):
    """How well scores (N,) in 0-1 know what is right (N,): AUC, ECE, reliability rows, curve.

    The curve is the accuracy of the most certain share of the views (Figure 4b of the paper).
    """
    known = np.isfinite(score)
    score, is_right = np.where(known, score, 0.0), is_right & known
    rows, ece = reliability(score, is_right)
    order = np.argsort(-score, kind="stable")
    mean = np.cumsum(is_right[order]) / np.arange(1, len(order) + 1)
    at = np.unique(np.linspace(0, len(order) - 1, SORTED_POINTS).round().astype(int))
    return {
        "auc": auc(torch.from_numpy(score), torch.from_numpy(is_right)),
        "ece": ece,
        "mean_score": float(score.mean()),
        "reliability": rows,
        "sorted_accuracy": [((i + 1) / len(order), float(mean[i])) for i in at],
    }


def box_overlap(poses, views, library, cameras, n=512):
    """(N, A) 2D score: IoU of the posed CAD's box with the box of the visible mask.

    Args:
        poses: Poses.
        library: Library of the views' models.
        cameras: {(room, frame): (K (3, 3), image shape, {id: mask's xyxy box})}, full resolution.
        n: surface points of a model that are projected.
    """
    out = np.zeros(poses.score.shape)
    for k, view in enumerate(views):
        K, (height, width), boxes = cameras[view.room, view.frame]
        points, size = library[view.cad_id].points[:n], (width, height)
        for a in range(out.shape[1]):
            T = np.eye(4)
            T[:3, :3], T[:3, 3] = poses.R[k, a], poses.T[k, a]
            uv, z = project(transform(affine(T, poses.S[k, a]), points), K)
            if (z > 0.05).any():
                uv = np.clip(uv[z > 0.05], 0, size)
                out[k, a] = iou(np.concatenate([uv.min(0), uv.max(0)]), boxes[view.id])
    return out


def iou(a, b):
    """Intersection over union of two xyxy boxes; 0 for empty ones."""
    low, high = np.maximum(a[:2], b[:2]), np.minimum(a[2:], b[2:])
    common = np.maximum(high - low, 0).prod()
    both = np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - common
    return float(common / both) if both > 0 else 0.0
