"""An aligner of the robot on detections, just as the robot runs it: `icp` or `multi_sparc`."""

from __future__ import annotations

import dataclasses
import logging

import numpy as np

from roomcad_core.align import make_aligner, mode_mismatch
from roomcad_core.config import AlignConfig, SegmentConfig
from roomcad_core.rgb_geometry.segmenter import up_direction
from roomcad_core.segment.crops import make_objects
from roomcad_core.segment.planes import floor_height
from roomcad_core.segment.surface import grav_surface
from roomcad_core.types import Segmentation
from roomcad_offline.room_benchmark.variant import STACK, Result

log = logging.getLogger(__name__)


class StackMethod:
    """Results of an aligner for the detections of frames."""

    def __init__(self, variant, library):
        """`variant`: Variant whose method is one of STACK; `library`: Library."""
        self._settings, self._rgb = SegmentConfig(), variant.input == "rgb"
        config = AlignConfig(aligner=STACK[variant.method], rgb_start=variant.rgb_start)
        self._counts_passes = config.aligner == "multi_sparc"  # the baseline has no network
        self._align = make_aligner(config, library)
        mismatch = mode_mismatch(self._align, variant.input, config.model)
        if mismatch:
            log.warning("model_mode: %s", mismatch)

    def __call__(self, scene):
        """[[Result or None of each detection] of each of a scene's Seen frames]."""
        return [self._frame(seen) for seen in scene]

    def _frame(self, seen):
        # The objects are given; only the floor and the up direction are looked for.
        frame, config = seen.frame, self._settings
        up_cam = up_direction(frame) if self._rgb else None
        surface, T_grav_cam = grav_surface(frame, config, up_cam)
        crops = make_objects(seen.instances, {}, frame, T_grav_cam, config)
        objects = tuple(self._named(o, seen.models[o.id - 1]) for o in crops)
        floor_z = floor_height(surface, config)
        given = Segmentation(seen.instances, objects, T_grav_cam, floor_z)
        found = {a.object_id: a for a in self._align(frame, given)}
        passes = self._align.passes if self._counts_passes else {}
        numbers = range(1, len(seen.models) + 1)
        return [self._result(found.get(k), passes.get(k, 0)) for k in numbers]

    @staticmethod
    def _named(obj, model):
        """Object with the class and the CAD of its detection."""
        scores = {model.label: 1.0}
        return dataclasses.replace(
            obj, label=model.label, score=1.0, class_scores=scores, cad_ids=(model.id,)
        )

    @staticmethod
    def _result(alignment, passes):
        if alignment is None:
            return None
        a = alignment
        return Result(a.T_cam_obj[None], a.S[None], np.array([a.score]), passes)
