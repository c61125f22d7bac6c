"""A piece whose cells vote for several things of different kinds is divided among them.

Geometry merges what touches at a flat angle: a monitor and the chair before it, a bed and the
cabinet at its side. The network groups cells by their votes; where the groups of a piece
are of one kind it is left whole, as parts of one thing may vote for different centres too.
"""

from __future__ import annotations

import numpy as np

from roomcad_core.segment.instances.cells import labels_of_pixels

LEAST_CELLS = 60  # of the largest group of a piece and of one that leaves it


def divided(labels, seen, alike):
    """Labels (H, W) of the working grid where groups of cells have left their pieces.

    Args:
        labels: (H, W) labels of the pieces, 1.. without gaps, 0 = background.
        seen: Seen of the same frame.
        alike: groups leave a piece whose overlap of classes (Bhattacharyya coefficient over the
            furniture) with its largest group is below this.
    """
    groups = seen.groups
    leaving = leaving_groups(seen.cells.of(labels), groups, seen.kinds[seen.furniture], alike)
    if not leaving:
        return labels
    out, free = labels.copy(), int(labels.max()) + 1
    of_pixels = labels_of_pixels(groups, seen.cells, seen.q)
    for number, (piece, group) in enumerate(leaving):
        out[(labels == piece) & (of_pixels == group)] = free + number
    return out


def leaving_groups(pieces, groups, kinds, alike):
    """[(piece, group)] of the groups of cells that leave their piece.

    Args:
        pieces, groups: (h, w) labels of the cells, 0 = none.
        kinds: (len(CLASSES), h, w) probabilities of the classes of furniture.
        alike: see divided.
    """
    both = np.flatnonzero((pieces > 0) & (groups > 0))
    n = int(groups.max(initial=0)) + 1
    codes, index = np.unique(
        pieces.ravel()[both].astype(np.int32) * n + groups.ravel()[both], return_inverse=True
    )
    counts = np.bincount(index, minlength=len(codes))
    kept = np.flatnonzero(counts >= LEAST_CELLS)
    owners = codes // n
    if len(np.unique(owners[kept])) == len(kept):  # no piece has two groups: the usual case
        return []
    chosen = kinds.reshape(len(kinds), -1)[:, both]
    sums = np.stack([np.bincount(index, p, len(codes)) for p in chosen], 1)
    root = np.sqrt(sums / counts[:, None])
    leaving = []
    for piece in np.unique(owners[kept]):
        mine = kept[owners[kept] == piece]
        main = mine[np.argmax(counts[mine])]
        unlike = mine[root[mine] @ root[main] < alike]
        leaving += [(int(piece), int(codes[k] % n)) for k in unlike if k != main]
    return leaving
