"""Cells to objects: the votes of an object's cells for its centre lie close together.

The best seed's vote is a first centre, the votes within its spread are an object, and so on until
no good seed is left. Small groups beside a large one's centre are fragments of it if they are as
spread as it is: cells at edges, whose votes lie between. (A cup on a table knows that it is small.)
What then is left over joins the object whose centre it voted nearest to.
"""

import numpy as np

MOST = 96  # objects of a frame
LEAST_SEED = 0.4  # worse seeds begin no object
LEAST_CELLS = 12  # fewer are no object
FREE = 0.5  # share of the votes around a seed that must be free, else it is in an object found
HALF = 2 * np.log(2.0)  # (distance / spread)² at which a vote's belonging falls to a half
FRAGMENT = 0.2  # of an object's cells, at most, in a fragment of it
BESIDE = 2.8  # of its spreads, at most, between the centres of an object and its fragment
ALIKE = 0.7  # of its spread, at least, that its fragment has
FARTHEST = 3.0  # spreads from the centre that what is left over may vote


def belonging(votes, centre, spread):
    """(n,) of votes (n, 3) to a centre (3,), 0-1: 1 at the centre, 0.5 at 1.18 spreads [m]."""
    away = votes - centre
    return np.exp(-0.5 * np.einsum("nc,nc->n", away, away) / spread**2)


def cluster(votes, seed, spread):
    """(n,) int32 label of each vote, 1.. in the order found; 0 = of no object.

    Args:
        votes: (n, 3) where each cell votes that the centre of its object is [m].
        seed: (n,) 0-1, how good a centre its vote would be.
        spread: (n,) of the votes of its object, standard deviation [m].
    """
    labels = np.zeros(len(votes), np.int32)
    seeds, centres, reach = seed.copy(), [], []
    for _ in range(2 * MOST):
        best = int(np.argmax(seeds)) if len(seeds) else 0
        if len(centres) == MOST or not len(seeds) or seeds[best] < LEAST_SEED:
            break
        away = votes - votes[best]
        near = np.einsum("nc,nc->n", away, away) < HALF * spread[best] ** 2
        near[best] = True
        mine = near & (labels == 0)
        seeds[near] = 0
        size = np.count_nonzero(mine)
        if size >= max(LEAST_CELLS, FREE * np.count_nonzero(near)):
            centres.append(votes[mine].mean(0))
            reach.append(spread[best])
            labels[mine] = len(centres)
    if not centres:
        return labels
    centres, reach = np.array(centres), np.array(reach)
    hosts = _hosts(np.bincount(labels)[1:], centres, reach)
    whole = hosts == np.arange(len(hosts))
    numbers = np.concatenate([[0], np.cumsum(whole)[hosts]]).astype(np.int32)
    return _joined(numbers[labels], votes, centres[whole], reach[whole])


def _hosts(sizes, centres, reach):
    """(K,) the group that each group is a fragment of, itself if of none."""
    away = np.linalg.norm(centres[:, None] - centres, axis=2) / reach
    fits = (away < BESIDE) & (sizes[:, None] < FRAGMENT * sizes)
    fits &= reach[:, None] > ALIKE * reach
    nearest = np.where(fits, away, np.inf).argmin(1)
    hosts = np.where(fits.any(1), nearest, np.arange(len(sizes)))
    for i in np.argsort(-sizes, kind="stable"):  # hosts come before their fragments
        hosts[i] = hosts[hosts[i]]
    return hosts


def _joined(labels, votes, centres, reach):
    """Labels where votes left over have that of the centre fewest spreads away."""
    rest = np.flatnonzero(labels == 0)
    best, nearest = np.full(len(rest), FARTHEST**2), np.zeros(len(rest), np.int32)
    for label, (centre, spread) in enumerate(zip(centres, reach, strict=True), 1):
        away = votes[rest] - centre
        distance = np.einsum("nc,nc->n", away, away) / spread**2
        closer = distance < best
        best[closer], nearest[closer] = distance[closer], label
    labels[rest] = nearest
    return labels
