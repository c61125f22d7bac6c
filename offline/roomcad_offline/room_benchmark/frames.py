"""The benchmark's frames with their detections, as a method gets them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from roomcad_core.types import Frame
from roomcad_offline.evaluation.image_association import rows_by
from roomcad_offline.evaluation.records import Predictions
from roomcad_offline.evaluation.roca_files import read_per_frame
from roomcad_offline.evaluation.scannet25k import FrameTree
from roomcad_offline.room_benchmark.config import DETECTIONS, FRAMES
from roomcad_offline.room_benchmark.detector import paint
from roomcad_offline.room_benchmark.masks import decode_mask


@dataclass(frozen=True, eq=False)
class Seen:
    """One frame and the N detections in it.

    Attributes:
        instances: (H, W) uint16, k + 1 where detection k is.
        rows: Predictions of the N detections; poses are those where alignment starts.
        models: N CadModels.
    """

    frame: Frame
    instances: np.ndarray
    rows: Predictions
    models: tuple = field(default=())


class DetectedFrames:
    """All frames of a built benchmark, scene by scene, with one kind of detections."""

    def __init__(self, built, kind):
        """`kind`: a key of config.DETECTIONS."""
        self.tree = FrameTree(built.folder / FRAMES)
        self.library = built.library
        self.detections = read_per_frame(built.folder / DETECTIONS[kind])
        if len(self.detections) and self.detections.bad.any():
            raise ValueError(f"{self.detections.file}: {self.detections.problems[0]}")
        pairs = zip(self.detections.scene.tolist(), self.detections.frame.tolist(), strict=True)
        self._rows = rows_by(pairs)

    def scene(self, scene):
        """Seen frames of a scene, in order."""
        return [self._seen(scene, name) for name in self.tree.frames(scene)]

    def _seen(self, scene, name):
        tree = self.tree
        frame = Frame(
            stamp=float(name),
            color=tree.color(scene, name),
            depth=tree.depth(scene, name),
            K=tree.intrinsics(scene),
            T_world_cam=tree.pose(scene, name),
        )
        index = self._rows.get((scene, name), np.zeros(0, int))
        rows = self.detections.select(index)
        masks = [decode_mask(m) for m in rows.segmentation]
        models = tuple(self.library[cad_id] for cad_id in rows.cad_id.tolist())
        return Seen(frame, paint(masks, frame.depth.shape), rows, models)
