"""An ONNX instance detector behind one call: colour image to labelled boxes and masks."""

from __future__ import annotations

import numpy as np

from roomcad_core.detect.decode import DECODERS, suppress
from roomcad_core.detect.detection import Detection
from roomcad_core.detect.letterbox import check_color, letterbox, paste_mask
from roomcad_core.detect.spec import ROLES


class Detector:
    """Callable: Frame -> tuple of Detections, best first; `detect` takes the image alone."""

    def __init__(self, spec, engine):
        """`spec`: DetectorSpec; ValueError where the loaded `engine` is of another layout."""
        self.spec = spec
        self._engine = engine
        self._input = check_input(spec, engine)
        self._tensors = output_tensors(spec, engine)
        self._decode = DECODERS[spec.layout](spec)
        self._labels = np.array(spec.labels)

    def __call__(self, frame):
        return self.detect(frame.color)

    def detect(self, color):
        """Detections of a (H, W, 3) uint8 RGB image."""
        check_color(color)
        image, fit = letterbox(color, self.spec)
        found = self._engine({self._input: image})
        tensors = {role: found[tensor] for role, tensor in self._tensors.items()}
        whole, indices, scores, masks = self._decode(tensors)
        whole = fit.to_image(whole)
        height, width = color.shape[:2]
        boxes = np.clip(whole, 0, [width, height, width, height]).astype(np.float32)
        labels = self._labels[indices]
        good = np.flatnonzero((labels != "") & has_area(boxes))
        best = good[suppress(boxes[good], scores[good], indices[good], self.spec.overlap)]
        return tuple(
            Detection(
                boxes[k],
                str(labels[k]),
                float(scores[k]),
                None if masks is None else self._mask(masks[k], whole[k], color.shape[:2], fit),
            )
            for k in best
        )

    def _mask(self, mask, box, shape, fit):
        """(H, W) bool from a mask over the box or over the letterboxed image."""
        spec = self.spec
        is_image = mask.shape == (spec.height, spec.width)
        if spec.mask_frame == "image" or (spec.mask_frame == "auto" and is_image):
            box = fit.to_image(np.array([[0, 0, spec.width, spec.height]], float))[0]
        return paste_mask(mask, box, shape)


def check_input(spec, engine):
    """Name of the model's image input; ValueError unless it takes what the spec says."""
    if len(engine.inputs) != 1:
        raise ValueError(f"detector: got inputs {sorted(engine.inputs)}, expected one image")
    ((name, tensor),) = engine.inputs.items()
    want = ((1,) if spec.batch else ()) + (3, spec.height, spec.width)
    fits = len(tensor.shape) == len(want) and all(
        isinstance(size, str) or size == n for size, n in zip(tensor.shape, want, strict=True)
    )
    if tensor.dtype != np.float32 or not fits:
        raise ValueError(
            f"input {name!r}: got {tensor}, expected float32 {want} (batch, height and width)"
        )
    return name


def output_tensors(spec, engine):
    """{role: output tensor}; ValueError where the model's outputs are of another layout.

    Names that an export left to chance are taken in the order of the roles, if there are as many.
    """
    roles, outputs = ROLES[spec.layout], list(engine.outputs)
    names = {role: spec.outputs.get(role, role) for role in roles}
    unnamed = not spec.outputs and not set(roles) & set(outputs)
    if unnamed and len(outputs) in (len(roles), len([r for r in roles if r != "masks"])):
        names = dict(zip(roles, outputs, strict=False))
    if "masks" not in spec.outputs and names.get("masks") not in engine.outputs:
        names.pop("masks", None)
    missing = sorted(set(names.values()) - set(outputs))
    if missing:
        raise ValueError(f"outputs: no {missing}; the model has {sorted(outputs)}")
    for role, name in names.items():
        check_output(spec, role, name, engine.outputs[name])
    return names


def check_output(spec, role, name, tensor):
    """Raise ValueError where the known sizes of an output cannot be those of its role."""
    if not tensor.shape:  # the file does not say
        return
    want = {
        "output": (1, None, spec.columns),
        "boxes": (None, 4),
        "labels": (None,),
        "scores": (None,),
        "masks": (None, 1, None, None),
    }[role]
    fits = len(tensor.shape) == len(want) and all(
        n is None or isinstance(size, str) or size == n
        for size, n in zip(tensor.shape, want, strict=True)
    )
    if not fits:
        sizes = ", ".join("N" if n is None else str(n) for n in want)
        raise ValueError(
            f"{spec.layout} {role} {name!r}: got shape {tensor.shape}, expected ({sizes})"
        )


def has_area(boxes):
    """(N,) bool: finite boxes (N, 4) of more than a pixel in width and height."""
    return np.isfinite(boxes).all(axis=1) & (boxes[:, 2:] - boxes[:, :2] > 1).all(axis=1)
