"""Two opinions on the class of an object made one: its crop's, and that of its surroundings.

The classes of furniture get the logarithmic opinion pool of both, with equal weights: their
geometric mean, scaled to a sum (Genest and Zidek, Combining probability distributions: a critique
and an annotated bibliography, Statistical Science 1986). Whether the object is furniture at all is
left to the crop, which shows whether it is a fragment.
"""

import math

from roomcad_core.types import OTHER

LEAST = 1e-4  # added to every probability: no opinion forbids a class


def pooled(scores, context):
    """{class: probability} of an object.

    Args:
        scores: {class: probability} by the crop.
        context: the same by the surroundings; empty = not known. Scores that are no probabilities
            (not finite, negative, all zero) say nothing: a robot gets them from anywhere.

    Classes that only one of both knows keep what `scores` says of them, if anything.
    """
    shared = [c for c in scores if c in context and c != OTHER]
    said = [context[c] for c in shared]
    if not all(math.isfinite(k) and k >= 0 for k in said) or not any(said):
        return scores
    both = [math.sqrt((scores[c] + LEAST) * (context[c] + LEAST)) for c in shared]
    share = sum(scores[c] for c in shared) / sum(both)
    return scores | {c: share * q for c, q in zip(shared, both, strict=True)}
