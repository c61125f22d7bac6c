"""From per-frame predictions to those of whole scans: camera poses, score limit, truth as rows."""

from dataclasses import replace

import numpy as np

from roomcad_offline.evaluation.checks import checked, row_problem
from roomcad_offline.evaluation.poses import decompose, matrices, scan_poses
from roomcad_offline.evaluation.records import Predictions


def scene_predictions(predictions, pose_of, min_score=None):
    """Per-frame predictions brought to their scans.

    Args:
        predictions: Predictions in space "cam".
        pose_of: function (scene, frame) -> (4, 4) T_scan_cam or None, as FrameTree.pose.
        min_score: only detections that score higher are taken (ROCA: 0.5); None = all.

    Returns:
        Predictions in space "scan". Rows at or below the limit and those without a CAD or a
        camera pose are left out and reported; rows with a broken pose stay, marked as bad.
    """
    p = checked(predictions)
    keep, problems = _by_rule(p, min_score)
    T_scan_cam = np.tile(np.eye(4), (len(p), 1, 1))
    for row in np.flatnonzero(keep):
        T, what = _camera(pose_of, str(p.scene[row]), str(p.frame[row]))
        if T is None:
            keep[row] = False
            problems.append(row_problem(p, row, what, "rejected", "no camera pose"))
        else:
            T_scan_cam[row] = T
    usable = keep & np.isfinite(np.hstack([p.t, p.q, p.s])).all(axis=1)
    usable &= (p.s != 0).all(axis=1) & (p.q != 0).any(axis=1)
    t, q, s = (np.full_like(x, np.nan) for x in (p.t, p.q, p.s))
    t[usable], q[usable], s[usable] = decompose(
        T_scan_cam[usable] @ matrices(p.t[usable], p.q[usable], p.s[usable])
    )
    out = replace(p, t=t, q=q, s=s, space="scan", problems=tuple(problems)).select(keep)
    return replace(out, scenes=tuple(dict.fromkeys(map(str, out.scene))), frames=())


def _by_rule(p, min_score):
    """(N,) bool rows that take part, and one Problem for each rule that leaves some out."""
    low = np.zeros(len(p), bool) if min_score is None else ~(p.score > min_score)
    rules = {
        "low score": (low, f"have a score that is not above {min_score}"),
        "no cad": (~low & (p.cad_id == ""), "have no CAD"),
    }
    problems = list(p.problems)
    for kind, (rows, what) in rules.items():
        if rows.any():
            text = f"{rows.sum()} detections from here on {what}"
            problems.append(row_problem(p, np.flatnonzero(rows)[0], text, "rejected", kind))
    return ~low & (p.cad_id != ""), problems


def _camera(pose_of, scene, frame):
    """T_scan_cam, or None and the reason."""
    try:
        T = pose_of(scene, frame)
    except (FileNotFoundError, ValueError) as error:
        return None, f"no camera pose: {error}"
    return T, "" if T is not None else f"no camera pose: tracking lost in {scene} {frame}"


def truth_as_predictions(annotations, center_offset=False, rows=None):
    """The annotated models as predictions of score 1: every evaluator must find all of them.

    Args:
        center_offset: as in the rules they are to be scored with.
        rows: index or mask of the models; None = all.
    """
    rows = np.arange(len(annotations))[slice(None) if rows is None else rows]
    t, q, s = (x[rows] for x in scan_poses(annotations, center_offset))
    return Predictions(
        scene=annotations.scene[rows],
        frame=np.full(len(rows), ""),
        category=annotations.category[rows],
        cad_id=annotations.cad_id[rows],
        t=t,
        q=q,
        s=s,
        score=np.ones(len(rows)),
        space="scan",
        scenes=tuple(dict.fromkeys(map(str, annotations.scene[rows]))),
        file="annotations",
    )
