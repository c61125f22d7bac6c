"""Which symmetry a CAD has: the annotation files carry it with every placed model."""

import numpy as np


class CadSymmetries:
    """Symmetry names of CADs (category, cad_id), as the evaluators look them up.

    Args:
        annotations: Annotations.
        seen: set of scenes that have predictions; their entries come before those of others.
        library: {(category, cad_id): symmetry} of further CADs, from a CAD library.
    """

    def __init__(self, annotations, seen, library=None):
        keys = list(zip(annotations.category, annotations.cad_id, strict=True))
        names = [str(name) for name in annotations.symmetry]
        scenes = annotations.scene
        self._library = dict(library or {})
        self._file = dict(zip(keys, names, strict=True))  # the last entry stays
        in_seen = np.isin(scenes, list(seen))
        self._seen = {k: n for k, n, s in zip(keys, names, in_seen, strict=True) if s}
        self._scene = {}
        for key, name, scene in zip(keys, names, scenes, strict=True):
            self._scene.setdefault((scene, *key), name)  # the first entry stays

    def known(self, category, cad_id):
        """(N,) bool: whether anything is known of each CAD."""
        pairs = zip(category, cad_id, strict=True)
        return np.array([p in self._file or p in self._library for p in pairs], bool)

    def in_scene(self, scene, category, cad_id):
        """(N,) bool: whether each CAD is annotated in the row's scene."""
        rows = zip(scene, category, cad_id, strict=True)
        return np.array([row in self._scene for row in rows], bool)

    def of(self, scene, category, cad_id, source):
        """(N,) symmetry names, "" where nothing is known.

        Args:
            source: "scene" (the scene's own first entry comes first), "seen" (the last entry in
                scenes with predictions) or "file" (the last entry of the file).
        """
        out = []
        for row in zip(scene, category, cad_id, strict=True):
            name = self._scene.get(row) if source == "scene" else None
            if name is None and source == "seen":
                name = self._seen.get(row[1:])
            out.append(name or self._file.get(row[1:]) or self._library.get(row[1:], ""))
        return np.array(out, str)
