"""Training of the deployed classifier."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from torch.nn import functional

from roomcad_core.crop_input import N_EXTRA
from roomcad_core.engine import sha256_of
from roomcad_offline.classifier.augment import AugmentConfig, augment
from roomcad_offline.classifier.contrast import contrastive_loss
from roomcad_offline.classifier.draw import Drawer
from roomcad_offline.classifier.samples import LABELS
from roomcad_offline.pointnet.export import load_weights
from roomcad_offline.pointnet.fit import FitConfig, fit
from roomcad_offline.pointnet.network import PointNet


@dataclass(frozen=True)
class TrainConfig:
    """How the deployed classifier is trained."""

    epoch_size: int = 16384  # samples drawn for what is called an epoch
    shares: dict = field(
        default_factory=lambda: {"modelnet": 0.2, "scans": 0.1, "fused": 0.25, "rooms": 0.45}
    )
    class_power: float = 0.5  # classes are drawn by their frequency in rooms to this power
    other_share: dict = field(default_factory=lambda: {"modelnet": 0.06, "rooms": 0.5})
    label_smoothing: float = 0.05
    contrast: float = 0.1  # weight of the contrastive loss
    augment: AugmentConfig = AugmentConfig()
    fit: FitConfig = FitConfig(epochs=80, batch=64, weight_decay=1e-5)


def train(sources, radii, folder, config, start=None, about=None):
    """Train a PointNet on {source name: Samples}; resumable.

    Args:
        start: safetensors file of the weights to begin with; None = random ones.
        about: further entries of config.json, plain values.

    Returns:
        The network with its last weights, in evaluation mode.
    """
    torch.manual_seed(config.fit.seed)
    network = PointNet(len(LABELS), extra=N_EXTRA)
    if start is not None:
        load_weights(network, start)
    draw = Drawer(sources, config)

    def batches(rng):
        for _ in range(config.epoch_size // config.fit.batch):
            samples, group = draw(config.fit.batch, rng)
            points, extra = augment(samples, radii, config.augment, rng)
            yield tuple(map(torch.from_numpy, (points, extra, samples.labels, group)))

    def loss_of(network, batch):
        return loss_and_accuracy(network, batch, config)

    description = {
        **{k: v for k, v in asdict(config).items() if k != "fit"},
        "samples": {name: len(s) for name, s in sources.items()},
        **(about or {}),
    }
    if start is not None:
        description["start"] = sha256_of(start)
    fit(network, batches, loss_of, config.fit, folder, description)
    return network.eval()


def loss_and_accuracy(network, batch, config):
    """Cross entropy plus weighted contrastive loss of a batch, and what to report."""
    points, extra, labels, group = batch
    features = network.features(network.pool(points), extra)
    logits = network.classifier(features).float()
    loss = functional.cross_entropy(logits, labels, label_smoothing=config.label_smoothing)
    accuracy = (logits.argmax(1) == labels).float().mean()
    if config.contrast:
        with torch.autocast("cpu", enabled=False):
            loss = loss + config.contrast * contrastive_loss(features.float(), group, labels)
    return loss, {"accuracy": accuracy}


def trained(folder):
    """The finished network of a run's folder, in evaluation mode, and its config.json."""
    folder = Path(folder)
    if not (folder / "checkpoint.pt").exists():
        raise FileNotFoundError(f"{folder}/checkpoint.pt: no such file; `classifier train` first")
    config = json.loads((folder / "config.json").read_text())
    state = torch.load(folder / "checkpoint.pt", weights_only=True)
    if len(state["log"]) < config["epochs"]:
        done = f"{len(state['log'])} of {config['epochs']} epochs"
        raise ValueError(f"{folder}: training is not finished: {done}")
    network = PointNet(len(LABELS), extra=N_EXTRA)
    network.load_state_dict(state["network"])
    return network.eval(), config
