"""An ONNX instance detector behind one call: colour image to labelled boxes and masks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from roomcad_core.config import load
from roomcad_core.detect.decode import DECODERS, letterbox, paste_mask, suppress
from roomcad_core.detect.spec import ROLES, DetectorSpec
from roomcad_core.engine import make_engine, verify


@dataclass(frozen=True)
class Detection:
    """One detected instance in the full-resolution image."""

    box: np.ndarray  # (4,) float32 xyxy [px]
    label: str  # one of CLASSES or "other"
    score: float
    mask: np.ndarray | None = None  # (H, W) bool


class Detector:
    """Callable: (H, W, 3) uint8 RGB image -> tuple of Detections, best first."""

    def __init__(self, spec, engine):
        self.spec = spec
        self._engine = engine
        if len(engine.inputs) != 1:
            raise ValueError(f"detector: got inputs {sorted(engine.inputs)}, expected one image")
        self._tensors = _tensor_names(spec, engine)
        self._decode = DECODERS[spec.layout]

    def __call__(self, color):
        image, factor, shift = letterbox(color, self.spec)
        (name,) = self._engine.inputs
        found = self._engine({name: image})
        tensors = {role: found[tensor] for role, tensor in self._tensors.items()}
        boxes, indices, scores, masks = self._decode(self.spec, tensors)
        boxes = (boxes - np.tile(shift, 2)) / factor
        height, width = color.shape[:2]
        boxes = np.clip(boxes, 0, [width, height, width, height]).astype(np.float32)
        labels = [self.spec.label(int(i)) for i in indices]
        known = np.array([bool(label) for label in labels], bool)
        strong = np.flatnonzero(known & (scores >= self.spec.score) & _has_area(boxes))
        best = strong[suppress(boxes[strong], scores[strong], indices[strong], self.spec.overlap)]
        return tuple(
            Detection(
                boxes[k],
                labels[k],
                float(scores[k]),
                None if masks is None else self._mask(masks[k, 0], boxes[k], color, factor, shift),
            )
            for k in best
        )

    def _mask(self, mask, box, color, factor, shift):
        """(H, W) bool from a mask over the box or over the letterboxed image."""
        if self.spec.mask_frame == "box":
            return paste_mask(mask, box, color.shape[:2])
        T = np.array([[1 / factor, 0, -shift[0] / factor], [0, 1 / factor, -shift[1] / factor]])
        return cv2.warpAffine(mask.astype(np.float32), T, color.shape[1::-1]) > 0.5


def load_detector(path):
    """Detector from its YAML; FileNotFoundError or ValueError name the file and the key."""
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such detector YAML")
    spec = load(path, DetectorSpec)
    onnx = path.parent / spec.onnx
    if not spec.onnx or not onnx.is_file():
        raise FileNotFoundError(f"{path}: onnx: no such file: {onnx}")
    if spec.sha256:
        verify(onnx, spec.sha256)
    try:
        return Detector(spec, make_engine(onnx, spec.engine, spec.threads))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _tensor_names(spec, engine):
    """{role: output tensor}; yolox takes the only output, maskrcnn can do without masks."""
    roles = ROLES[spec.layout]
    names = {role: spec.outputs.get(role, role) for role in roles}
    if spec.layout == "yolox" and "output" not in spec.outputs and len(engine.outputs) == 1:
        names = {"output": next(iter(engine.outputs))}
    if "masks" not in spec.outputs and "masks" in names and "masks" not in engine.outputs:
        del names["masks"]
    missing = sorted(set(names.values()) - set(engine.outputs))
    if missing:
        raise ValueError(f"outputs: no {missing}; the model has {sorted(engine.outputs)}")
    return names


def _has_area(boxes):
    return (boxes[:, 2] - boxes[:, 0] > 1) & (boxes[:, 3] - boxes[:, 1] > 1)
