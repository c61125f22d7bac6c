"""The network's poses moved onto the measured depth by ICP, and what their fit adds to sigma.

Not in the paper. The network finds which way round a thing stands; the last centimetres, for
which it would need much longer training, are in the depth image. A moved pose is kept where it
explains that image better (fit_score). How well it then does is evidence that sigma has not seen:
both together give the probability that the pose is right.
"""

import math
from dataclasses import dataclass

import numpy as np

from roomcad_core.fit_score import fit_score
from roomcad_core.icp import MIN_POINTS, PointToPlaneIcp
from roomcad_core.pose import inverse

LEAST_FIT = 0.02  # fit scores below it are all alike


@dataclass(frozen=True)
class PolishedScore:
    """Probability of a polished pose: sigmoid(sigma * logit + fit * log(fit score) + bias)."""

    sigma: float
    fit: float
    bias: float

    def __call__(self, logit, fit_score):
        """What the sigmoid is taken of; numbers or arrays."""
        return self.sigma * logit + self.fit * np.log(np.maximum(fit_score, LEAST_FIT)) + self.bias


@dataclass(frozen=True)
class Tried:
    """One initialisation's result."""

    T_cam_obj: np.ndarray  # (4, 4)
    S: np.ndarray  # (3,) [m]
    logit: float  # of sigma, before polishing
    fit_score: float = math.nan  # NaN = not polished


class Polish:
    """Moves poses by point-to-plane ICP of an object's crop."""

    def __init__(self, distance, iterations):
        """`distance`: of point pairs [m]; `iterations`: of ICP."""
        self._icp = PointToPlaneIcp(distance, iterations)

    def __call__(self, tried, obj, model, view):
        """The Tried pose, or where it fits better the moved one, with its fit score.

        Args:
            tried: Tried.
            obj: the Object; with fewer than MIN_POINTS crop points nothing is moved.
            model: CadModel.
            view: DepthView of the frame.
        """
        if len(obj.points) < MIN_POINTS:
            return tried
        T_grav_obj = inverse(view.T_cam_grav) @ tried.T_cam_obj
        moved = self._icp(obj.points, model, T_grav_obj, tried.S)
        fits = [fit_score(obj.points, model, T, tried.S, view) for T in (T_grav_obj, moved)]
        T_cam_obj = view.T_cam_grav @ moved if fits[1] > fits[0] else tried.T_cam_obj
        return Tried(T_cam_obj, tried.S, tried.logit, max(fits))
