"""A run's folder read back: its network, configuration and trivial predictors."""

import json
from dataclasses import dataclass
from pathlib import Path

import torch

from roomcad_offline.rgb_geometry.config import NetworkConfig, SampleConfig
from roomcad_offline.rgb_geometry.network import GeometryNetwork
from roomcad_offline.rgb_geometry.train import CHECKPOINT, CONFIG, TRIVIAL
from roomcad_offline.rgb_geometry.trivial import read_trivial


@dataclass(frozen=True)
class Trained:
    """What a training left."""

    network: GeometryNetwork
    samples: SampleConfig
    config: dict  # config.json
    trivial: dict
    step: int


def load_trained(folder, device="cpu"):
    """Trained of a run's folder, its network ready to answer.

    Raises:
        FileNotFoundError: there is no checkpoint.
    """
    folder = Path(folder)
    path = folder / CHECKPOINT
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; expected the folder of a training")
    config = json.loads((folder / CONFIG).read_text())
    network = GeometryNetwork(NetworkConfig(**config["network"]))
    state = torch.load(path, weights_only=True, map_location=device)
    network.load_state_dict(state["network"])
    network.to(device).eval().requires_grad_(False)
    samples = SampleConfig(**config["samples"])
    return Trained(network, samples, config, read_trivial(folder / TRIVIAL), state["step"])
