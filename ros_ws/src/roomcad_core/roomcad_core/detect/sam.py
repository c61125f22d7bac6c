"""Masks for boxes by a SAM or MobileSAM encoder and decoder in ONNX, with the official names.

The decoder is the one of segment-anything's own export: image_embeddings, point_coords,
point_labels, mask_input, has_mask_input and orig_im_size in, masks (logits at the size of the
image) and iou_predictions out. Encoders come in two kinds, told apart by their input: (1, 3, S, S)
takes the normalised image with its border, (H, W, 3) does both itself.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import cv2
import numpy as np

from roomcad_core.config import ENGINES, Checked, setting
from roomcad_core.detect.letterbox import check_color

DECODER_INPUTS = (
    "image_embeddings",
    "point_coords",
    "point_labels",
    "mask_input",
    "has_mask_input",
    "orig_im_size",
)
DECODER_OUTPUTS = ("masks", "iou_predictions")
CORNERS = np.array([[2, 3]], np.float32)  # SAM's labels of a box's first and second corner
# Of the images SAM was trained on, RGB in 0-255.
MEAN = np.array([123.675, 116.28, 103.53], np.float32)
STD = np.array([58.395, 57.12, 57.375], np.float32)


@dataclass(frozen=True)
class SamSpec(Checked):
    """Content of the YAML that describes a SAM."""

    encoder: str = setting("", "ONNX file of the image encoder, relative to the YAML")
    decoder: str = setting("", "ONNX file of prompt encoder and mask decoder, relative to the YAML")
    encoder_sha256: str = setting("", "its checksum; empty = not checked")
    decoder_sha256: str = setting("", "its checksum; empty = not checked")
    size: int = setting(1024, "longer side of the encoder's image [px]", 16, 4096)
    min_quality: float = setting(0.5, "masks whose predicted IoU is lower are not used", 0.0, 1.0)
    engine: str = setting("auto", "inference engine", choices=ENGINES)
    threads: int = setting(0, "threads of the engine, 0 = all cores", 0, 256)


class BoxMasks:
    """Gives a mask to every Detection that has none."""

    def __init__(self, spec, encoder, decoder):
        """`spec`: SamSpec; ValueError where the loaded engines are of another layout."""
        self.spec = spec
        self._encoder, self._decoder = encoder, decoder
        self._input, self._normalised = check_encoder(spec, encoder)
        check_decoder(decoder)

    def __call__(self, color, detections):
        """Detections of a (H, W, 3) uint8 RGB image, with masks where SAM is sure of one.

        The encoder, which takes nearly all the time, runs only if a mask is missing.
        """
        if all(d.mask is not None for d in detections):
            return tuple(detections)
        check_color(color)
        embedding, factor = self._embed(color)
        return tuple(
            d if d.mask is not None else self._masked(d, embedding, factor, color.shape[:2])
            for d in detections
        )

    def _embed(self, color):
        """Image embedding, and the factor (2,) from image pixels to those of the encoder."""
        height, width = color.shape[:2]
        scale = self.spec.size / max(height, width)
        # Half a pixel up, as the decoder's graph computes it from orig_im_size.
        size = max(1, int(width * scale + 0.5)), max(1, int(height * scale + 0.5))
        image = cv2.resize(color, size).astype(np.float32)
        if self._normalised:
            canvas = np.zeros((self.spec.size, self.spec.size, 3), np.float32)
            canvas[: size[1], : size[0]] = (image - MEAN) / STD
            image = np.ascontiguousarray(canvas.transpose(2, 0, 1)[None])
        (embedding,) = self._encoder({self._input: image}).values()
        return embedding, np.array(size, np.float32) / (width, height)

    def _masked(self, detection, embedding, factor, shape):
        """The Detection with its mask, or as it was where SAM gives none."""
        corners = detection.box.reshape(1, 2, 2) * factor
        low = 4 * embedding.shape[-2], 4 * embedding.shape[-1]  # SAM's masks before they are scaled
        out = self._decoder(
            {
                "image_embeddings": embedding,
                "point_coords": corners.astype(np.float32),
                "point_labels": CORNERS,
                "mask_input": np.zeros((1, 1, *low), np.float32),
                "has_mask_input": np.zeros(1, np.float32),
                "orig_im_size": np.array(shape, np.float32),
            }
        )
        masks, quality = out["masks"], out["iou_predictions"]
        if masks.ndim != 4 or masks.shape[2:] != shape or quality.shape != masks.shape[:2]:
            got = f"{masks.shape} and {quality.shape}"
            raise ValueError(f"sam masks: got {got}, expected (1, M, {shape[0]}, {shape[1]})")
        best = int(quality[0].argmax())
        mask = masks[0, best] > 0
        if quality[0, best] < self.spec.min_quality or not mask.any():
            return detection
        return dataclasses.replace(detection, mask=mask)


class Masked:
    """A detector whose boxes get their masks from SAM."""

    def __init__(self, detector, masks):
        """`detector`: Frame -> Detections. `masks`: BoxMasks."""
        self._detector, self._masks = detector, masks

    def __call__(self, frame):
        return self._masks(frame.color, self._detector(frame))


def check_encoder(spec, engine):
    """Name of the image input, and whether it takes a normalised image with its border."""
    if len(engine.inputs) != 1 or len(engine.outputs) != 1:
        got = f"{sorted(engine.inputs)} -> {sorted(engine.outputs)}"
        raise ValueError(f"sam encoder: got {got}, expected one image -> one embedding")
    ((name, tensor),) = engine.inputs.items()
    kinds = {4: (1, 3, spec.size, spec.size), 3: (None, None, 3)}
    want = kinds.get(len(tensor.shape))
    if want is None or tensor.dtype != np.float32 or not _fits(tensor.shape, want):
        raise ValueError(
            f"sam encoder: input {name!r}: got {tensor},"
            f" expected float32 {kinds[4]} (size) or (height, width, 3)"
        )
    return name, len(want) == 4


def check_decoder(engine):
    """Raise ValueError unless inputs and outputs have the official names."""
    if set(engine.inputs) != set(DECODER_INPUTS):
        got = sorted(engine.inputs)
        raise ValueError(f"sam decoder: inputs: got {got}, expected {sorted(DECODER_INPUTS)}")
    missing = sorted(set(DECODER_OUTPUTS) - set(engine.outputs))
    if missing:
        raise ValueError(f"sam decoder: outputs: no {missing}; it has {sorted(engine.outputs)}")


def _fits(shape, want):
    pairs = zip(shape, want, strict=True)
    return all(n is None or isinstance(size, str) or size == n for size, n in pairs)
