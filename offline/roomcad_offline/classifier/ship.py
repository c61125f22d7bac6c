"""Puts a trained PointNet into models/: ONNX for the robot, safetensors for training, manifest."""

import copy
from pathlib import Path

import torch

from roomcad_core.classify.crop_network import CropNetwork
from roomcad_core.classify.model_files import TASK, ModelSpec, read_spec
from roomcad_core.engine import make_engine, sha256_of, verify
from roomcad_core.manifest import LICENCE, write_entry
from roomcad_core.types import OTHER
from roomcad_offline.pointnet.export import save_onnx, save_weights


def ship(network, folder, name, labels, points, cloud, temperature=1.0, other_bias=0.0, about=None,
         licence=None):  # fmt: skip
    """Write pointnet_NAME.onnx and .safetensors into `folder` and enter NAME in its manifest.

    Args:
        network: PointNet in evaluation mode.
        folder: the models folder, made if missing.
        name: how the configuration calls the model.
        labels: class of every logit.
        points: points of a cloud at inference.
        cloud: key of model_files.CLOUDS.
        temperature: what logits are divided by.
        other_bias: added to the logit of `other`; becomes part of the weights.
        about: {name: value} for the header of the safetensors file.
        licence: what the training data allows, for the manifest; None = not told.

    Returns:
        The ModelSpec as the robot reads it.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    network = copy.deepcopy(network)
    if other_bias:
        with torch.no_grad():
            network.classifier.bias[labels.index(OTHER)] += other_bias
    onnx_path = folder / f"pointnet_{name}.onnx"
    save_onnx(network, onnx_path)
    save_weights(network, onnx_path.with_suffix(".safetensors"), about)
    entry = {
        "task": TASK,
        "onnx": onnx_path.name,
        "sha256": sha256_of(onnx_path),
        "labels": list(labels),
        "points": points,
        "cloud": cloud,
        "extra": cloud == "trimmed_box",
        "temperature": round(temperature, 4),
    }
    write_entry(folder, name, entry | ({LICENCE: licence} if licence else {}))
    values = {k: v for k, v in entry.items() if k != "task"}
    return ModelSpec(name, **{**values, "onnx": onnx_path, "labels": tuple(labels)})


def as_robot(network, folder, name, labels, points, **calibration):
    """CropNetwork of a deployed-type PointNet: shipped into `folder` and loaded from there."""
    spec = ship(network, folder, name, labels, points, "trimmed_box", **calibration)
    return CropNetwork(spec, make_engine(spec.onnx))


def shipped(folder, name):
    """CropNetwork NAME of a models folder, checked against its manifest."""
    spec = read_spec(Path(folder), name)
    verify(spec.onnx, spec.sha256)
    return CropNetwork(spec, make_engine(spec.onnx))
