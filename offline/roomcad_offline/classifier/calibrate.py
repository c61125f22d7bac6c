"""Probabilities that mean what they say: temperature, and how much evidence `other` needs.

Both are fitted on simulated rooms of models that were not trained on; no real object is looked at.
"""

import numpy as np
from scipy.optimize import minimize_scalar

from roomcad_core.classify.crop_network import softmax
from roomcad_core.types import OTHER
from roomcad_offline.classifier.samples import LABELS

# Share of validation furniture that must not become `other`: the 0.95 asked of other rooms, and two
# standard errors of what some 900 crops of 60 rooms can tell.
KEEP = 0.965
N_BINS = 10


def fit_temperature(logits, labels):
    """The T > 0 that makes softmax(logits / T) most likely (Guo et al., 2017)."""

    def loss(log_t):
        p = softmax(logits / np.exp(log_t))
        return -np.log(np.maximum(p[np.arange(len(labels)), labels], 1e-12)).mean()

    return float(np.exp(minimize_scalar(loss, bounds=(-2, 2), method="bounded").x))


def fit_other_bias(logits, labels, keep=KEEP):
    """What to add to the logit of `other` so that the share `keep` of furniture is kept."""
    other = LABELS.index(OTHER)
    furniture = labels != other
    margin = np.delete(logits, other, 1).max(1) - logits[:, other]
    return float(np.quantile(margin[furniture], 1 - keep))


def reliability(confidence, right, bins=N_BINS):
    """Calibration curve and expected calibration error.

    Args:
        confidence: (N,) probability of the chosen class.
        right: (N,) bool.

    Returns:
        rows (bin's lower edge, count, mean confidence, accuracy), and the ECE.
    """
    index = np.minimum((confidence * bins).astype(int), bins - 1)
    rows, ece = [], 0.0
    for b in range(bins):
        mine = index == b
        if mine.any():
            mean, accuracy = float(confidence[mine].mean()), float(right[mine].mean())
            rows.append((b / bins, int(mine.sum()), mean, accuracy))
            ece += mine.mean() * abs(mean - accuracy)
    return rows, float(ece)
