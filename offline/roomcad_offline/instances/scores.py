"""How well found instances are true ones: recall, precision, things merged and split."""

from dataclasses import dataclass, field

import numpy as np

MATCH = 0.5  # IoU from which a found instance is a true one
HELD = 0.3  # share of a true object that a found one holds when it merges it with another
PIECE = 0.2  # share of a true object that each piece of it has when it is split
LEAST = 1 / 150  # share of the image that a true object must show to be judged
CHAIR, TABLES = "chair", ("table", "desk")


@dataclass
class Scores:
    """Counts over frames. Only pixels with a depth count, and only furniture is judged.

    Furniture that shows less than LEAST of the image is not asked for, nor are things that are no
    furniture: what is found mostly on them is neither right nor wrong.
    """

    objects: int = 0  # true ones
    found: int = 0  # judged, of those found
    right: int = 0
    iou: float = 0.0  # sum of the best of each true object
    merged: int = 0  # found ones that hold two or more true ones
    merged_chair_table: int = 0  # of these, with a chair and a table or desk among them
    split: int = 0  # true ones in two or more pieces
    classes: dict = field(default_factory=dict)  # class -> [true, right]

    def add(self, true, found, known, labels):
        """Judge a frame.

        Args:
            true: (H, W) ids, 0 = no object. found: (H, W) ids, 0 = none.
            known: (H, W) bool, pixels with a depth.
            labels: {true id: class} of the furniture.
        """
        true_ids, t = np.unique(true[known], return_inverse=True)
        shared = np.zeros((len(true_ids), int(found.max(initial=0)) + 1))
        np.add.at(shared, (t, found[known]), 1)
        area, taken = shared.sum(1), shared.sum(0)
        iou = shared / np.maximum(area[:, None] + taken - shared, 1)
        iou[:, 0] = 0
        asked = np.isin(true_ids, list(labels)) & (area >= LEAST * known.size)
        ignored = ~asked & (true_ids > 0)
        self._count(shared, area, iou, asked, [labels.get(int(i), "") for i in true_ids])
        judged = (taken > 0) & ~ignored[shared.argmax(0)] if len(true_ids) else taken > 0
        judged[0] = False
        self.found += int(np.count_nonzero(judged | (iou[asked] >= MATCH).any(0)))

    def _count(self, shared, area, iou, asked, names):
        best = iou.max(1, initial=0)
        holds = (shared >= HELD * area[:, None]) & asked[:, None]
        holds[:, 0] = False
        for column in np.flatnonzero(holds.sum(0) >= 2):
            self.merged += 1
            among = {names[i] for i in np.flatnonzero(holds[:, column])}
            self.merged_chair_table += CHAIR in among and bool(among & set(TABLES))
        pieces = (shared[:, 1:] >= PIECE * area[:, None]).sum(1)
        for i in np.flatnonzero(asked):
            self.objects += 1
            self.iou += float(best[i])
            self.right += bool(best[i] >= MATCH)
            self.split += bool(pieces[i] >= 2)
            entry = self.classes.setdefault(names[i], [0, 0])
            entry[0] += 1
            entry[1] += bool(best[i] >= MATCH)

    def result(self):
        """Plain numbers: shares are None where there is nothing to take a share of."""
        return {
            "objects": self.objects,
            "found": self.found,
            "recall": share(self.right, self.objects),
            "precision": share(self.right, self.found),
            "mean_iou": share(self.iou, self.objects),
            "merged": self.merged,
            "merged_chair_table": self.merged_chair_table,
            "split": self.split,
            "recall_by_class": {k: share(r, n) for k, (n, r) in sorted(self.classes.items())},
            "objects_by_class": {k: n for k, (n, _) in sorted(self.classes.items())},
        }


def share(part, whole):
    return part / whole if whole else None
