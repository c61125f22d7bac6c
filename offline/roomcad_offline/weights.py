"""Trained weights as safetensors: all parameters, the configuration in the header, never pickle."""

import json
import os
from dataclasses import asdict
from pathlib import Path

import torch


def save_weights(network, path, about=None):
    """Write all parameters of a network with a `config`; the header has that and `about`.

    Raises:
        ValueError: weights that are not finite.
    """
    from safetensors.torch import save

    check_weights(network)
    header = {name: str(value) for name, value in (about or {}).items()}
    header["config"] = json.dumps(asdict(network.config))
    tensors = {k: v.detach().cpu().contiguous() for k, v in network.state_dict().items()}
    write_whole(path, save(tensors, header))


def read_weights(path, make, kind):
    """The network of a file of save_weights, for inference.

    Args:
        path: the file.
        make: function of the configuration's plain values to a network.
        kind: what it is the weights of, for messages.

    Raises:
        ValueError: the file is damaged, or its weights do not fit its configuration.
    """
    tensors, header = read_tensors(path, kind)
    try:
        network = make(json.loads(header["config"]))
        network.load_state_dict(tensors)
    except (KeyError, RuntimeError, TypeError, ValueError) as error:
        raise ValueError(f"{path}: not the weights of {kind}: {error}") from None
    return network.eval().requires_grad_(False)


def read_tensors(path, kind):
    """{name: tensor} of a file of save_weights, and {name: text} of its header.

    `kind`: what it is the weights of, for the message of the ValueError if it is damaged.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return tensors, dict(file.metadata() or {})
    except SafetensorError as error:
        raise ValueError(f"{path}: not the weights of {kind}: {error}") from None


def read_header(path):
    """{name: text} of the header of a file of save_weights; ValueError if it is damaged."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            return dict(file.metadata() or {})
    except SafetensorError as error:
        raise ValueError(f"{path}: not a file of weights: {error}") from None


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
