"""The CAD library: models in a unit frame, with points, normals, size, symmetry and licence.

On disk a library is a folder:
    library.json   {"version": 1, "models": [{id, label, size, symmetry, licence, source, mesh}]}
    points.npz     points, normals: (M, 4096, 3) float16, rows in the order of library.json
    meshes/        one light GLB a model, in the same unit frame (RViz scales it by S)
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class CadModel:
    """One CAD model in its unit frame: x right, y up, front towards -z, extents 1, centre 0."""

    id: str
    label: str  # one of classes.CLASSES
    size: np.ndarray  # (3,) metric size along x, y, z [m]
    symmetry: str  # a key of pose.SYMMETRIES, about the up axis y
    licence: str
    source: str
    mesh: Path  # GLB file
    points: np.ndarray  # (4096, 3) float32 surface points, uniform on the metric surface
    normals: np.ndarray  # (4096, 3) float32 unit normals of the metric model, outward
