"""One room from many frames: alignments of the same object merged in the world frame.

The paper (section 4) fuses by keeping the best-scored alignment of each object among all
frames, after 3D non-maximum suppression. Here an object must also be found in a fair share of
the frames that show its place, and may not stand inside a better supported one.
"""

import dataclasses
from dataclasses import dataclass

import cv2
import numpy as np

from roomcad_core.camera import project, resize_intrinsics
from roomcad_core.pose import inverse, transform, yaw_of
from roomcad_core.types import Alignment, Placed

VIEW_WIDTH = 80  # depth images are kept this small for the question what was in view [px]


@dataclass(frozen=True)
class Sighting:
    """One alignment of one frame, in the world."""

    frame: int  # number of the frame
    alignment: Alignment
    T_world_obj: np.ndarray

    @property
    def weight(self):
        return self.alignment.score * self.alignment.class_score


@dataclass(frozen=True)
class View:
    """What a frame could see: its pose and a small depth image."""

    T_cam_world: np.ndarray
    K: np.ndarray
    depth: np.ndarray  # (h, w), 0 = missing

    def shows(self, point_world, tolerance):
        """True if a world point is in the image and nothing stands before it by `tolerance`."""
        uv, z = project(transform(self.T_cam_world, point_world), self.K)
        height, width = self.depth.shape
        if z < 0.3 or not (0 <= uv[0] < width - 1 and 0 <= uv[1] < height - 1):
            return False
        measured = self.depth[round(uv[1]), round(uv[0])]
        return bool(measured > z - tolerance)


@dataclass(frozen=True)
class Fused:
    """An object, the share of frames that support it, and its say against overlapping ones.

    The evidence is the summed weight of its sightings times its mean side: a table seen whole
    outweighs the pieces of it that other frames took for something else.
    """

    placed: Placed
    support: float
    evidence: float


class SceneMap:
    """Collects alignments frame by frame; `objects` gives the furniture of the room.

    Args:
        library: CAD library of the alignments.
        min_views: objects found in fewer frames are left out.
        min_support: so are those found in a smaller share of the frames that show their place.
        min_score: so are those of a lower score.
        overlap: box IoU from which two alignments are the same object.
    """

    def __init__(self, library, min_views=3, min_support=0.5, min_score=0.1, overlap=0.25):
        self._library, self._overlap = library, overlap
        self._min_views, self._min_support, self._min_score = min_views, min_support, min_score
        self._sightings, self._views = [], []

    def add(self, alignments, frame):
        """Add the alignments of one Frame whose pose is known."""
        small_K, small = _shrink(frame.depth, frame.K)
        self._views.append(View(inverse(frame.T_world_cam), small_K, small))
        number = len(self._views)
        self._sightings += [
            Sighting(number, a, frame.T_world_cam @ a.T_cam_obj) for a in alignments
        ]

    def objects(self):
        """Fused objects as a tuple of Placed, most certain first; ids count from 1."""
        groups = [group for group in self._groups() if n_frames(group) >= self._min_views]
        fused = [f for f in map(self._fuse, groups) if f.support >= self._min_support]
        kept = []
        for f in sorted(fused, key=lambda f: -f.evidence):
            enough = f.placed.score >= self._min_score
            if enough and not any(_inside(f.placed, other) > 0.5 for other in kept):
                kept.append(f.placed)
        ranked = sorted(kept, key=lambda p: -p.score)
        return tuple(dataclasses.replace(p, id=i) for i, p in enumerate(ranked, 1))

    def _groups(self):
        """Sightings of the same thing; the best one of each group comes first."""
        groups = []
        for sighting in sorted(self._sightings, key=lambda s: -s.weight):
            overlaps = [self._iou(group[0], sighting) for group in groups]
            if overlaps and max(overlaps) >= self._overlap:
                groups[int(np.argmax(overlaps))].append(sighting)
            else:
                groups.append([sighting])
        return groups

    def _fuse(self, group):
        """The best sighting of the class that gathered the most weight, as a Fused."""
        votes = {}
        for s in group:
            votes[s.alignment.label] = votes.get(s.alignment.label, 0.0) + s.weight
        label = max(votes, key=votes.get)
        best = max((s for s in group if s.alignment.label == label), key=lambda s: s.weight)
        a, T = best.alignment, best.T_world_obj
        shown = sum(view.shows(T[:3, 3], max(a.S)) for view in self._views)
        support = min(n_frames(group) / max(shown, 1), 1.0)
        score = a.score * support * votes[label] / max(sum(votes.values()), 1e-9)
        symmetry = self._library[a.cad_id].symmetry
        placed = Placed(0, label, a.cad_id, T, a.S, symmetry, score)
        return Fused(placed, support, sum(votes.values()) * np.cbrt(np.prod(a.S)))

    @staticmethod
    def _iou(a, b):
        return box_iou(a.T_world_obj, a.alignment.S, b.T_world_obj, b.alignment.S)


def n_frames(group):
    """In how many frames the sightings of a group were made; one frame may hold several."""
    return len({sighting.frame for sighting in group})


def _shrink(depth, K):
    """K and depth image at VIEW_WIDTH."""
    factor = VIEW_WIDTH / depth.shape[1]
    size = (VIEW_WIDTH, max(round(depth.shape[0] * factor), 1))
    small = cv2.resize(depth, size, interpolation=cv2.INTER_NEAREST)
    return resize_intrinsics(K, factor, size[1] / depth.shape[0]), small


def share_inside(T_a, S_a, T_b, S_b):
    """Share of the smaller of two upright boxes, as of box_iou, that lies in the other one."""
    return _common(T_a, S_a, T_b, S_b) / max(min(np.prod(S_a), np.prod(S_b)), 1e-9)


def _inside(placed, other):
    return share_inside(placed.T_world_obj, placed.S, other.T_world_obj, other.S)


def box_iou(T_a, S_a, T_b, S_b):
    """Overlap (intersection over union) of two upright boxes given as CAD poses, z-up frame."""
    common = _common(T_a, S_a, T_b, S_b)
    return float(common / max(np.prod(S_a) + np.prod(S_b) - common, 1e-9))


def _common(T_a, S_a, T_b, S_b):
    """Volume [m3] shared by two upright boxes."""
    if np.linalg.norm(T_a[:2, 3] - T_b[:2, 3]) > np.hypot(S_a, S_b).sum():
        return 0.0
    kind, corners = cv2.rotatedRectangleIntersection(_rectangle(T_a, S_a), _rectangle(T_b, S_b))
    if kind == cv2.INTERSECT_NONE:
        return 0.0
    top = min(T_a[2, 3] + S_a[1] / 2, T_b[2, 3] + S_b[1] / 2)
    bottom = max(T_a[2, 3] - S_a[1] / 2, T_b[2, 3] - S_b[1] / 2)
    return float(cv2.contourArea(cv2.convexHull(corners)) * max(top - bottom, 0.0))


def _rectangle(T_world_obj, S):
    """Footprint of an upright CAD pose as OpenCV's rotated rectangle."""
    center = T_world_obj[:2, 3].astype(float)
    yaw = np.degrees(yaw_of(T_world_obj[:3, :3]))
    return (tuple(center), (float(S[0]), float(S[2])), float(yaw))
