"""What MultiSparcAligner works on: a frame's View, and for every object a Task with its Fits."""

from dataclasses import dataclass, field

import numpy as np

from roomcad_core.candidates import Candidate, chosen_class
from roomcad_core.fit_score import DepthView
from roomcad_core.multi_sparc.maps import Maps
from roomcad_core.types import Alignment, Dropped, Object, Start


@dataclass(frozen=True)
class Fit:
    """A candidate in its best pose."""

    candidate: Candidate
    T_cam_obj: np.ndarray
    S: np.ndarray
    score: float  # probability that the pose is right

    @property
    def support(self):
        return self.score * self.candidate.prior


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
    fits: list[Fit] = field(default_factory=list)  # without those that are no poses


def alignment_of(task):
    """Alignment of a Task by its best Fit, or Dropped where no output of the network is a pose."""
    obj, fits = task.obj, task.fits
    if not fits:
        return Dropped(obj.id, "not_finite", "the network gave no finite pose")
    prior = {c.model.label: c.prior for c in task.candidates}
    # Later Fits of a class replace earlier ones: the best comes last.
    best = {f.candidate.model.label: f for f in sorted(fits, key=lambda f: f.support)}
    chosen = chosen_class(prior, {label: f.support for label, f in best.items()})
    if chosen is None:
        return Dropped(obj.id, "no_fit", f"no model of {', '.join(best)} has any probability")
    label, class_score = chosen
    fit = best[label]
    cad_id = fit.candidate.model.id
    return Alignment(obj.id, label, cad_id, fit.T_cam_obj, fit.S, fit.score, class_score)


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
