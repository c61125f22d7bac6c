"""Per-scene results by fusing over time: one pose of each object from all its frames.

Rows of one category whose 3D boxes overlap are one object. Their rotations fall into modes (a
model facing front or back ...); the mode with the most weight wins, and its members are averaged:
positions and sizes by weight, rotations as quaternions, each after the symmetric turn of the CAD
that brings it nearest to the mode's best. The weight of a row is its score.

What the robot shows comes from its tracks instead (`roomcad_core.tracks`).
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from roomcad_core.pose import SYMMETRIES, rigid, rotation_y
from roomcad_core.scene import box_iou
from roomcad_offline.evaluation.poses import quaternions, rotations
from roomcad_offline.evaluation.records import Predictions

OVERLAP = 0.2  # box IoU from which two rows are one object
MODE_DEG = 40.0  # rotations nearer to a mode's best belong to it
LEAST = 1e-6  # weight of rows with score 0


def fuse(predictions, library):
    """One row an object and scene.

    Args:
        predictions: Predictions in space "scan" (z-up scans) whose CADs `library` holds; rows
            that are marked bad are left out.
        library: Library.

    Returns:
        Predictions in space "scan". The score grows with the weight of all rows that agree.
    """
    p, rows = predictions, []
    good = np.ones(len(p), bool) if p.bad is None else ~p.bad
    keys = list(zip(p.scene.tolist(), p.category.tolist(), strict=True))
    for key in dict.fromkeys(keys):
        index = np.array([i for i, k in enumerate(keys) if k == key and good[i]], int)
        for group in groups(p, index):
            rows.append((*key, *fused(p, group, library)))
    return _predictions(rows, p.scenes)


def groups(p, index):
    """Lists of row numbers, each of one object, the best scored row first."""
    found = []
    for i in index[np.argsort(-p.score[index], kind="stable")]:
        T = rigid(rotations(p.q[i : i + 1])[0], p.t[i])
        overlaps = [box_iou(T0, p.s[rows[0]], T, p.s[i]) for T0, rows in found]
        if overlaps and max(overlaps) >= OVERLAP:
            found[int(np.argmax(overlaps))][1].append(i)
        else:
            found.append((T, [i]))
    return [rows for _, rows in found]


def fused(p, rows, library):
    """(cad_id, t, q, s, score) of the rows of one object."""
    weight = np.maximum(p.score[rows], LEAST)
    votes = Counter()
    for i, w in zip(rows, weight, strict=True):
        votes[str(p.cad_id[i])] += float(w)
    turns = SYMMETRIES[library[votes.most_common(1)[0][0]].symmetry]
    R, S = turned_alike(rotations(p.q[rows]), p.s[rows], turns)
    members = best_mode(R, weight)
    # The nearest turn depends on the reference: again, to the best of the chosen mode.
    R, S = turned_alike(R[members], S[members], turns)
    w = weight[members] / weight[members].sum()
    t = w @ p.t[rows][members]
    s = np.exp(w @ np.log(S))
    score = 1 - 1 / (1 + weight[members].sum())
    return votes.most_common(1)[0][0], t, mean_rotation(R, w), s, score


def turned_alike(R, S, turns):
    """Rotations (N, 3, 3) and sizes (N, 3) after the symmetric turn about y that brings each
    nearest to the first; a quarter turn of a 4-fold model swaps its width and depth."""
    if turns == 1:
        return R, S
    Y = np.stack([rotation_y(2 * np.pi * k / turns) for k in range(turns)])
    traces = np.einsum("ij,nik,mkj->nm", R[0], R, Y)
    best = traces.argmax(1)
    S = S.copy()
    if turns == 4:
        quarter = best % 2 == 1
        S[quarter] = S[quarter][:, [2, 1, 0]]
    return R @ Y[best], S


def best_mode(R, weight):
    """Numbers of the rotations (N, 3, 3) of the heaviest mode, its best first.

    Modes are started by the heaviest rotation that is in none yet.
    """
    angle = np.degrees(np.arccos(np.clip((np.einsum("nij,mij->nm", R, R) - 1) / 2, -1, 1)))
    free, modes = np.ones(len(R), bool), []
    for i in np.argsort(-weight, kind="stable"):
        if free[i]:
            members = np.flatnonzero(free & (angle[i] <= MODE_DEG))
            free[members] = False
            modes.append([i, *members[members != i]])
    return max(modes, key=lambda m: weight[m].sum())


def mean_rotation(R, weight):
    """(4,) xyzw quaternion nearest to rotations (N, 3, 3) with weights (N,)."""
    q = quaternions(R)
    values, vectors = np.linalg.eigh(np.einsum("n,ni,nj->ij", weight, q, q))
    best = vectors[:, -1]
    return best if best[3] >= 0 else -best


def _predictions(rows, scenes):
    columns = list(zip(*rows, strict=True)) if rows else [()] * 7
    return Predictions(
        scene=np.array(columns[0], str),
        category=np.array(columns[1], str),
        cad_id=np.array(columns[2], str),
        frame=np.full(len(rows), ""),
        t=np.array(columns[3], float).reshape(-1, 3),
        q=np.array(columns[4], float).reshape(-1, 4),
        s=np.array(columns[5], float).reshape(-1, 3),
        score=np.array(columns[6], float),
        space="scan",
        scenes=tuple(scenes),
        file="fused",
    )
