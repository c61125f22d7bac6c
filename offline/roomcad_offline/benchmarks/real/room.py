"""One room as the evaluation sees it: frames, the truth of each, true boxes, CAD annotations."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from roomcad_core.camera import unproject
from roomcad_core.datasets import Dataset, open_dataset
from roomcad_core.datasets.annotations import FILE as ANNOTATIONS
from roomcad_core.datasets.annotations import placed_models, read_annotations, read_ground_truth
from roomcad_core.library import Library
from roomcad_core.pictures import read_uint16
from roomcad_core.pose import affine, inverse, transform
from roomcad_core.types import Frame, Placed
from roomcad_offline.benchmarks.real.sources import Source
from roomcad_offline.instances.scores import LEAST
from roomcad_offline.metrics.boxes3d import box_around
from roomcad_offline.scannet.boxes import Box
from roomcad_offline.scannet.categories import Category, by_name, table
from roomcad_offline.scannet.frames import FrameTruth, Truth, open_truth

log = logging.getLogger(__name__)

STRUCTURE = 65535  # instance id of floor, walls and ceiling in simulated rooms
STRIDE = 2  # of the pixels that tell which boxes a frame shows
MARGIN = 0.02  # a true box is taken larger by this on every side when it is looked for [m]


class SimulatedTruth(Truth):
    """Truth of a simulated room in the form that recordings have theirs."""

    def __init__(self, folder, dataset):
        super().__init__(folder, dataset)
        self._furniture = {o["id"]: by_name(o["label"]) for o in dataset.room["objects"]}
        clutter = {o["id"]: _clutter(o["name"]) for o in dataset.room["clutter"]}
        self._named = {o["id"]: by_name(o["name"]) for o in dataset.room.get("structure", ())}
        structure = {STRUCTURE: by_name("structure"), **self._named}
        self._categories = {**self._furniture, **clutter, **structure}

    @cached_property
    def T_aligned_world(self):
        return inverse(np.array(self.dataset.room["T_world_room"]))

    @cached_property
    def boxes(self):
        library = Library.load(self.dataset.room["config"]["library"])
        return [
            _box(p, self.T_aligned_world, library, self._furniture[p.id])
            for p in self.dataset.ground_truth
        ]

    def of(self, frame: Frame) -> FrameTruth:
        instances = frame.instances.astype(np.int32)
        rest = self._structure(frame) if self._named else STRUCTURE
        return FrameTruth(np.where(instances == 0, rest, instances), self._categories)

    def _structure(self, frame):
        """(H, W) uint16 numbers of walls, doors and the like where rooms tell them apart."""
        path = self.folder / "structure" / f"{frame.name.rpartition('/')[2]}.png"
        image = read_uint16(path)
        if image.shape != frame.depth.shape:
            raise ValueError(f"{path}: got {image.shape}, expected {frame.depth.shape}")
        return image


def _clutter(name):
    """Category of a thing that is no furniture of ours; of refrigerators and the like their own."""
    known = table().get(name)
    other = known is not None and known.kind == "other furniture"
    return known if other else Category(name, kind="prop")


def _box(placed, T_aligned_world, library, category):
    box = posed_box(placed, T_aligned_world, library)
    return Box(category, box[:3], box[3:], placed.id)


def posed_box(placed: Placed, T_aligned_world: np.ndarray, library: Library) -> np.ndarray:
    """(6,) centre and size of the axis-aligned box of a posed CAD in the aligned frame [m]."""
    vertices = np.asarray(library[placed.cad_id].load_mesh()[0], float)
    T_aligned_obj = T_aligned_world @ placed.T_world_obj
    return box_around(transform(affine(T_aligned_obj, placed.S), vertices))


@dataclass(frozen=True)
class Room:
    """A Source that was opened."""

    source: Source
    dataset: Dataset
    truth: Truth

    @staticmethod
    def open(source: Source) -> Room:
        """Open a Source; ValueError or FileNotFoundError names what is wrong with it."""
        if source.kind == "simulated":
            dataset = open_dataset(source.folder, bad="skip")
            return Room(source, dataset, SimulatedTruth(source.folder, dataset))
        dataset = open_dataset(source.folder, bad="skip", up="z")
        room = Room(source, dataset, open_truth(source.folder, dataset))
        _ = room.placed  # read now: a damaged annotation shows before hours of work
        return room

    @property
    def name(self) -> str:
        return self.source.name

    def frame(self, i: int) -> Frame | None:
        """Frame i, or None, with a warning, where its files are damaged."""
        return next(self.dataset.frames([i]), None)

    def frame_truth(self, frame: Frame) -> FrameTruth | None:
        """Truth of a Frame; None where it cannot be known, or, with a warning, is damaged."""
        try:
            return self.truth.of(frame)
        except (ValueError, OSError) as error:
            log.warning("%s: without truth: %s", frame.name, error)
            return None

    def frames_with_truth(self, every: int = 1) -> Iterator[tuple[Frame, FrameTruth]]:
        """Every `every`-th Frame, with its truth; what is damaged or without truth is left out."""
        for i in range(0, len(self.dataset), every):
            frame = self.frame(i)
            truth = None if frame is None else self.frame_truth(frame)
            if truth is not None:
                yield frame, truth

    @cached_property
    def placed(self) -> tuple[Placed, ...] | None:
        """Annotated CAD models in the world (Scan2CAD), or None where there are none."""
        if self.dataset.ground_truth is not None:
            return self.dataset.ground_truth
        return read_annotated(self.source.folder)

    def seen_boxes(self, frame: Frame) -> set[int]:
        """Positions in truth.boxes of what a frame shows at least LEAST of its pixels of."""
        if frame.T_world_cam is None or not self.truth.boxes:
            return set()
        points = unproject(frame.depth, frame.K)[::STRIDE, ::STRIDE]
        points = points[frame.depth[::STRIDE, ::STRIDE] > 0]
        points = transform(self.truth.T_aligned_world @ frame.T_world_cam, points)
        least = LEAST * frame.depth.size / STRIDE**2
        return {
            k for k, box in enumerate(self.truth.boxes)
            if np.count_nonzero(box.holds(points, MARGIN)) >= least
        }  # fmt: skip


def read_annotated(folder: Path) -> tuple[Placed, ...] | None:
    """CAD models that the file in a room's folder, or the one beside the folder, has for it.

    None where there is no such file, or where the one beside, which is of many scans, lacks it.
    """
    if (folder / ANNOTATIONS).is_file():
        return read_ground_truth(folder)
    beside, name = folder.resolve().parent / ANNOTATIONS, folder.resolve().name
    if not beside.is_file():
        return None
    entries = [e for e in read_annotations(beside) if e.get("id_scan") == name]
    if not entries:
        log.warning("%s: has no entry for scan %s: its CAD models are not judged", beside, name)
        return None
    if len(entries) > 1:
        raise ValueError(f"{beside}: got {len(entries)} entries for scan {name}, expected one")
    return placed_models(entries[0], beside)


def asked(category: Category) -> bool:
    """Whether an object of this category should be found."""
    return category.kind == "furniture"


def is_false(category: Category) -> bool:
    """Whether showing this as furniture is wrong for sure."""
    return category.kind in ("structure", "prop")
