"""ROCA's per_frame_preds.json as a detector: boxes, classes and CAD ids of recorded frames.

This is what the Multi-SPARC paper starts from. ROCA looks at images of 480x360, cut in width to
that aspect; masks in the file say their size themselves. Boxes go from there into the frame's
image, which for ScanNet lies on the depth camera's grid: the two cameras' views differ by pixels.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from roomcad_core.classes import CLASSES, SYNSETS
from roomcad_core.detect.detection import Detection
from roomcad_core.per_frame import cad_id, numbers, read_images
from roomcad_core.run_lengths import decode_mask
from roomcad_core.types import OTHER

SIZE = 360, 480  # height and width of ROCA's images [px]
CUT = 2.0  # what may be missing at the sides of a narrower image [px]
# Categories of ROCA's and Scan2CAD's files that we call otherwise.
SYNONYMS = {"trashbin": "bin", "bookcase": "bookshelf", "display": "monitor"}


class PerFrameDetections:
    """Callable: Frame -> tuple of Detections, best first, found by Frame.name."""

    def __init__(self, path):
        """Read the whole file; errors name file, image, entry and field."""
        self.path = Path(path)
        if not self.path.is_file():
            raise FileNotFoundError(f"{self.path}: no such detections (per_frame_preds.json)")
        self._images = {}
        for scene, frame, entries in read_images(self.path):
            found = [_detection(entry, at) for at, entry in entries]
            self._images.setdefault((scene, _number(frame)), []).extend(found)

    def __call__(self, frame):
        """A frame that the file does not have was seen without a detection."""
        scene, _, name = frame.name.rpartition("/")
        if not scene:
            raise ValueError(
                f"{self.path}: got a frame named {frame.name!r}, expected SCENE/FRAME: these"
                " detections are for recorded ScanNet frames, not for live images"
            )
        found = self._images.get((scene, _number(name)), [])
        placed = [_placed(d, frame.color.shape[:2], self.path) for d in found]
        return tuple(sorted(placed, key=lambda d: -d.score))


def _detection(entry, at):
    """Detection in the file's pixels."""
    box = numbers(entry, "bbox", 4, at)
    if not np.isfinite(box).all() or (box[2:] <= box[:2]).any():
        raise ValueError(f"{at}: bbox: got {box.tolist()}, expected x0 < x1 and y0 < y1")
    try:
        record = entry.get("segmentation")
        mask = None if record is None else decode_mask(record)
    except ValueError as error:
        raise ValueError(f"{at}: segmentation: {error}") from None
    cad = cad_id(entry, at)
    return Detection(
        box.astype(np.float32),
        category_label(entry, at),
        _score(entry, at),
        mask,
        (cad,) * bool(cad),
    )


def _score(entry, at):
    score = float(numbers(entry, "score", None, at))
    if not 0 <= score <= 1:
        raise ValueError(f"{at}: score: got {score}, expected 0 to 1")
    return score


def category_label(entry, at):
    """Our class of an entry's category, a name or a synset; "other" for one that is not ours."""
    if "category" not in entry:
        raise ValueError(f"{at}: category: missing")
    text = str(entry["category"]).strip().lower()
    if text.isdecimal():
        by_synset = {synset: name for name, synset in SYNSETS.items()}
        return by_synset.get(text.zfill(8), OTHER)
    name = SYNONYMS.get(text, text)
    if name not in (*CLASSES, OTHER):
        known = ", ".join(sorted((*CLASSES, *SYNONYMS)))
        raise ValueError(f"{at}: category: got {text!r}, expected a synset or one of {known}")
    return name


def _placed(detection, shape, path):
    """The Detection in an image of `shape` (H, W) whose middle ROCA saw at its own size."""
    seen = SIZE if detection.mask is None else detection.mask.shape
    if shape == seen:
        return detection
    factor = shape[0] / seen[0]
    left = (shape[1] / factor - seen[1]) / 2
    if left < -CUT:
        raise ValueError(f"{path}: images of {seen} (height, width) do not fit a frame of {shape}")
    box = (detection.box + np.float32([left, 0, left, 0])) * np.float32(factor)
    box = np.clip(box, 0, [shape[1], shape[0]] * 2).astype(np.float32)
    mask = detection.mask
    if mask is not None:
        T = np.array([[factor, 0, factor * (left + 0.5) - 0.5], [0, factor, factor / 2 - 0.5]])
        mask = cv2.warpAffine(mask.astype(np.float32), T, shape[::-1]) > 0.5
    return Detection(box, detection.label, detection.score, mask, detection.cad_ids)


def _number(name):
    """Frame names by value: some files write 100 for 000100."""
    return int(name) if name.isdecimal() else name
