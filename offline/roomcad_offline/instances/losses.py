"""The loss of the instance network, a sum of parts.

    kinds    cross entropy of what each cell shows; of cells of which only that is known, that
             they show some thing, or some structure
    name     the same of the cells of each object
    offset   distance of the votes from the centre of their object
    overlap  1 - Dice of the cells that an object's votes and spread hold, and its own
    seed     squared difference from how much each vote belongs to its object
    agree    difference of the spreads within an object, of their logarithms

All but the first are means over objects, those with few cells counting less. The centre of an
object is the mean of its visible points.
"""

import torch
from torch.nn import functional as F

from roomcad_core.segment.instances.cluster import LEAST_CELLS
from roomcad_core.segment.instances.model_files import STRUCTURE
from roomcad_offline.instances.truth import SOME_STRUCTURE, SOME_THING, UNKNOWN

FULL_CELLS = 100  # an object with fewer cells counts less
MOST_CELLS = 3000  # cells of an image that the parts about objects look at
NEAR = 0.1  # [m] votes farther off cost their distance, nearer ones less


def instance_loss(out, points, ids, kinds, names, config, choice=None):
    """Weighted sum of the parts, and {part: value}.

    Args:
        out: what VoteNetwork gives.
        points: (B, 3, h, w) what the cells show, grav frame [m].
        ids: (B, h, w) int64 objects, 0 = none.
        kinds: (B, h, w) int64 places in `names`, or UNKNOWN, SOME_THING, SOME_STRUCTURE.
        names: of the network's kinds.
        config: LossConfig.
        choice: torch Generator that chooses cells where there are too many; None = torch's own.
    """
    costs, known = kind_costs(out["kinds"], kinds, names), kinds != UNKNOWN
    parts = {"kinds": (costs * known).sum() / known.sum().clamp(min=1)}
    rows = []
    for b in range(len(ids)):
        here = torch.nonzero(ids[b].flatten()).flatten()
        if len(here) > MOST_CELLS:
            here = here[torch.randperm(len(here), generator=choice)[:MOST_CELLS]]
        at = points[b].flatten(1)[:, here].T
        votes = at + out["offset"][b].flatten(1)[:, here].T
        spread, seed = (out[name][b].flatten()[here] for name in ("spread", "seed"))
        cost = costs[b].flatten()[here]
        rows.append(object_losses(votes, spread, seed, cost, at, ids[b].flatten()[here]))
    losses, weights = (torch.cat(part) for part in zip(*rows, strict=True))
    means = (losses * weights[:, None]).sum(0) / weights.sum().clamp(min=1e-6)
    parts |= dict(zip(("name", "offset", "overlap", "seed", "agree"), means, strict=True))
    total = sum(getattr(config, name) * value for name, value in parts.items())
    return total, {name: value.item() for name, value in parts.items()}


def kind_costs(logits, kinds, names):
    """(B, h, w) cross entropy of each cell; of those of which nothing is known it means nothing.

    Args:
        logits: (B, len(names), h, w). kinds: (B, h, w) as instance_loss takes them.
    """
    log_p = logits.log_softmax(1)
    exact = F.nll_loss(log_p, kinds.clamp(min=0), reduction="none")
    structure = torch.tensor([name in STRUCTURE for name in names])
    thing = -log_p[:, ~structure].logsumexp(1)
    built_in = -log_p[:, structure].logsumexp(1)
    cost = torch.where(kinds == SOME_THING, thing, exact)
    return torch.where(kinds == SOME_STRUCTURE, built_in, cost)


def object_losses(votes, spread, seed, cost, points, ids):
    """Parts name, offset, overlap, seed and agree (K, 5) of an image's objects, weights (K,).

    Args:
        votes: (n, 3) where each cell votes that its object's centre is [m].
        spread, seed: (n,) as VoteNetwork gives them.
        cost: (n,) cross entropy of their kinds.
        points: (n, 3) what the cells show [m].
        ids: (n,) int64 their objects, all > 0.
    """
    _, which, count = ids.unique(return_inverse=True, return_counts=True)
    one_hot = (which[:, None] == torch.arange(len(count))).to(votes.dtype)  # (n, K)
    share = one_hot / count.clamp(min=1)
    away = votes - (share.T @ points)[which]
    distance = torch.sqrt(away.square().sum(1) + 1e-12)
    offset = share.T @ F.huber_loss(distance, torch.zeros_like(distance), "none", NEAR) / NEAR
    log_spread = spread.log()
    mean_log = share.T @ log_spread
    agree = share.T @ (log_spread - mean_log[which]).abs()
    belongs = belonging(votes, share.T @ votes, mean_log.exp())
    held = (belongs * one_hot).sum(0)
    overlap = 1 - 2 * held / (belongs.sum(0) + count)
    own = belongs.detach().gather(1, which[:, None])[:, 0]
    sure = share.T @ (seed - own).square()
    weights = (count >= LEAST_CELLS) * (count / FULL_CELLS).clamp(max=1)
    return torch.stack([share.T @ cost, offset, overlap, sure, agree], 1), weights


def belonging(votes, centres, spread):
    """(n, K) of votes (n, 3) to centres (K, 3) with spreads (K,), as cluster.belonging."""
    squared = votes.square().sum(1)[:, None] + centres.square().sum(1) - 2 * votes @ centres.T
    return torch.exp(-0.5 * squared.clamp(min=0) / spread.square())
