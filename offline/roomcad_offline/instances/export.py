"""A trained instance network as safetensors and as ONNX; batch norms go into the convolutions.

In the ONNX graph encoder and decoder of the cells may be computed in less than float32; head and
encoder of the picture may not.
"""

import numpy as np
import torch

from roomcad_core.engine import make_engine, sha256_of
from roomcad_core.manifest import LICENCE, write_entry
from roomcad_core.segment.instances.channels import CHANNELS, PICTURE
from roomcad_core.segment.instances.model_files import (
    COLOR,
    INPUT,
    STRUCTURE,
    TASK,
    outputs,
    read_spec,
)
from roomcad_core.segment.instances.network import check_graph
from roomcad_offline.instances.config import FIRST, NetworkConfig
from roomcad_offline.instances.network import SPREAD, WIDEST, VoteNetwork, ends, foreground
from roomcad_offline.rgb_geometry.export import NetworkWriter
from roomcad_offline.weights import check_weights, read_weights, write_whole

LARGEST_DIFFERENCE = 1e-3  # between torch and the file, of values below 1 absolute


def export(network, name, folder, licence=None):
    """Write a network as ONNX and enter it in the manifest of a folder.

    Args:
        network: VoteNetwork with trained weights.
        name: how configurations call it.
        folder: the models folder, made if missing.
        licence: what the training data allows, for the manifest; None = not told.

    Returns:
        InstanceSpec as the robot reads it.

    Raises:
        ValueError: weights that are not finite; a file that does not do what torch does.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path, config = folder / f"{file_stem(name)}.onnx", network.config
    save_onnx(network, path)
    check_file(network, path)
    entry = {"task": TASK, "onnx": path.name, "sha256": sha256_of(path),
             "width": config.width, "height": config.height,
             "kinds": list(config.kinds)}  # fmt: skip
    write_entry(folder, name, entry | ({LICENCE: licence} if licence else {}))
    spec = read_spec(folder, name)
    check_graph(spec, make_engine(spec.onnx, "onnxruntime"))
    return spec


def file_stem(name):
    """Name of a network's files without the ending."""
    return name if name.startswith(TASK) else f"{TASK}_{name}"


def save_onnx(network, path):
    """Write a network as ONNX: INPUT to outputs of model_files, for one frame."""
    check_weights(network)
    size = network.config.height, network.config.width
    writer = VoteWriter()
    writer.whole(network)
    inputs = {n: (np.float32, shape) for n, shape in input_shapes(network.config).items()}
    shapes = outputs(network.config.kinds).items()
    out = {name: (np.float32, (*shape, *size)) for name, shape in shapes}
    write_whole(path, writer.graph.model(TASK, inputs, out).SerializeToString())


def input_shapes(config):
    """{input: shape} of the ONNX file of a NetworkConfig, for one frame."""
    size = config.height, config.width
    shapes = {INPUT: (1, len(CHANNELS), *size)}
    return shapes | ({COLOR: (1, 3, *(PICTURE * n for n in size))} if config.colour else {})


class VoteWriter(NetworkWriter):
    """Turns the modules of a VoteNetwork into nodes of a Graph."""

    def whole(self, network):
        """Append all of it, up to the outputs."""
        x, features = self.graph.input(INPUT), []
        config = network.config
        # The picture's encoder stays exact: in int8 it would cost 5 % of the cells their kind.
        seen = self.encoder(network.colour, self.graph.input(COLOR)) if config.colour else []
        with self.graph.rough():
            added = [self.write(join, f) for join, f in zip(network.joins, seen, strict=False)]
            for k, stage in enumerate(network.encoder):
                x = self.write(stage, x)
                x = x + added[k] if added else x
                features.append(x)
            # The decoder counts its halvings from a picture of twice the size.
            x = self.decoder(network.decoder, features, (2 * config.height, 2 * config.width))
        self.ends(self.conv(network.head, None, x), config.kinds)

    def ends(self, raw, kinds):
        """The outputs from what the head gives."""
        parts, start = {}, 0
        for name, n in ends(kinds).items():
            parts[name], start = raw.part(1, start, start + n), start + n
        shares = self.graph.node("Softmax", parts["kinds"], axis=1)
        structure = [self.channel(shares, i) for i, k in enumerate(kinds) if k in STRUCTURE]
        spread = self.channel(parts["spread"], 0).clip(-WIDEST, WIDEST).map("Exp") * SPREAD
        found = {
            "foreground": self.graph.value(1.0) - sum(structure[1:], structure[0]),
            "seed": self.channel(parts["seed"], 0).map("Sigmoid"),
            "spread": spread,
            "offset": parts["offset"],
            "kinds": parts["kinds"],
        }
        for name in outputs(kinds):
            self.graph.node("Identity", found[name], output=name)


def answers(network, feeds):
    """{name: array} of the outputs for inputs as input_shapes, by torch."""
    with torch.no_grad():
        out = network(*(torch.from_numpy(feeds[n]) for n in input_shapes(network.config)))
        out["foreground"] = foreground(out["kinds"], network.config.kinds)
    return {name: out[name].numpy() for name in outputs(network.config.kinds)}


def check_file(network, path, engine="onnxruntime"):
    """Raise ValueError unless the file gives what torch gives, on noise; the largest difference."""
    rng = np.random.default_rng(0)
    feeds = {name: rng.uniform(-1, 1, shape).astype(np.float32)
             for name, shape in input_shapes(network.config).items()}  # fmt: skip
    out, largest = make_engine(path, engine)(feeds), 0.0
    for name, want in answers(network, feeds).items():
        difference = float(np.max(np.abs(out[name] - want) / np.maximum(np.abs(want), 1)))
        if not difference <= LARGEST_DIFFERENCE:
            raise ValueError(f"{path}: {name!r} differs from torch by {difference}, expected at "
                             f"most {LARGEST_DIFFERENCE}")  # fmt: skip
        largest = max(largest, difference)
    return largest


def load_weights(path):
    """VoteNetwork of a file of save_weights; ValueError if it is damaged or of another kind."""
    return read_weights(
        path,
        lambda c: VoteNetwork(NetworkConfig(**FIRST | c)),
        "an instance network",
    )
