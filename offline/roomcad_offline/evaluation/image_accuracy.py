"""Alignment accuracy per image: within 20 cm, 20 degrees and 20 %, seen from both sides.

Decided here, where the paper leaves it open ("the percentage of predictions"):
- both denominators are reported. `predictions`: right predictions / all predictions, where
  several may mean one object and those that mean none are wrong. `objects`: annotated objects
  with at least one right prediction / all objects that count;
- a prediction whose best object does not count (hidden, centre outside) is left out of the first
  ("in order to avoid penalising"); with hidden="drop" such objects do not exist at all;
- the symmetry is the annotated object's, turns about the CAD's y axis;
- the scale error is the mean of |s / s_true - 1| over the axes (SPARC), or |mean(s / s_true) - 1|
  (Scan2CAD and ROCA), in which errors of the axes can cancel;
- a class average is over the classes that have objects which count; without any prediction such
  a class has accuracy 0. The instance average pools all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from roomcad_core.datasets.annotations import LABELS
from roomcad_offline.evaluation.categories import NAMES
from roomcad_offline.evaluation.image_association import associate_frames
from roomcad_offline.evaluation.pose_errors import turn_counts
from roomcad_offline.evaluation.poses import rotations

SCALE_ERRORS = ("mean_of_abs", "abs_of_mean")
HIDDEN_RULES = ("ignore", "drop")


@dataclass(frozen=True)
class ImageRule:
    """When a prediction is right; limits are inclusive."""

    min_iou: float = 0.0  # the boxes' IoU has to be larger
    max_translation: float = 0.20  # [m]
    max_rotation_deg: float = 20.0
    max_scale: float = 0.20  # relative
    scale_error: str = "mean_of_abs"
    hidden: str = "ignore"  # what happens to predictions of objects that do not count

    def __post_init__(self):
        for name, choices in (("scale_error", SCALE_ERRORS), ("hidden", HIDDEN_RULES)):
            if getattr(self, name) not in choices:
                got = getattr(self, name)
                raise ValueError(f"{name}: got {got!r}, expected one of {', '.join(choices)}")
        if not 0 <= self.min_iou < 1 or min(self.limits) <= 0:
            raise ValueError(f"expected min_iou in [0, 1) and limits > 0, got {self}")

    @property
    def limits(self):
        """(translation [m], rotation [rad], scale)."""
        return self.max_translation, np.radians(self.max_rotation_deg), self.max_scale


@dataclass(frozen=True, eq=False)
class Judged:
    """What became of N predictions; `truth` is what `index` points into."""

    truth: object  # image_truth.FrameTruth
    index: np.ndarray  # (N,) int row of the truth, -1 = no object
    iou: np.ndarray  # (N,)
    errors: np.ndarray  # (N, 3) [m], [rad], relative; inf where there is no object
    right: np.ndarray  # (N,) bool
    ignored: np.ndarray  # (N,) bool: means an object that does not count


def judge(predictions, boxes, truth, rule):
    """Associate predictions with objects and test them.

    Args:
        predictions: of image_predictions.prepare, space "cam".
        boxes: (N, 4) shares of the image size, see image_predictions.box_shares.
        truth: image_truth.FrameTruth.
        rule: ImageRule.
    """
    if predictions.space != "cam":
        raise ValueError(f"predictions in space {predictions.space!r}, expected 'cam'")
    if rule.hidden == "drop":
        truth = truth.select(truth.counts)
    keys = zip(predictions.scene.tolist(), predictions.frame.tolist(), strict=True)
    index, iou = associate_frames(keys, predictions.category, boxes, truth, rule.min_iou)
    errors = np.full((len(index), 3), np.inf)
    rows = np.flatnonzero((index >= 0) & ~predictions.bad)
    p = predictions
    errors[rows] = pose_errors(
        p.t[rows], p.q[rows], p.s[rows], truth, index[rows], rule.scale_error
    )
    ignored = np.zeros(len(index), bool)
    ignored[rows] = ~truth.counts[index[rows]]
    right = (errors <= rule.limits).all(axis=1) & ~ignored
    return Judged(truth, index, iou, errors, right, ignored)


def within_limits(t, q, s, truth, true_rows, rule):
    """(n,) bool: poses t (n, 3), q (n, 4), s (n, 3) are right for the objects `true_rows`."""
    errors = pose_errors(t, q, s, truth, true_rows, rule.scale_error)
    return (errors <= rule.limits).all(axis=1)


def pose_errors(t, q, s, truth, true_rows, scale_error):
    """(n, 3) translation [m], rotation [rad] and scale errors of poses in the camera.

    Args:
        t: (n, 3); q: (n, 4) xyzw; s: (n, 3).
        truth: image_truth.FrameTruth; true_rows: (n,) the objects the poses are compared with.
        scale_error: one of SCALE_ERRORS.
    """
    ratio = s / truth.s[true_rows]
    by_axis = np.abs(ratio - 1).mean(axis=1)
    scale = by_axis if scale_error == "mean_of_abs" else np.abs(ratio.mean(axis=1) - 1)
    turns = turn_counts(truth.symmetry[true_rows])
    angle = rotation_errors(rotations(q), rotations(truth.q[true_rows]), turns)
    return np.stack([np.linalg.norm(t - truth.t[true_rows], axis=1), angle, scale], axis=1)


def rotation_errors(R, R_true, turns):
    """(n,) smallest angles [rad] between (n, 3, 3) rotations.

    `turns`: (n,) number of turns about the true CAD's y axis that leave it unchanged.
    """
    turns = np.asarray(turns, int)
    D = R_true.swapaxes(-1, -2) @ R
    out = np.zeros(len(D))
    for n in np.unique(turns):
        angle = np.arange(n) * 2 * np.pi / n
        d = D[turns == n]
        trace = d[:, 1, 1, None] + (
            np.cos(angle) * (d[:, 0, 0] + d[:, 2, 2])[:, None]
            + np.sin(angle) * (d[:, 0, 2] - d[:, 2, 0])[:, None]
        )
        out[turns == n] = np.arccos(np.clip((trace.max(axis=1) - 1) / 2, -1, 1))
    return out


def accuracy(judged, categories):
    """Counts and accuracies [%] of Judged predictions with categories (N,).

    Returns:
        dict of "classes" {name: counts and the two accuracies}, "class" and "instance" averages,
        each with "predictions" and "objects", and the counts of the whole.
    """
    truth, counts = judged.truth, judged.truth.counts
    found = np.zeros(len(truth), bool)
    found[judged.index[judged.right]] = True
    classes = {}
    for category in sorted(set(truth.category[counts].tolist()) | set(categories.tolist())):
        mine, its = categories == category, (truth.category == category) & counts
        classes[class_name(category)] = _figures(judged, mine, found, its)
    whole = _figures(judged, np.ones(len(categories), bool), found, counts)
    with_objects = [figures for figures in classes.values() if figures["objects"]]
    average = {
        side: float(np.mean([f[f"accuracy_{side}"] or 0.0 for f in with_objects]))
        if with_objects
        else None
        for side in ("predictions", "objects")
    }
    instance = {side: whole[f"accuracy_{side}"] for side in ("predictions", "objects")}
    whole = {name: n for name, n in whole.items() if not name.startswith("accuracy")}
    return {"class": average, "instance": instance, "classes": classes, "counts": whole}


def _figures(judged, mine, found, its):
    """Counts and accuracies of the predictions `mine` and the objects `its` (masks)."""
    judged_ones = int((mine & ~judged.ignored).sum())
    right, objects = int(judged.right[mine].sum()), int(its.sum())
    found_ones = int((found & its).sum())
    return {
        "predictions": judged_ones,
        "right_predictions": right,
        "ignored_predictions": int((mine & judged.ignored).sum()),
        "unassociated_predictions": int((mine & (judged.index < 0)).sum()),
        "objects": objects,
        "found_objects": found_ones,
        "accuracy_predictions": 100 * right / judged_ones if judged_ones else None,
        "accuracy_objects": 100 * found_ones / objects if objects else None,
    }


def class_name(category):
    """Scan2CAD's name of a synset, else our own, else the synset itself."""
    return NAMES.get(category) or LABELS.get(category, category)


def both_scale_errors(predictions, boxes, truth, rule):
    """{scale error: accuracy dict}: the tables report the two definitions side by side."""
    return {
        name: accuracy(
            judge(predictions, boxes, truth, replace(rule, scale_error=name)), predictions.category
        )
        for name in SCALE_ERRORS
    }
