"""Pieces whose votes agree are pieces of one thing.

Geometry splits a thing where something stands before it, and where its parts meet at an angle.
The network sees the surroundings, and its votes for the centre tell such pieces from things that
merely stand close together; where the frame has colour, pieces of one hue may be farther apart, and
those of two must be closer. All pieces of a thing must agree, each with each: a chain of neighbours
might end in another thing.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from roomcad_core.segment.instances.seen import FOREGROUND, votes

LEAST_CELLS = 8  # pieces that show fewer cells of a thing join none: a median of few says little
FAR = 1e6  # in spreads: never joined
ALIKE = 0.5  # at least, of the overlap of two pieces' classes of furniture
USUAL_HUE = 8.0  # difference of hue at which only the votes count, see apart
SAME_HUE = 2.0  # smaller differences are noise


@dataclass(frozen=True)
class Votes:
    """What the cells of n pieces say together."""

    labels: np.ndarray  # (n,) of the pieces
    centres: np.ndarray  # (n, 3) median of their votes [m]
    spreads: np.ndarray  # (n,) median of their spreads [m]
    kinds: np.ndarray  # (n, len(CLASSES)) mean probabilities of the classes of furniture
    hues: np.ndarray | None = None  # (n, 2) median a and b of CIELAB; None where there is no colour


def joined(labels, seen, reach):
    """Labels (H, W) of the working grid, 1.., with one label for all pieces of a thing.

    Args:
        labels: (H, W) labels of the pieces, 1.. without gaps, 0 = background.
        seen: Seen of the same frame.
        reach: centres of pieces of one thing are closer than this, in spreads of the narrower.
    """
    votes = votes_of_pieces(seen.cells.of(labels), seen)
    if len(votes.labels) < 2:
        return labels
    groups = fcluster(linkage(squareform(apart(votes)), "complete"), reach, "distance")
    numbers = np.arange(int(labels.max(initial=0)) + 1)
    _, first, groups = np.unique(groups, return_index=True, return_inverse=True)
    numbers[votes.labels] = votes.labels[first[groups]]
    without_gaps = np.unique(numbers, return_inverse=True)[1].astype(labels.dtype)
    return without_gaps[labels]


def votes_of_pieces(labels, seen):
    """Votes of the pieces among labelled cells (h, w) that show enough of a thing."""
    things = (labels > 0) & (seen.out["foreground"] >= FOREGROUND)
    order = np.argsort(labels[things], kind="stable")
    ids, counts = np.unique(labels[things], return_counts=True)
    ends = np.cumsum(counts)
    centres = votes(seen.out, seen.points, things)[order]
    spreads, kinds = (
        seen.out["spread"][things][order],
        seen.kinds[seen.furniture][:, things].T[order],
    )
    hues = None if seen.color is None else hue(seen.color)[things][order]
    kept = [slice(end - n, end) for end, n in zip(ends, counts, strict=True) if n >= LEAST_CELLS]
    return Votes(
        ids[counts >= LEAST_CELLS],
        np.array([np.median(centres[mine], 0) for mine in kept]).reshape(-1, 3),
        np.array([np.median(spreads[mine]) for mine in kept]),
        np.array([kinds[mine].mean(0) for mine in kept]).reshape(-1, kinds.shape[1]),
        hues if hues is None else np.array([np.median(hues[m], 0) for m in kept]).reshape(-1, 2),
    )


def hue(color):
    """(h, w, 2) float32 a and b of CIELAB of an image (h, w, 3) uint8 RGB: light or shadow leaves
    them nearly as they are."""
    return cv2.cvtColor(color.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[..., 1:]


def apart(votes):
    """(n, n) distances of the centres of pieces in spreads of the narrower, symmetric; FAR between
    pieces that are not alike. Less with the same hue, more with another one.

    How alike their classes are is the Bhattacharyya coefficient over the furniture: clutter and
    pieces of walls join nothing.
    """
    away = np.linalg.norm(votes.centres[:, None] - votes.centres, axis=2)
    away /= np.maximum(np.minimum(votes.spreads[:, None], votes.spreads), 1e-6)
    if votes.hues is not None:
        differences = np.linalg.norm(votes.hues[:, None] - votes.hues, axis=2)
        away *= np.sqrt((differences + SAME_HUE) / (USUAL_HUE + SAME_HUE))
    root = np.sqrt(votes.kinds)
    away = np.where(root @ root.T >= ALIKE, np.minimum(away, FAR), FAR)
    np.fill_diagonal(away, 0)
    return (away + away.T) / 2
