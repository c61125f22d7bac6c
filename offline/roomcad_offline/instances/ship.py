"""roomcad-offline instances ship: puts a trained network into models/.

instances_NAME.onnx for the robot, .safetensors for training and study, the network's entry in the
manifest (roomcad_core.segment.instances.model_files says what is in it) and its card .md.
"""

from __future__ import annotations

import json
from pathlib import Path

from roomcad_core.segment.instances.model_files import InstanceSpec
from roomcad_offline.benchmarks.real.compare import FIGURES
from roomcad_offline.benchmarks.real.report import TITLES, with_interval
from roomcad_offline.instances.evaluate import markdown
from roomcad_offline.instances.export import export, file_stem
from roomcad_offline.instances.train import Trained, load_trained
from roomcad_offline.licences import licence_of
from roomcad_offline.tables.markdown import table
from roomcad_offline.weights import save_weights


def ship(run: Path, name: str, folder: Path, real: Path, results: Path) -> tuple[InstanceSpec, str]:
    """Ship the network of a run's folder.

    Args:
        run: the run's folder.
        name: how configurations call it.
        folder: the models folder, made if missing.
        real: real.json of an evaluation by folds of networks trained like this one.
        results: segmentation.json of an evaluation of this run.

    Returns:
        InstanceSpec as the robot reads it, and the card's text.

    Raises:
        FileNotFoundError: no training there, or no results.
        ValueError: the results are of another network, weights are not finite, or the file does
            not do what torch does.
    """
    run, folder = Path(run), Path(folder)
    trained = load_trained(run)
    measured = read_json(real, "roomcad-offline real evaluate DATA... --folds FILE")
    record = read_json(results, f"roomcad-offline instances evaluate {run}")
    if run.resolve().name not in record.get("methods", {}):
        got = sorted(record.get("methods", {}))
        raise ValueError(f"{results}: methods: got {got}, expected {run.resolve().name!r}")
    licence = licence_of(trained.config["training_rooms"])
    spec = export(trained.network, name, folder, licence)
    about = {"run": run.resolve().name, "epochs": len(trained.log), "licence": licence}
    save_weights(trained.network, spec.onnx.with_suffix(".safetensors"), about)
    text = card(name, trained, measured, record)
    (folder / f"{file_stem(name)}.md").write_text(text)
    return spec, text


def read_json(path: Path, command: str) -> dict:
    """What a JSON file holds; FileNotFoundError names the command that makes it."""
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path}: no such file; run first: {command}")
    return json.loads(Path(path).read_text())


def start_of(run: dict) -> str:
    """What a training began with, of its configuration, as the end of a sentence."""
    return "".join(
        f"; {what} from weights with sha256 {run[key][:12]}..."
        for key, what in (("start", "all"), ("colour", "the colour encoder")) if key in run
    )  # fmt: skip


def card(name: str, trained: Trained, measured: dict, record: dict) -> str:
    """The model's card: what it is, how it was trained, how right it is."""
    run, network = trained.config, trained.network
    config, count = network.config, sum(p.numel() for p in network.parameters())
    rooms = ", ".join(f"{n} {TITLES[kind]}" for kind, n in run["training_rooms"].items())
    frames = run["epoch_frames"] or run["training_frames"]
    encoder = "EfficientNet-lite0 for the colour, " if config.colour else ""
    lines = [
        f"# {name}: things, their kinds and what is built in, in a frame",
        "",
        "| | |",
        "| --- | --- |",
        f"| input | {config.width} x {config.height} cells: places, heights and normals in a"
        " gravity-aligned frame, and colour where there is any |",
        f"| output | kind of each cell ({', '.join(config.kinds)}), vote for the centre of its"
        " thing, spread of the votes, seed |",
        f"| network | U-Net, encoder {list(config.encoder)}, decoder {list(config.decoder)}, "
        f"{encoder}{count / 1e6:.2f} M parameters |",
        f"| training data | {run['training_frames']} frames of {rooms} |",
        f"| training | `roomcad-offline instances train`: Adam, cosine from "
        f"{run['learning_rate']:g}, batch {run['batch']}, {len(trained.log)} of {run['epochs']} "
        f"epochs of {frames} frames, seed {run['seed']}{start_of(run)} |",
        f"| licence | {licence_of(run['training_rooms'])} |",
        "",
        "## Real rooms",
        "",
        "The whole front end (this network and the classifier), by networks trained like this one,"
        f" each without the places that it is judged by: `{measured['command']}`.",
        "",
        *real_table(measured),
        "",
        "## Simulated rooms",
        "",
        markdown(record | {"picture": None}).split("\n", 2)[2],
    ]
    return "\n".join(lines).rstrip() + "\n"


def real_table(measured: dict) -> list[str]:
    """Lines of a table of real.json's figures of single frames."""
    kinds = [kind for kind in TITLES if kind in measured["kinds"]]
    rows = [
        [text, *(with_interval(measured["kinds"][kind]["frames"][key]) for kind in kinds)]
        for key, text in FIGURES.items()
    ]
    return table(["", *(TITLES[kind] for kind in kinds)], rows)
