"""roomcad-offline align calibrate: sigma as the probability that the chosen pose is right.

Training shows sigma poses of known regions; the robot publishes the sigma of the best of several
refined poses, and that choice alone makes it too certain. So a scale and a shift of the logit
(Platt, 1999) are fitted on chosen poses in synthetic scenes that were not trained on.
"""

import copy
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.optimize import minimize

from roomcad_offline.classifier.calibrate import reliability
from roomcad_offline.multi_sparc.pose import LOGIT, OUTPUTS, correct, fill_empty, true_pose
from roomcad_offline.multi_sparc.refine import best, initial_pose, refine

FILE = "calibration.json"  # in a training's folder
SEED = 424_242  # of the scenes; those that are trained or judged on have others
BATCH = 20  # images


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

    def loss(x):
        z = np.exp(x[0]) * logits + x[1]
        return np.mean(np.logaddexp(0, z) - is_right * z)

    scale, offset = minimize(loss, (0.0, 0.0), method="Nelder-Mead").x
    temperature = float(np.exp(-scale))
    return Calibration(temperature, float(offset) * temperature)


@torch.no_grad()
def chosen_logits(network, batches, mode, n, pattern):
    """Logits (N,) of the poses that sigma chooses, and whether they are right (N,) bool."""
    logits, is_right = [], []
    for batch in batches:
        pose, logit = refine(network, batch, initial_pose(batch, mode, pattern), n, pattern)
        picked, logit = best(pose, logit)
        true = fill_empty(true_pose(batch), batch.valid)
        is_right.append(correct(picked, true, batch.symmetry)[batch.valid])
        logits.append(logit[batch.valid])
    return torch.cat(logits).double().numpy(), torch.cat(is_right).numpy()


def shifted(network, shift):
    """Copy of a MultiSparc whose logits are larger by `shift`."""
    network = copy.deepcopy(network)
    with torch.no_grad():
        network.head[-1].bias.unflatten(0, (-1, OUTPUTS))[:, LOGIT] += shift
    return network


def read_calibration(folder):
    """Calibration of a training's folder; the neutral one where it has none."""
    path = Path(folder) / FILE
    if not path.exists():
        return Calibration()
    found = json.loads(path.read_text())
    return Calibration(found["temperature"], found["shift"])


def calibrate_run(folder, bank, images, n):
    """Fit the Calibration of a training's averaged weights and write it into the folder.

    Args:
        folder: of the training.
        bank: CadBank whose models stand in the scenes.
        images: number of scenes.
        n: updates before the scoring pass.

    Returns:
        The record as written: temperature, shift, objects, accuracy, ECE before and after.
    """
    from tqdm import tqdm

    from roomcad_offline.multi_sparc.benchmark.network import load_trained
    from roomcad_offline.multi_sparc.inputs import sample_pattern
    from roomcad_offline.multi_sparc.scenes import SceneConfig, SceneGenerator

    trained = load_trained(folder)
    pattern = sample_pattern(trained.network.config.inputs.n_bbox)
    generator = SceneGenerator(bank, SceneConfig(), SEED)
    steps = tqdm(range(-(-images // BATCH)), "scenes", unit="batch")
    batches = (generator.batch(BATCH, step) for step in steps)
    logits, is_right = chosen_logits(trained.network, batches, trained.mode, n, pattern)
    found = fit_calibration(logits, is_right)
    record = asdict(found) | {
        "updates": n,
        "objects": len(logits),
        "accuracy": float(is_right.mean()),
        "ece_before": reliability(Calibration()(logits), is_right)[1],
        "ece": reliability(found(logits), is_right)[1],
    }
    (Path(folder) / FILE).write_text(json.dumps(record, indent=1) + "\n")
    return record
