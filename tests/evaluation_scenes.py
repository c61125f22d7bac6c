"""Scenes made by hand: annotations of a few models, and predictions that differ from them."""

import dataclasses

import numpy as np
from scipy.spatial.transform import Rotation

from roomcad_offline.evaluation.records import Annotations
from roomcad_offline.evaluation.scene_eval import evaluate_scenes
from roomcad_offline.evaluation.scene_rules import preset
from roomcad_offline.evaluation.to_scan import truth_as_predictions

CHAIR, TABLE, BED, LAMP = "03001627", "04379243", "02818832", "03636649"
UPRIGHT = Rotation.from_euler("x", -90, degrees=True)  # a scan (z up) in the world (y up)


def yaw_quaternions(degrees):
    """(N, 4) xyzw of turns about y."""
    half = np.deg2rad(degrees) / 2
    return np.stack([0 * half, np.sin(half), 0 * half, np.cos(half)], axis=1)


def annotate(*models, scenes=("scene0000_00",)):
    """Annotations; a model is a dict with `at` (in the world) and what differs from a chair."""
    plain = {"category": CHAIR, "cad": "a", "sym": "__SYM_NONE", "yaw": 0.0, "scene": 0}
    models = [{**plain, "s": (1.0, 1.0, 1.0), "center": (0.0, 0.0, 0.0), **m} for m in models]
    n = len(scenes)
    return Annotations(
        scenes=tuple(scenes),
        scan_t=np.tile([0.5, 0.1, -0.3], (n, 1)),
        scan_q=np.tile(UPRIGHT.as_quat(), (n, 1)),
        scan_s=np.ones((n, 3)),
        scene_index=np.array([m["scene"] for m in models], int),
        category=np.array([m["category"] for m in models], str),
        cad_id=np.array([m["cad"] for m in models], str),
        symmetry=np.array([m["sym"] for m in models], str),
        t=np.array([m["at"] for m in models], float).reshape(-1, 3),
        q=yaw_quaternions([m["yaw"] for m in models]),
        s=np.array([m["s"] for m in models], float).reshape(-1, 3),
        center=np.array([m["center"] for m in models], float).reshape(-1, 3),
        bbox=np.full((len(models), 3), 0.5),
    )


def predict(annotations, *changes, center_offset=False):
    """Predictions: for each change, the truth `of` a model, moved, turned, scaled, renamed."""
    changes = [{"of": 0, "score": 1.0, **change} for change in changes]
    p = truth_as_predictions(annotations, center_offset).select([c["of"] for c in changes])
    t, q, s, score, cad = p.t.copy(), p.q.copy(), p.s.copy(), p.score.copy(), p.cad_id.astype("U9")
    for i, c in enumerate(changes):
        t[i] += c.get("move", (0, 0, 0))
        turn = Rotation.from_euler(c.get("axis", "y"), c.get("turn", 0), degrees=True)
        q[i] = (Rotation.from_quat(q[i]) * turn).as_quat()
        s[i] *= c.get("scale", (1, 1, 1))
        score[i], cad[i] = c["score"], c.get("cad", cad[i])
    return dataclasses.replace(p, t=t, q=q, s=s, score=score, cad_id=cad, scenes=())


def right(annotations, predictions, rules, **options):
    """States of the predictions."""
    rules = preset(rules) if isinstance(rules, str) else rules
    return list(evaluate_scenes(predictions, annotations, rules, **options).state)
