"""What each ingredient of the deployed classifier's training is worth: one left out at a time."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from roomcad_offline.classifier.evaluate import judge_real, read_crops, room_set
from roomcad_offline.classifier.rooms_test import judge_rooms
from roomcad_offline.classifier.samples import LABELS
from roomcad_offline.classifier.ship import as_robot
from roomcad_offline.classifier.train import TrainConfig, train

# Rows of the table: fields of AugmentConfig that are switched off, or sources that are left out.
WITHOUT = {
    "all ingredients": {},
    "no CAD scans": {"shares": {"modelnet": 0.25, "fused": 0.3, "rooms": 0.45}},
    "no fused scans of rooms": {"shares": {"modelnet": 0.25, "scans": 0.3, "rooms": 0.45}},
    "no single frames of rooms": {"shares": {"modelnet": 0.4, "scans": 0.2, "fused": 0.4}},
    "no simulated rooms": {"shares": {"modelnet": 0.6, "scans": 0.4}},
    "no ModelNet40": {"shares": {"scans": 0.2, "fused": 0.35, "rooms": 0.45}},
    "no self-occlusion of whole CAD surfaces": {"scan": 0.0},
    "no floor, wall and neighbour patches": {"surroundings": 0.0, "clutter": 0.0},
    "no part dropping, truncation and density": {"part_drop": 0.0, "truncate": 0.0, "density": 0.0},
    "no anisotropic scale": {"stretch": 0.0},
    "no range noise and tilt": {"noise": 0.0, "tilt": 0.0},
    "no metric size and floor height": {
        "size": 0.0, "floor": 0.0, "room_size": 0.0, "room_floor": 0.0,
    },
    "weaker part dropping, truncation and surroundings": {
        "part_drop": 0.25, "truncate": 0.25, "surroundings": 0.35,
    },
    "size and height told as seldom in rooms as elsewhere": {"room_size": 0.6, "room_floor": 0.5},
    "no yaw rotation": {"yaw": False},
    "ModelNet40 alone, yaw rotation only": {
        "shares": {"modelnet": 1.0}, "scan": 0.0, "surroundings": 0.0, "clutter": 0.0,
        "part_drop": 0.0, "truncate": 0.0, "density": 0.0, "stretch": 0.0, "noise": 0.0,
        "tilt": 0.0, "size": 0.0, "floor": 0.0,
    },
}  # fmt: skip


def ablation_config(without, config, epochs):
    """TrainConfig of a row: `config` trained for `epochs`, without some ingredients."""
    augment = {k: v for k, v in without.items() if k != "shares"}
    return replace(
        config,
        shares=without.get("shares", config.shares),
        augment=replace(config.augment, **augment),
        fit=replace(config.fit, epochs=epochs),
    )


def ablate(data, folder, epochs, rows=tuple(WITHOUT), config=None):
    """Train every row and judge it on real objects and validation rooms.

    Args:
        data: TrainingData.
        folder: the data folder; runs go to folder/ablation/<number>.
        epochs: length of each row's training.

    Returns:
        Table rows: name, accuracy on each real data set and on furniture of simulated rooms.
    """
    folder = Path(folder)
    crops = read_crops(folder, "val")
    table = []
    for name in rows:
        run = folder / "ablation" / f"{list(WITHOUT).index(name):02d}"
        wanted = ablation_config(WITHOUT[name], config or TrainConfig(), epochs)
        network = train(data.sources, data.radii, run, wanted)
        robot = as_robot(network, run, "ablated", LABELS, wanted.augment.points)
        table.append({"without": name, "epochs": epochs, **row_figures(robot, crops)})
    return table


def row_figures(network, crops):
    """Accuracies of one row."""
    real = {r["data"]: r["accuracy"] for r in judge_real(network) if "accuracy" in r}
    rooms = room_set(network, crops)
    judged = judge_rooms(rooms.probabilities, rooms.crops)
    return {**real, "rooms": judged["class_accuracy"], "mean": mean_of(real, judged)}


def mean_of(real, judged):
    """Mean over the data sets, each of equal weight."""
    return float(np.mean([*real.values(), judged["class_accuracy"]]))
