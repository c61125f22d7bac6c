"""What both modes make of the same frames: one row for each true object of a frame."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

import numpy as np
from tqdm import tqdm

from roomcad_core.candidates import furniture
from roomcad_core.pose import pose_errors
from roomcad_core.segment.crops import make_objects
from roomcad_core.tracks import Tracker
from roomcad_offline.compare import LIMITS
from roomcad_offline.temporal.masks import shown_by
from roomcad_offline.temporal.standing import Standing, Stands

GIVEN = ("own", "cad")  # the robot's own stages; or true masks, classes and CAD ids
OWN_SHARE = 0.5  # of an object's pixels that show a true thing: then it is that thing


@dataclass(frozen=True)
class Result:
    """An alignment in the world, and whether it is right."""

    T_world_obj: np.ndarray
    S: np.ndarray
    right: bool


@dataclass(frozen=True)
class Row:
    """A true object in one frame."""

    room: str
    frame: int
    truth: int  # id of the true object
    symmetry: str
    every: Result | None  # aligned from scratch in every frame; None = not aligned
    tracked: Result | None  # by its track
    tracks: tuple[int, ...]  # confirmed tracks of its pieces, that of the largest first


@dataclass(frozen=True)
class Effort:
    """Passes for one object in one frame; the object may be no furniture."""

    room: str
    frame: int
    track: int
    state: str
    every: int
    tracked: int


@dataclass(frozen=True)
class RoomResult:
    """All that was measured in a room."""

    rows: list[Row]
    efforts: list[Effort]
    confirmed: set  # (room, track id) of the tracks that were found at some time
    standings: list[Standing] = field(default_factory=list)
    masks: list[Standing] = field(default_factory=list)  # the tracks that show an object


class Objects:
    """Segmentation of a frame with named objects, given nothing or the truth."""

    def __init__(self, given, pipeline_config, segment, classify):
        self._given, self._config = given, pipeline_config
        self._segment, self._classify = segment, classify

    def __call__(self, frame, truth):
        """Segmentation of a Frame; `truth`: {id: Placed}."""
        own = self._segment(frame)
        if self._given == "own":
            return self._classify(own)
        instances = np.where(np.isin(frame.instances, list(truth)), frame.instances, 0)
        instances = instances.astype(np.uint16)
        found = make_objects(instances, {}, frame, own.T_grav_cam, self._config.segment)
        big = (o for o in found if len(o.points) >= self._config.segment.min_points)
        objects = tuple(_named(o, truth[o.id]) for o in big)
        return dataclasses.replace(own, instances=instances, objects=objects)


def _named(obj, truth):
    label = truth.label
    return dataclasses.replace(
        obj, label=label, score=1.0, class_scores={label: 1.0}, cad_ids=(truth.cad_id,)
    )


def measure_room(room, indices, objects, aligners, config, library):
    """RoomResult of some frames of a simulated room.

    Args:
        room: dataset with ground truth and instance images.
        indices: frame numbers in order.
        objects: Objects, config: TrackConfig, library: CAD library.
        aligners: the one that searches in every frame, and the one that tracks ask.
    """
    truth = {placed.id: placed for placed in room.ground_truth}
    search, follow = aligners
    tracker, rows, efforts, confirmed = Tracker(config, library), [], [], set()
    stands, standings, masks = Stands(room.name, truth), [], []
    for index in tqdm(indices, room.name, unit="frame"):
        frame = room[index]
        segmentation = objects(frame, truth)
        every, every_passes = search(frame, segmentation), search.passes
        update = tracker(frame, segmentation, follow)
        tracks = {t.id: t for t in update.tracks}
        confirmed |= {(room.name, t.id) for t in update.tracks if t.confirmed}
        standings += stands(index, frame, update.tracks)
        sure = {obj: t for obj, t in update.owners.items() if tracks[t].confirmed}
        masks += shown_by(room.name, index, frame, segmentation.instances, sure, truth)
        for obj, track in update.owners.items():
            effort = every_passes.get(obj, 0), follow.passes.get(obj, 0)
            efforts.append(Effort(room.name, index, track, tracks[track].state, *effort))
        for placed, ids in true_objects(frame, segmentation, truth, every, update).items():
            results = (
                _result(_first(alignments, ids), truth[placed], frame)
                for alignments in (every, update.alignments)
            )
            shown = (update.owners[i] for i in ids if i in update.owners)
            shown = tuple(t for t in shown if t in tracks and tracks[t].confirmed)
            symmetry = truth[placed].symmetry
            rows.append(Row(room.name, index, placed, symmetry, *results, shown))
    return RoomResult(rows, efforts, confirmed, standings, masks)


def true_objects(frame, segmentation, truth, every, update):
    """{true id: ids of its objects, largest first}: furniture by name, or aligned in some mode."""
    wanted = {o.id for o in furniture(segmentation)}
    wanted |= {a.object_id for a in (*every, *update.alignments)}
    found = {}
    for obj in segmentation.objects:
        mask = segmentation.instances == obj.id
        if obj.id not in wanted or not mask.any():
            continue
        counts = np.bincount(frame.instances[mask])
        best = int(counts.argmax())
        if best in truth and counts[best] >= OWN_SHARE * mask.sum():
            found.setdefault(best, []).append((int(counts[best]), obj.id))
    return {i: [obj for _, obj in sorted(pieces, reverse=True)] for i, pieces in found.items()}


def _first(alignments, ids):
    """The Alignment of the first of some object ids that has one, or None."""
    by_object = {a.object_id: a for a in alignments}
    return next((by_object[i] for i in ids if i in by_object), None)


def _result(alignment, truth, frame):
    if alignment is None:
        return None
    T = frame.T_world_cam @ alignment.T_cam_obj
    errors = pose_errors(T, alignment.S, truth.T_world_obj, truth.S, truth.symmetry)
    near = all(e <= limit for e, limit in zip(errors, LIMITS, strict=True))
    return Result(T, np.asarray(alignment.S), near and alignment.label == truth.label)
