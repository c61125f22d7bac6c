"""What the surroundings say of objects: the network's classes, averaged over an object's cells."""

from __future__ import annotations

import numpy as np

from roomcad_core.segment.instances.model_files import STRUCTURE
from roomcad_core.types import OTHER


def context_classes(instances, seen):
    """{id: {class: probability}} of the objects that cells show, of every class and `other`.

    Args:
        instances: (H, W) ids of the objects on the working grid, 0 = none.
        seen: Seen of the same frame.
    """
    ids = seen.cells.of(instances).ravel().astype(int)
    counts = np.bincount(ids)
    sums = [np.bincount(ids, p) for p in seen.kinds.reshape(len(seen.names), -1)]
    means = dict(zip(seen.names, np.stack(sums) / np.maximum(counts, 1), strict=True))
    for name in means.keys() & set(STRUCTURE):  # a piece of a wall is no furniture either
        means[OTHER] = means[OTHER] + means.pop(name)
    found = np.flatnonzero(counts[1:]) + 1
    return {int(i): {name: float(p[i]) for name, p in means.items()} for i in found}
