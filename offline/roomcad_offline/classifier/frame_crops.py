"""Crops of what single frames of rooms with truth show, real ones too: furniture and all the rest.

The borders are the true ones, moved outwards by up to WIDER pixels, as a robot's masks are not
exact either.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from roomcad_core.config import SegmentConfig
from roomcad_core.segment.crops import crop
from roomcad_core.segment.planes import floor_height
from roomcad_core.segment.surface import grav_surface
from roomcad_core.types import OTHER, Frame
from roomcad_offline.benchmarks.real.room import Room
from roomcad_offline.benchmarks.real.sources import Source
from roomcad_offline.classifier.samples import N_STORED
from roomcad_offline.scannet.frames import FrameTruth

LEAST = 1 / 300  # share of the image that a thing shows at least
WIDER = 6  # [px] at most
NEAR = 0.25  # what a wider border takes in is nearer than this to the thing's own depth [m]
FAR = 1e3  # [m]
STRIDE = 2  # of the pixels that tell how much of a thing is seen
MOST_OTHER = 3  # pieces of a frame that are no furniture


def frame_rows(sources: list[Source], every: int = 1, seed: int = 0) -> Iterator[dict]:
    """Yield rows for samples.collect of every `every`-th frame of rooms with truth."""
    rng = np.random.default_rng(seed)
    for source in sources:
        for frame, truth in Room.open(source).frames_with_truth(every):
            if frame.T_world_cam is not None:
                yield from rows_of(frame, truth, source.name, rng)


def rows_of(frame: Frame, truth: FrameTruth, room: str, rng: np.random.Generator) -> list[dict]:
    """Rows of one Frame and its truth."""
    config = SegmentConfig()
    surface, T_grav_cam = grav_surface(frame, config)
    floor_z = floor_height(surface, config)
    known = (frame.depth >= config.min_depth) & (frame.depth <= config.max_depth)
    few = known[::STRIDE, ::STRIDE]
    ids, counts = np.unique(truth.instances[::STRIDE, ::STRIDE][few], return_counts=True)
    named = [(int(i), truth.categories[int(i)]) for i, n in zip(ids, counts, strict=True)
             if int(i) in truth.categories and n >= LEAST * few.size]  # fmt: skip
    things = [(i, c.label) for i, c in named if c.kind == "furniture"]
    rest = [(i, OTHER) for i, c in named if c.kind in ("prop", "structure", "other furniture")]
    rest = [rest[k] for k in rng.permutation(len(rest))[:MOST_OTHER]]
    rows = []
    for i, label in things + rest:
        pixels = np.flatnonzero(widened(truth.instances == i, frame.depth, known, rng))
        points = crop(pixels, frame, T_grav_cam, N_STORED)
        height = 0 if floor_z is None else floor_z
        rows.append({
            "points": points - np.array([0, 0, height], np.float32),
            "label": label, "metric": True, "floor": floor_z is not None, "cut": True,
            "group": f"{room}/{i}" if label != OTHER else room,
        })  # fmt: skip
    return rows


def widened(mask, depth, known, rng):
    """(H, W) bool mask of a thing with a border of up to WIDER pixels more around it."""
    wider = int(rng.integers(WIDER + 1))
    own = mask & known
    if not wider or not own.any():
        return own
    part = tuple(
        slice(max(0, places[0] - wider), places[-1] + wider + 1)
        for places in (np.flatnonzero(own.any(axis)) for axis in (1, 0))
    )
    kernel = np.ones((2 * wider + 1, 2 * wider + 1), np.uint8)
    nearest = cv2.erode(np.where(own[part], depth[part], FAR).astype(np.float32), kernel)
    out = own.copy()
    out[part] |= known[part] & (np.abs(depth[part] - nearest) < NEAR)
    return out
