"""What the segmentation cuts out of simulated rooms, with the truth about each crop.

A crop that shows a sliver of a cabinet at the image border looks like a wall: no label is right
for it. So a crop counts as furniture by the share of the object's near side that it shows.
"""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from roomcad_core.config import SegmentConfig
from roomcad_core.datasets import open_dataset
from roomcad_core.pose import inverse, transform
from roomcad_core.segment import Segmenter
from roomcad_core.types import OTHER
from roomcad_core.views import seen_from

PURE = 0.6  # a furniture crop shows this share of one object at least
SHOWN = 0.4  # ... and this share of the side that the object turns to the camera
FRAGMENT = 0.2  # a crop that shows less than this is a fragment, `other`
NEAR = 0.08  # a surface point is shown if the crop has a point this near [m]
SURFACE_POINTS = 1024

KINDS = ("furniture", "partial", "fragment", "mixed", "background")


@dataclass(frozen=True)
class RoomCrop:
    """One segment of one frame."""

    points: np.ndarray  # (N, 3) grav frame [m]
    floor_z: float | None  # height of the floor in the grav frame [m]
    kind: str  # one of KINDS
    label: str  # class of the furniture most of it shows, "" for background
    cad_id: str
    room: str


def room_crops(folders, library):
    """Yield the RoomCrops of all frames of simulated rooms, segmented as on the robot.

    `library` is the Library that the rooms were furnished from.
    """
    segment = Segmenter(SegmentConfig())
    for folder in folders:
        dataset = open_dataset(folder)
        truth = {p.id: p for p in dataset.ground_truth}
        for frame in dataset:
            result = segment(frame)
            T_grav_world = result.T_grav_cam @ inverse(frame.T_world_cam)
            for obj in result.objects:
                ids = frame.instances[(result.instances == obj.id) & (frame.depth > 0)]
                owner = truth.get(main_instance(ids, truth))
                kind, label, cad_id = "background", "", ""
                if owner is not None:
                    purity = np.mean(ids == owner.id)
                    kind = judge(purity, shown(obj.points, owner, library, T_grav_world))
                    label, cad_id = owner.label, owner.cad_id
                yield RoomCrop(obj.points, result.floor_z, kind, label, cad_id, dataset.name)


def main_instance(ids, truth):
    """The furniture that most pixels (n,) show; -1 if most show none. `truth`: {id: Placed}."""
    values, counts = np.unique(ids, return_counts=True)
    furniture = np.array([i in truth for i in values], bool)
    if not furniture.any() or counts[~furniture].sum() > counts[furniture].sum():
        return -1
    return int(values[furniture][np.argmax(counts[furniture])])


def judge(purity, share_shown):
    """Kind of a crop that shows mainly furniture."""
    if share_shown < FRAGMENT:
        return "fragment"
    if purity < PURE:
        return "mixed"
    return "furniture" if share_shown >= SHOWN else "partial"


def shown(points_grav, placed, library, T_grav_world):
    """Share of a Placed object's near side that a crop (N, 3) shows; the camera is the origin.

    The near side is what the camera would see of the object if nothing stood before it and the
    image had no border.
    """
    model = library[placed.cad_id]
    T_grav_obj = T_grav_world @ placed.T_world_obj
    surface = transform(T_grav_obj, model.points[:SURFACE_POINTS] * placed.S).astype(np.float32)
    x, y, z = -T_grav_obj[:3, 3]
    azimuth, elevation = np.arctan2(y, x), np.arctan2(z, np.hypot(x, y))
    near = surface[seen_from(surface[None], np.array([azimuth]), np.array([elevation]))[0]]
    return float(np.mean(cKDTree(points_grav).query(near)[0] < NEAR))


def sample_rows(crops):
    """Yield training rows (see samples.collect) of RoomCrops whose right label is beyond doubt."""
    for crop in crops:
        if crop.kind in ("mixed", "partial"):
            continue
        known = crop.floor_z is not None
        points = crop.points - np.array([0, 0, crop.floor_z if known else 0], np.float32)
        furniture = crop.kind == "furniture"
        yield {
            "points": points,
            "label": crop.label if furniture else OTHER,
            "metric": True,
            "floor": known,
            "cut": True,
            "group": f"{crop.room}/{crop.cad_id}" if furniture else crop.room,
        }
