"""How the classifier does on what the segmentation cuts out of simulated rooms."""

import numpy as np

from roomcad_core.types import OTHER
from roomcad_offline.classifier.samples import LABELS


def crop_outputs(network, crops):
    """Probabilities (N, LABELS) and embeddings of RoomCrops by a CropNetwork, as on the robot."""
    parts = [network([c.points], c.floor_z) for c in crops]
    return tuple(np.concatenate(column) for column in zip(*parts, strict=True))


def true_labels(crops):
    """(N,) index into LABELS: the class of furniture crops, `other` for everything else."""
    return np.array(
        [LABELS.index(OTHER if c.kind in ("background", "fragment") else c.label) for c in crops]
    )


def judge_rooms(logits, crops):
    """Shares kept and rejected, and class accuracy of the furniture."""
    other = LABELS.index(OTHER)
    is_other = logits.argmax(1) == other
    kind = np.array([c.kind for c in crops])
    labels = true_labels(crops)
    furniture = kind == "furniture"
    named = np.delete(logits, other, 1).argmax(1)  # `other` is the last label
    right = named == labels
    return {
        "crops": {k: int((kind == k).sum()) for k in np.unique(kind)},
        "furniture_kept": share(~is_other, furniture),
        "background_rejected": share(is_other, kind == "background"),
        "all_furniture_kept": share(~is_other, kind != "background"),
        "partial_kept": share(~is_other, kind == "partial"),
        "fragments_rejected": share(is_other, kind == "fragment"),
        "class_accuracy": share(right, furniture),
        "per_class": {
            LABELS[c]: {
                "n": int((furniture & (labels == c)).sum()),
                "accuracy": float(right[furniture & (labels == c)].mean()),
            }
            for c in np.unique(labels[furniture])
        },
    }


def share(flags, among):
    """Share of True among some of them; None where there are none."""
    return float(flags[among].mean()) if among.any() else None
