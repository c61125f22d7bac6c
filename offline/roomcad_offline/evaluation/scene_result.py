"""The outcome of a per-scene evaluation: counts by class and scene, and every row's fate."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from roomcad_offline.evaluation.categories import EIGHT
from roomcad_offline.evaluation.records import Problem
from roomcad_offline.evaluation.scene_rules import SceneRules

STATES = ("right", "wrong", "suppressed", "over count", "rejected")


@dataclass(eq=False)
class SceneResult:
    """What became of every prediction, and the counts by class and by scene."""

    rules: SceneRules
    classes: dict[str, tuple[int, int]]  # class -> (right, annotated); only annotated classes
    scenes: dict[str, tuple[int, int]]  # scene -> (right, annotated), those with predictions
    missing: tuple[str, ...]  # scenes of the split without predictions, whether counted or not
    state: np.ndarray  # (N,) str, one of STATES
    truth: np.ndarray  # (N,) int row of the annotations taken or, if suppressed, -1
    kept_by: np.ndarray  # (N,) int row of the prediction that suppressed this one, else -1
    problems: tuple[Problem, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)  # state -> how many

    def accuracy(self, name):
        """Accuracy [%] of a class, rounded where the rules say so."""
        right, total = self.classes[name]
        value = 100.0 * right / total
        decimals = self.rules.class_decimals
        return value if decimals is None else float(np.round(value, decimals))

    def class_mean(self, among=None):
        """Mean of the class accuracies [%]; None where no class was annotated."""
        values = [self.accuracy(n) for n in self.classes if among is None or n in among]
        return self._rounded(np.mean(values)) if values else None

    def instance_mean(self, among=None):
        """Share [%] of annotated models found; None where none was annotated."""
        chosen = [v for n, v in self.classes.items() if among is None or n in among]
        total = sum(n for _, n in chosen)
        return self._rounded(100.0 * sum(r for r, _ in chosen) / total) if total else None

    def summary(self):
        """The published figures [%]."""
        return {
            "class_mean": self.class_mean(),
            "instance_mean": self.instance_mean(),
            "benchmark_class_mean": self.class_mean(EIGHT),
            "benchmark_instance_mean": self.instance_mean(EIGHT),
        }

    def _rounded(self, value):
        decimals = self.rules.class_decimals
        return float(value if decimals is None else np.round(value, decimals))
