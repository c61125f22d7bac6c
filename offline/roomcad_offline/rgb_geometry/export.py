"""A trained network as safetensors and as ONNX; batch norms are folded into the convolutions.

In the ONNX graph encoder and decoder may be computed in less than float32, the head may not.
"""

import numpy as np
import torch
from torch import nn

from roomcad_core.rgb_geometry.model_files import DEPTH, INPUT, OUTPUTS
from roomcad_offline.multi_sparc.export_graph import Graph
from roomcad_offline.rgb_geometry.config import NetworkConfig
from roomcad_offline.rgb_geometry.encoders import BasicBlock, InvertedResidual, MobileNetV2
from roomcad_offline.rgb_geometry.network import (
    LEAST_KAPPA,
    LEAST_SIGMA,
    TINY,
    GeometryNetwork,
)
from roomcad_offline.weights import check_weights, read_weights, write_whole

NORM = nn.BatchNorm2d


def load_weights(path):
    """GeometryNetwork of a file of save_weights; ValueError if it is damaged or of another kind."""
    return read_weights(path, lambda c: GeometryNetwork(NetworkConfig(**c)), "such a network")


def save_onnx(network, path):
    """Write a network as ONNX: rgb (1, 3, H, W) in 0-1 to the maps that its forward gives.

    Raises:
        ValueError: weights that are not finite.
    """
    check_weights(network)
    config, writer = network.config, NetworkWriter()
    mean, unsure = writer.whole(network)
    half = config.height // 2, config.width // 2
    names = OUTPUTS[config.task]
    first = (1, *half) if config.task == DEPTH else (1, 3, *half)
    graph = writer.graph
    for value, name in zip((mean, unsure), names, strict=True):
        graph.node("Identity", value, output=name)
    model = graph.model(
        f"rgb_{config.task}",
        {INPUT: (np.float32, (1, 3, config.height, config.width))},
        dict(zip(names, ((np.float32, first), (np.float32, (1, *half))), strict=True)),
    )
    write_whole(path, model.SerializeToString())


class NetworkWriter:
    """Turns the modules of a GeometryNetwork into nodes of a Graph."""

    def __init__(self):
        self.graph = Graph()

    def whole(self, network):
        """(mean, uncertainty) Values of the network."""
        mean, std = (getattr(network, n).cpu().numpy()[None] for n in ("mean", "std"))
        x = (self.graph.input(INPUT) - mean) / std
        size = network.config.height, network.config.width
        with self.graph.rough():
            x = self.decoder(network.decoder, self.encoder(network.encoder, x), size)
        raw = self.conv(network.head, None, x)
        return self.depth(raw) if network.config.task == DEPTH else self.normal(raw)

    def encoder(self, encoder, x):
        """The features that encoder.forward gives."""
        out = []
        if isinstance(encoder, MobileNetV2):
            for i, block in enumerate(encoder.features):
                x = self.write(block, x)
                out += [x] if i in encoder.taps else []
            return out
        out.append(self.conv(encoder.conv1, encoder.bn1, x).map("Relu"))
        x = self.graph.node(
            "MaxPool", out[0], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]
        )
        for k in range(1, 5):
            x = self.write(getattr(encoder, f"layer{k}"), x)
            out.append(x)
        return out

    def decoder(self, decoder, features, size):
        """What decoder.forward gives for pictures of `size` (H, W)."""
        x, channels = self.write(decoder.narrow, features[-1]), decoder.narrow[0].out_channels
        halvings = range(len(decoder.levels), 0, -1)
        for level, skip, k in zip(decoder.levels, features[-2::-1], halvings, strict=True):
            x = self.enlarged(x, channels, [-(-n // 2**k) for n in size])
            x = self.write(level, self.graph.concat([x, skip], 1))
            channels = level[0].out_channels
        return x

    def enlarged(self, x, channels, size):
        """Bilinear, as torch does it without aligned corners."""
        sizes, left_out = np.array([1, channels, *size], np.int64), self.graph.input("")
        return self.graph.node("Resize", x, left_out, left_out, sizes, mode="linear",
                               coordinate_transformation_mode="half_pixel")  # fmt: skip

    def conv(self, conv, norm, x):
        """A convolution with the batch norm that follows it, or None."""
        weight, bias = folded(conv, norm)
        pads = [*conv.padding, *conv.padding]
        return self.graph.node(
            "Conv", x, weight, bias, kernel_shape=list(conv.kernel_size), pads=pads,
            strides=list(conv.stride), group=conv.groups,
        )  # fmt: skip

    def write(self, module, x):
        """Append what a module does to x; returns its Value."""
        if isinstance(module, nn.Sequential):
            return self.sequence(list(module), x)
        if isinstance(module, InvertedResidual):
            y = self.write(module.conv, x)
            return x + y if module.adds else y
        if isinstance(module, BasicBlock):
            y = self.conv(module.conv1, module.bn1, x).map("Relu")
            y = self.conv(module.conv2, module.bn2, y)
            return (y + (self.write(module.downsample, x) if module.downsample else x)).map("Relu")
        if isinstance(module, nn.ReLU6):
            return x.clip(0.0, 6.0)
        if isinstance(module, nn.ReLU):
            return x.map("Relu")
        raise TypeError(f"no ONNX for a {type(module).__name__}")

    def sequence(self, layers, x):
        """Layers one after the other; a batch norm goes into the convolution before it."""
        for layer, following in zip(layers, [*layers[1:], None], strict=True):
            if isinstance(layer, nn.Conv2d):
                x = self.conv(layer, following if isinstance(following, NORM) else None, x)
            elif not isinstance(layer, NORM):
                x = self.write(layer, x)
        return x

    def depth(self, raw):
        """network.depth_of."""
        mean, sigma = (self.channel(raw, k).map("Softplus") for k in range(2))
        return mean, sigma + LEAST_SIGMA

    def normal(self, raw):
        """network.normal_of."""
        direction = raw.part(1, 0, 3)
        length = ((direction * direction).reduce("Sum", 1) + TINY).map("Sqrt")
        return direction / length, self.channel(raw, 3).map("Elu") + (1 + LEAST_KAPPA)

    def channel(self, x, k):
        """(1, h, w) of (1, C, h, w)."""
        return self.graph.node("Squeeze", x.part(1, k, k + 1), np.array([1], np.int64))


def folded(conv, norm):
    """Weight and bias (C,) of a convolution with its batch norm in evaluation mode, or None."""
    with torch.no_grad():
        weight = conv.weight.double()
        bias = weight.new_zeros(len(weight)) if conv.bias is None else conv.bias.double()
        if norm is not None:
            gain = norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps)
            weight = weight * gain[:, None, None, None]
            bias = (bias - norm.running_mean.double()) * gain + norm.bias.double()
    return tuple(t.cpu().numpy().astype(np.float32) for t in (weight, bias))
