"""Predictions of a network on the study's test sets, and the numbers made of them.

Every real set is judged in two columns. `aligned`: z up, as the network was trained.
`as_published`: the scans turned to y up, as ScanObjectNN's files are and the post used them.
"""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from roomcad_offline.classifier.real import BOOTSTRAPS, INTERVAL
from roomcad_offline.scan_gap.scanobjectnn import y_up

AS_PUBLISHED, ALIGNED = "as_published", "aligned"
COLUMNS = (AS_PUBLISHED, ALIGNED)
BATCH = 64  # clouds a forward pass


@dataclass(frozen=True)
class Prediction:
    """What one network said about one test set in one column."""

    variant: str
    column: str
    data: str  # where the clouds come from
    classes: tuple[str, ...]
    labels: np.ndarray  # (N,) into classes
    predicted: np.ndarray  # (N,) into classes; -1: none of them

    @property
    def right(self):
        """(N,) bool."""
        return self.labels == self.predicted


@dataclass
class Results:
    """All predictions of one trained network, with the facts about its training."""

    recipe: str
    facts: dict  # epochs, planned_epochs, source, parameters, seconds, ...
    predictions: list = field(default_factory=list)

    def get(self, variant, column=ALIGNED):
        """The Prediction of a variant, or None; CAD clouds are the same in both columns."""
        if variant.startswith(("modelnet40", "ablation")):
            column = ALIGNED
        found = [p for p in self.predictions if (p.variant, p.column) == (variant, column)]
        return found[0] if found else None


def predict(network, points, batch=BATCH):
    """(N,) int class index of clouds (N, P, 3); the network in evaluation mode."""
    import torch

    from roomcad_offline.pointnet.allocator import keep_buffers

    keep_buffers()
    network.eval()
    points = torch.from_numpy(np.ascontiguousarray(points, np.float32))
    with torch.no_grad():
        parts = [network(part).argmax(1) for part in points.split(batch)]
    return torch.cat(parts).numpy()


def turned(points, column):
    """Clouds (..., 3), z up, as a column shows them to the network."""
    return y_up(points) if column == AS_PUBLISHED else points


def bootstrap(right, seed=0):
    """95 % interval (low, high) of the mean of `right` (N,), from resampled objects."""
    rng = np.random.default_rng(seed)
    right = np.asarray(right, float)
    means = right[rng.integers(len(right), size=(BOOTSTRAPS, len(right)))].mean(1)
    return rounded(np.percentile(means, INTERVAL))


def rounded(values):
    """The numbers with four decimals, as a list."""
    return [round(float(v), 4) for v in values]


def scores(prediction):
    """Top-1 with its interval, mean over the classes present, best and worst class."""
    right, labels = prediction.right, prediction.labels
    per_class = {
        prediction.classes[c]: {
            "n": int((labels == c).sum()),
            "accuracy": round(float(right[labels == c].mean()), 4),
        }
        for c in np.unique(labels)
    }
    order = sorted(per_class, key=lambda c: -per_class[c]["accuracy"])
    return {
        "n": len(right),
        "top1": round(float(right.mean()), 4),
        "interval": bootstrap(right),
        "mean_per_class": round(float(np.mean([c["accuracy"] for c in per_class.values()])), 4),
        "best": (order[0], per_class[order[0]]["accuracy"]),
        "worst": (order[-1], per_class[order[-1]]["accuracy"]),
        "per_class": per_class,
    }


def confusion(prediction):
    """(C, C) share of each true class (row) that went to each predicted class; NaN: no object."""
    c = len(prediction.classes)
    known = prediction.predicted >= 0
    counts = np.zeros((c, c))
    np.add.at(counts, (prediction.labels[known], prediction.predicted[known]), 1)
    total = np.bincount(prediction.labels, minlength=c)[:, None]
    return np.divide(counts, total, out=np.full((c, c), np.nan), where=total > 0)


def save_results(results, path):
    """Write Results as JSON, one line a prediction."""
    rows = []
    for p in results.predictions:
        row = {**asdict(p), "labels": p.labels.tolist(), "predicted": p.predicted.tolist()}
        rows.append(json.dumps(row, separators=(",", ":")))
    head = json.dumps({"recipe": results.recipe, "facts": results.facts}, indent=1)[:-2]
    Path(path).write_text(head + ',\n "predictions": [\n' + ",\n".join(rows) + "\n]}\n")


def load_results(path):
    """Results written by `save_results`; ValueError names a damaged file."""
    try:
        raw = json.loads(Path(path).read_text())
        predictions = [
            Prediction(
                p["variant"],
                p["column"],
                p["data"],
                tuple(p["classes"]),
                np.array(p["labels"], int),
                np.array(p["predicted"], int),
            )
            for p in raw["predictions"]
        ]
        return Results(raw["recipe"], raw["facts"], predictions)
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path}: not the predictions of a study: {error!r}") from None
