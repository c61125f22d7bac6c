"""What every detector gives: instances in the full-resolution colour image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Detection:
    """One detected instance."""

    box: np.ndarray  # (4,) float32 xyxy [px]
    label: str  # one of CLASSES or "other"
    score: float
    mask: np.ndarray | None = None  # (H, W) bool
    cad_ids: tuple[str, ...] = ()  # CAD models a detector names, best first
