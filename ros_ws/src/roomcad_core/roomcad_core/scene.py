"""One room from many frames: alignments of the same object merged in the world frame.

The paper (section 4) fuses by keeping the best-scored alignment of each object among all
frames, after 3D non-maximum suppression. Here an object must also be seen more than once.
"""

import dataclasses
from dataclasses import dataclass, field

import cv2
import numpy as np

from roomcad_core.pose import yaw_of
from roomcad_core.types import Placed


@dataclass
class SceneMap:
    """Collects alignments frame by frame; `objects` gives the furniture of the room."""

    library: object
    min_views: int = 3  # objects seen in fewer frames are left out
    overlap: float = 0.25  # footprint IoU from which two alignments are the same object
    _sightings: list = field(default_factory=list)

    def add(self, alignments, T_world_cam):
        """Add the alignments of one frame taken from `T_world_cam` (4, 4)."""
        for a in alignments:
            T_world_obj = T_world_cam @ a.T_cam_obj
            weight = a.score * a.class_score
            self._sightings.append((weight, a.label, a.cad_id, T_world_obj, a.S, a.score))

    def objects(self):
        """Fused objects as a tuple of Placed, most certain first; ids count from 1."""
        groups = []
        for sighting in sorted(self._sightings, key=lambda s: -s[0]):
            home = max(groups, key=lambda g: self._iou(g[0], sighting), default=None)
            if home is not None and self._iou(home[0], sighting) >= self.overlap:
                home.append(sighting)
            else:
                groups.append([sighting])
        placed = (self._fuse(group) for group in groups if len(group) >= self.min_views)
        ranked = sorted(placed, key=lambda p: -p.score)
        return tuple(dataclasses.replace(p, id=i) for i, p in enumerate(ranked, 1))

    def _fuse(self, group):
        """The best sighting of the class that gathered the most weight."""
        votes = {}
        for weight, label, *_ in group:
            votes[label] = votes.get(label, 0.0) + weight
        label = max(votes, key=votes.get)
        _, _, cad_id, T, S, score = max((s for s in group if s[1] == label), key=lambda s: s[0])
        share = votes[label] / max(sum(votes.values()), 1e-9)
        return Placed(0, label, cad_id, T, S, self.library[cad_id].symmetry, score * share)

    @staticmethod
    def _iou(a, b):
        return box_iou(a[3], a[4], b[3], b[4])


def box_iou(T_a, S_a, T_b, S_b):
    """Overlap (intersection over union) of two upright boxes given as CAD poses, z-up frame."""
    footprint = [_rectangle(T, S) for T, S in ((T_a, S_a), (T_b, S_b))]
    kind, corners = cv2.rotatedRectangleIntersection(*footprint)
    if kind == cv2.INTERSECT_NONE:
        return 0.0
    area = cv2.contourArea(cv2.convexHull(corners))
    tops = [T[2, 3] + S[1] / 2 for T, S in ((T_a, S_a), (T_b, S_b))]
    bottoms = [T[2, 3] - S[1] / 2 for T, S in ((T_a, S_a), (T_b, S_b))]
    common = area * max(min(tops) - max(bottoms), 0.0)
    return float(common / max(np.prod(S_a) + np.prod(S_b) - common, 1e-9))


def _rectangle(T_world_obj, S):
    """Footprint of an upright CAD pose as OpenCV's rotated rectangle."""
    center = T_world_obj[:2, 3].astype(float)
    yaw = np.degrees(yaw_of(T_world_obj[:3, :3]))
    return (tuple(center), (float(S[0]), float(S[2])), float(yaw))
