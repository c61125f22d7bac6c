"""A stand-in for ROCA's 2D detector: true masks, made as imperfect as DetectorConfig says."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from roomcad_core.segment.crops import bounding_boxes
from roomcad_offline.room_benchmark.config import CATEGORIES

FULL_WIDTH = 640  # the image width at which pixel settings are meant
WAVES = 24  # [px at that width] how smooth a wavy border is


@dataclass(frozen=True, eq=False)
class Detection:
    """One 2D detection."""

    label: str  # our class of the retrieved CAD
    cad_id: str
    box: np.ndarray  # (4,) xyxy [px]
    mask: np.ndarray  # (H, W) bool
    score: float  # 2D confidence

    @property
    def category(self):
        return CATEGORIES[self.label]


def true_detections(instances, placed, config):
    """Detections of all placed objects of which enough is seen, as they are.

    Args:
        instances: (H, W) true ids.
        placed: Placed objects of the nine classes.
        config: DetectorConfig.
    """
    boxes, found = bounding_boxes(instances), []
    for p in placed:
        mask = instances == p.id
        if p.id in boxes and mask.sum() >= config.min_share * mask.size:
            found.append(Detection(p.label, p.cad_id, boxes[p.id].astype(float), mask, 1.0))
    return found


def detect(instances, placed, config, rng):
    """Imperfect Detections of a frame.

    Args:
        instances: (H, W) true ids, furniture and other things.
        placed: Placed objects of the nine classes; their CADs are what retrieval may name.
        config: DetectorConfig.
        rng: numpy Generator.
    """
    found = []
    for true in true_detections(instances, placed, config):
        q = clarity(true.mask, config)
        if rng.random() < config.missed_faint + (config.missed - config.missed_faint) * q:
            continue
        label, cad_id, right = rename(true, placed, config, rng)
        found.append(_blurred(true.mask, label, cad_id, q if right else 0.0, config, rng))
    found += false_detections(instances, placed, config, rng)
    found = [d for d in found if d is not None and d.score > config.min_score]
    return sorted(found, key=lambda d: -d.score)


def clarity(mask, config):
    """q in 0-1: how much of the image an object's mask covers."""
    return float(min(np.sqrt(mask.mean() / config.clear_share), 1.0))


def rename(true, placed, config, rng):
    """Class and CAD that the detector gives, from the CADs of the scene as in ROCA; and whether
    the class is right."""
    others = [p for p in placed if CATEGORIES[p.label] != true.category]
    if others and rng.random() < config.wrong_class:
        p = others[rng.integers(len(others))]
        return p.label, p.cad_id, False
    same = [p for p in placed if CATEGORIES[p.label] == true.category and p.cad_id != true.cad_id]
    if same and rng.random() < config.wrong_cad:
        p = same[rng.integers(len(same))]
        return p.label, p.cad_id, True
    return true.label, true.cad_id, True


def false_detections(instances, placed, config, rng):
    """Detections of things that are no furniture of the nine classes."""
    ids, pixels = np.unique(instances, return_counts=True)
    known = {0, *(p.id for p in placed)}
    enough = pixels >= config.min_share * instances.size
    found = []
    for i in ids[enough]:
        if int(i) not in known and placed and rng.random() < config.false:
            p = placed[rng.integers(len(placed))]
            found.append(_blurred(instances == i, p.label, p.cad_id, 0.0, config, rng))
    return found


def _blurred(mask, label, cad_id, q, config, rng):
    """Detection with a wavy mask, a jittered box and a score; None where no pixel is left."""
    mask = wavy(mask, config, rng)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return None
    box = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], float)
    side = np.tile(box[2:] - box[:2], 2)
    size = np.tile(mask.shape[::-1], 2)
    box = np.clip(box + config.box_jitter * side * rng.normal(size=4), 0, size)
    if not (box[2:] - box[:2] >= 2).all():
        return None
    logit = config.score_faint + (config.score_clear - config.score_faint) * q
    score = 1 / (1 + np.exp(-rng.normal(logit, config.score_spread)))
    return Detection(label, cad_id, box, mask, float(score))


def wavy(mask, config, rng):
    """A mask whose border is moved by smooth waves, and out or in by a common width."""
    height, width = mask.shape
    factor = width / FULL_WIDTH
    coarse = max(int(width / (WAVES * factor)), 2), max(int(height / (WAVES * factor)), 2)
    waves = rng.normal(scale=config.mask_warp * factor, size=(2, *coarse[::-1])).astype(np.float32)
    dx, dy = (cv2.resize(w, (width, height), interpolation=cv2.INTER_CUBIC) for w in waves)
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    moved = cv2.remap(mask.astype(np.uint8), x + dx, y + dy, cv2.INTER_NEAREST)
    grow = round(rng.normal(scale=config.mask_grow * factor))
    if grow:
        kernel = np.ones((2 * abs(grow) + 1,) * 2, np.uint8)
        moved = (cv2.dilate if grow > 0 else cv2.erode)(moved, kernel)
    return moved.astype(bool)


def paint(masks, shape):
    """(H, W) uint16 image with number k + 1 where mask k is; smaller masks lie on larger ones."""
    image = np.zeros(shape, np.uint16)
    for k in sorted(range(len(masks)), key=lambda k: -int(masks[k].sum())):
        image[masks[k]] = k + 1
    return image
