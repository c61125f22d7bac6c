"""A trained depth or normal network where the robot would have its ONNX file, for evaluations."""

import hashlib
from pathlib import Path

import numpy as np
import torch

from roomcad_core.engine.base import Engine, TensorSpec
from roomcad_core.rgb_geometry import DepthNetwork, NormalNetwork
from roomcad_core.rgb_geometry.model_files import DEPTH, INPUT, NORMALS, OUTPUTS, GeometrySpec
from roomcad_offline.rgb_geometry.config import FOCAL
from roomcad_offline.rgb_geometry.train import CHECKPOINT
from roomcad_offline.rgb_geometry.trained import load_trained

KINDS = {DEPTH: DepthNetwork, NORMALS: NormalNetwork}


class TorchEngine(Engine):
    """A GeometryNetwork behind the contract of engines."""

    name = "torch"

    def __init__(self, network, path):
        """`path`: what errors call it."""
        config = network.config
        half = config.height // 2, config.width // 2
        mean, sureness = OUTPUTS[config.task]
        channels = (1, 3) if config.task == NORMALS else (1,)
        outputs = {mean: float32(*channels, *half), sureness: float32(1, *half)}
        super().__init__(path, {INPUT: float32(1, 3, config.height, config.width)}, outputs)
        self._network = network

    @torch.no_grad()
    def _run(self, feeds):
        device = next(self._network.parameters()).device
        maps = self._network(torch.from_numpy(feeds[INPUT]).to(device))
        return {k: m.cpu().numpy() for k, m in zip(self.outputs, maps, strict=True)}


def float32(*shape):
    """TensorSpec of float32."""
    return TensorSpec(np.dtype(np.float32), shape)


def trained_network(folder, task, device="cpu"):
    """DepthNetwork or NormalNetwork of a training's folder.

    Raises:
        FileNotFoundError: there is no checkpoint.
        ValueError: the training was of another task.
    """
    network = load_trained(folder, device).network
    config = network.config
    if config.task != task:
        raise ValueError(f"{folder}: a training of {config.task}, expected one of {task}")
    path = Path(folder) / CHECKPOINT
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    size = config.width, config.height
    spec = GeometrySpec(Path(folder).name, task, path, sha256, *size, FOCAL)
    return KINDS[task](spec, TorchEngine(network, path))
