"""Two opinions on the class of an object made one: its crop's, and that of the frame around it.

They are joined by a weighted logarithmic opinion pool: log p = crop log p_crop + frame log p_frame,
and `other` more for what is no furniture, scaled to a sum (Genest and Zidek, Combining probability
distributions: a critique and an annotated bibliography, Statistical Science 1986). The three
numbers are fitted on real rooms that neither network was trained on (roomcad-offline classifier
pool) and stand in the manifest beside the classifier they belong to.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from roomcad_core.types import OTHER

LEAST = 1e-3  # added to every probability: no opinion forbids a class


@dataclass(frozen=True)
class Pooling:
    """How much each opinion weighs; as it stands, for a classifier that nothing was fitted for."""

    crop: float = 0.5
    frame: float = 0.5
    other: float = 0.0  # added to the logarithm of `other`


def pooled(scores: dict, context: dict, pooling: Pooling) -> dict:
    """{class: probability} of an object.

    Args:
        scores: {class: probability} by the crop.
        context: the same by the frame; empty = not known. Scores that are no probabilities (not
            finite, negative, all zero) say nothing: a robot gets them from anywhere.

    Classes that only one of both knows keep what `scores` says of them, if anything.
    """
    shared = [c for c in scores if c in context]
    said = [context[c] for c in shared]
    if not all(math.isfinite(k) and k >= 0 for k in said) or not any(said):
        return scores
    logs = [
        pooling.crop * math.log(scores[c] + LEAST)
        + pooling.frame * math.log(context[c] + LEAST)
        + pooling.other * (c == OTHER)
        for c in shared
    ]
    both = [math.exp(x - max(logs)) for x in logs]
    share = sum(scores[c] for c in shared) / sum(both)
    return scores | {c: share * p for c, p in zip(shared, both, strict=True)}
