"""roomcad-offline align calibrate: scores as the probability that the chosen pose is right.

Training shows sigma poses of known regions; the robot publishes the score of the best of several
refined poses, and that choice alone makes it too certain. So the weights of the score are fitted
on what the robot's aligner makes of simulated rooms whose models were not trained on, with their
true masks and CAD models: temperature and shift of sigma's logit where poses stay as the network
left them (Platt 1999), and those of calibrate_polished where they are polished.
"""

import copy
import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from roomcad_core.config import AlignConfig
from roomcad_core.multi_sparc.choice import PolishedScore, Weights
from roomcad_core.multi_sparc.model_files import polished_score, sigmoid
from roomcad_offline.classifier.calibrate import reliability
from roomcad_offline.classifier.data import room_library
from roomcad_offline.multi_sparc.calibrate_polished import (
    View,
    fit_logistic,
    fit_polished,
    unshifted,
)
from roomcad_offline.multi_sparc.pose import LOGIT, OUTPUTS

FILE = "calibration.json"  # in a training's folder
UPDATES = AlignConfig().updates  # before the scoring pass
LEAST_SCALE = 0.01  # what sigma's logit counts at least
NEUTRAL = PolishedScore(*[Weights(1.0, 0.0)] * 3)  # before anything is fitted


@dataclass(frozen=True)
class Calibration:
    """sigma = sigmoid((logit + shift) / temperature)."""

    temperature: float = 1.0
    shift: float = 0.0

    def __call__(self, logits):
        """Probabilities of an array of logits."""
        return 1 / (1 + np.exp(-(np.asarray(logits, float) + self.shift) / self.temperature))


def fit_calibration(logits, is_right):
    """The Calibration under which is_right (N,) bool is most likely, given logits (N,)."""
    scale, offset = fit_logistic(logits[:, None], is_right)
    if scale < LEAST_SCALE:
        raise ValueError(
            f"sigma does not tell right poses from wrong ones: of {len(logits)} views"
            f" {int(is_right.sum())} are right, and its logit would count {scale:.2g} times"
        )
    return Calibration(float(1 / scale), float(offset / scale))


def shifted(network, shift):
    """Copy of a MultiSparc whose logits are larger by `shift`."""
    network = copy.deepcopy(network)
    with torch.no_grad():
        network.head[-1].bias.unflatten(0, (-1, OUTPUTS))[:, LOGIT] += shift
    return network


def read_calibration(folder):
    """(Calibration, PolishedScore or None) of a training's folder; neutral where it has none."""
    path = Path(folder) / FILE
    if not path.exists():
        return Calibration(), None
    found = json.loads(path.read_text())
    try:
        return Calibration(**found["sigma"]), polished_score(found["polished"])
    except (AttributeError, TypeError) as error:
        raise ValueError(f"{path}: of another version ({error}): calibrate again") from None


def calibrate_run(folder, rooms):
    """Calibrate a training's averaged weights on simulated rooms; writes FILE into its folder.

    Args:
        folder: of the training.
        rooms: folders of simulated rooms.

    Returns:
        The record as written: both calibrations with views, accuracy and ECE of the chosen poses.
    """
    from roomcad_offline.multi_sparc.benchmark.network import load_trained
    from roomcad_offline.multi_sparc.ship import ship

    trained = load_trained(folder)
    with tempfile.TemporaryDirectory() as models:
        ship(trained.network, "trained", models, (UPDATES,), trained.size, polished=NEUTRAL)
        library, frames = room_library(rooms[0]), frames_of(rooms)
        plain, polished = (
            tried_in_frames(frames, library, models, AlignConfig(n_tried=1, n_polished=n))
            for n in (0, AlignConfig().n_polished)
        )
    first = [(v.results[0].logit, v.is_right[0]) for v in plain if v.results]
    logits, is_right = np.array(first).T
    sigma, score = fit_calibration(logits, is_right > 0), fit_polished(polished)
    record = {
        "sigma": asdict(sigma),
        "polished": asdict(unshifted(score, sigma.shift)),
        "of_sigma": about(sigma(logits), is_right > 0),
        "of_polished": about_polished(score, polished),
    }
    (Path(folder) / FILE).write_text(json.dumps(record, indent=1) + "\n")
    return record


def about_polished(score, views):
    """`about` of what a PolishedScore chooses in Views."""
    taken = [
        (score(v.results, [v.symmetry] * len(v.results)), v.is_right) for v in views if v.polished
    ]
    probability = np.array([sigmoid(log_odds) for (_, log_odds), _ in taken])
    return about(probability, np.array([is_right[best] for (best, _), is_right in taken]))


def about(probability, is_right):
    """Number of views, accuracy and expected calibration error."""
    ece = reliability(probability, is_right)[1]
    return {"views": len(probability), "accuracy": float(is_right.mean()), "ece": ece}


def frames_of(rooms):
    """[(dataset, number of the frame, its ObjectViews)] of simulated rooms."""
    from tqdm import tqdm

    from roomcad_offline.multi_sparc.benchmark.rooms import read_room
    from roomcad_offline.multi_sparc.benchmark.views import by_frame, room_views

    found = []
    for room in tqdm(rooms, "object views", unit="room"):
        dataset, views = read_room(room), room_views(room, room_library(room))
        for (_, number), index in by_frame(views).items():
            found.append((dataset, number, [views[k] for k in index]))
    return found


def tried_in_frames(frames, library, models, config):
    """Views: what the robot's aligner makes of all object views of `frames_of`.

    Args:
        frames: see frames_of.
        library: Library of the rooms.
        models: models folder with the aligner `trained`.
        config: AlignConfig.
    """
    from tqdm import tqdm

    from roomcad_core.multi_sparc import MultiSparcAligner
    from roomcad_core.multi_sparc.loop import load_loop
    from roomcad_offline.multi_sparc.benchmark.stages import Stages

    how = {"engine": config.engine, "precision": config.precision}
    aligner = MultiSparcAligner(config, library, load_loop("trained", UPDATES, models, **how))
    stages, found = Stages(library, "multi_sparc", align=aligner), []
    for dataset, number, views in tqdm(frames, f"{config.n_polished} polished", unit="frame"):
        stages.frame(dataset[number], views, ("cad",))
        found += [view_of(aligner.tried.get(k + 1), v) for k, v in enumerate(views)]
    return found


def view_of(tried, object_view):
    """View of an ObjectView; `tried` as in MultiSparcAligner.tried."""
    from roomcad_offline.multi_sparc.benchmark.judge import Poses, right

    results = tuple(tried[0][1]) if tried else ()
    if not results:
        return View((), (), object_view.symmetry)
    T, S = (np.stack(x) for x in zip(*[(r.T_cam_obj, r.S) for r in results], strict=True))
    poses = Poses(T[None, :, :3, 3], T[None, :, :3, :3], S[None], np.ones((1, len(T))))
    is_right = right(poses, [object_view])[0]
    return View(results, tuple(map(bool, is_right)), object_view.symmetry)
