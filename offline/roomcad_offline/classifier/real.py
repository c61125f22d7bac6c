"""Real objects: reading them, and the one fixed protocol by which a classifier is judged on them.

The protocol: four votes, each a quarter turn about the up axis with its own choice of points,
averaged, restricted to the data's classes; metric size is told, the floor is not.
"""

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

VOTES = 4
BOOTSTRAPS = 2000
INTERVAL = (2.5, 97.5)  # percentiles of the bootstrap


@dataclass(frozen=True)
class RealObjects:
    """Objects cut from real scans: z up, metres unless `metric` is False."""

    name: str
    clouds: tuple[np.ndarray, ...]  # each (N, 3) float32
    labels: np.ndarray  # into classes
    classes: tuple[str, ...]
    is_object: tuple[np.ndarray, ...] = ()  # (N,) bool of each cloud, where the data says so
    metric: bool = True


def read_real(path, variant):
    """RealObjects of an npz with VARIANT (M, 3+) and VARIANT_off, label, classes.

    Args:
        path: the npz file.
        variant: obj_only or obj_bg.

    Raises:
        FileNotFoundError: no such file.
        ValueError: the file is damaged or lacks the variant.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; set ROOMCAD_DATA to the data folder")
    try:
        with np.load(path, allow_pickle=False) as file:
            if variant not in file:
                raise ValueError(f"no {variant}; it has {sorted(file.files)}")
            rows, offsets = file[variant], file[f"{variant}_off"]
            labels, classes = file["label"].astype(int), tuple(str(c) for c in file["classes"])
    except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path}: unreadable: {error}") from None
    clouds = np.split(rows, offsets[1:-1])
    masks = tuple(c[:, 6] > 0.5 for c in clouds) if rows.shape[1] > 6 else ()
    points = tuple(np.ascontiguousarray(c[:, :3], np.float32) for c in clouds)
    return RealObjects(f"{path.stem}/{variant}", points, labels, classes, masks)


def probabilities(network, objects):
    """(N, classes) probabilities of RealObjects by the protocol; `network` is a CropNetwork."""
    columns = [network.spec.labels.index(c) for c in objects.classes]
    p, _ = network(objects.clouds, votes=VOTES, metric=objects.metric)
    return p[:, columns] / p[:, columns].sum(1, keepdims=True)


def judge(p, objects):
    """Accuracy with its bootstrap interval, mean over classes, and every class's share."""
    right = p.argmax(1) == objects.labels
    rng = np.random.default_rng(0)
    again = right[rng.integers(len(right), size=(BOOTSTRAPS, len(right)))].mean(1)
    present = np.unique(objects.labels)
    per_class = {
        objects.classes[c]: {
            "n": int((objects.labels == c).sum()),
            "accuracy": round(float(right[objects.labels == c].mean()), 3),
        }
        for c in present
    }
    return {
        "data": objects.name,
        "n": len(right),
        "accuracy": round(float(right.mean()), 3),
        "interval_95": [round(float(v), 3) for v in np.percentile(again, INTERVAL)],
        "mean_per_class": round(float(np.mean([c["accuracy"] for c in per_class.values()])), 3),
        "per_class": per_class,
    }
