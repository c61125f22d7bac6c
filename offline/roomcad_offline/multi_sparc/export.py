"""Multi-SPARC's refinement loop as a file: ONNX for inference engines, safetensors for training."""

import json
import os
from dataclasses import asdict
from pathlib import Path

import torch

from roomcad_offline.multi_sparc.config import config_from_dict
from roomcad_offline.multi_sparc.export_loop import loop_model
from roomcad_offline.multi_sparc.network import MultiSparc

SIZE = (120, 160)  # height, width of the maps [px] that the robot's network is trained with


def save_loop(network, n, path, size=SIZE):
    """Write n updates and a scoring pass of one image as ONNX.

    Inputs and outputs are those of export_loop.input_shapes and output_shapes; the results equal
    those of refine.refine on the same image.

    Args:
        network: MultiSparc with trained weights.
        n: number of updates, 0 or more.
        path: file to write.
        size: height and width of the maps [px].

    Raises:
        ValueError: weights that are not finite, or a negative n.
    """
    check_weights(network)
    if n < 0:
        raise ValueError(f"number of updates: expected 0 or more, got {n}")
    write_whole(path, loop_model(network, n, *size).SerializeToString())


def save_weights(network, path, about=None):
    """Write all parameters as safetensors; its header has the configuration and `about`.

    Raises:
        ValueError: weights that are not finite.
    """
    from safetensors.torch import save

    check_weights(network)
    header = {name: str(value) for name, value in (about or {}).items()}
    header["config"] = json.dumps(asdict(network.config))
    tensors = {k: v.detach().cpu().contiguous() for k, v in network.state_dict().items()}
    write_whole(path, save(tensors, header))


def load_weights(path):
    """MultiSparc of a file of save_weights.

    Raises:
        ValueError: the file is damaged, or its weights do not fit its configuration.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        network = MultiSparc(config_from_dict(json.loads(header["config"])))
        network.load_state_dict(tensors)
    except (KeyError, RuntimeError, SafetensorError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: not the weights of a Multi-SPARC: {error}") from None
    return network.eval().requires_grad_(False)


def check_weights(network):
    """Raise ValueError, with the parameter's name, unless all weights are finite."""
    bad = [name for name, p in network.named_parameters() if not torch.isfinite(p).all()]
    if bad:
        raise ValueError(f"weights that are not finite: {', '.join(bad[:5])} ({len(bad)} in all)")


def write_whole(path, data):
    """Write a file that is there whole or not at all."""
    path = Path(path)
    part = path.with_name(path.name + ".part")
    part.write_bytes(data)
    os.replace(part, path)
