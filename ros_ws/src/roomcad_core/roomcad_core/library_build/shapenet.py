"""ShapeNetCore v2: FOLDER/<synset>/<model>/models/model_normalized.obj; y-up, front -z.

The models are scaled to a unit diagonal, so their metric size is lost: they get the typical
diagonal of their class. Poses with a scale (9 DoF) do not depend on it.
"""

import functools
from pathlib import Path

import numpy as np

from roomcad_core.classes import SYNSETS
from roomcad_core.library_build.candidate import Candidate, slug
from roomcad_core.library_build.files import FolderFiles
from roomcad_core.library_build.model import Mesh
from roomcad_core.library_build.obj import read_obj

LICENCE = "ShapeNet terms of use"
MODEL = "models/model_normalized.obj"
# Diagonal of the bounding box [m]: rounded medians of our generator.
DIAGONALS = {
    "bathtub": 1.9, "bed": 2.6, "bin": 0.6, "bookshelf": 1.9, "cabinet": 1.5, "chair": 1.1,
    "desk": 1.8, "monitor": 0.9, "sofa": 2.2, "table": 1.5, "toilet": 1.1,
}  # fmt: skip


def candidates(path):
    """Candidates of every model of our classes in a ShapeNetCore v2 folder."""
    root = Path(path)
    if not root.is_dir():
        raise FileNotFoundError(f"{root}: no such folder")
    found = [(label, folder) for label, synset in SYNSETS.items()
             for folder in sorted((root / synset).glob("*")) if folder.is_dir()]  # fmt: skip
    if not found:
        raise FileNotFoundError(f"{root}: holds none of the synsets {', '.join(SYNSETS.values())}")
    return [
        Candidate(
            f"{label}_{slug(folder.name)}",
            label,
            LICENCE,
            f"ShapeNetCore {SYNSETS[label]}/{folder.name}",
            functools.partial(_read, folder, label),
        )  # fmt: skip
        for label, folder in found
    ]


def _read(folder, label):
    mesh = read_obj(FolderFiles(folder), MODEL)
    diagonal = np.linalg.norm(np.ptp(mesh.vertices, axis=0))
    scale = DIAGONALS[label] / max(diagonal, 1e-9)
    return Mesh(mesh.vertices * scale, mesh.triangles, mesh.colors)
