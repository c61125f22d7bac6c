"""Errors between many predicted and many true poses at once, as the published evaluators count.

Every function takes P predictions and G truths and gives a (P, G) array. Quaternions are xyzw.
"""

import numpy as np

from roomcad_offline.evaluation.records import SYMMETRY_TURNS


def translation_errors(t, t_gt):
    """Distances [m] of t (P, 3) from t_gt (G, 3), in the precision of the inputs."""
    with np.errstate(invalid="ignore", over="ignore"):  # rows without a pose: NaN, never near
        return np.linalg.norm(t[:, None] - t_gt[None], axis=-1)


def scale_errors(s, s_gt, definition):
    """Relative errors of s (P, 3) against s_gt (G, 3), in the precision of the inputs.

    Args:
        definition: "abs_of_mean" is |mean(s/s_gt) - 1| (axes cancel), "mean_of_abs" is
            mean|s/s_gt - 1|.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        ratio = s[:, None] / s_gt[None]
        if definition == "abs_of_mean":
            return np.abs(ratio.mean(axis=-1) - 1)
        return np.abs(ratio - 1).mean(axis=-1)


def rotation_errors_deg(q, q_gt, turns):
    """Angles [deg] of q (P, 4) from q_gt (G, 4), least over turns of the truth about its y axis.

    Args:
        turns: (P, G) int, number of equal turns in a full circle that change nothing; 1 = none.

    A dot product above 1 counts as 1, so an error of 0, as in the published evaluators.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        a, b = q @ q_gt.T, q @ turned_y(q_gt).T  # <q, q_gt> and <q, q_gt·j>
        dot = np.abs(a)
        for m in np.unique(turns[turns > 1]):
            rows = turns == m
            half = np.arange(m) * np.pi / m
            all_dots = np.abs(a[rows, None] * np.cos(half) + b[rows, None] * np.sin(half))
            dot[rows] = all_dots.max(axis=1)
        return np.rad2deg(2 * np.arccos(np.minimum(dot, 1.0)))


def turned_y(q):
    """q·j for q (N, 4): half a circle about the CAD's y axis."""
    x, y, z, w = q.T
    return np.stack([-z, w, x, -y], axis=-1)


def turn_counts(symmetry):
    """(N,) number of equal turns of (N,) symmetry names; unknown names count as none."""
    return np.array([SYMMETRY_TURNS.get(str(name), 1) for name in symmetry], int)
