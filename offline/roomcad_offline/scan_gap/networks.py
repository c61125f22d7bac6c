"""Trained networks of the study, from a run's checkpoint or from exported weights. Needs torch."""

import json
import pickle
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from roomcad_offline.pointnet.export import load_weights
from roomcad_offline.pointnet.network import PointNet, parameter_count


def load_run(folder):
    """Network in evaluation mode, and the facts of its training, from a run of `recipes.train`.

    Returns:
        The network, and a dict: classes, epochs (done), planned_epochs, seed, clouds, seconds,
        parameters, source.

    Raises:
        FileNotFoundError: the folder holds no checkpoint.
        ValueError: checkpoint or configuration is damaged.
    """
    folder = Path(folder)
    checkpoint, config = folder / "checkpoint.pt", folder / "config.json"
    for path in (checkpoint, config):
        if not path.is_file():
            raise FileNotFoundError(f"{path}: no such file; is the recipe trained?")
    try:
        wanted = json.loads(config.read_text())
        state = torch.load(checkpoint, weights_only=True)
        network = PointNet(len(wanted["classes"]))
        network.load_state_dict(state["network"])
        log = state["log"]
    except (ValueError, KeyError, RuntimeError, EOFError, OSError, pickle.UnpicklingError) as error:
        raise ValueError(f"{folder}: not a run of the study: {error}") from None
    facts = {
        "classes": wanted["classes"],
        "epochs": len(log),
        "planned_epochs": wanted["epochs"],
        "seed": wanted["seed"],
        "clouds": wanted["clouds"],
        "seconds": round(sum(wanted["clouds"] / row["clouds_per_second"] for row in log), 1),
        "parameters": parameter_count(network),
        "source": "checkpoint",
    }
    return network.eval(), facts


def load_exported(path, classes):
    """Network and facts from exported weights; what the file does not tell is None."""
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    try:
        told = training_facts(path)
        network = load_weights(PointNet(len(classes)), path)
    except SafetensorError as error:
        raise ValueError(f"{path}: unreadable: {error}") from None
    facts = {
        "classes": list(classes),
        **told,
        "parameters": parameter_count(network),
        "source": path.name,
    }
    return network, facts


def training_facts(path):
    """Epochs, seed, clouds and seconds from the weights' metadata, where they carry them."""
    names = {"epochs": int, "planned_epochs": int, "seed": int, "clouds": int, "seconds": float}
    with safe_open(path, "pt") as file:
        told = file.metadata() or {}
    return {name: kind(told[name]) if name in told else None for name, kind in names.items()}
