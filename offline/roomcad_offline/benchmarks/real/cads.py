"""Scan2CAD accuracy of a room with annotated CAD models, with own stages and given the truth.

`shown` is what the robot shows at the end of the room. Otherwise every frame is aligned by itself:
with own masks, classes and CADs (`own`), from true masks (`mask`), from true classes too (`class`),
from true CAD ids too (`cad`); of the views of an object the best scored one counts for the room,
as in the paper (section 4.1).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment

from roomcad_core.camera import unproject
from roomcad_core.classes import CLASSES
from roomcad_core.pipeline import Pipeline
from roomcad_core.pose import inverse, pose_errors, transform
from roomcad_core.types import Frame, Placed
from roomcad_offline.benchmarks.real.predictions import identity_of
from roomcad_offline.benchmarks.real.room import Room
from roomcad_offline.compare import LIMITS, match
from roomcad_offline.instances.scores import LEAST
from roomcad_offline.multi_sparc.benchmark.outcomes import Outcome
from roomcad_offline.multi_sparc.benchmark.stages import Stages

GIVEN = ("own", "mask", "class", "cad")
SHOWN = "shown"
FILE = "cads.json"
GROWN = 1.1  # a CAD's box is taken this much larger where its surface is looked for
LEAST_SHARE = 0.3  # of an instance's pixels in a CAD's box that make it that CAD's


@dataclass(frozen=True)
class CadView:
    """An annotated object in one frame, and what each of GIVEN made of it."""

    frame: int
    placed: int  # Placed.id
    T_world_cam: list  # (4, 4)
    outcomes: dict[str, Outcome]


@dataclass(frozen=True)
class CadScores:
    """Annotated objects that frames show: views and objects right, by what was given.

    `views` and `objects`: {given: (right, judged)}; SHOWN has objects only. `not_run`: why one of
    GIVEN is missing.
    """

    views: dict[str, tuple[int, int]]
    objects: dict[str, tuple[int, int]]
    per_class: dict[str, dict[str, tuple[int, int]]]
    not_run: dict[str, str]


def predict_cads(room: Room, pipeline: Pipeline, folder: Path, every: int) -> list[CadView]:
    """CadViews of a room, kept in folder/FILE; [] where no CAD models are annotated."""
    if room.placed is None:
        return []
    identity = identity_of(pipeline.config, room=str(room.source.folder.resolve()), every=every)
    identity = json.loads(json.dumps(identity))
    path = folder / FILE
    if path.is_file() and (kept := json.loads(path.read_text())).get("identity") == identity:
        return [_read(view) for view in kept["views"]]
    views = _predict(room, pipeline, every)
    path.write_text(json.dumps({"identity": identity, "views": [asdict(v) for v in views]}) + "\n")
    return views


def _read(view):
    outcomes = {g: Outcome(**o) for g, o in view["outcomes"].items()}
    return CadView(view["frame"], view["placed"], view["T_world_cam"], outcomes)


def _predict(room, pipeline, every):
    from tqdm import tqdm

    config = pipeline.config
    stages = Stages(pipeline.library, config.align.aligner, config.classify.model, config.align)
    furniture = {p.id: p for p in room.placed if p.label in CLASSES}
    views = []
    for i in tqdm(range(0, len(room.dataset), every), f"{room.name}: CADs", leave=False):
        frame = room.frame(i)
        truth = None if frame is None else room.frame_truth(frame)
        if truth is None or frame.T_world_cam is None:
            continue
        ids = cad_masks(frame, truth.instances, furniture)
        frame = replace(frame, instances=ids)
        pixels = np.bincount(ids[frame.depth > 0], minlength=max(furniture, default=0) + 1)
        seen = [p for k, p in furniture.items() if pixels[k] >= LEAST * ids.size]
        views += _views(i, frame, seen, stages)
    return views


def _views(i, frame, seen, stages):
    """CadViews of the Placed `seen` in a Frame; its instances are their ids."""
    known = [p for p in seen if p.cad_id in stages.library]
    made = {p.id: {} for p in seen}
    for names, among in ((GIVEN[:-1], seen), (GIVEN[-1:], known)):
        for given, outcomes in (stages.frame(frame, among, names) if among else {}).items():
            for placed, outcome in zip(among, outcomes, strict=True):
                made[placed.id][given] = outcome
    return [CadView(i, key, frame.T_world_cam.tolist(), outcomes) for key, outcomes in made.items()]


def cad_masks(frame: Frame, instances: np.ndarray, furniture: dict[int, Placed]) -> np.ndarray:
    """(H, W) uint16 ids of Placed, 0 = none: each instance is the CAD whose box holds most of it.

    Args:
        frame: with a pose.
        instances: (H, W) true instance ids, 0 = none.
        furniture: {id: Placed} in the world.
    """
    known = (frame.depth > 0) & (instances > 0)
    points = transform(frame.T_world_cam, unproject(frame.depth, frame.K)[known])
    ids, row = np.unique(instances[known], return_inverse=True)
    keys = list(furniture)
    share = np.zeros((len(ids), len(keys)))
    for j, key in enumerate(keys):
        p = furniture[key]
        inside = (np.abs(transform(inverse(p.T_world_obj), points)) <= GROWN * p.S / 2).all(1)
        share[:, j] = np.bincount(row, inside, len(ids)) / np.bincount(row, minlength=len(ids))
    out = np.zeros(instances.shape, np.uint16)
    for k, j in zip(*linear_sum_assignment(-share), strict=True):
        if share[k, j] >= LEAST_SHARE:
            out[instances == ids[k]] = keys[j]
    return out


def score_cads(room: Room, shown: tuple[Placed, ...], views: list[CadView]) -> CadScores:
    """CadScores of the objects `shown` at the end of a room and of its CadViews."""
    truth = {p.id: p for p in room.placed if p.label in CLASSES}
    asked = tuple(p for p in truth.values() if p.id in {v.placed for v in views})
    objects = {SHOWN: {m.truth.id: m.right for m in match(shown, asked) if m.truth}}
    per_view, not_run = {}, {}
    for given in GIVEN:
        lacking = {v.placed for v in views if given not in v.outcomes}
        if lacking:
            not_run[given] = f"the CAD models of {len(lacking)} objects are not in the library"
            continue
        rights = [is_right(v, truth[v.placed], given) for v in views]
        per_view[given] = sum(rights), len(rights)
        objects[given] = best_views(views, rights, given)
    totals = {given: (sum(r.values()), len(r)) for given, r in objects.items()}
    return CadScores(per_view, totals, by_class(objects, truth), not_run)


def best_views(views: list[CadView], rights: list[bool], given: str) -> dict[int, bool]:
    """{Placed.id: whether the best scored of its views is right}."""
    best = {}
    for view, right in sorted(zip(views, rights, strict=True),
                              key=lambda pair: pair[0].outcomes[given].score):  # fmt: skip
        best[view.placed] = right
    return best


def by_class(objects, truth):
    """{class: {given: (right, judged)}} of {given: {Placed.id: right}}."""
    out = {}
    for given, rights in objects.items():
        for key, right in rights.items():
            row = out.setdefault(truth[key].label, {})
            n, of = row.get(given, (0, 0))
            row[given] = n + right, of + 1
    return out


def is_right(view: CadView, placed: Placed, given: str) -> bool:
    """Class right, and pose within 20 cm, 20 degrees, 20 % of metric size."""
    outcome = view.outcomes[given]
    if outcome.T_cam_obj is None or outcome.label != placed.label:
        return False
    T_world_obj = np.array(view.T_world_cam) @ np.array(outcome.T_cam_obj)
    errors = pose_errors(
        T_world_obj, np.array(outcome.S), placed.T_world_obj, placed.S, placed.symmetry
    )
    return all(e <= limit for e, limit in zip(errors, LIMITS, strict=True))
