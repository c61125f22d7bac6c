"""A shipped network, align_NAME.safetensors, where a training's folder is expected: to judge it, or
to train on from it without having the training."""

from pathlib import Path

from roomcad_core.manifest import FILE, read_models

PREFIX, SUFFIX = "align_", ".safetensors"


def is_shipped(path):
    """Whether a path names a file of weights, no training's folder."""
    return Path(path).suffix == SUFFIX


def name_of(path):
    """How a shipped file, or the folder of a training, is called."""
    return Path(path).stem.removeprefix(PREFIX) if is_shipped(path) else Path(path).name


def load_shipped(path, device="cpu"):
    """Values of a Trained by name; its calibration's shift is in the weights already.

    Raises:
        FileNotFoundError: no such file; ValueError: it is damaged, or of another network.
    """
    from roomcad_offline.multi_sparc.calibrate import Calibration
    from roomcad_offline.multi_sparc.export import SIZE, load_weights
    from roomcad_offline.weights import read_header

    header = read_header(path)
    return {
        "name": name_of(path),
        "network": load_weights(path).to(device),
        "mode": header.get("mode", "rgbd"),
        "size": (int(header.get("height", SIZE[0])), int(header.get("width", SIZE[1]))),
        "steps": int(header.get("steps", 0)),
        "calibration": Calibration(_temperature(Path(path))),
    }


def _temperature(path):
    """What its logits are divided by, as the manifest beside it says; 1 where there is none."""
    manifest = path.parent / FILE
    entry = read_models(manifest).get(name_of(path), {}) if manifest.is_file() else {}
    return float(entry.get("temperature", 1.0))


def about_training(path):
    """{preset, images_a_step, steps, mode} of the training it is from, as far as it says."""
    from roomcad_offline.weights import read_header

    header = read_header(path)
    known = {"preset": header.get("preset", name_of(path))}
    known |= {k: int(header[k]) for k in ("images_a_step", "steps") if k in header}
    return known | ({"mode": header["mode"]} if header.get("mode", "rgbd") != "rgbd" else {})
