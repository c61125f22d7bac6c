"""Scan2CAD accuracy of a room with annotated CAD models, with own stages and given the truth.

`shown` is what the robot shows at the end of the room. Otherwise every frame is aligned by itself:
with own masks, classes and CADs (`own`), from true masks (`mask`), from true classes too (`class`),
from true CAD ids too (`cad`); of the views of an object the best scored one counts for the room,
as in the paper (section 4.1).
"""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment

from roomcad_core.align import make_aligner
from roomcad_core.camera import unproject
from roomcad_core.classes import CLASSES
from roomcad_core.classify import make_classifier
from roomcad_core.library import Library
from roomcad_core.pipeline import Pipeline
from roomcad_core.pose import inverse, pose_errors, transform
from roomcad_core.segment import Segmenter
from roomcad_core.types import Frame, Placed
from roomcad_offline.benchmarks.real.predictions import identity_of
from roomcad_offline.benchmarks.real.room import Room
from roomcad_offline.compare import LIMITS, match
from roomcad_offline.instances.pictures import spread
from roomcad_offline.instances.scores import LEAST
from roomcad_offline.multi_sparc.benchmark.outcomes import Outcome
from roomcad_offline.multi_sparc.benchmark.stages import Stages

log = logging.getLogger(__name__)

GIVEN = ("own", "mask", "class", "cad")
SHOWN = "shown"
FILE = "cads.json"
MOST_FRAMES = 24  # of a room, evenly spread: each is aligned four times from scratch
GROWN = 1.1  # a CAD's box is taken this much larger where its surface is looked for
LEAST_SHARE = 0.3  # of an instance's pixels in a CAD's box that may make it that CAD's
# Classes of ours that ShapeNet, and so Scan2CAD, lacks, and what Scan2CAD annotates them as.
SCAN2CAD_NAMES = {"desk": "table", "toilet": "chair"}


@dataclass(frozen=True)
class CadView:
    """An annotated object in one frame, and what each of GIVEN made of it."""

    frame: int
    placed: int  # Placed.id
    T_world_cam: list  # (4, 4)
    outcomes: dict[str, Outcome]  # `label` is the class of the alignment, "" without one


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


def names_in(room: Room) -> dict[str, str]:
    """{class: what the annotation of a room calls it}; only classes that it has no name for.

    An annotation that has a desk tells desks from tables, and so do our simulated rooms.
    """
    if room.source.kind != "recording":
        return {}
    annotated = {p.label for p in room.placed}
    return {ours: theirs for ours, theirs in SCAN2CAD_NAMES.items() if ours not in annotated}


class RobotStages(Stages):
    """Stages with all settings of a Pipeline; its alignments go by the names of names_in."""

    def __init__(self, pipeline: Pipeline, names: dict[str, str]):
        config, library = pipeline.config, pipeline.library
        aligner = make_aligner(config.align, library, before=pipeline.follower.aligner)

        def align(frame, segmentation):
            found = aligner(frame, segmentation)
            return [replace(a, label=names.get(a.label, a.label)) for a in found]

        super().__init__(library, config.align.aligner, config.classify.model, config.align, align)
        self.segment_config, self.segment = config.segment, Segmenter(config.segment)
        self._classify = make_classifier(config.classify, library)


def predict_cads(room: Room, pipeline: Pipeline, folder: Path, every: int) -> list[CadView]:
    """CadViews of a room, kept in folder/FILE; [] where no CAD models are annotated."""
    if room.placed is None:
        return []
    identity = cads_identity(room, pipeline, every)
    views = read_views(folder / FILE, identity)
    if views is None:
        views = _predict(room, pipeline, every)
        kept = {"identity": identity, "views": [asdict(v) for v in views]}
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FILE).write_text(json.dumps(kept) + "\n", encoding="utf-8")
    ours, seen = [p for p in room.placed if p.label in CLASSES], {v.placed for v in views}
    log.info(
        "%s: %d CAD models annotated, %d of them of our classes, %d seen in some frame",
        *(room.name, len(room.placed), len(ours), len(seen)),
    )
    return views


def cads_identity(room: Room, pipeline: Pipeline, every: int) -> dict:
    """Plain values that change with what CadViews depend on: robot, annotation, this module."""
    placed = [(p.id, p.label, p.cad_id, p.T_world_obj.tolist(), p.S.tolist()) for p in room.placed]
    folder, code = room.source.folder.resolve(), Path(__file__).read_bytes()
    identity = identity_of(
        pipeline.config,
        room=str(folder),
        every=every,
        annotation=hashlib.sha256(json.dumps(placed).encode()).hexdigest(),
        measure=hashlib.sha256(code).hexdigest(),
    )
    return json.loads(json.dumps(identity))


def read_views(path: Path, identity: dict) -> list[CadView] | None:
    """The CadViews kept in a file; None where it is absent, damaged or of another identity."""
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        return [_read(v) for v in kept["views"]] if kept["identity"] == identity else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _read(view):
    outcomes = {g: Outcome(**o) for g, o in view["outcomes"].items()}
    return CadView(view["frame"], view["placed"], view["T_world_cam"], outcomes)


def _predict(room, pipeline, every):
    from tqdm import tqdm

    stages = RobotStages(pipeline, names_in(room))
    furniture = {p.id: p for p in room.placed if p.label in CLASSES}
    views = []
    served = range(0, len(room.dataset), every)
    chosen = [served[k] for k in spread(len(served), MOST_FRAMES)]
    for i in tqdm(chosen, f"{room.name}: CADs", leave=False):
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
    # Where all CADs are in the library, one call makes them all: a frame is segmented once.
    calls = ((GIVEN, seen),) if known == seen else ((GIVEN[:-1], seen), (GIVEN[-1:], known))
    made = {p.id: {} for p in seen}
    for names, among in calls:
        for given, outcomes in (stages.frame(frame, among, names) if among else {}).items():
            for placed, outcome in zip(among, outcomes, strict=True):
                made[placed.id][given] = with_class(outcome, stages.library)
    return [CadView(i, key, frame.T_world_cam.tolist(), outcomes) for key, outcomes in made.items()]


def with_class(outcome: Outcome, library: Library) -> Outcome:
    """An Outcome with the class of its alignment, for the aligner has the last word on classes."""
    aligned = outcome.T_cam_obj is not None
    return replace(outcome, label=library[outcome.cad_id].label if aligned else "")


def cad_masks(frame: Frame, instances: np.ndarray, furniture: dict[int, Placed]) -> np.ndarray:
    """(H, W) uint16 ids of Placed, 0 = none: each instance is the CAD whose box it fills.

    An instance may be that of a CAD if LEAST_SHARE of its pixels lie in the CAD's box; the pairs
    are those that overlap most in all. Not those of the largest shares: a pillow lies in the box of
    the bed more wholly than the bed itself.

    Args:
        frame: with a pose.
        instances: (H, W) true instance ids, 0 = none.
        furniture: {id: Placed} in the world.
    """
    known = (frame.depth > 0) & (instances > 0)
    points = transform(frame.T_world_cam, unproject(frame.depth, frame.K)[known])
    ids, row = np.unique(instances[known], return_inverse=True)
    keys = list(furniture)
    common, in_box = np.zeros((len(ids), len(keys))), np.zeros(len(keys))
    for j, key in enumerate(keys):
        p = furniture[key]
        inside = (np.abs(transform(inverse(p.T_world_obj), points)) <= GROWN * p.S / 2).all(1)
        common[:, j], in_box[j] = np.bincount(row, inside, len(ids)), inside.sum()
    area = np.bincount(row, minlength=len(ids))[:, None]
    overlap = common / np.maximum(area + in_box - common, 1)
    overlap[common < LEAST_SHARE * area] = 0
    out = np.zeros(instances.shape, np.uint16)
    for k, j in zip(*linear_sum_assignment(-overlap), strict=True):
        if overlap[k, j] > 0:
            out[instances == ids[k]] = keys[j]
    return out


def score_cads(room: Room, shown: tuple[Placed, ...], views: list[CadView]) -> CadScores:
    """CadScores of the objects `shown` at the end of a room and of its CadViews."""
    names = names_in(room)
    truth = {p.id: p for p in room.placed if p.label in CLASSES}
    asked = tuple(p for p in truth.values() if p.id in {v.placed for v in views})
    shown = tuple(replace(p, label=names.get(p.label, p.label)) for p in shown)
    objects = {SHOWN: {m.truth.id: m.right for m in match(shown, asked) if m.truth}}
    per_view, not_run = {}, {}
    for given in GIVEN:
        lacking = {v.placed for v in views if given not in v.outcomes}
        if lacking:
            not_run[given] = f"the CAD models of {len(lacking)} objects are not in the library"
            continue
        rights = [is_right(v.outcomes[given], v, truth[v.placed], names) for v in views]
        per_view[given] = sum(rights), len(rights)
        objects[given] = best_views(views, rights, given)
    totals = {given: (sum(r.values()), len(r)) for given, r in objects.items()}
    return CadScores(per_view, totals, by_class(objects, truth), not_run)


def best_views(views: list[CadView], rights: list[bool], given: str) -> dict[int, bool]:
    """{Placed.id: whether the best scored of its views is right}; any alignment beats none."""

    def rank(pair):
        outcome = pair[0].outcomes[given]
        return outcome.T_cam_obj is not None, outcome.score

    ranked = sorted(zip(views, rights, strict=True), key=rank)
    return {view.placed: right for view, right in ranked}  # of each object the last one stays


def by_class(objects: dict, truth: dict[int, Placed]) -> dict:
    """{class: {given: (right, judged)}} of {given: {Placed.id: right}}."""
    out = {}
    for given, rights in objects.items():
        for key, right in rights.items():
            row = out.setdefault(truth[key].label, {})
            n, of = row.get(given, (0, 0))
            row[given] = n + right, of + 1
    return out


def is_right(outcome: Outcome, view: CadView, placed: Placed, names: dict[str, str]) -> bool:
    """Class right by `names` (names_in), and pose within 20 cm, 20 degrees, 20 % of metric size."""
    if outcome.T_cam_obj is None or names.get(outcome.label, outcome.label) != placed.label:
        return False
    T_world_obj = np.array(view.T_world_cam) @ np.array(outcome.T_cam_obj)
    errors = pose_errors(
        T_world_obj, np.array(outcome.S), placed.T_world_obj, placed.S, placed.symmetry
    )
    return all(e <= limit for e, limit in zip(errors, LIMITS, strict=True))
