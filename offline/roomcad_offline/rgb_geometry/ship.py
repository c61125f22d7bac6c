"""roomcad-offline rgb ship: puts a trained network into models/.

rgb_NAME.onnx for the robot, rgb_NAME.safetensors for training and study, the network's entry in the
manifest (roomcad_core.rgb_geometry.model_files says what is in it) and its card rgb_NAME.md.
"""

import json
from pathlib import Path

import numpy as np
import torch

from roomcad_core.engine import make_engine, sha256_of
from roomcad_core.manifest import write_entry
from roomcad_core.rgb_geometry.model_files import INPUT, OUTPUTS, read_spec
from roomcad_core.rgb_geometry.networks import check_graph
from roomcad_offline.rgb_geometry.config import FOCAL
from roomcad_offline.rgb_geometry.evaluate import results_text
from roomcad_offline.rgb_geometry.export import save_onnx
from roomcad_offline.weights import save_weights

LARGEST_DIFFERENCE = 1e-3  # of themselves, or where they are below 1: [m], of a unit normal, kappa


def ship(network, name, folder, card="", about=None):
    """Write a network's files and enter it in the manifest.

    Args:
        network: GeometryNetwork with trained weights.
        name: how configurations call it, e.g. depth.
        folder: the models folder, made if missing.
        card: text of its card; "" = none is written.
        about: {name: value} for the header of the safetensors file.

    Returns:
        GeometrySpec as the robot reads it.

    Raises:
        ValueError: weights that are not finite; a file that does not do what torch does.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    network = network.cpu().eval()
    path, config = folder / f"rgb_{name}.onnx", network.config
    save_onnx(network, path)
    check_file(network, path)
    save_weights(network, path.with_suffix(".safetensors"), about)
    entry = {"task": config.task, "onnx": path.name, "sha256": sha256_of(path),
             "width": config.width, "height": config.height, "focal": FOCAL}  # fmt: skip
    write_entry(folder, name, entry)
    spec = read_spec(folder, name)
    check_graph(spec, make_engine(spec.onnx, "onnxruntime"))
    if card:
        path.with_suffix(".md").write_text(card)
    return spec


def check_file(network, path, engine="onnxruntime"):
    """Raise ValueError unless the file gives what torch gives, on a picture of noise and shapes.

    Returns:
        The largest difference, of values below 1 absolute, of larger ones relative.
    """
    config = network.config
    rgb = example_picture(config.height, config.width)
    out = make_engine(path, engine)({INPUT: rgb})
    with torch.no_grad():
        wanted = [tensor.numpy() for tensor in network(torch.from_numpy(rgb))]
    largest = 0.0
    for name, want in zip(OUTPUTS[config.task], wanted, strict=True):
        difference = np.max(np.abs(out[name] - want) / np.maximum(np.abs(want), 1))
        if not np.isfinite(out[name]).all() or difference > LARGEST_DIFFERENCE:
            raise ValueError(f"{path}: {name!r} differs from torch by {difference}, expected at "
                             f"most {LARGEST_DIFFERENCE}")  # fmt: skip
        largest = max(largest, float(difference))
    return largest


def example_picture(height, width):
    """(1, 3, H, W) float32 in 0-1: waves and noise."""
    rng = np.random.default_rng(0)
    y, x = np.indices((height, width)) / 17
    waves = 0.5 + 0.3 * np.sin(np.stack([x, y, x + y]))
    noise = rng.uniform(-0.2, 0.2, waves.shape)
    return np.clip(waves + noise, 0, 1).astype(np.float32)[None]


def ship_run(args):
    """Ship the network of a run, with a card of its configuration and evaluations."""
    from roomcad_core.library import models_folder
    from roomcad_offline.rgb_geometry.trained import load_trained

    trained = load_trained(args.folder)
    results = [json.loads(p.read_text()) for p in sorted(args.folder.glob("*/results.json"))]
    if not results:
        raise ValueError(f"{args.folder}: not judged yet; run first: roomcad-offline rgb evaluate")
    about = {"run": args.folder.resolve().name, "epochs": trained.config["epochs"]}
    card = card_text(args.name, trained, results, args.licence)
    spec = ship(trained.network, args.name, args.models or models_folder(), card, about)
    print(f"{spec.onnx}  sha256 {spec.sha256}\n{card}")


def card_text(name, trained, results, licence):
    """The model's card: what it is, how it was trained, how right it is.

    `licence`: of the weights and the training data.
    """
    run, network = trained.config, trained.network
    config, count = network.config, sum(p.numel() for p in network.parameters())
    size = f"{config.width} x {config.height}"
    start = run["encoder_weights"] or "from scratch"
    lines = [
        f"# rgb_{name}: {config.task} of a colour image",
        "",
        "| | |",
        "| --- | --- |",
        f"| input | `rgb` (1, 3, {config.height}, {config.width}) in 0-1, the whole image fitted |",
        f"| output | `{'`, `'.join(OUTPUTS[config.task])}` at half that size |",
        f"| network | {config.encoder} ({start}), decoder {list(config.decoder)}, "
        f"{count / 1e6:.2f} M parameters, pictures of {size} |",
        f"| training data | {', '.join(run['training'])} ({run['training_images']} images) |",
        f"| training | AdamW, 1cycle to {run['learning_rate']:g}, batch "
        f"{run['images'] * run['processes']}, {run['epochs']} epochs, seed {run['seed']}: "
        f"`roomcad-offline rgb train-{config.task}` |",
        f"| licence | {licence} |",
        "",
        *("\n" + results_text(found) + "\n" for found in results),
    ]
    return "\n".join(lines).rstrip() + "\n"
