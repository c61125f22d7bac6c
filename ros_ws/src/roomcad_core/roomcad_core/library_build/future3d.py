"""3D-FUTURE: FOLDER/model_info.json and FOLDER/<model_id>/raw_model.obj; metres, y-up, front +z."""

import functools
import json
from pathlib import Path

from roomcad_core.library_build.axes import turn_to_cad
from roomcad_core.library_build.candidate import Candidate, slug
from roomcad_core.library_build.files import FolderFiles
from roomcad_core.library_build.model import Mesh
from roomcad_core.library_build.naming import furniture_class
from roomcad_core.library_build.obj import read_obj

LICENCE = "3D-FUTURE terms of use"
TO_CAD = turn_to_cad("+y", "+z")
# Categories whose words alone would mislead, or say nothing.
CATEGORIES = {
    "bookcase / jewelry armoire": "bookshelf",
    "shelf": "bookshelf",
    "nightstand": "cabinet",
    "tv stand": "cabinet",
    "sideboard / side cabinet / console table": "cabinet",
    "drawer chest / corner cabinet": "cabinet",
    "footstool / sofastool / bed end stool / stool": "chair",
}


def candidates(path):
    """Candidates of every model of our classes in a 3D-FUTURE folder."""
    root = Path(path)
    index = root / "model_info.json"
    if not index.is_file():
        raise FileNotFoundError(f"{index}: no such file; a 3D-FUTURE folder holds one")
    try:
        records = json.loads(index.read_text())
        pairs = [(str(r["model_id"]), str(r["category"] or "").strip()) for r in records]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{index}: expected a list with model_id and category: {error}") from None
    for name, category in pairs:
        label = CATEGORIES.get(category.lower()) or furniture_class(category.replace("/", " "))
        if label:
            yield Candidate(
                id=f"{label}_{slug(name)}",
                label=label,
                licence=LICENCE,
                source=f"3D-FUTURE {name}: {category}",
                read=functools.partial(_read, root, f"{name}/raw_model.obj"),
            )


def _read(root, path):
    mesh = read_obj(FolderFiles(root), path)
    return Mesh(mesh.vertices @ TO_CAD.T, mesh.triangles, mesh.colors)
