"""roomcad-offline align ship: puts a trained network into models/.

ONNX files with several numbers of updates for the robot, safetensors for training and study, and
the network's entry in the manifest (roomcad_core.multi_sparc.model_files says what is in it).
"""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from roomcad_core.engine import make_engine, sha256_of
from roomcad_core.manifest import write_entry
from roomcad_core.multi_sparc.model_files import MODES, TASK, read_spec
from roomcad_offline.multi_sparc.calibrate import shifted
from roomcad_offline.multi_sparc.export import SIZE, save_loop
from roomcad_offline.multi_sparc.export_example import (
    example_feeds,
    largest_differences,
    refined_by_torch,
)
from roomcad_offline.weights import save_weights

UPDATES = (3, 1)  # with several initialisations, and where the last frame's pose is known
LARGEST_DIFFERENCE = 1e-3  # between torch and a shipped file: [m], entries of R, logit
EXAMPLES = 4  # that a file is checked on
NUDGES = 0.0, 3e-7, -3e-7  # of positions, as a share of them: two or three last bits of a float32


def ship(
    network, name, folder, updates=UPDATES, size=SIZE, temperature=1.0, polished=None, about=None,
    mode=MODES[0],
):  # fmt: skip
    """Write align_NAME_nN.onnx and align_NAME.safetensors, and enter NAME in the manifest.

    Args:
        network: MultiSparc with trained weights.
        name: how configurations call the model.
        folder: the models folder, made if missing.
        updates: numbers of updates, a file each.
        size: height and width of the maps [px].
        temperature: what logits of sigma are divided by.
        polished: PolishedScore; None = the robot does not polish its poses.
        about: {name: value} for the header of the safetensors file.
        mode: what it was trained for, "rgbd" or "rgb".

    Returns:
        {number of updates: AlignSpec as the robot reads it}.

    Raises:
        ValueError: weights that are not finite; a file that does not do what torch does.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = {n: folder / f"align_{name}_n{n}.onnx" for n in updates}
    for n, path in paths.items():
        save_loop(network, n, path, size)
        check_file(network, n, path, size)
    save_weights(network, folder / f"align_{name}.safetensors", about)
    entry = {
        "task": TASK,
        "updates": {
            str(n): {"onnx": path.name, "sha256": sha256_of(path)} for n, path in paths.items()
        },
        "objects": network.config.network.n_mul,
        "cad_points": network.config.inputs.n_cad,
        "width": size[1],
        "height": size[0],
        "mode": mode,
        "temperature": round(float(temperature), 4),
    }
    if polished:
        entry["polished"] = {
            use: {k: round(v, 4) for k, v in weights.items()}
            for use, weights in asdict(polished).items()
        }
    write_entry(folder, name, entry)
    return {n: read_spec(folder, name, n) for n in updates}


def check_file(network, n, path, size=SIZE):
    """Raise ValueError unless the file gives what torch gives, on examples with an empty slot.

    A CAD point on the edge between two pixels of noise is given either, by the last bit of its
    position: so the file may equal torch at initial positions moved by that (NUDGES) instead.
    """
    engine, empty = make_engine(path, "onnxruntime"), min(1, network.config.network.n_mul - 1)
    for seed in range(EXAMPLES):
        feeds = example_feeds(network.config, 2, size, seed, empty)
        out = engine(feeds)
        if not all(np.isfinite(array).all() for array in out.values()):
            raise ValueError(f"{path}: its outputs are not finite")
        nearest = min(_differences(network, n, feeds, out), key=lambda d: max(d.values()))
        if max(nearest.values()) > LARGEST_DIFFERENCE:
            limit = f"expected at most {LARGEST_DIFFERENCE}"
            raise ValueError(f"{path}: differs from torch by {nearest}, {limit}")


def _differences(network, n, feeds, out):
    """largest_differences of a file's outputs from torch's, for each of the NUDGES."""
    for nudge in NUDGES:
        nudged = feeds | {"T": feeds["T"] * np.float32(1 + nudge)}
        yield largest_differences(out, refined_by_torch(network, nudged, n), feeds["valid"])


def training(run):
    """{preset, images_a_step} of a training's folder, {} of a shipped file."""
    path = Path(run) / "config.json"
    config = json.loads(path.read_text()) if path.is_file() else {}
    names = {"preset": "preset", "images": "images_a_step"}
    return {name: config[key] for key, name in names.items() if key in config}


def ship_run(args):
    """Ship the averaged weights of a training, with its calibration."""
    from roomcad_core.library import models_folder
    from roomcad_offline.multi_sparc.benchmark.network import load_trained

    trained = load_trained(args.folder)
    about = {"run": trained.name, "steps": trained.steps, "mode": trained.mode}
    about |= dict(zip(("height", "width"), trained.size, strict=True)) | training(args.folder)
    specs = ship(
        shifted(trained.network, trained.calibration.shift),
        args.name,
        args.models or models_folder(),
        args.updates or UPDATES,
        trained.size,
        trained.calibration.temperature,
        trained.polished,
        about,
        trained.mode,
    )
    for spec in specs.values():
        print(f"{spec.onnx}  sha256 {spec.sha256}")
