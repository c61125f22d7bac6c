"""Retrieval: which CAD models of the library look like an object, by the classifier's embedding.

Every library model is seen from a ring of directions, each view embedded once; an object's nearest
views tell the models. The embedding was trained to keep views of one model together.
"""

import numpy as np

from roomcad_core.pose import upright_rotation
from roomcad_core.views import seen_from

AZIMUTHS = np.arange(8) * np.pi / 4
ELEVATION = np.radians(20)  # a robot or a person looks a little down on furniture
N_SURFACE = 2048  # points of a model looked at
RISE = {"monitor": 0.75}  # what does not stand on the floor stands this high [m]


class Retriever:
    """Ranks the library models of a class for embedded objects."""

    def __init__(self, network, library):
        """Embed all views of `library` (Library) with `network` (classify.CropNetwork)."""
        self._rows, self._ids, views = {}, [], []
        for model in library:
            self._rows.setdefault(model.label, []).append(len(self._ids))
            self._ids.append(model.id)
            views += model_views(model)
        _, embeddings = network(views, floor_z=0.0)
        unit = unit_rows(embeddings)
        self._views = unit.reshape(len(self._ids), len(AZIMUTHS), -1)

    def __call__(self, embedding, label, k):
        """The `k` CAD ids of class `label` most like an object, best first.

        Args:
            embedding: (E,) the classifier's embedding of the object.
            label: one of classes.CLASSES; a class without models gives ().
        """
        rows = self._rows.get(label, [])
        if not rows:
            return ()
        similarity = (self._views[rows] @ unit_rows(embedding)).max(1)
        return tuple(self._ids[rows[i]] for i in np.argsort(-similarity)[:k])


def model_views(model):
    """The crops (N, 3) [m], z up, floor at z = 0, that a CadModel shows from all AZIMUTHS."""
    points = (model.points[:N_SURFACE] * model.size) @ upright_rotation(0.0).T
    points[:, 2] += model.size[1] / 2 + RISE.get(model.label, 0.0)
    points = points.astype(np.float32)
    turns = np.broadcast_to(points, (len(AZIMUTHS), *points.shape))
    seen = seen_from(turns, AZIMUTHS, np.full(len(AZIMUTHS), ELEVATION))
    return [points[mask] for mask in seen]


def unit_rows(vectors):
    """Vectors (..., E) of length one."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
