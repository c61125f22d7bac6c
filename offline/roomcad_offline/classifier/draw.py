"""Drawing training batches: balanced classes, mixed sources, and two crops of each CAD model."""

import numpy as np

from roomcad_core.classify import FREQUENCY
from roomcad_core.types import OTHER
from roomcad_offline.classifier.samples import LABELS, join


class Drawer:
    """Draws samples from {source name: Samples}; sources are mixed in every batch."""

    def __init__(self, sources, config):
        """`config` is a TrainConfig: shares, class_power, other_share."""
        self.names = [n for n in sources if config.shares.get(n, 0) > 0]
        if not self.names:
            raise ValueError(f"no source to draw from: got {sorted(sources)}, {config.shares}")
        share = np.array([config.shares[n] for n in self.names])
        self.share = share / share.sum()
        self.sources = [sources[n] for n in self.names]
        self.chance = [
            sample_chance(s.labels, config.class_power, config.other_share.get(name, 0.0))
            for name, s in zip(self.names, self.sources, strict=True)
        ]
        # CAD models are numbered through all sources; crops of no model get -1.
        groups = np.concatenate([group_keys(s) for s in self.sources])
        _, numbers = np.unique(groups, return_inverse=True)
        numbers[groups == ""] = -1
        ends = np.cumsum([len(s) for s in self.sources])
        self.group = np.split(numbers, ends[:-1])
        self.members = [by_group(g) for g in self.group]

    def __call__(self, size, rng):
        """Samples of one batch and the number of the CAD model each shows, (size,)."""
        counts = rng.multinomial(size, self.share)
        parts, groups = [], []
        for k, count in enumerate(counts):
            index = self._pairs(k, count, rng)
            parts.append(self.sources[k][index])
            groups.append(self.group[k][index])
        return join(parts), np.concatenate(groups)

    def _pairs(self, k, count, rng):
        """`count` samples of source k; each second one shows the same CAD model as the first."""
        first = rng.choice(len(self.sources[k]), (count + 1) // 2, p=self.chance[k])
        second = [
            rng.choice(self.members[k][g]) if g >= 0 else rng.choice(len(self.chance[k]),
                                                                     p=self.chance[k])
            for g in self.group[k][first]
        ]  # fmt: skip
        return np.concatenate([first, np.array(second, int)])[:count]


def sample_chance(labels, class_power, other_share):
    """(N,) probability of each sample: classes by their frequency in rooms to a power.

    `other_share` is the probability of `other`, if there is any; 0 leaves it out.
    """
    frequency = {**FREQUENCY, OTHER: 0}
    share = np.array([frequency[label] for label in LABELS], float) ** class_power
    counts = np.bincount(labels, minlength=len(LABELS))
    other = LABELS.index(OTHER)
    share[(counts == 0) | (np.arange(len(LABELS)) == other)] = 0
    share /= max(share.sum(), 1e-9)
    if counts[other]:
        share *= 1 - other_share
        share[other] = other_share if share.any() else 1.0
    p = share[labels] / counts[labels]
    return p / p.sum()


def group_keys(samples):
    """(N,) name of the CAD model of each sample, "" where it shows none."""
    return np.where(samples.labels == LABELS.index(OTHER), "", samples.group)


def by_group(numbers):
    """{group number: indices of its samples}."""
    order = np.argsort(numbers, kind="stable")
    values, starts = np.unique(numbers[order], return_index=True)
    return dict(zip(values.tolist(), np.split(order, starts[1:]), strict=True))
