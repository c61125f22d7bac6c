"""Which of an object's polished results is taken, and how probable it is that it is right.

Not in the paper, which takes the result of the largest sigma. Sigma's logit and the fit to the
depth image weigh the results against each other. How much of that weight lies on results that
agree with the chosen one is the best sign of being right: where something looks alike from two
sides, both get half of it, however certain each of them looks by itself.
"""

import math
from dataclasses import dataclass

import numpy as np

from roomcad_core.pose import pose_errors

HOPELESS = 4.0  # results whose logit is below the best by more are out of the question
LEAST_FIT = 0.02  # fit scores below it are all alike
AGREE = 0.15, math.radians(20)  # results nearer to each other are the same pose [m], [rad]
LEAST_SHARE, LARGEST_SHARE = 0.02, 0.999  # nothing is more certain than that


@dataclass(frozen=True)
class Weights:
    """What sigma's logit, the log of the fit and the log odds of agreement count."""

    sigma: float
    fit: float
    agreement: float = 0.0
    bias: float = 0.0

    def __call__(self, logit, fit_score, share=0.5):
        """Their sum; numbers or arrays."""
        share = np.clip(share, LEAST_SHARE, LARGEST_SHARE)
        agreement = self.agreement * np.log(share / (1 - share))
        fit = self.fit * np.log(np.maximum(fit_score, LEAST_FIT))
        return self.sigma * logit + fit + agreement + self.bias


@dataclass(frozen=True)
class PolishedScore:
    """How polished results are weighed; all fitted on simulated rooms (align calibrate).

    Attributes:
        choice: a softmax of it over an object's results gives their shares.
        several: log odds that the chosen one of several results is right.
        alone: the same of a result that is the only one.
    """

    choice: Weights
    several: Weights
    alone: Weights

    def __call__(self, results, symmetries):
        """Position of the result to take, and log odds that it is right.

        Args:
            results: one or more Tried that are polished.
            symmetries: of their CAD models, keys of pose.SYMMETRIES.
        """
        logit, fit = np.array([(r.logit, r.fit_score) for r in results]).T
        best = int(np.argmax(self.choice(logit, fit)))
        if len(results) == 1:
            return best, float(self.alone(logit[best], fit[best]))
        share = agreement(results, best, self.choice(logit, fit), symmetries[best])
        return best, float(self.several(logit[best], fit[best], share))


def agreement(results, best, weights, symmetry):
    """Share in 0-1 of the softmax of weights (A,) that lies on results that agree with `best`."""
    p = np.exp(weights - np.max(weights))
    taken = results[best]
    same = [agree(r, taken, symmetry) for r in results]
    return float(p[same].sum() / p.sum())


def agree(a, b, symmetry):
    """Whether two Tried are the same pose."""
    metres, angle, _ = pose_errors(a.T_cam_obj, a.S, b.T_cam_obj, b.S, symmetry)
    return metres <= AGREE[0] and angle <= AGREE[1]


def worth_polishing(results):
    """The Tried results, best logit first, that are not HOPELESS."""
    return [r for r in results if r.logit >= results[0].logit - HOPELESS]
