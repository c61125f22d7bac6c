"""An aligner of the robot on detections, just as the robot runs it: `icp` or `multi_sparc`."""

from __future__ import annotations

import dataclasses
import logging

import numpy as np

from roomcad_core.align import make_aligner, mode_mismatch
from roomcad_core.config import AlignConfig, SegmentConfig
from roomcad_core.rgb_geometry.segmenter import RgbSegmenter
from roomcad_core.segment import Segmenter
from roomcad_core.segment.crops import make_objects
from roomcad_offline.room_benchmark.variant import STACK, Result

log = logging.getLogger(__name__)


class StackMethod:
    """Results of an aligner for the detections of frames."""

    def __init__(self, variant, library):
        """`variant`: Variant whose method is one of STACK; `library`: Library."""
        # What is in the frames is given: no network need look for it.
        self._settings, rgb = SegmentConfig(context=False), variant.input == "rgb"
        detector = nothing if rgb else None
        self._segment = (RgbSegmenter if rgb else Segmenter)(self._settings, detector)
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
        own = self._segment(seen.frame)  # for the floor and the up direction
        crops = make_objects(seen.instances, {}, seen.frame, own.T_grav_cam, self._settings)
        objects = tuple(self._named(o, seen.models[o.id - 1]) for o in crops)
        given = dataclasses.replace(own, instances=seen.instances, objects=objects)
        found = {a.object_id: a for a in self._align(seen.frame, given)}
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


def nothing(frame):
    """A detector without detections: those of the benchmark are used."""
    return ()
