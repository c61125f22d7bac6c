"""The CAD library: models in a unit frame, with points, normals, size, symmetry and licence.

On disk a library is a folder:
    library.json   {"version": 1, "models": [{id, label, size, symmetry, licence, source, mesh}]}
    points.npz     points, normals: (M, 4096, 3) float16, rows in the order of library.json
    meshes/        one light GLB a model, in the same unit frame (RViz scales it by S)
"""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import re
import zipfile
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from roomcad_core.classes import CLASSES
from roomcad_core.pose import SYMMETRIES

VERSION = 1
N_POINTS = 4096
SPLITS = ("train", "bench")
FIELDS = ("id", "label", "size", "symmetry", "licence", "source", "mesh")
ID_PATTERN = re.compile(r"[a-z0-9][a-z0-9_-]*")


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

    def __post_init__(self):
        _check_model(self)

    @property
    def split(self):
        """ "train" or "bench": halves fixed by the id, so that a benchmark stays unseen."""
        return SPLITS[hashlib.sha256(self.id.encode()).digest()[0] % 2]

    @cached_property
    def unit_normals(self):
        """(4096, 3) float32 unit normals n of the unit frame; in size S they are n / S, scaled."""
        normals = self.normals * self.size
        length = np.linalg.norm(normals, axis=1, keepdims=True)
        return (normals / np.maximum(length, 1e-9)).astype(np.float32)

    def load_mesh(self):
        """Read the GLB.

        Returns:
            vertices (V, 3) float32 in the unit frame (times `size` they are metric), triangles
            (F, 3) int32 wound counter-clockwise seen from outside, colors (F, 3) uint8 RGB.
        """
        from roomcad_core.glb import read_glb

        return read_glb(self.mesh)


class Library:
    """CAD models by id and by class, in a fixed order."""

    def __init__(self, models, folder=Path()):
        self.models = tuple(models)
        self.folder = Path(folder)
        if not self.models:
            raise ValueError(f"CAD library {self.folder} is empty")
        self._by_id = {model.id: model for model in self.models}
        if len(self._by_id) != len(self.models):
            ids = [model.id for model in self.models]
            twice = sorted({i for i in ids if ids.count(i) > 1})
            raise ValueError(f"CAD library {self.folder}: ids occur twice: {', '.join(twice)}")

    @classmethod
    def load(cls, path=""):
        """Read and check a library folder; "" means the built-in one.

        FOLDER:train and FOLDER:bench mean the half of that CadModel.split. Several of all these
        with commas between them (",FOLDER": the built-in one and another) make one library.

        Raises FileNotFoundError where a file is missing, ValueError (naming the file and the
        field) where one is malformed or the library is empty.
        """
        if "," in str(path) and not Path(path).exists():
            models = [model for part in str(path).split(",") for model in cls.load(part)]
            return cls(models, path)
        folder, colon, half = str(path).rpartition(":")
        if not colon or half not in SPLITS:
            folder, half = str(path), ""
        folder = Path(folder) if folder else builtin_folder()
        records = _read_records(folder / "library.json")
        points, normals = _read_points(folder / "points.npz", len(records))
        rows = zip(records, points, normals, strict=True)
        models = [_model(folder, *row) for row in rows]
        return cls([m for m in models if half in ("", m.split)], folder)

    def __len__(self):
        return len(self.models)

    def __iter__(self):
        return iter(self.models)

    def __contains__(self, cad_id):
        return cad_id in self._by_id

    def __getitem__(self, cad_id):
        if cad_id not in self._by_id:
            near = difflib.get_close_matches(str(cad_id), self._by_id, n=3, cutoff=0.5)
            hint = f"; near: {', '.join(near)}" if near else ""
            raise KeyError(f"no CAD model {cad_id!r} in {self.folder}{hint}")
        return self._by_id[cad_id]

    def of_class(self, label):
        """All models of a class, in library order; () if there is none."""
        return tuple(model for model in self.models if model.label == label)


def builtin_folder():
    """The built-in library's folder: `library` in the models folder."""
    return models_folder() / "library"


def models_folder():
    """Folder of what is shipped: $ROOMCAD_MODELS, else the folder `models` above this file."""
    if os.environ.get("ROOMCAD_MODELS"):
        return Path(os.environ["ROOMCAD_MODELS"])
    for parent in Path(__file__).resolve().parents:
        if (parent / "models" / "library" / "library.json").is_file():
            return parent / "models"
    raise FileNotFoundError(
        "the built-in CAD library was not found: set ROOMCAD_MODELS to the `models` folder of the"
        " roomcad checkout, or make a library with `roomcad library build builtin OUT`"
    )


class LibraryWriter:
    """Writes a library model by model, so that big imports need no memory for meshes.

    Use as a context manager; the two index files are written on a clean exit only.
    """

    def __init__(self, folder, overwrite=False):
        self.folder = Path(folder)
        self.models = []
        if (self.folder / "library.json").exists() and not overwrite:
            raise FileExistsError(f"{self.folder} already holds a library; overwrite was not asked")
        (self.folder / "meshes").mkdir(parents=True, exist_ok=True)
        for stale in [self.folder / "library.json", *self.folder.glob("meshes/*.glb")]:
            stale.unlink(missing_ok=True)

    def add(self, model, glb):
        """Append a CadModel (its `mesh` path is replaced) with its mesh as GLB bytes."""
        mesh = self.folder / "meshes" / f"{model.id}.glb"
        if mesh.exists():
            raise ValueError(f"CAD id {model.id!r} occurs twice")
        mesh.write_bytes(glb)
        self.models.append(replace(model, mesh=mesh))

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is None:
            self._write_index()

    def _write_index(self):
        if not self.models:
            raise ValueError(f"no model to write into the CAD library {self.folder}")
        arrays = {
            name: np.stack([getattr(m, name) for m in self.models]).astype(np.float16)
            for name in ("points", "normals")
        }
        np.savez_compressed(self.folder / "points.npz", **arrays)
        index = {"version": VERSION, "models": [_record(m) for m in self.models]}
        (self.folder / "library.json").write_text(json.dumps(index, indent=1) + "\n")


def save_library(models, glbs, folder, overwrite=False):
    """Write CadModels and their meshes {id: GLB bytes} as a library folder."""
    with LibraryWriter(folder, overwrite) as writer:
        for model in models:
            writer.add(model, glbs[model.id])


def _record(model):
    """A model's entry of library.json."""
    record = {name: getattr(model, name) for name in FIELDS}
    record["size"] = [round(float(s), 5) for s in model.size]
    record["mesh"] = f"meshes/{model.id}.glb"
    return record


def _read_records(path):
    """The entries of library.json, each with all FIELDS."""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; a CAD library folder holds one")
    try:
        index = json.loads(path.read_text())
    except ValueError as error:
        raise ValueError(f"{path}: not JSON: {error}") from None
    if not isinstance(index, dict) or index.get("version") != VERSION:
        got = index.get("version") if isinstance(index, dict) else index
        raise ValueError(f"{path}: version: got {got!r}, expected {VERSION}")
    records = index.get("models")
    if not isinstance(records, list) or not all(isinstance(r, dict) for r in records):
        raise ValueError(f"{path}: models: expected a list of mappings")
    if not records:
        raise ValueError(f"CAD library {path.parent} is empty")
    for i, record in enumerate(records):
        if set(record) != set(FIELDS):
            raise ValueError(f"{path}: models[{i}]: got {sorted(record)}, expected {FIELDS}")
    return records


def _read_points(path, n):
    """(n, N_POINTS, 3) float32 points and normals of points.npz."""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; a CAD library folder holds one")
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = [file[name].astype(np.float32) for name in ("points", "normals")]
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path}: unreadable: {error}") from None
    for name, array in zip(("points", "normals"), arrays, strict=True):
        if array.shape != (n, N_POINTS, 3):
            raise ValueError(f"{path}: {name}: got {array.shape}, expected {(n, N_POINTS, 3)}")
    return arrays


def _model(folder, record, points, normals):
    """A CadModel from its record; the mesh must be a file inside the library folder."""
    mesh = (folder / str(record["mesh"])).resolve()
    if not mesh.is_relative_to(folder.resolve()):
        raise ValueError(f"{folder}: {record['id']}: mesh {record['mesh']!r} leaves the library")
    if not mesh.is_file():
        raise FileNotFoundError(f"{mesh}: mesh of CAD model {record['id']!r} is missing")
    normals = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-6)
    try:
        size = np.asarray(record["size"], dtype=float)
    except (TypeError, ValueError):
        raise ValueError(f"{record['id']}: size: got {record['size']!r}") from None
    return CadModel(**{**record, "size": size, "mesh": mesh}, points=points, normals=normals)


def _check_model(model):
    """Raise ValueError, naming model and field, where a value cannot be right."""
    if not isinstance(model.id, str) or not ID_PATTERN.fullmatch(model.id):
        raise ValueError(f"CAD id {model.id!r}: expected letters a-z, digits, _ and -")
    for name, choices in (("label", CLASSES), ("symmetry", SYMMETRIES)):
        if getattr(model, name) not in choices:
            got = getattr(model, name)
            raise ValueError(f"{model.id}: {name}: got {got!r}, expected one of {list(choices)}")
    if model.size.shape != (3,) or not (np.isfinite(model.size) & (model.size > 0)).all():
        raise ValueError(f"{model.id}: size: got {model.size.tolist()}, expected 3 lengths > 0")
    for name in ("points", "normals"):
        array = getattr(model, name)
        if array.shape != (N_POINTS, 3) or not np.isfinite(array).all():
            raise ValueError(f"{model.id}: {name}: expected finite {(N_POINTS, 3)}")
