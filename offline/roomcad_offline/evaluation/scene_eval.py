"""Per-scene evaluation: predicted CAD poses of whole scans against Scan2CAD's annotations.

One implementation; what the published evaluators do differently is a switch of SceneRules.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
from tqdm import tqdm

from roomcad_offline.evaluation.categories import OTHER
from roomcad_offline.evaluation.checks import checked, row_problem
from roomcad_offline.evaluation.records import Problem
from roomcad_offline.evaluation.scene_input import SceneInput
from roomcad_offline.evaluation.scene_result import STATES, SceneResult
from roomcad_offline.evaluation.scene_steps import capped, match, pose_is_right, suppress


def evaluate_scenes(
    predictions,
    annotations,
    rules,
    *,
    appearances=None,
    split=None,
    library=None,
    grids=None,
    progress=False,
):
    """Score predictions of whole scans.

    Args:
        predictions: Predictions in space "scan" (see scene_predictions for per-frame files).
        annotations: Annotations.
        rules: SceneRules.
        appearances: {scene: {(category, cad_id): count}}; None = counted in the annotations.
        split: scenes that should have predictions; None = all annotated scenes.
        library: {(category, cad_id): symmetry} of CADs that stand in no annotation.
        grids: VoxelGrids, for rules.retrieval "voxel_iou".
        progress: show a bar.

    Returns:
        SceneResult. Bad rows are named in its `problems`.
    """
    if predictions.space != "scan":
        raise ValueError("predictions lead to the camera: bring them to the scan first")
    if rules.retrieval == "voxel_iou" and grids is None:
        raise ValueError("retrieval 'voxel_iou' needs the CADs' voxel grids")
    given = SceneInput(checked(predictions), annotations, rules, appearances, library)
    run = _Run(given, rules, grids)
    for scene in tqdm(given.seen, desc=f"{rules.name}: scenes", unit="scene", disable=not progress):
        run.scene(scene)
    return run.result(annotations.scenes if split is None else split)


class _Run:
    """One evaluation, filled in scene by scene; `x` is the SceneInput."""

    def __init__(self, given, rules, grids):
        self.x, self.rules, self.grids = given, rules, grids
        n = len(given.p)
        self.state = np.full(n, "rejected", dtype="<U12")
        self.truth, self.kept_by = np.full(n, -1), np.full(n, -1)
        self._without_grid = set()

    def scene(self, scene):
        """Score one scene's predictions."""
        rows = self._ordered(self.x.rows.get(scene, np.zeros(0, int)))
        if self.rules.nms:
            pose = (x[rows] for x in self.x.pose)
            by = suppress(self.x.p.category[rows], *pose, self.x.nms_turns[rows], self.rules)
            self.state[rows[by >= 0]] = "suppressed"
            self.kept_by[rows[by >= 0]] = rows[by[by >= 0]]
            rows = rows[by < 0]
        keys = list(zip(self.x.p.category[rows], self.x.p.cad_id[rows], strict=True))
        if self.rules.cap == "per_category":
            keys = [category for category, _ in keys]
        over = capped(keys, self.x.counts[scene])
        self.state[rows[over]] = "over count"
        rows = rows[~over]
        truths = self.x.truth_rows.get(scene, np.zeros(0, int))
        taken = match(self._good(rows, truths))
        self.state[rows] = np.where(taken >= 0, "right", "wrong")
        self.truth[rows[taken >= 0]] = truths[taken[taken >= 0]]

    def _ordered(self, rows):
        rows = rows[self.x.usable[rows]]
        if self.rules.order == "file":
            return rows
        return rows[np.argsort(-np.nan_to_num(self.x.score[rows], nan=-np.inf), kind="stable")]

    def _good(self, rows, truths):
        """(P, G) bool: prediction is right for truth."""
        turns = np.repeat(self.x.turns[rows, None], len(truths), axis=1)
        if self.rules.symmetry_rule == "equal_only":
            turns = np.where(turns == self.x.truth_turns[truths], turns, 1)
        pred = tuple(x[rows] for x in self.x.pose)
        good = pose_is_right(pred, [x[truths] for x in self.x.truth_pose], turns, self.rules)
        good &= self.x.p.category[rows, None] == self.x.a.category[truths]
        good &= ~self.x.bad[rows, None]
        if self.rules.retrieval == "same_cad":
            good &= self.x.p.cad_id[rows, None] == self.x.a.cad_id[truths]
        if self.rules.retrieval == "voxel_iou":
            for i, j in np.argwhere(good):
                good[i, j] = self._overlap(rows[i], truths[j]) >= self.rules.voxel_iou
        return good

    def _overlap(self, row, truth):
        """Voxel IoU of the two CADs; one without a grid is noted and counts as the same."""
        p, a = self.x.p, self.x.a
        sides = ((p, row), (a, truth))
        keys = [(str(r.category[i]), str(r.cad_id[i])) for r, i in sides]
        for key in keys:
            if key not in self.grids and key not in self._without_grid:
                self._without_grid.add(key)
                what = f"no voxel grid of CAD {key[0]} {key[1]}: it counts as the right one"
                self.x.problems.append(row_problem(p, row, what, "noted", "no grid"))
        return self.grids.iou(*keys)

    def result(self, split):
        """SceneResult over the scenes seen and, if the rules count them, the missing ones."""
        missing = tuple(s for s in self.x.a.scenes if s in set(split) and s not in set(self.x.seen))
        right, total, scenes = Counter(), Counter(), {}
        for scene in self.x.seen:
            good, all_ = self._scene_counts(scene)
            right.update(good)
            total.update(all_)
            scenes[scene] = (good.total(), all_.total())
        if self.rules.missing_scenes == "count":
            seen_classes = set(total) or {*self.rules.classes}
            for scene in missing:
                all_ = self._scene_counts(scene)[1]
                total.update({c: n for c, n in all_.items() if c in seen_classes})
        outside = sorted(set(self.x.seen) - set(split))
        if outside:
            what = f"{len(outside)} scenes with predictions from here on are not in the split"
            problem = Problem(self.x.p.file, outside[0], f"{what}; they count", "noted", "split")
            self.x.problems.append(problem)
        order = (*self.rules.classes, OTHER)
        return SceneResult(
            rules=self.rules,
            classes={c: (right[c], total[c]) for c in order if total[c]},
            scenes=scenes,
            missing=missing,
            state=self.state,
            truth=self.truth,
            kept_by=self.kept_by,
            problems=tuple(self.x.problems),
            counts={state: int((self.state == state).sum()) for state in STATES},
        )

    def _scene_counts(self, scene):
        """Counters class -> truths found, class -> truths annotated."""
        truths = self.x.truth_rows.get(scene, np.zeros(0, int))
        truths = truths[self.x.truth_class[truths] != ""]
        found = np.isin(truths, self.truth[self.x.rows.get(scene, np.zeros(0, int))])
        names = self.x.truth_class[truths]
        return Counter(map(str, names[found])), Counter(map(str, names))
