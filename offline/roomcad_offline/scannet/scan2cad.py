"""Truth from the surfaces that Scan2CAD aligned and the boxes of everything else.

scan2cad/N.png, uint16 on the depth grid: class * 1000 + instance (names of the classes in
scan2cad_classes.json), 0 = other surface, 65535 = no depth. Scan2CAD's classes are coarse (a
toilet counts as chair), so a surface that lies in a box takes the box's category; other surface
in a box that no Scan2CAD surface fills is the box's thing. What is left is wall or floor by the
shape of the room (background.py), or unlabelled.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from roomcad_core.camera import unproject
from roomcad_core.datasets.base import Dataset
from roomcad_core.pose import transform
from roomcad_core.types import Frame
from roomcad_offline.scannet.background import Background
from roomcad_offline.scannet.boxes import read_boxes, read_json
from roomcad_offline.scannet.categories import by_name
from roomcad_offline.scannet.truth import FrameTruth, Truth, frame_key, read_ids

NO_DEPTH = 65535
PER_CLASS = 1000
FIRST_BOX = 70001  # id of the first box that no Scan2CAD surface fills; above all of theirs
FLOOR, UNLABELLED, WALL = 80001, 80002, 80003
MARGIN = 0.02  # [m] boxes are grown by this
LOOKS = 30  # frames looked at to tell which surface fills which box
CLASSES_FILE = "scan2cad_classes.json"


class Scan2CadSurfaces(Truth):
    """scan2cad/N.png with boxes.json."""

    LOOKS_FOR = "scan2cad/ with boxes.json"

    def __init__(self, folder: Path, dataset: Dataset):
        super().__init__(folder, dataset)
        self._names = read_classes(folder)
        self.T_aligned_world, boxes = read_boxes(folder / "boxes.json")
        looks = self._looks()
        self._filled = self._fillings(boxes, looks)
        self._background = Background(looks, self.T_aligned_world)
        self.boxes = [replace(b, id=self._box_id(k)) for k, b in enumerate(boxes)]
        self._known = {FLOOR: by_name("floor"), WALL: by_name("wall")}
        self._known[UNLABELLED] = by_name("unlabelled")
        self._known |= {b.id: b.category for b in self.boxes}

    @staticmethod
    def found_at(folder: Path) -> bool:
        return (folder / "scan2cad").is_dir() and (folder / "boxes.json").is_file()

    def of(self, frame: Frame) -> FrameTruth | None:
        if frame.T_world_cam is None:
            return None
        surfaces = self._surfaces(frame)
        points = self._points(frame)
        instances = np.where(surfaces == NO_DEPTH, 0, surfaces)
        other = (surfaces == 0) & (frame.depth > 0)
        wall, floor = self._background(frame)
        instances[other] = self._of_other(points[other], wall[other], floor[other])
        found = np.unique(instances[instances > 0]).tolist()
        return FrameTruth(instances, {number: self._category(number) for number in found})

    def _surfaces(self, frame):
        """(H, W) int32 numbers in the frame's scan2cad image."""
        path = self.folder / "scan2cad" / f"{frame_key(frame)}.png"
        surfaces = read_ids(path)
        if surfaces.shape != frame.depth.shape:
            raise ValueError(f"{path}: got {surfaces.shape}, expected {frame.depth.shape} as depth")
        strange = sorted({n // PER_CLASS for n in _numbers(surfaces)} - set(self._names))
        if strange:
            raise ValueError(f"{path}: classes {strange} are not in {CLASSES_FILE}")
        return surfaces

    def _points(self, frame):
        """(H, W, 3) points in the aligned frame [m]."""
        T = self.T_aligned_world @ frame.T_world_cam
        return transform(T, unproject(frame.depth, frame.K).astype(float))

    def _of_other(self, points, wall, floor):
        """(N,) ids of points (N, 3) of which Scan2CAD knows nothing; walls and floor are (N,)."""
        ids = np.where(wall, WALL, UNLABELLED).astype(np.int32)
        free = [b for b in self.boxes if b.id >= FIRST_BOX]
        for box in sorted(free, key=lambda b: -b.size.prod()):  # the smallest has the last word
            ids[box.holds(points, MARGIN)] = box.id
        ids[floor] = FLOOR
        return ids

    def _looks(self):
        """At most LOOKS frames with poses, spread over the recording."""
        steps = np.unique(np.linspace(0, len(self.dataset) - 1, LOOKS).astype(int))
        frames = self.dataset.frames(steps.tolist())
        return [frame for frame in frames if frame.T_world_cam is not None]

    def _fillings(self, boxes, frames):
        """{number of a Scan2CAD surface: position of the box it lies in}, and its points there."""
        inside, total = {}, {}
        for frame in frames:
            surfaces, points = self._surfaces(frame), self._points(frame)
            for number in _numbers(surfaces):
                mine = points[surfaces == number]
                counts = np.array([b.holds(mine, MARGIN).sum() for b in boxes], int)
                inside[number] = inside.get(number, 0) + counts
                total[number] = total.get(number, 0) + len(mine)
        chosen = {n: self._choice(n, inside[n] / total[n], boxes) for n in total}
        return {n: (k, inside[n][k]) for n, k in chosen.items() if k is not None}

    def _choice(self, number, share, boxes):
        """Position of the box that holds most of a surface, rather one of its own class."""
        label = self._named(number).label
        good = [k for k, s in enumerate(share) if s > 0.5]
        return max(good, key=lambda k: (boxes[k].category.label == label, share[k]), default=None)

    def _box_id(self, k):
        """Id of box k: that of the surface which fills it, else one of its own."""
        own = [(count, number) for number, (box, count) in self._filled.items() if box == k]
        return max(own)[1] if own else FIRST_BOX + k

    def _named(self, number):
        return by_name(self._names[number // PER_CLASS])

    def _category(self, number):
        """Category of an id in the images of `of`."""
        if number in self._known:
            return self._known[number]
        box, _ = self._filled.get(number, (None, 0))
        return self._named(number) if box is None else self.boxes[box].category


def read_classes(folder: Path) -> dict[int, str]:
    """{class number: Scan2CAD's name}, from the folder or the one above it."""
    places = (folder / CLASSES_FILE, folder.resolve().parent / CLASSES_FILE)
    path = next((p for p in places if p.is_file()), None)
    if path is None:
        raise FileNotFoundError(f"{CLASSES_FILE}: neither in {folder} nor beside it")
    try:
        return {int(number): str(name) for number, name in read_json(path).items()}
    except ValueError:
        raise ValueError(f"{path}: expected class numbers as keys") from None


def _numbers(surfaces):
    """The numbers of Scan2CAD's surfaces in an image."""
    numbers = np.unique(surfaces)
    return numbers[(numbers > 0) & (numbers != NO_DEPTH)].tolist()
