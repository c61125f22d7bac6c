"""The network's poses moved onto the measured depth by ICP, and resized to what is seen.

Not in the paper. The network finds which way round a thing stands; the last centimetres, for
which it would need much longer training, are in the depth image. Of the network's pose, the moved
one and the moved one in two other sizes that is kept which explains the image best (fit_score).
How well it does is evidence that sigma has not seen (see choice).
"""

import math
from dataclasses import dataclass, replace

import numpy as np

from roomcad_core.box_fit import refit_size
from roomcad_core.fit_score import fit_score
from roomcad_core.icp import MIN_POINTS, PointToPlaneIcp
from roomcad_core.pose import inverse, rigid


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
        """The Tried pose, or of the poses made of it the one that fits best, with its fit score.

        Args:
            tried: Tried.
            obj: the Object; with fewer than MIN_POINTS crop points nothing is moved.
            model: CadModel.
            view: DepthView of the frame.
        """
        if len(obj.points) < MIN_POINTS:
            return tried
        start = inverse(view.T_cam_grav) @ tried.T_cam_obj
        moved = self._icp(obj.points, model, start, tried.S)
        poses = [(start, tried.S), (moved, tried.S), *resized(obj.points, moved, tried.S, model)]
        fits = [fit_score(obj.points, model, T, S, view) for T, S in poses]
        best = int(np.argmax(fits))
        T_grav_obj, S = poses[best]
        T_cam_obj = view.T_cam_grav @ T_grav_obj if best else tried.T_cam_obj
        return replace(tried, T_cam_obj=T_cam_obj, S=S, fit_score=fits[best])


def resized(points_grav, T_grav_obj, S, model):
    """Two poses (T_grav_obj, S): in the size of the crop where it shows one, and half way there."""
    T_crop, S_crop = refit_size(points_grav, T_grav_obj, S, model)
    middle = (T_grav_obj[:3, 3] + T_crop[:3, 3]) / 2
    return (T_crop, S_crop), (rigid(T_grav_obj[:3, :3], middle), (S + S_crop) / 2)
