"""Furniture of Sweet Home 3D's catalogues (Debian: sweethome3d-furniture and sweethome3d).

A catalogue is a zip with OBJ models and a properties file. Models are y-up in centimetres with
their front towards +z; the catalogue's rotation comes first, then its width, height and depth.
"""

import functools
import logging
import posixpath
import re
from pathlib import Path

import numpy as np

from roomcad_core.library_build.axes import turn_to_cad
from roomcad_core.library_build.candidate import Candidate, slug
from roomcad_core.library_build.files import archives
from roomcad_core.library_build.model import Mesh
from roomcad_core.library_build.naming import furniture_class
from roomcad_core.library_build.obj import read_obj

FOLDERS = (Path("/usr/share/sweethome3d"),)
CATALOGUES = (
    "PluginFurnitureCatalog.properties",
    "com/eteks/sweethome3d/io/DefaultFurnitureCatalog.properties",
)
LICENCES = {
    "BlendSwap-CC-0": "CC0-1.0",
    "BlendSwap-CC-BY": "CC-BY-3.0",
    "KatorLegaz": "CC-BY-3.0-US",
    "Reallusion": "CC-BY-3.0-US",
    "Scopia": "CC-BY-3.0",
    "sweethome3d": "GPL-2.0-or-later",
}
RESCALED = 0.05  # a model whose proportions the declared size changes by more is reported
TO_CAD = turn_to_cad("+y", "+z")

log = logging.getLogger(__name__)


def candidates(path=""):
    """Candidates of all catalogues at `path` (.sh3f, .jar, .deb or a folder); "" = installed."""
    folders = [Path(path)] if path else [f for f in FOLDERS if f.is_dir()]
    found = [files for folder in folders for files in archives(folder)]
    if not found:
        raise FileNotFoundError(
            f"no .sh3f or .jar at {path or FOLDERS[0]}: install them (apt-get install"
            " sweethome3d-furniture sweethome3d) or fetch the packages (apt-get download ...) and"
            " name their folder: sweethome3d:FOLDER"
        )
    return [candidate for files in found for candidate in _of_catalogue(files)]


def _of_catalogue(files):
    """Candidates of one catalogue; an archive without a catalogue has none."""
    for name in CATALOGUES:
        try:
            text = files.read(name).decode("latin-1")
        except FileNotFoundError:
            continue
        for entry in read_properties(text):
            label = furniture_class(entry.get("name", ""), entry.get("category", ""),
                                    entry.get("tags", ""))  # fmt: skip
            if label and entry.get("doorOrWindow") != "true" and entry.get("model"):
                yield _candidate(files, entry, label)


def read_properties(text):
    """Entries {key: value} of a catalogue: lines key#N=value, in the order of N."""
    entries = {}
    for line in text.splitlines():
        match = re.match(r"\s*(\w+)#(\d+)\s*=\s*(.*)", line)
        if match:
            key, number, value = match.groups()
            value = re.sub(r"\\u([0-9a-fA-F]{4})", lambda m: chr(int(m[1], 16)), value)
            entries.setdefault(int(number), {})[key] = value.strip()
    return [entries[number] for number in sorted(entries)]


def _candidate(files, entry, label):
    path = entry["model"].lstrip("/")
    library = files.name.rsplit(".", 1)[0]
    stem = posixpath.basename(path).rsplit(".", 1)[0]
    return Candidate(
        id=f"{label}_{slug(library)}_{slug(stem)}",
        label=label,
        licence=LICENCES.get(library, "unknown"),
        source=f"Sweet Home 3D, {library}: {entry['name']} by {entry.get('creator', 'unknown')}",
        read=functools.partial(_read, files, entry, path),
    )


def _read(files, entry, path):
    mesh = read_obj(files, path)
    vertices = mesh.vertices @ _rotation(entry).T
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    size = np.array([float(entry.get(key, "nan")) for key in ("width", "height", "depth")])
    if not (np.isfinite(size).all() and (size > 0).all()):
        raise ValueError(f"width, height, depth: got {size.tolist()}, expected lengths > 0")
    scale = size / np.maximum(high - low, 1e-9)
    if scale.max() > (1 + RESCALED) * scale.min():
        log.info(
            "%s: rescaled by %s to its declared proportions", path, np.round(scale, 3).tolist()
        )
    vertices = (vertices - (low + high) / 2) * scale / 100
    return Mesh(vertices @ TO_CAD.T, mesh.triangles, mesh.colors)


def _rotation(entry):
    """(3, 3) modelRotation of an entry, written row by row; identity where it has none."""
    words = entry.get("modelRotation", "1 0 0 0 1 0 0 0 1").split()
    R = np.array([float(w) for w in words])
    if R.shape != (9,) or np.abs(R.reshape(3, 3) @ R.reshape(3, 3).T - np.eye(3)).max() > 0.01:
        raise ValueError(f"modelRotation: got {words}, expected the 9 numbers of a rotation")
    return R.reshape(3, 3)
