"""Average precision of instance masks, counted by pycocotools (COCO's own evaluator)."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass

import numpy as np

IGNORED = -1  # class of a true mask that is neither asked for nor wrong to find
AREAS = ((0, 1e10),)  # COCO splits by area; here what is too small is ignored by the caller


@dataclass(frozen=True)
class Masks:
    """One image: true and found masks (N, H, W) bool with their class numbers and scores."""

    true: np.ndarray
    true_class: np.ndarray  # (N,) int, IGNORED or 0..C-1
    found: np.ndarray
    found_class: np.ndarray  # (M,) int
    score: np.ndarray  # (M,) float


class MaskAp:
    """Collects images; `ap` gives the mean over classes, also of resampled images."""

    def __init__(self, classes: int, ious: tuple[float, ...]):
        """`classes`: their number; `ious`: thresholds, ascending."""
        self._classes, self._ious = classes, ious
        self._true, self._found, self._shapes = [], [], []
        self._evaluated = None

    def add(self, masks: Masks) -> None:
        """Add an image."""
        self._shapes.append(masks.true.shape[1:])
        for mask, label in zip(masks.true, masks.true_class, strict=True):
            # What is ignored absorbs detections of every class.
            crowd = label == IGNORED
            labels = range(self._classes) if crowd else (int(label),)
            for one in labels:
                self._true.append(self._annotation(mask, one, iscrowd=int(crowd)))
        for mask, label, score in zip(masks.found, masks.found_class, masks.score, strict=True):
            self._found.append(self._annotation(mask, int(label), score=float(score)))

    def _annotation(self, mask, label, **more):
        from pycocotools import mask as coco_mask

        encoded = coco_mask.encode(np.asfortranarray(mask, np.uint8))
        area = int(np.count_nonzero(mask))
        return {"image_id": len(self._shapes), "category_id": label + 1, "segmentation": encoded,
                "area": area, "bbox": list(coco_mask.toBbox(encoded)), "iscrowd": 0,
                **more}  # fmt: skip

    def ap(self, images: np.ndarray | None = None) -> np.ndarray:
        """(T, C) average precision of each threshold and class; NaN = the class has no truth.

        `images`: (K,) numbers of the images to count, from 0 in the order they were added,
        repetitions allowed; None = all once.
        """
        if self._evaluated is None:
            self._evaluated = self._evaluate()
        images = np.arange(len(self._shapes)) if images is None else np.asarray(images)
        evaluated, n = self._evaluated, len(self._shapes)
        chosen = type(evaluated)(iouType="segm")
        chosen.params = evaluated.params
        chosen.params.imgIds = list(range(len(images)))
        chosen._paramsEval = chosen.params
        chosen.evalImgs = [
            evaluated.evalImgs[c * n + i] for c in range(self._classes) for i in images
        ]
        with contextlib.redirect_stdout(io.StringIO()):
            chosen.accumulate()
        precision = chosen.eval["precision"][:, :, :, 0, -1]  # (T, recalls, C)
        ap = precision.mean(1)
        return np.where(ap < 0, np.nan, ap)

    def _evaluate(self):
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval

        images = [{"id": i + 1, "height": h, "width": w} for i, (h, w) in enumerate(self._shapes)]
        with contextlib.redirect_stdout(io.StringIO()):
            truth, found = COCO(), COCO()
            for coco, annotations in ((truth, self._true), (found, self._found)):
                numbered = [{**a, "id": i + 1} for i, a in enumerate(annotations)]
                coco.dataset = {
                    "images": images,
                    "categories": [{"id": c + 1} for c in range(self._classes)],
                    "annotations": numbered,
                }
                coco.createIndex()
            evaluation = COCOeval(truth, found, iouType="segm")
            evaluation.params.iouThrs = np.array(self._ious)
            evaluation.params.areaRng = [list(area) for area in AREAS]
            evaluation.params.areaRngLbl = ["all"]
            evaluation.evaluate()
        return evaluation
