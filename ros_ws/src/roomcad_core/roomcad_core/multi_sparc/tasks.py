"""What MultiSparcAligner works on: a frame's View, and for every object a Task with its Fits."""

from dataclasses import dataclass, field

import numpy as np

from roomcad_core.candidates import Candidate, chosen_class
from roomcad_core.fit_score import DepthView
from roomcad_core.multi_sparc.maps import Maps
from roomcad_core.multi_sparc.polish import Tried
from roomcad_core.types import Alignment, Dropped, Object, Start


@dataclass(frozen=True)
class Fit:
    """A result of a candidate's alignment."""

    candidate: Candidate
    tried: Tried


@dataclass(frozen=True)
class View:
    """What is known of a frame."""

    maps: Maps
    up: np.ndarray  # (3,) in the camera
    depth: DepthView
    measured: bool  # by a sensor; poses are polished on such depth only


@dataclass(frozen=True)
class Task:
    """An object to align, what it tries, and what came of it."""

    obj: Object
    candidates: tuple[Candidate, ...]
    box: np.ndarray  # (4,) xyxy [px of the maps]
    start: Start | None = None
    fits: list[Fit] = field(default_factory=list)  # all of them, without those that are no poses

    def known_poses(self, choose):
        """Pairs (T_cam_obj, S) that its next candidate starts from; none before the first one."""
        if self.start is not None:
            return self.start.poses
        best = [best_fit(self.fits, choose)[0].tried] if self.fits else []
        return tuple((tried.T_cam_obj, tried.S) for tried in best)


def alignment_of(task, choose):
    """Alignment of a Task by its best Fit, or Dropped where no output of the network is a pose.

    `choose`: AlignSpec.choose; it chooses among all results of the models of a class.
    """
    obj = task.obj
    if not task.fits:
        return Dropped(obj.id, "not_finite", "the network gave no finite pose")
    prior = {c.model.label: c.prior for c in task.candidates}
    fits = {label: [f for f in task.fits if f.candidate.model.label == label] for label in prior}
    found = {label: best_fit(of_class, choose) for label, of_class in fits.items() if of_class}
    chosen = chosen_class(prior, {k: score * prior[k] for k, (_, score) in found.items()})
    if chosen is None:
        return Dropped(obj.id, "no_fit", f"no model of {', '.join(found)} has any probability")
    label, class_score = chosen
    fit, score = found[label]
    cad_id, tried = fit.candidate.model.id, fit.tried
    return Alignment(obj.id, label, cad_id, tried.T_cam_obj, tried.S, score, class_score)


def best_fit(fits, choose):
    """The best of one or more Fits and the probability that it is right."""
    symmetries = [fit.candidate.model.symmetry for fit in fits]
    best, score = choose([fit.tried for fit in fits], symmetries)
    return fits[best], score


def box_fault(box, shape):
    """Why an object's xyxy box cannot be used in an image (H, W); "" if it can."""
    box = np.asarray(box, float)
    height, width = shape
    if box.shape != (4,) or not np.isfinite(box).all():
        return f"its box is {box.tolist()}, expected 4 finite numbers"
    left, top, right, bottom = box
    if not (left < right and top < bottom):
        return f"its box {box.tolist()} is empty"
    if right <= 0 or bottom <= 0 or left >= width or top >= height:
        return f"its box {box.tolist()} lies outside the {width} x {height} image"
    return ""


def slot_map(ids, chosen):
    """(H, W) int32 slot + 1 of the chosen object ids in an image of ids, 0 elsewhere."""
    slots = np.zeros(ids.shape, np.int32)
    for slot, object_id in enumerate(chosen):
        slots[ids == object_id] = slot + 1
    return slots
