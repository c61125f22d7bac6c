"""The weights by which polished results are chosen, and called right (choice.PolishedScore).

The choice is fitted as a choice: a softmax over the results of an object view is to lie on right
ones (conditional logit, McFadden 1974). What is chosen then is made a probability by a logistic
regression (Platt 1999), once with the agreement of the other results and once without.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from roomcad_core.multi_sparc.choice import PolishedScore, Weights, agreement

PRIOR = 1e-3  # of squared weights, so that few views give no infinite ones


@dataclass(frozen=True)
class View:
    """What the robot's aligner made of an object view.

    Attributes:
        results: Tried of its initialisations, best logit first; () = no pose.
        is_right: whether each of them is.
        symmetry: of its CAD model.
    """

    results: tuple
    is_right: tuple
    symmetry: str

    @property
    def polished(self):
        """Whether there are results, and all are polished."""
        return bool(self.results) and not any(np.isnan(r.fit_score) for r in self.results)

    def features(self):
        """(A, 2) logit and log of the fit of every result."""
        logit, fit = np.array([(r.logit, r.fit_score) for r in self.results]).T
        return np.stack([Weights(1, 0)(logit, fit), Weights(0, 1)(logit, fit)], 1)


def fit_polished(views):
    """PolishedScore of Views; those that are not polished take no part."""
    views = [v for v in views if v.polished]
    sigma, fit = fit_choice([(v.features(), np.array(v.is_right)) for v in views])
    choice = Weights(float(sigma), float(fit))
    rows = [chosen(v, choice) for v in views]
    features = np.array([row for row, _ in rows])
    is_right = np.array([right for _, right in rows])
    sigma, fit, agreeing, bias = map(float, fit_logistic(features, is_right))
    several = Weights(sigma, fit, agreeing, bias)
    sigma, fit, bias = map(float, fit_logistic(features[:, :2], is_right))
    return PolishedScore(choice, several, Weights(sigma, fit, bias=bias))


def chosen(view, choice):
    """(3,) features of the result that a choice takes, log odds of agreement last; if right."""
    features = view.features()
    weights = features @ [choice.sigma, choice.fit]
    best = int(weights.argmax())
    share = agreement(view.results, best, weights, view.symmetry)
    odds = Weights(0, 0, 1)(0.0, 1.0, share)
    return np.append(features[best], odds), bool(view.is_right[best])


def fit_choice(sets):
    """(F,) weights under which right ones are chosen most probably.

    Args:
        sets: [(features (A, F), is_right (A,) bool)] of what is chosen among; those that hold
            right ones or wrong ones only say nothing.

    Raises:
        ValueError: all say nothing.
    """
    sets = [(x, r) for x, r in sets if r.any() and not r.all()]
    if not sets:
        raise ValueError("no object view has right and wrong results to choose from")
    longest = max(len(r) for _, r in sets)
    x, right, there = (
        np.stack([np.pad(a, [(0, longest - len(a)), *[(0, 0)] * (a.ndim - 1)]) for a in arrays])
        for arrays in (*zip(*sets, strict=True), [np.ones(len(r), bool) for _, r in sets])
    )

    def loss(w):
        z = np.where(there, x @ w, -np.inf)
        p = np.exp(z - z.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        on_right = (p * right).sum(1, keepdims=True)
        wanted = p * right / on_right
        slope = ((p - wanted)[..., None] * x).sum((0, 1)) / len(x)
        return -np.log(on_right).mean() + PRIOR * w @ w, slope + 2 * PRIOR * w

    return minimize(loss, np.zeros(x.shape[2]), jac=True, method="BFGS").x


def fit_logistic(features, is_right):
    """(F + 1,) weights and bias under which is_right (N,) is most likely, of features (N, F).

    As Platt has it, no view counts as quite certain, so that few views give no infinite weights.
    """
    rows = np.column_stack([features, np.ones(len(features))])
    n_right = int(is_right.sum())
    n_wrong = len(rows) - n_right
    target = np.where(is_right, (n_right + 1) / (n_right + 2), 1 / (n_wrong + 2))

    def loss(w):
        z = rows @ w
        p = 1 / (1 + np.exp(-z))
        return np.mean(np.logaddexp(0, z) - target * z), rows.T @ (p - target) / len(rows)

    return minimize(loss, np.zeros(rows.shape[1]), jac=True, method="BFGS").x


def unshifted(score, shift):
    """The PolishedScore for a network whose logits are larger by `shift`."""

    def moved(w):
        return Weights(w.sigma, w.fit, w.agreement, w.bias - w.sigma * shift)

    return PolishedScore(score.choice, moved(score.several), moved(score.alone))
