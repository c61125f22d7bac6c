"""Any folder of OBJ, GLB, STL or PLY files with one CSV that says what they are.

Columns: file, label, size_x, size_y, size_z [m, along the CAD axes], up, front (x, -z, ...),
symmetry, licence. Only file and label must be filled: an empty size means the file is in metres,
empty axes mean y-up with the front at -z, an empty symmetry is detected.
"""

import csv
import functools
from pathlib import Path

import numpy as np

from roomcad_core.classes import CLASSES
from roomcad_core.glb import read_glb
from roomcad_core.library_build.axes import turn_to_cad
from roomcad_core.library_build.candidate import Candidate, slug
from roomcad_core.library_build.files import FolderFiles, inside
from roomcad_core.library_build.model import Mesh
from roomcad_core.library_build.obj import read_obj
from roomcad_core.pose import SYMMETRIES

COLUMNS = ("file", "label", "size_x", "size_y", "size_z", "up", "front", "symmetry", "licence")
SUFFIXES = (".obj", ".glb", ".gltf", ".stl", ".ply")


def candidates(path):
    """Candidates of the rows of the folder's only CSV."""
    root = Path(path)
    tables = sorted(root.glob("*.csv"))
    if len(tables) != 1:
        raise FileNotFoundError(f"{root}: expected one CSV in this folder, got {len(tables)}")
    with tables[0].open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file, restval=""))
    for number, row in enumerate(rows, 2):
        try:
            yield _candidate(root, row)
        except ValueError as error:
            raise ValueError(f"{tables[0]}: line {number}: {error}") from None


def _candidate(root, row):
    missing = {"file", "label"} - {key for key, value in row.items() if value}
    unknown = set(row) - set(COLUMNS)
    if missing or unknown:
        raise ValueError(f"columns missing {sorted(missing)}, unknown {sorted(map(str, unknown))}")
    for name, choices in (("label", CLASSES), ("symmetry", ("", *SYMMETRIES))):
        if row.get(name, "") not in choices:
            raise ValueError(f"{name}: got {row[name]!r}, expected one of {list(choices)}")
    path = inside("", row["file"])
    if Path(path).suffix.lower() not in SUFFIXES:
        raise ValueError(f"file: got {path!r}, expected one of {', '.join(SUFFIXES)}")
    R = turn_to_cad(row.get("up") or "y", row.get("front") or "-z")
    return Candidate(
        id=f"{row['label']}_{slug(Path(path).with_suffix(''))}",
        label=row["label"],
        licence=row.get("licence") or "unknown",
        source=f"{root.name}/{path}",
        read=functools.partial(_read, root, path, R, _size(row)),
        symmetry=row.get("symmetry") or "",
    )


def _size(row):
    """(3,) declared size [m], or None where the row has none."""
    words = [(row.get(name) or "").strip() for name in ("size_x", "size_y", "size_z")]
    if not any(words):
        return None
    try:
        size = np.array([float(word) for word in words])
    except ValueError:
        size = np.zeros(3)
    if not (np.isfinite(size).all() and (size > 0).all()):
        raise ValueError(f"size: got {words}, expected three lengths > 0 [m] or none")
    return size


def _read(root, path, R, size):
    files = FolderFiles(root)
    if path.lower().endswith(".obj"):
        mesh = read_obj(files, path)
    else:
        files.read(path)  # the same checks of place and size as for an OBJ
        mesh = Mesh(*read_glb(Path(root) / path))
    vertices = mesh.vertices @ R.T
    if size is not None:
        extent = np.ptp(vertices, axis=0)
        vertices = (vertices - vertices.min(axis=0)) * size / np.maximum(extent, 1e-9)
    return Mesh(vertices, mesh.triangles, mesh.colors)
