"""Boxes of the things in a recording, around the points that its frames show of each instance."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Callable

import numpy as np

from roomcad_core.camera import unproject
from roomcad_core.datasets.base import Dataset
from roomcad_core.pose import transform
from roomcad_core.types import Frame
from roomcad_offline.scannet.boxes import Box, without_empty
from roomcad_offline.scannet.categories import Category
from roomcad_offline.scannet.truth import FrameTruth

log = logging.getLogger(__name__)

LOOKS = 60  # frames looked at, spread over the recording
STRIDE = 2  # of their pixels
LEAST = 200  # points of an instance that make a box
EDGES = (1, 99)  # percentiles between which a box reaches: masks and depth are wrong at edges


def fused_boxes(
    dataset: Dataset, truth_of: Callable[[Frame], FrameTruth], T_aligned_world: np.ndarray
) -> list[Box] | None:
    """A Box of every instance but structure, with its id; None where no frame tells anything.

    Instances of fewer than LEAST points are named and left out; so are frames without truth.

    Args:
        dataset: frames; those without a pose are left out.
        truth_of: truth of a frame; may raise FileNotFoundError or ValueError.
        T_aligned_world: (4, 4).
    """
    points, categories, bad, good = defaultdict(list), defaultdict(Counter), [], 0
    for frame in _looks(dataset):
        try:
            truth = truth_of(frame)
        except (ValueError, OSError) as error:
            bad.append(error)
            continue
        _add(frame, truth, T_aligned_world, points, categories)
        good += 1
    if bad:
        log.warning("boxes: %d of %d frames without truth: %s", len(bad), len(bad) + good, bad[0])
    if not good:
        log.warning("%s: no boxes: no frame with pose and truth", dataset.path)
        return None
    chosen = {number: names.most_common(1)[0][0] for number, names in categories.items()}
    return _boxes(chosen, points, dataset.path)


def _looks(dataset):
    """Yield at most LOOKS frames with poses, spread over the recording."""
    steps = np.unique(np.linspace(0, len(dataset) - 1, LOOKS).astype(int))
    for frame in dataset.frames(steps.tolist()):
        if frame.T_world_cam is not None:
            yield frame


def _add(frame, truth, T_aligned_world, points, categories):
    """Add what a frame shows of each instance: (N, 3) aligned points, and N to its category."""
    some = slice(None, None, STRIDE)
    ids, depth = truth.instances[some, some], frame.depth[some, some]
    seen = transform(T_aligned_world @ frame.T_world_cam, unproject(frame.depth, frame.K))
    for number in np.unique(ids[(ids > 0) & (depth > 0)]).tolist():
        mine = seen[some, some][(ids == number) & (depth > 0)]
        points[number].append(mine.astype(np.float32))
        categories[number][truth.categories[number]] += len(mine)


def _boxes(categories: dict[int, Category], points, source):
    """Boxes around the points of each instance."""
    boxes, small = [], []
    for number, category in sorted(categories.items()):
        if category.kind == "structure":
            continue
        mine = np.concatenate(points[number])
        if len(mine) < LEAST:
            small.append(f"{category.name} (id {number}, {len(mine)})")
            continue
        low, high = np.percentile(mine, EDGES, axis=0)
        boxes.append(Box(category, (low + high) / 2, high - low, number))
    if small:
        text = "%s: boxes: %d instances of fewer than %d points left out: %s"
        log.warning(text, source, len(small), LEAST, ", ".join(small))
    return without_empty(boxes, source)
