"""What the surroundings say of objects: the network's classes, averaged over an object's cells."""

from __future__ import annotations

import numpy as np

from roomcad_core.segment.instances.model_files import BACKGROUND, KINDS
from roomcad_core.types import OTHER


def context_classes(instances, seen):
    """{id: {class: probability}} of the objects that cells show, of every class and `other`.

    Args:
        instances: (H, W) ids of the objects on the working grid, 0 = none.
        seen: Seen of the same frame.
    """
    ids = seen.cells.of(instances).ravel().astype(int)
    counts = np.bincount(ids)
    sums = np.stack([np.bincount(ids, p) for p in seen.kinds.reshape(len(KINDS), -1)])
    means = sums / np.maximum(counts, 1)
    means[KINDS.index(OTHER)] += means[BACKGROUND]  # a piece of a wall is no furniture either
    found = np.flatnonzero(counts[1:]) + 1
    names = [i for i in range(len(KINDS)) if i != BACKGROUND]
    return {int(i): {KINDS[k]: float(means[k, i]) for k in names} for i in found}
