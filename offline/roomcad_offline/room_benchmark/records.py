"""Prediction records put together: from parts, and from the detections of a frame."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from roomcad_offline.evaluation.records import Predictions
from roomcad_offline.room_benchmark.masks import encode_mask

WORDS = ("scene", "frame", "category", "cad_id")
WIDTHS = {"t": 3, "q": 4, "s": 3}


def predictions(rows, frames):
    """Predictions in space "cam" of plain rows.

    Args:
        rows: dicts with scene, frame, category, cad_id, t, q (xyzw), s, score, bbox or None,
            and, if anything, segmentation and extra.
        frames: ((scene, frame), ...) that were looked at.
    """
    empty = np.full(4, np.nan)
    boxes = [empty if row.get("bbox") is None else row["bbox"] for row in rows]
    return Predictions(
        **{name: np.array([row[name] for row in rows], str) for name in WORDS},
        **{n: np.array([row[n] for row in rows], float).reshape(-1, w) for n, w in WIDTHS.items()},
        score=np.array([row["score"] for row in rows], float),
        space="cam",
        bbox=np.array(boxes, float).reshape(-1, 4),
        segmentation=tuple(row.get("segmentation") for row in rows),
        extra=tuple(row.get("extra", {}) for row in rows),
        scenes=tuple(dict.fromkeys(scene for scene, _ in frames)),
        frames=tuple(frames),
    )


def detection_rows(scene, name, detections, start):
    """Plain rows of a frame's Detections; their poses are where alignment starts.

    Args:
        start: t (N, 3), q (N, 4) xyzw, s (N, 3).
    """
    return [
        {
            "scene": scene,
            "frame": name,
            "category": d.category,
            "cad_id": d.cad_id,
            "t": t,
            "q": q,
            "s": s,
            "score": d.score,
            "bbox": d.box,
            "segmentation": encode_mask(d.mask),
        }
        for d, t, q, s in zip(detections, *start, strict=True)
    ]


def rescored(p, score):
    """Predictions with another score (N,); values that are no numbers become 0."""
    return replace(p, score=np.nan_to_num(np.asarray(score, float)), bad=None, problems=())


def extra_numbers(p, name):
    """(N,) further numbers `name` of the file; NaN where a row has none."""
    values = p.extra or ({},) * len(p)
    return np.array([v.get(name, np.nan) for v in values], float)
