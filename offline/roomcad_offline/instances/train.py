"""Training of the instance network, resumable; and a finished or unfinished one read back."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from roomcad_core.classes import CLASSES
from roomcad_core.segment.instances.model_files import KINDS
from roomcad_core.segment.instances.seen import label_cells
from roomcad_offline.instances.config import FIRST, NetworkConfig
from roomcad_offline.instances.losses import instance_loss
from roomcad_offline.instances.network import VoteNetwork, foreground
from roomcad_offline.instances.samples import batches, sample, stacked
from roomcad_offline.instances.scores import Scores
from roomcad_offline.pointnet.fit import fit
from roomcad_offline.rgb_geometry.encoders import load_efficientnet
from roomcad_offline.weights import read_tensors

JUDGED_BATCH = 8
REPORTED = ("recall", "precision", "mean_iou", "merged", "split")


def train(training, validation, folder, config, about=None, start=None, colour=None):
    """Train a VoteNetwork in a run's folder, or go on with it.

    Args:
        training, validation: RoomViews, or lists of Views.
        folder: gets config.json, log.csv, curves.png and checkpoint.pt.
        config: TrainConfig.
        about: further entries of config.json, plain values.
        start: file of weights, or a run's folder, to begin with; None = random ones. Channels that
            its network did not have, the last ones, have no effect at first.
        colour: file of weights of EfficientNet-lite0 to begin the colour encoder with; None = of
            `start`.

    Returns:
        The network, in evaluation mode, and the log rows, one an epoch.

    Raises:
        ValueError: the folder holds another run, or there are fewer Views than a batch takes.
    """
    from roomcad_offline.instances.curves import draw_curves

    if min(len(training), config.epoch_frames or len(training)) < config.fit.batch:
        raise ValueError(f"got {len(training)} frames, expected a batch: {config.fit.batch}")
    torch.manual_seed(config.fit.seed)
    network = VoteNetwork(config.network)
    if start is not None:
        tensors, kinds = start_weights(Path(start))
        tensors = widened(tensors, network.state_dict())
        tensors = renamed(tensors, kinds, config.network.kinds)
        network.load_state_dict(network.state_dict() | tensors)
    if colour is not None:
        load_efficientnet(network.colour, colour)
    network = network.to(memory_format=torch.channels_last)

    def epoch(rng):
        return batches(training, config.samples, config.fit.batch, rng, config.epoch_frames)

    def loss_of(network, batch):
        *inputs, points, ids, kinds = batch
        out = network(*(x.contiguous(memory_format=torch.channels_last) for x in inputs))
        with torch.autocast("cpu", enabled=False):
            out = {name: maps.float() for name, maps in out.items()}
            return instance_loss(out, points, ids, kinds, config.network.kinds, config.loss)

    description = {k: v for k, v in asdict(config).items() if k != "fit"} | (about or {})
    log = fit(network, epoch, loss_of, config.fit, folder, description,
              after_epoch=lambda network: judge(network, validation, config.judged_frames),
              after_save=draw_curves, rates={"colour.": config.colour_rate})  # fmt: skip
    return network.eval(), log


def start_weights(start):
    """{name: tensor} and the kinds of a file of weights, or of the folder of a run."""
    if start.is_dir():
        network = load_trained(start).network
        return network.state_dict(), network.config.kinds
    tensors, about = read_tensors(start, "an instance network")
    return tensors, kinds_of(about)


def widened(tensors, wanted):
    """{name: tensor} of a network with fewer input channels, zeros for those it did not have."""
    out = dict(tensors)
    for name, tensor in tensors.items():
        is_convolution = tensor.ndim == 4 and name in wanted
        more = wanted[name].shape[1] - tensor.shape[1] if is_convolution else 0
        if more > 0:
            out[name] = torch.nn.functional.pad(tensor, (0, 0, 0, 0, 0, more))
    return out


def kinds_of(about):
    """Kinds of a file of weights by its header; those of before they were written in it."""
    config = about.get("config", {})
    config = json.loads(config) if isinstance(config, str) else config
    return tuple(config.get("kinds", FIRST["kinds"]))


def renamed(tensors, kinds, wanted):
    """{name: tensor} of a network with other kinds: what it lacks begins as its background."""
    if tuple(kinds) == tuple(wanted):
        return tensors
    n_new = sum(name not in kinds for name in wanted)
    rows = [kinds.index(name if name in kinds else "background") for name in wanted]
    rows += range(len(kinds), len(tensors["head.bias"]))
    shift = [-np.log(max(n_new, 1)) * (name not in kinds) for name in wanted]
    out = {**tensors, **{name: tensors[name][rows] for name in ("head.weight", "head.bias")}}
    out["head.bias"][: len(wanted)] += torch.tensor(shift, dtype=out["head.bias"].dtype)
    return out


@torch.no_grad()
def judge(network, views, most=None):
    """Scores of a network on Views, evenly spread, by cells: {name: number}."""
    chosen = np.linspace(0, len(views) - 1, min(most or len(views), len(views))).astype(int)
    was_training = network.training
    network.eval()
    scores = Scores()
    for start in range(0, len(chosen), JUDGED_BATCH):
        group = [views[int(i)] for i in chosen[start : start + JUDGED_BATCH]]
        batch = stacked([sample(view) for view in group])
        out = network(*batch[:2])
        out["foreground"] = foreground(out["kinds"], network.config.kinds)
        maps = {name: tensor.numpy() for name, tensor in out.items()}
        for k, view in enumerate(group):
            known, ids = view.q > 0, batch[3][k].numpy()
            mine = {name: a[k] for name, a in maps.items()}
            labels = label_cells(mine, known, batch[2][k].numpy().transpose(1, 2, 0))
            scores.add(ids, labels, known, furniture_of(view))
    network.train(was_training)
    found = scores.result()
    return {name: np.nan if found[name] is None else found[name] for name in REPORTED}


def furniture_of(view):
    """{id: class} of the furniture that a View shows."""
    ids, first = np.unique(view.ids, return_index=True)
    places = dict(zip(ids.tolist(), view.kinds.ravel()[first].tolist(), strict=True))
    return {i: KINDS[k] for i, k in places.items() if i and k >= 0 and KINDS[k] in CLASSES}


@dataclass(frozen=True)
class Trained:
    """What a training left."""

    network: VoteNetwork
    config: dict  # config.json
    log: list


def load_trained(folder):
    """Trained of a run's folder, its network in evaluation mode.

    Raises:
        FileNotFoundError: there is no checkpoint.
    """
    folder = Path(folder)
    path = folder / "checkpoint.pt"
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; expected the folder of a training")
    config = json.loads((folder / "config.json").read_text())
    network = VoteNetwork(NetworkConfig(**FIRST | config["network"]))
    state = torch.load(path, weights_only=True)
    network.load_state_dict(state["network"])
    return Trained(network.eval().requires_grad_(False), config, state["log"])
