"""Meshes of annotated and predicted CADs in CAD file coordinates, the ones their poses map.

Two kinds of folders serve: ShapeNetCore v2 (SYNSET/ID/models/model_normalized.obj) and a roomcad
CAD library. A library holds its models in the unit frame, so the box that the annotations give
for a CAD brings them back: file point = center + 2 * bbox * unit point. A library CAD without an
annotation is known only where every annotated box is the unit box (simulated rooms).
"""

from collections import OrderedDict
from pathlib import Path

import numpy as np

from roomcad_core.datasets.annotations import LABELS
from roomcad_core.library import Library
from roomcad_core.library_build.candidate import slug
from roomcad_core.library_build.files import FolderFiles, inside
from roomcad_core.library_build.obj import read_obj

OBJ = "models/model_normalized.obj"
KEPT = 256  # meshes in memory
UNIT_BOX = (0.0, 0.0, 0.0, 0.5, 0.5, 0.5)  # center and half extents


class CadMeshes:
    """Reads meshes when asked for and keeps the last KEPT of them."""

    def __init__(self, folder, boxes):
        """`boxes`: {(synset, CAD id): six numbers, center and half extents}, see boxes_of."""
        self.folder, self.boxes = Path(folder), boxes
        if not self.folder.is_dir():
            raise FileNotFoundError(f"{self.folder}: no such folder of CAD models")
        is_library = (self.folder / "library.json").is_file()
        self._library = Library.load(self.folder) if is_library else None
        self._unit = all(np.allclose(box, UNIT_BOX, atol=1e-6) for box in boxes.values())
        self._kept = OrderedDict()

    def __call__(self, category, cad_id):
        """Vertices (V, 3) float64 and triangles (F, 3) int of a CAD.

        Raises KeyError where the folder has no such CAD, ValueError where its mesh is damaged.
        """
        key = (str(category), str(cad_id))
        if key not in self._kept:
            self._kept[key] = self._from_library(*key) if self._library else self._from_obj(*key)
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]

    def __contains__(self, key):
        """True if the folder lists (category, CAD id); nothing is read."""
        category, cad_id = map(str, key)
        if self._library:
            return self._listed(category, cad_id) is not None
        try:
            return (self.folder / inside("", f"{category}/{cad_id}/{OBJ}")).is_file()
        except ValueError:
            return False

    def _listed(self, category, cad_id):
        """The library's id of a CAD; a library made from ShapeNet has ids CLASS_ID. None: none."""
        ids = (cad_id, f"{LABELS.get(category, '')}_{slug(cad_id)}")
        return next((i for i in ids if i in self._library), None)

    def _from_library(self, category, cad_id):
        found = self._listed(category, cad_id)
        if found is None:
            raise KeyError(f"{self.folder}: no CAD {category} {cad_id}")
        vertices, triangles, _ = self._library[found].load_mesh()
        box = self.boxes.get((category, cad_id), UNIT_BOX if self._unit else None)
        if box is None:
            raise KeyError(f"{cad_id}: no annotation tells the box that its file has")
        box = np.asarray(box, float)
        return box[:3] + 2 * box[3:] * np.asarray(vertices, float), np.asarray(triangles)

    def _from_obj(self, category, cad_id):
        path = f"{category}/{cad_id}/{OBJ}"
        try:
            mesh = read_obj(FolderFiles(self.folder), path)
        except FileNotFoundError:
            raise KeyError(f"{self.folder}: no {path}") from None
        return np.asarray(mesh.vertices, float), np.asarray(mesh.triangles)


def boxes_of(annotations):
    """{(synset, CAD id): (center, half extents) as six numbers} of records.Annotations."""
    rows = np.concatenate([annotations.center, annotations.bbox], axis=1)
    keys = zip(annotations.category.tolist(), annotations.cad_id.tolist(), strict=True)
    return dict(zip(keys, map(tuple, rows.tolist()), strict=True))
