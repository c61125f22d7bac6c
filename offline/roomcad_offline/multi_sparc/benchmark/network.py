"""A trained network on all object views, with ground-truth masks, boxes and CAD ids.

What can select one of the four initialisations:
    sigma   the network's own score of each result
    first   azimuth 0, always
    2D      the detector's confidence belongs to the detection and is the same for all four: any
            of them is taken, so its accuracy is the mean over the four
    box     a score in the image that does differ: the IoU of the posed CAD's box with the mask's
    best    the right one if there is any (an oracle, the limit of every selection)
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from roomcad_core.multi_sparc.choice import PolishedScore
from roomcad_core.segment.crops import bounding_boxes
from roomcad_offline.multi_sparc.batch import cat
from roomcad_offline.multi_sparc.benchmark.judge import (
    Poses,
    accuracy_table,
    box_overlap,
    judge_score,
    right,
)
from roomcad_offline.multi_sparc.benchmark.maps import SIZE, frame_batches
from roomcad_offline.multi_sparc.benchmark.rooms import read_room
from roomcad_offline.multi_sparc.benchmark.views import by_frame
from roomcad_offline.multi_sparc.calibrate import Calibration, read_calibration
from roomcad_offline.multi_sparc.config import config_from_dict, preset
from roomcad_offline.multi_sparc.inputs import sample_pattern
from roomcad_offline.multi_sparc.network import MultiSparc
from roomcad_offline.multi_sparc.refine import AZIMUTHS, initial_pose, refine
from roomcad_offline.multi_sparc.shipped import is_shipped, load_shipped

MOST_UPDATES = 4
BATCH = 8  # images of one call


@dataclass(frozen=True)
class Trained:
    """A network with the settings it was trained with."""

    name: str
    network: MultiSparc
    mode: str  # rgbd or rgb
    size: tuple[int, int]  # height, width of the maps [px]
    steps: int  # batches it was trained on
    calibration: Calibration = Calibration()
    polished: PolishedScore | None = None


def load_trained(folder, device="cpu"):
    """The averaged weights of a training's folder (config.json, checkpoint.pt), or a shipped file.

    Raises:
        FileNotFoundError: a file is missing; ValueError: the weights are of another configuration
        or not finite.
    """
    if is_shipped(folder):
        return Trained(**load_shipped(folder, device))
    folder = Path(folder)
    config = json.loads((folder / "config.json").read_text())
    state = torch.load(folder / "checkpoint.pt", weights_only=True, map_location=device)
    model = config_from_dict(config["model"]) if "model" in config else preset(config["preset"])
    network = MultiSparc(model).to(device).eval().requires_grad_(False)
    try:
        network.load_state_dict(state["averaged"])
    except RuntimeError as error:
        raise ValueError(f"{folder}: checkpoint.pt is of another network: {error}") from None
    if not all(p.isfinite().all() for p in network.parameters()):
        raise ValueError(f"{folder}: checkpoint.pt holds weights that are not finite")
    scenes = config.get("scenes", {})
    size = scenes.get("height", SIZE[0]), scenes.get("width", SIZE[1])
    mode, steps = config["sampling"]["mode"], int(state["step"])
    return Trained(folder.name, network, mode, size, steps, *read_calibration(folder))


def run_network(trained, folder, views, library, most=MOST_UPDATES):
    """Poses of all views after 0 .. `most` updates, four results each, and their cameras.

    Args:
        trained: Trained.
        folder: the benchmark's folder.
        views: ObjectViews.
        library: Library of their models.

    Returns:
        list of Poses, and {(room, frame): (K, image shape, {id: mask's box})} for box_overlap.
    """
    from tqdm import tqdm

    out = [Poses.none(len(views), AZIMUTHS) for _ in range(most + 1)]
    waiting, cameras, frames = [], {}, by_frame(views)
    config = trained.network.config
    shape = config.network.n_mul, config.inputs.n_cad, trained.size
    for (room, number), index in tqdm(frames.items(), f"align {trained.name}", unit="frame"):
        frame = read_room(Path(folder) / "rooms" / room)[number]
        cameras[room, number] = frame.K, frame.depth.shape, bounding_boxes(frame.instances)
        for batch, group in frame_batches(frame, [views[k] for k in index], library, *shape):
            waiting.append((batch, [index[k] for k in group]))
        if len(waiting) >= BATCH:
            align(trained, waiting, out)
            waiting = []
    if waiting:
        align(trained, waiting, out)
    return out, cameras


@torch.no_grad()
def align(trained, waiting, out):
    """Refine (Batch, positions of its objects) pairs; writes into the Poses of `out`."""
    network = trained.network
    device = next(network.parameters()).device
    batch = cat([b for b, _ in waiting]).to(device)
    pattern = sample_pattern(network.config.inputs.n_bbox).to(device)
    pose = initial_pose(batch, trained.mode, pattern)
    for updates, poses in enumerate(out):
        pose, logit = refine(network, batch, pose, min(updates, 1), pattern)
        values = [x.transpose(1, 2).cpu().double().numpy() for x in (*pose, logit)]
        values[-1] = trained.calibration(values[-1])
        for image, (_, positions) in enumerate(waiting):
            for slot, k in enumerate(positions):
                poses.T[k], poses.R[k], poses.S[k], poses.score[k] = (
                    v[image, slot] for v in values
                )


def judge_network(trained, results, cameras, views, library, updates):
    """The network's record: accuracy with `updates` updates, selections, sigma, all numbers of
    updates; and the (N,) results that sigma selects."""
    poses = results[updates]
    is_right = right(poses, views)
    chosen = poses.score.argmax(1)
    counted = np.array([v.counted for v in views])
    rows = np.arange(len(views))
    picked, score = is_right[rows, chosen], poses.score[rows, chosen]
    overlap = box_overlap(poses, views, library, cameras)
    by_box = overlap.argmax(1)
    record = accuracy_table(picked, views) | {
        "steps": trained.steps,
        "mode": trained.mode,
        "updates": updates,
        "selection": selections(is_right, chosen, by_box, counted),
        "by_updates": [after(p, views, counted) for p in results],
        "sigma": judge_score(score[counted], picked[counted])
        | {"auc_all_initialisations": judge_score(
            poses.score[counted].ravel(), is_right[counted].ravel())["auc"]},
        "score_2d": judge_score(overlap[rows, by_box][counted], is_right[rows, by_box][counted]),
    }  # fmt: skip
    return record, chosen


def selections(is_right, by_sigma, by_box, counted):
    """Accuracy of each way to select one of the initialisations, over the counted views."""
    rows = np.arange(len(is_right))
    table = {
        "sigma": is_right[rows, by_sigma],
        "first": is_right[:, 0],
        "2d_confidence": is_right.mean(1),
        "2d_box_overlap": is_right[rows, by_box],
        "best_of_four": is_right.any(1),
    }
    return {name: float(values[counted].mean()) for name, values in table.items()}


def after(poses, views, counted):
    """Accuracies after one number of updates."""
    is_right = right(poses, views)
    picked = is_right[np.arange(len(views)), poses.score.argmax(1)]
    return {
        "sigma": float(picked[counted].mean()),
        "first": float(is_right[counted, 0].mean()),
        "best_of_four": float(is_right.any(1)[counted].mean()),
    }
