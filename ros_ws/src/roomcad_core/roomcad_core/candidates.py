"""Which CAD models an aligner tries for an object, and what their fits say of its class."""

from dataclasses import dataclass

import numpy as np

from roomcad_core.boxes import fit_upright_box
from roomcad_core.library import CadModel
from roomcad_core.types import OTHER

MIN_PROBABILITY = 0.03  # less probable classes are not tried


@dataclass(frozen=True)
class Candidate:
    """One CAD model tried for an object."""

    model: CadModel
    prior: float  # probability of its class


def furniture(segmentation, known=()):
    """The Objects that were named and are no `other`, and those whose id is `known`."""
    return [o for o in segmentation.objects if o.id in known or (o.label and o.label != OTHER)]


def likely_classes(obj, n):
    """{class: probability} of at most `n` classes of an Object that are worth trying."""
    scores = obj.class_scores or {obj.label: obj.score}
    ranked = sorted((c for c in scores if c != OTHER), key=scores.get, reverse=True)
    possible = [c for c in ranked if scores[c] >= MIN_PROBABILITY]
    return {c: scores.get(c, obj.score) for c in possible[:n] or [obj.label]}


def models_of_class(obj, label, library, n, box=None):
    """At most `n` CadModels of a class: those retrieved if there are any, else nearest in size.

    Args:
        obj: Object; its crop is looked at only where nothing was retrieved.
        box: UprightBox of the crop where the caller has one.

    Raises:
        ValueError: nothing was retrieved, and the crop has fewer than 4 points or is not finite.
    """
    known = (library[i] for i in obj.cad_ids if i in library)
    models = [model for model in known if model.label == label]
    if not models:
        models = library.of_class(label)
        if models:
            models = nearest_in_size(models, fit_upright_box(obj.points) if box is None else box)
    return list(models[:n])


def ranked_candidates(obj, library, config):
    """Candidates of an Object, most promising first: a class's k-th model counts 1/k of it.

    Args:
        config: AlignConfig.

    Raises:
        ValueError: see models_of_class.
    """
    rated = []
    for label, prior in likely_classes(obj, config.n_classes).items():
        models = models_of_class(obj, label, library, config.n_candidates)
        rated += [(prior / (k + 1), Candidate(m, prior)) for k, m in enumerate(models)]
    rated.sort(key=lambda entry: -entry[0])
    return [candidate for _, candidate in rated]


def chosen_class(prior, support):
    """The class that tried models support most, and how probable it became.

    What the tried classes leave over (other classes, `other`) stays as doubt.

    Args:
        prior: {class: probability} of the tried classes.
        support: {class: weight} of those of them that could be fitted.

    Returns:
        class and probability, or None where nothing has any support.
    """
    total = sum(support.values())
    if not total > 0:
        return None
    label = max(support, key=support.get)
    return label, sum(prior.values()) * support[label] / total


def nearest_in_size(models, box):
    """CadModels sorted by how much their sizes differ from those of an UprightBox."""
    seen = _sorted_size(box.extents)
    return sorted(
        models, key=lambda m: np.abs(np.log(_sorted_size(m.size[[0, 2, 1]]) / seen)).sum()
    )


def _sorted_size(extents_xyz):
    """(3,) long side, short side, height of z-up extents."""
    x, y, z = extents_xyz
    return np.array([max(x, y), min(x, y), z])
