"""Tracks: where objects of a scene were last seen for certain, in the world."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from roomcad_core.camera import project
from roomcad_core.pose import affine, inverse, transform
from roomcad_offline.evaluation.image_association import box_iou

NEAREST = 0.05  # [m] points of a box nearer to the camera plane have no pixel
CORNERS = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)])


@dataclass(frozen=True, eq=False)
class Track:
    """The last certain pose of an object."""

    category: str
    T_world_obj: np.ndarray  # (4, 4)
    S: np.ndarray  # (3,) [m]

    def box(self, frame):
        """(4,) xyxy [px] around its 3D box in a Frame, cut at the border; NaN if out of view."""
        T_cam_obj = inverse(frame.T_world_cam) @ self.T_world_obj
        points = transform(affine(T_cam_obj, self.S), CORNERS)
        if (points[:, 2] < NEAREST).any():
            return np.full(4, np.nan)
        uv = project(points, frame.K)[0].clip(0, frame.depth.shape[::-1])
        return np.concatenate([uv.min(0), uv.max(0)])


class Tracks:
    """The tracks of one scene."""

    def __init__(self, min_iou, min_sigma):
        """`min_iou`: box overlap of a detection with its track; `min_sigma`: of a kept pose."""
        self._min_iou, self._min_sigma, self._all = min_iou, min_sigma, []

    def __len__(self):
        return len(self._all)

    def match(self, seen):
        """[Track or None] of a Seen frame's detections: of their category, each used once."""
        n = len(seen.models)
        held = [None] * n
        if not self._all or not n:
            return held
        iou = box_iou(seen.rows.bbox, np.stack([t.box(seen.frame) for t in self._all]))
        category = np.array([t.category for t in self._all])
        iou[seen.rows.category[:, None] != category[None]] = 0.0
        while iou.max() >= self._min_iou:
            k, j = np.unravel_index(iou.argmax(), iou.shape)
            held[k] = self._all[j]
            iou[k], iou[:, j] = 0.0, 0.0
        return held

    def update(self, seen, results, held, T_world_cam):
        """Take over what is certain: a new pose replaces that of its track, or starts one."""
        for category, result, before in zip(
            seen.rows.category.tolist(), results, held, strict=True
        ):
            if result is None or result.sigma.max() < self._min_sigma:
                continue
            k = result.best
            now = Track(category, T_world_cam @ result.T[k], result.S[k])
            if before is None:
                self._all.append(now)
            else:
                self._all[next(i for i, t in enumerate(self._all) if t is before)] = now
