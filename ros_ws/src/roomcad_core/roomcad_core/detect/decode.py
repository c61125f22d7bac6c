"""Images into a detector, tensors out of it: letterbox, the output layouts, NMS, masks."""

from __future__ import annotations

import cv2
import numpy as np


def letterbox(color, spec):
    """Fit an image into the detector's input without changing its aspect.

    Args:
        color: (H, W, 3) uint8 RGB.
        spec: DetectorSpec.

    Returns:
        tensor ((1,) 3, height, width) float32, the scale factor, and the shift (2,) [px]:
        input pixel = image pixel * factor + shift.
    """
    height, width = color.shape[:2]
    factor = min(spec.width / width, spec.height / height)
    size = max(1, round(width * factor)), max(1, round(height * factor))
    room = np.array([spec.width - size[0], spec.height - size[1]])
    x, y = room // 2 if spec.centred else (0, 0)
    canvas = np.full((spec.height, spec.width, 3), spec.fill, np.uint8)
    canvas[y : y + size[1], x : x + size[0]] = cv2.resize(color, size)
    if spec.color == "bgr":
        canvas = canvas[..., ::-1]
    values = (canvas * np.float32(spec.scale) - np.float32(spec.mean)) / np.float32(spec.std)
    tensor = np.ascontiguousarray(values.transpose(2, 0, 1), np.float32)
    return (tensor[None] if spec.batch else tensor), factor, np.array([x, y], float)


def decode_yolox(spec, tensors):
    """Boxes xyxy (N, 4) in input pixels, class numbers (N,), scores (N,), no masks."""
    output = np.asarray(tensors["output"], np.float32)
    columns = 5 + len(spec.classes)
    if output.ndim != 3 or output.shape[0] != 1 or output.shape[2] != columns:
        raise ValueError(f"yolox output: got shape {output.shape}, expected (1, N, {columns})")
    centre, size, rest = output[0, :, :2], output[0, :, 2:4], output[0, :, 4:]
    if not spec.decoded:
        cells, stride = yolox_grid(spec)
        if len(cells) != len(centre):
            message = f"got {len(centre)} rows, expected {len(cells)} for strides {spec.strides}"
            raise ValueError(f"yolox output: {message}")
        centre, size = (centre + cells) * stride, np.exp(size) * stride
    boxes = np.concatenate([centre - size / 2, centre + size / 2], axis=1)
    scores = rest[:, :1] * rest[:, 1:]
    index = scores.argmax(axis=1)
    return boxes, index, scores[np.arange(len(index)), index], None


def yolox_grid(spec):
    """Cell corners (N, 2) and strides (N, 1) of all rows of an undecoded yolox output."""
    cells, strides = [], []
    for stride in spec.strides:
        rows, cols = np.mgrid[: spec.height // stride, : spec.width // stride]
        cells.append(np.column_stack([cols.ravel(), rows.ravel()]))
        strides.append(np.full((rows.size, 1), stride))
    return np.concatenate(cells).astype(np.float32), np.concatenate(strides).astype(np.float32)


def decode_maskrcnn(spec, tensors):
    """Boxes xyxy (N, 4) in input pixels, class numbers, scores (N,), masks (N, 1, h, w) or None."""
    boxes, scores = (np.asarray(tensors[k], np.float32) for k in ("boxes", "scores"))
    labels = np.asarray(tensors["labels"])
    n = len(scores)
    for name, array, shape in (("boxes", boxes, (n, 4)), ("labels", labels, (n,))):
        if array.shape != shape or scores.ndim != 1:
            raise ValueError(f"maskrcnn {name}: got shape {array.shape}, expected {shape}")
    masks = tensors.get("masks")
    if masks is not None and (masks.ndim != 4 or masks.shape[:2] != (n, 1)):
        raise ValueError(f"maskrcnn masks: got shape {masks.shape}, expected ({n}, 1, h, w)")
    return boxes, labels, scores, masks


DECODERS = {"yolox": decode_yolox, "maskrcnn": decode_maskrcnn}


def suppress(boxes, scores, indices, overlap):
    """Non-maximum suppression inside each class: kept row numbers, best first.

    Args:
        boxes: (N, 4) xyxy. scores: (N,). indices: (N,) class numbers.
        overlap: IoU above which the weaker of two boxes of one class goes.
    """
    order = np.argsort(-scores, kind="stable")
    area = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    kept = []
    while len(order):
        best, rest = order[0], order[1:]
        kept.append(best)
        low = np.maximum(boxes[best, :2], boxes[rest, :2])
        high = np.minimum(boxes[best, 2:], boxes[rest, 2:])
        shared = np.prod(np.maximum(high - low, 0), axis=1)
        iou = shared / (area[best] + area[rest] - shared)
        order = rest[(iou <= overlap) | (indices[rest] != indices[best])]
    return np.array(kept, int)


def paste_mask(mask, box, shape):
    """(H, W) bool from an (m, m) probability mask that covers a box xyxy [px]."""
    x0, y0 = np.floor(box[:2]).astype(int)
    x1, y1 = np.ceil(box[2:]).astype(int)
    out = np.zeros(shape, bool)
    small = cv2.resize(mask.astype(np.float32), (max(x1 - x0, 1), max(y1 - y0, 1)))
    out[y0:y1, x0:x1] = small[: shape[0] - y0, : shape[1] - x0] > 0.5
    return out
