"""roomcad-offline align calibrate: scores as the probability that the chosen pose is right.

Training shows sigma poses of known regions; the robot publishes the score of the best of several
refined poses, and that choice alone makes it too certain. So the weights of the score are fitted
(Platt, 1999) on what the robot's aligner makes of simulated rooms whose models were not trained on,
with their true masks and CAD models: temperature and shift of sigma's logit where poses stay as
the network left them, weights of logit and fit where they are polished.
"""

import copy
import json
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from scipy.optimize import minimize

from roomcad_core.config import AlignConfig
from roomcad_core.multi_sparc.polish import PolishedScore
from roomcad_offline.classifier.calibrate import reliability
from roomcad_offline.classifier.data import room_library
from roomcad_offline.multi_sparc.pose import LOGIT, OUTPUTS

FILE = "calibration.json"  # in a training's folder
UPDATES = AlignConfig().updates  # before the scoring pass
LEAST_SCALE = 0.01  # what sigma's logit counts at least


@dataclass(frozen=True)
class Calibration:
    """sigma = sigmoid((logit + shift) / temperature)."""

    temperature: float = 1.0
    shift: float = 0.0

    def __call__(self, logits):
        """Probabilities of an array of logits."""
        return 1 / (1 + np.exp(-(np.asarray(logits, float) + self.shift) / self.temperature))


@dataclass(frozen=True)
class Results:
    """What initialisations of N object views came to; -inf logits where there is no pose."""

    logits: np.ndarray  # (N, A) of sigma
    fits: np.ndarray  # (N, A) fit scores, NaN where not polished
    is_right: np.ndarray  # (N, A) bool

    def chosen(self, scores):
        """logits, fits, is_right (N,) of the best by scores (N, A)."""
        best = scores.argmax(1)[:, None]
        columns = self.logits, self.fits, self.is_right
        return tuple(np.take_along_axis(c, best, 1)[:, 0] for c in columns)


def fit_logistic(features, is_right):
    """(F + 1,) weights and bias under which is_right (N,) is most likely, of features (N, F).

    As Platt has it, no view counts as quite certain, so that few views give no infinite weights.
    """
    rows = np.column_stack([features, np.ones(len(features))])
    n_right = int(is_right.sum())
    n_wrong = len(rows) - n_right
    target = np.where(is_right, (n_right + 1) / (n_right + 2), 1 / (n_wrong + 2))

    def loss(w):
        z = rows @ w
        p = 1 / (1 + np.exp(-z))
        return np.mean(np.logaddexp(0, z) - target * z), rows.T @ (p - target) / len(rows)

    return minimize(loss, np.zeros(rows.shape[1]), jac=True, method="BFGS").x


def fit_calibration(logits, is_right):
    """The Calibration under which is_right (N,) bool is most likely, given logits (N,)."""
    scale, offset = fit_logistic(logits[:, None], is_right)
    if scale < LEAST_SCALE:
        raise ValueError(
            f"sigma does not tell right poses from wrong ones: of {len(logits)} views"
            f" {int(is_right.sum())} are right, and its logit would count {scale:.2g} times"
        )
    return Calibration(float(1 / scale), float(offset / scale))


def fit_polished(results):
    """The PolishedScore of Results: it chooses among initialisations, then is made a probability.

    All results say how much logit and fit tell; the chosen ones, what their sum means.
    """
    seen = np.isfinite(results.logits) & np.isfinite(results.fits)
    columns = PolishedScore(1, 0, 0), PolishedScore(0, 1, 0)
    features = np.stack([c(results.logits[seen], results.fits[seen]) for c in columns], -1)
    sigma, fit, _ = fit_logistic(features, results.is_right[seen])
    choice = PolishedScore(float(sigma), float(fit), 0.0)
    scores = np.where(seen, choice(results.logits, results.fits), -np.inf)
    logits, fits, is_right = results.chosen(scores)
    some = np.isfinite(scores).any(1)
    scale, bias = fit_logistic(choice(logits, fits)[some, None], is_right[some])
    return PolishedScore(choice.sigma * float(scale), choice.fit * float(scale), float(bias))


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
    return Calibration(**found["sigma"]), PolishedScore(**found["polished"])


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
        neutral = PolishedScore(1.0, 0.0, 0.0)
        ship(trained.network, "trained", models, (UPDATES,), trained.size, polished=neutral)
        library, frames = room_library(rooms[0]), frames_of(rooms)
        plain, polished = (
            tried_in_frames(frames, library, models, AlignConfig(n_tried=1, n_polished=n))
            for n in (0, AlignConfig().n_polished)
        )
    logits, _, is_right = plain.chosen(plain.logits)
    logits, is_right = logits[np.isfinite(logits)], is_right[np.isfinite(logits)]
    sigma, score = fit_calibration(logits, is_right), fit_polished(polished)
    record = {
        "sigma": asdict(sigma),
        "polished": asdict(replace(score, bias=score.bias - score.sigma * sigma.shift)),
        "of_sigma": about(sigma(logits), is_right),
        "of_polished": about_polished(score, polished),
    }
    (Path(folder) / FILE).write_text(json.dumps(record, indent=1) + "\n")
    return record


def about_polished(score, results):
    """`about` of what a PolishedScore chooses."""
    z = np.where(np.isfinite(results.fits), score(results.logits, results.fits), -np.inf)
    logits, fits, is_right = results.chosen(z)
    return about(1 / (1 + np.exp(-score(logits, fits))), is_right)


def about(probability, is_right):
    """Number of views, accuracy and expected calibration error."""
    known = np.isfinite(probability)
    ece = reliability(probability[known], is_right[known])[1]
    return {"views": int(known.sum()), "accuracy": float(is_right[known].mean()), "ece": ece}


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
    """Results of the robot's aligner for all object views of `frames_of`.

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
    stages, parts = Stages(library, "multi_sparc", align=aligner), []
    for dataset, number, views in tqdm(frames, f"{config.n_polished} polished", unit="frame"):
        stages.frame(dataset[number], views, ("cad",))
        parts += [results_of(aligner.tried.get(k + 1), v) for k, v in enumerate(views)]
    return Results(*(np.stack(column) for column in zip(*parts, strict=True)))


def results_of(tried, view, n=4):
    """logits, fits, is_right (n,) of an object view; `tried` as in MultiSparcAligner.tried."""
    from roomcad_offline.multi_sparc.benchmark.judge import Poses, right

    logits, fits = np.full(n, -np.inf), np.full(n, np.nan)
    is_right = np.zeros(n, bool)
    found = tried[0][1] if tried else []
    if found:
        T = np.stack([r.T_cam_obj for r in found])
        S, k = np.stack([r.S for r in found]), len(found)
        logits[:k], fits[:k] = [r.logit for r in found], [r.fit_score for r in found]
        poses = Poses(T[None, :, :3, 3], T[None, :, :3, :3], S[None], np.ones((1, k)))
        is_right[:k] = right(poses, [view])[0]
    return logits, fits, is_right
