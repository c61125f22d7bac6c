"""The finding: how much of the post's gap is axis convention, how much the scans themselves.

Two causes act together, tilt and scan (sensor, occlusion, unknown heading), and accuracy cannot
fall far below chance: what a cause takes depends on whether it comes first or second. Both orders
are measured, and the split that is quoted is their mean (the Shapley value of two causes).
"""

from dataclasses import dataclass

import numpy as np

from roomcad_offline.classifier.real import BOOTSTRAPS, INTERVAL
from roomcad_offline.scan_gap import published
from roomcad_offline.scan_gap.evaluate import ALIGNED, AS_PUBLISHED, bootstrap, rounded

# CAD test clouds turned y up by themselves: the axis effect without any sensor.
TIPPED = "modelnet40_tipped"
# CAD test clouds turned about the up axis: what an unknown heading costs by itself.
ANY_HEADING = "modelnet40_any_heading"
CHANCE = 1 / 8


@dataclass(frozen=True)
class Part:
    """A difference of two accuracies."""

    name: str
    meaning: str
    value: float
    interval: list  # 95 %


def attribution(results):
    """{name: Part} of one network's Results; what was not measured is left out."""
    cad, tipped, heading = (results.get(v) for v in ("modelnet40", TIPPED, ANY_HEADING))
    only, only_tilted = (results.get("obj_only", c) for c in (ALIGNED, AS_PUBLISHED))
    bg, bg_tilted = (results.get("obj_bg", c) for c in (ALIGNED, AS_PUBLISHED))
    wanted = [
        ("gap", "CAD test − OBJ_ONLY as published", cad, only_tilted),
        ("scan", "CAD test − OBJ_ONLY aligned", cad, only),
        ("axis", "OBJ_ONLY aligned − as published", only, only_tilted),
        ("axis_first", "CAD test − CAD test turned y-up", cad, tipped),
        ("scan_second", "CAD test turned y-up − OBJ_ONLY as published", tipped, only_tilted),
        ("heading", "CAD test − CAD test at any heading", cad, heading),
        ("sensor", "CAD test at any heading − OBJ_ONLY aligned", heading, only),
        ("background", "OBJ_ONLY − OBJ_BG, both aligned", only, bg),
        ("background_tilted", "OBJ_ONLY − OBJ_BG, both as published", only_tilted, bg_tilted),
        ("axis_bg", "OBJ_BG aligned − as published", bg, bg_tilted),
    ]
    parts = {}
    for name, meaning, a, b in wanted:
        if a is not None and b is not None:
            value, interval = difference(a.right, b.right, same_objects(a, b))
            parts[name] = Part(name, meaning, value, interval)
    return parts


PUBLISHED = {"gap": published.DROP_TO_OBJ_ONLY, "background_tilted": published.DROP_TO_OBJ_BG}


def same_objects(a, b):
    """Whether two predictions are about the same objects, in the same order."""
    return a.data.split("/")[0] == b.data.split("/")[0] and np.array_equal(a.labels, b.labels)


def difference(a, b, paired, seed=0):
    """Mean of `a` minus mean of `b` (bool arrays) and its 95 % bootstrap interval."""
    rng = np.random.default_rng(seed)
    a, b = np.asarray(a, float), np.asarray(b, float)
    index_a = rng.integers(len(a), size=(BOOTSTRAPS, len(a)))
    index_b = index_a if paired else rng.integers(len(b), size=(BOOTSTRAPS, len(b)))
    means = a[index_a].mean(1) - b[index_b].mean(1)
    return round(float(a.mean() - b.mean()), 4), rounded(np.percentile(means, INTERVAL))


def same_mix(cad, real):
    """CAD accuracy with the classes weighted as among the real objects, which differ from CAD's."""
    counts = np.bincount(real.labels, minlength=len(real.classes))
    values = [
        cad.right[cad.labels == c].mean() if (cad.labels == c).any() else 0.0
        for c in range(len(counts))
    ]
    return round(float(np.average(values, weights=counts)), 4)


def predicted_share(prediction, name):
    """Share of the objects predicted as class `name`."""
    return round(float((prediction.predicted == prediction.classes.index(name)).mean()), 4)


def split(parts):
    """(axis, scan): the two causes' shares of the gap in accuracy, the mean over both orders.

    Without the control of turned CAD clouds only the order scan, then axis is known.
    """
    axis, scan = parts["axis"].value, parts["scan"].value
    if "axis_first" in parts:
        axis = (axis + parts["axis_first"].value) / 2
        scan = (scan + parts["scan_second"].value) / 2
    return axis, scan


def split_of_post(parts):
    """(axis, scan) points of the post's 82, divided as ours are."""
    axis, scan = split(parts)
    total = 100 * published.DROP_TO_OBJ_ONLY
    share = axis / (axis + scan) if axis + scan > 0 else 0.0
    return total * share, total * (1 - share)


def measured(parts):
    """Whether the parts suffice to state the finding."""
    return {"gap", "axis", "scan"} <= set(parts)


def accuracy_rows(results):
    """(variant, column, accuracy, interval, n) of everything the finding rests on."""
    wanted = [("modelnet40", ALIGNED), (TIPPED, ALIGNED), (ANY_HEADING, ALIGNED)]
    wanted += [(v, c) for v in ("obj_only", "obj_bg") for c in (AS_PUBLISHED, ALIGNED)]
    found = [(v, c, results.get(v, c)) for v, c in wanted]
    return [
        (v, c, round(float(p.right.mean()), 4), bootstrap(p.right), len(p.right))
        for v, c, p in found
        if p is not None
    ]
