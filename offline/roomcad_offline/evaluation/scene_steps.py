"""The steps of the per-scene evaluation, each on the predictions of one scene in their order."""

import numpy as np

from roomcad_offline.evaluation.pose_errors import (
    rotation_errors_deg,
    scale_errors,
    translation_errors,
)


def suppress(category, t, q, s, turns, rules):
    """3D NMS: indices of the kept one that suppresses each prediction, -1 = it is kept.

    Args:
        category (P,), t (P, 3), q (P, 4) xyzw, s (P, 3): predictions, the best first.
        turns: (P,) symmetric turns of each predicted CAD; those of the kept one are used.
    """
    by = np.full(len(t), -1)
    for name in np.unique(category):
        rows = np.flatnonzero(category == name)
        near = _near(t[rows], q[rows], s[rows], turns[rows], rules)
        for i, row in enumerate(rows):
            if by[row] < 0:
                later = rows[i + 1 :]
                hit = later[near[i, i + 1 :] & (by[later] < 0)]
                by[hit] = row
    return by


def _near(t, q, s, turns, rules):
    """(P, P) bool: [i, j] where kept prediction i makes j superfluous."""
    near = translation_errors(t, t).astype(float) <= rules.nms_translation
    near &= _scale_within(scale_errors(s, s, "abs_of_mean"), rules.nms_scale, rules)
    # Few pairs are near each other; only their rotations are compared.
    angles = rotation_errors_deg(q, q, np.where(near, turns[:, None], 1))
    return near & (angles <= rules.nms_rotation_deg)


def capped(keys, counts):
    """(P,) bool: predictions beyond the count allowed for their key.

    Args:
        keys: P hashable keys, in order.
        counts: {key: how many are allowed}; absent = none.
    """
    used = {}
    out = np.zeros(len(keys), bool)
    for row, key in enumerate(keys):
        out[row] = used.get(key, 0) >= counts.get(key, 0)
        used[key] = used.get(key, 0) + (not out[row])
    return out


def match(good):
    """Greedy matching: each prediction in turn takes the first free truth it is right for.

    Args:
        good: (P, G) bool, prediction p is right for truth g.

    Returns:
        (P,) int index of the truth taken, -1 = none.
    """
    free = np.ones(good.shape[1], bool)
    taken = np.full(len(good), -1)
    for p in np.flatnonzero(good.any(axis=1)):
        possible = np.flatnonzero(good[p] & free)
        if len(possible):
            taken[p] = possible[0]
            free[possible[0]] = False
    return taken


def pose_is_right(pred, truth, turns, rules):
    """(P, G) bool: all three errors within the thresholds.

    Args:
        pred, truth: triples (t, q, s) with P and G rows.
        turns: (P, G) symmetric turns that are allowed.
    """
    good = translation_errors(pred[0], truth[0]).astype(float) <= rules.translation
    good &= rotation_errors_deg(pred[1], truth[1], turns) <= rules.rotation_deg
    errors = scale_errors(pred[2], truth[2], rules.scale_error)
    return good & _scale_within(errors, rules.scale, rules)


def _scale_within(errors, limit, rules):
    """Scale errors compared as published, which decides the side of a value on the edge.

    ROCA compares float32 fractions, the others float64 percentages; the limit is never rounded
    to float32.
    """
    if rules.precision == "float32":
        return errors.astype(float) <= limit
    return 100.0 * errors <= 100.0 * limit
