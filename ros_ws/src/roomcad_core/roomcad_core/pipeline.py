"""The method in one place: segment, classify, align. Every frontend makes these three calls."""

import logging
import time

from roomcad_core.align import make_aligner, mode_mismatch
from roomcad_core.classify import make_classifier
from roomcad_core.config import PipelineConfig
from roomcad_core.library import Library
from roomcad_core.rgb_geometry import make_geometry
from roomcad_core.rgb_geometry.segmenter import RgbSegmenter
from roomcad_core.segment import Segmenter
from roomcad_core.tracks import Follower, aligner_settings

log = logging.getLogger(__name__)


class Pipeline:
    """RGB-D frames in, CAD alignments out; with input rgb their colour is all that is looked at."""

    def __init__(self, config=None, library=None, before=None):
        """`before`: a Pipeline with the same library; its tracks and networks go on in this one."""
        self.config = config or PipelineConfig()
        self.library = library or Library.load(self.config.library)
        self._geometry = make_geometry(self.config, before and before._geometry)
        segmenter = RgbSegmenter if self._geometry else Segmenter
        self.segment = segmenter(self.config.segment, before=before and before.segment)
        self.classify = make_classifier(
            self.config.classify, self.library, before and before.classify
        )
        tracks, old = self.config.tracks, before and before.follower
        align, updates = aligner_settings(self.config.align, tracks)
        aligner = make_aligner(align, self.library, updates, old and old.aligner)
        self.follower = Follower(aligner, self.library, tracks, old)
        self.model_mode = mode_mismatch(aligner, self.config.input, self.config.align.model)
        if self.model_mode:
            log.warning("model_mode: %s", self.model_mode)
        self.frame = None  # the last Frame, with predicted depth where its own is not looked at
        self.seconds = {}  # stage -> time the last frame took

    @property
    def engine(self):
        """What the alignments are computed with."""
        return self.follower.engine

    @property
    def dropped(self):
        """Objects of the last frame that could not be aligned (tuple of types.Dropped)."""
        return self.follower.dropped

    @property
    def tracks(self):
        """Tracks after the last frame; () where objects are not followed."""
        return self.follower.tracks

    def __call__(self, frame):
        """(alignments, segmentation) of one Frame; alignments in the poses of their tracks."""
        if self._geometry:
            frame = self._timed("geometry", self._geometry, frame)
        self.frame = frame
        segmentation = self._timed("segment", self.segment, frame)
        segmentation = self._timed("classify", self.classify, segmentation)
        alignments = self._timed("align", self.follower, frame, segmentation)
        return alignments, segmentation

    def _timed(self, stage, call, *inputs):
        start = time.perf_counter()
        result = call(*inputs)
        self.seconds[stage] = time.perf_counter() - start
        return result
