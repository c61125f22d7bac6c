"""Sources of training samples: ModelNet40, scans of CAD libraries, crops of simulated rooms."""

import numpy as np

from roomcad_core.crop_input import normalise
from roomcad_core.types import OTHER
from roomcad_offline.classifier.samples import LABELS, collect

# ModelNet40 class -> ours. Benches are left out: no class of ours, and much like sofas.
MODELNET = {
    "bathtub": "bathtub",
    "bed": "bed",
    "bookshelf": "bookshelf",
    "chair": "chair",
    "stool": "chair",
    "desk": "desk",
    "dresser": "cabinet",
    "night_stand": "cabinet",
    "wardrobe": "cabinet",
    "monitor": "monitor",
    "sofa": "sofa",
    "table": "table",
    "toilet": "toilet",
    "door": OTHER,
    "sink": OTHER,
}


def modelnet_samples(clouds):
    """Samples of scan_gap.clouds.Clouds of ModelNet40; classes that are none of ours go."""
    return collect(
        {
            "points": cloud,
            "label": MODELNET[clouds.classes[label]],
            "floor": clouds.classes[label] not in ("monitor", "sink"),
            "whole": True,
            "group": f"modelnet_{index}",
        }
        for index, (cloud, label) in enumerate(zip(clouds.points, clouds.labels, strict=True))
        if clouds.classes[label] in MODELNET
    )


def class_radii(models):
    """{label index: radii [m]} of the CadModels of every class; `other` takes all."""
    radii = {label: [] for label in LABELS}
    for model in models:
        points = (model.points[::8] * model.size)[:, [0, 2, 1]]
        _, _, radius = normalise(points)
        radii[model.label].append(float(radius))
    radii[OTHER] = sum(radii.values(), [])
    return {LABELS.index(label): np.array(r) for label, r in radii.items() if r}
