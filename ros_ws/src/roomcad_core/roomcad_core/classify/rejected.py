"""What becomes of an object whose crop cannot be classified."""

import dataclasses

from roomcad_core.types import OTHER


def rejected(obj, note):
    """The Object as `other`, for certain, with the reason beside it."""
    return dataclasses.replace(obj, label=OTHER, score=1.0, class_scores={OTHER: 1.0}, note=note)
