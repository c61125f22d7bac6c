"""What a per-scene evaluation works on: checked rows, poses, symmetries and allowed counts."""

from collections import Counter

import numpy as np

from roomcad_offline.evaluation.appearances import count_appearances
from roomcad_offline.evaluation.cad_symmetry import CadSymmetries
from roomcad_offline.evaluation.categories import OTHER, class_name
from roomcad_offline.evaluation.checks import row_problem
from roomcad_offline.evaluation.pose_errors import turn_counts
from roomcad_offline.evaluation.poses import scan_poses
from roomcad_offline.evaluation.records import Problem


class SceneInput:
    """Predictions and annotations as arrays in the form the rules ask for, problems noted.

    Attributes:
        p, a: the checked Predictions and the Annotations.
        seen: scenes with predictions, in the order of the annotations.
        usable: (N,) bool, rows of known scenes and evaluated categories.
        bad: (N,) bool, rows that can never be right.
        pose, score: predictions' (t, q, s) and scores as compared.
        truth_pose: annotated (t, q, s) in the scan, as compared; truth_class: (M,) class or "".
        nms_turns, turns, truth_turns: numbers of symmetric turns.
        counts: {scene: {key: count}} of the count constraint.
        rows, truth_rows: {scene: row numbers}.
        problems: list of Problem.
    """

    def __init__(self, predictions, annotations, rules, appearances=None, library=None):
        self.p, self.a, self.rules = predictions, annotations, rules
        self.problems = [*annotations.problems, *predictions.problems]
        scenes = predictions.scenes or tuple(dict.fromkeys(map(str, predictions.scene)))
        self.seen = [scene for scene in annotations.scenes if scene in set(scenes)]
        self.truth_class = self._classes(annotations.category)
        self.usable = self._usable_rows(scenes)
        self._prepare_symmetries(library)
        self._prepare_poses()
        self.counts = self._cap_counts(appearances)
        self.truth_rows = _rows_by(annotations.scene)
        self.rows = _rows_by(predictions.scene)

    def _classes(self, category):
        """(N,) class names, "" = not evaluated."""
        names = {c: class_name(c, self.rules.classes) for c in np.unique(category)}
        pooled = OTHER if self.rules.pool_other else ""
        return np.array([pooled if names[c] == OTHER else names[c] for c in category], str)

    def _usable_rows(self, scenes):
        """(N,) bool: rows of known scenes and evaluated categories; the others are reported."""
        p = self.p
        known = np.isin(p.scene, self.a.scenes)
        evaluated = self._classes(p.category) != ""
        for row in np.flatnonzero(~known):
            what = f"unknown scene {p.scene[row]}: not in {self.a.file or 'the annotations'}"
            self.problems.append(row_problem(p, row, what, "rejected", "unknown scene"))
        for row in np.flatnonzero(known & ~evaluated):
            what = f"category {p.category[row]} is none of those evaluated"
            self.problems.append(row_problem(p, row, what, "rejected", "category"))
        for scene in sorted(set(scenes) - set(self.a.scenes) - set(map(str, p.scene))):
            what = f"unknown scene {scene}: not in {self.a.file or 'the annotations'}"
            self.problems.append(Problem(p.file, scene, what, "rejected", "unknown scene"))
        return known & evaluated

    def _prepare_symmetries(self, library):
        p, a = self.p, self.a
        known = CadSymmetries(a, set(self.seen), library)
        self.bad = p.bad | ~known.known(p.category, p.cad_id)
        for row in np.flatnonzero(self.bad & ~p.bad & self.usable):
            what = f"unknown CAD {p.category[row]} {p.cad_id[row]!r}: annotated in no scene"
            self.problems.append(row_problem(p, row, what, "wrong", "unknown cad"))
        cads = p.scene, p.category, p.cad_id
        own = self.rules.symmetry_source == "scene"
        self.nms_turns = turn_counts(known.of(*cads, "scene" if own else "file"))
        self.turns = turn_counts(known.of(*cads, "scene" if own else "seen"))
        truths = a.scene, a.category, a.cad_id
        self.truth_turns = turn_counts(a.symmetry if own else known.of(*truths, "seen"))
        if own:
            self._note_foreign(self.usable & ~self.bad & ~known.in_scene(*cads))

    def _note_foreign(self, rows):
        if rows.any():
            first = row_problem(self.p, np.flatnonzero(rows)[0], "", "noted", "foreign cad")
            what = (
                f"{rows.sum()} rows from here on name a CAD that their scene's annotation lacks; "
                "its symmetry was taken from elsewhere"
            )
            self.problems.append(Problem(first.file, first.where, what, "noted", "foreign cad"))

    def _prepare_poses(self):
        """Poses in the precision in which the published evaluator compares them."""
        p, kind = self.p, np.dtype(self.rules.precision)
        if self.rules.center_offset and not np.isfinite(self.a.center).all():
            row = np.flatnonzero(~np.isfinite(self.a.center).all(axis=1))[0]
            at = f"{self.a.file}: {self.a.scene[row]}: CAD {self.a.cad_id[row]}"
            raise ValueError(f"{at}: center: missing, but the rules compare centres")
        t, q, s = scan_poses(self.a, self.rules.center_offset)
        self.truth_pose = t.astype(kind), q, s.astype(kind)
        with np.errstate(over="ignore"):
            self.pose = p.t.astype(kind), p.q.astype(kind).astype(float), p.s.astype(kind)
            self.score = p.score.astype(kind)

    def _cap_counts(self, appearances):
        """{scene: {key: count}} for the count constraint."""
        own = count_appearances(self.a)
        if appearances is None or self.rules.cap_from == "annotations":
            appearances = own
        out = {}
        for scene in self.seen:
            if scene not in appearances:
                what = "not in the CAD appearances; counted in the annotations instead"
                self.problems.append(Problem(self.a.file, scene, what, "noted", "appearances"))
            counts = Counter()
            for key, n in appearances.get(scene, own[scene]).items():
                counts[key if self.rules.cap == "per_cad" else key[0]] += n
            out[scene] = counts
        return out


def _rows_by(values):
    """{value: its rows, ascending}."""
    order = np.argsort(values, kind="stable")
    names, starts = np.unique(values[order], return_index=True)
    return (
        dict(zip(map(str, names), np.split(order, starts[1:]), strict=True)) if len(names) else {}
    )
