"""roomcad-offline instances ship: puts a trained network into models/.

instances_NAME.onnx for the robot, .safetensors for training and study, the network's entry in the
manifest (roomcad_core.segment.instances.model_files says what is in it) and its card .md.
"""

import json
from pathlib import Path

from roomcad_offline.instances.evaluate import markdown
from roomcad_offline.instances.export import export, file_stem
from roomcad_offline.instances.train import load_trained
from roomcad_offline.weights import save_weights

LICENCE = (
    "| licence | Apache-2.0 for the weights as our work; the rooms are of our generated models and"
    " of Sweet Home 3D's, which are CC0, CC-BY 3.0 and GPL-2+, so check before commercial use |"
)


def ship(run, name, folder, results):
    """Ship the network of a run's folder.

    Args:
        run: the run's folder.
        name: how configurations call it.
        folder: the models folder, made if missing.
        results: segmentation.json of an evaluation of this run.

    Returns:
        InstanceSpec as the robot reads it, and the card's text.

    Raises:
        FileNotFoundError: no training there, or no results.
        ValueError: the results are of another network, weights are not finite, or the file does
            not do what torch does.
    """
    run, folder, results = Path(run), Path(folder), Path(results)
    trained = load_trained(run)
    if not results.is_file():
        raise FileNotFoundError(
            f"{results}: no such file; run first: roomcad-offline instances evaluate {run}"
        )
    record = json.loads(results.read_text())
    if run.resolve().name not in record.get("methods", {}):
        got = sorted(record.get("methods", {}))
        raise ValueError(f"{results}: methods: got {got}, expected {run.resolve().name!r}")
    spec = export(trained.network, name, folder)
    about = {"run": run.resolve().name, "epochs": len(trained.log)}
    save_weights(trained.network, spec.onnx.with_suffix(".safetensors"), about)
    text = card(name, trained, record)
    (folder / f"{file_stem(name)}.md").write_text(text)
    return spec, text


def start_of(run):
    """What a training began with, of its configuration, as the end of a sentence."""
    return f"; from weights with sha256 {run['start'][:12]}..." if "start" in run else ""


def card(name, trained, record):
    """The model's card: what it is, how it was trained, how right it is."""
    run, network = trained.config, trained.network
    config, count = network.config, sum(p.numel() for p in network.parameters())
    results = markdown(record | {"picture": None}).split("\n", 2)[2]
    lines = [
        f"# {name}: instances of a depth image",
        "",
        "| | |",
        "| --- | --- |",
        f"| input | {config.width} x {config.height} cells: places, heights and normals in a"
        " gravity-aligned frame, and colour where there is any |",
        "| output | probability of a thing, vote for its centre, spread of the votes, seed, kind |",
        f"| network | U-Net, encoder {list(config.encoder)}, decoder {list(config.decoder)}, "
        f"{count / 1e6:.2f} M parameters |",
        f"| training data | {run['training_frames']} frames of {run['training_rooms']} simulated "
        f"rooms ({', '.join(run['training'])}); nothing real |",
        f"| training | Adam, cosine from {run['learning_rate']:g}, batch {run['batch']}, "
        f"{len(trained.log)} of {run['epochs']} epochs, seed {run['seed']}{start_of(run)} |",
        LICENCE,
        "",
        "## Results",
        "",
        results,
    ]
    return "\n".join(lines).rstrip() + "\n"
