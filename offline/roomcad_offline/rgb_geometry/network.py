"""The network of depth and of normals: encoder, decoder with skip connections, distribution head.

Every pixel gets the parameters of a probability distribution: a Gaussian's mean and standard
deviation for depth, an Angular von Mises-Fisher's mean direction and concentration for normals.
"""

import torch
from torch import nn
from torch.nn import functional as F

from roomcad_core.rgb_geometry.model_files import DEPTH
from roomcad_offline.rgb_geometry.encoders import ConvNorm, MobileNetV2, ResNet18

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of the pictures torchvision trained on
LEAST_SIGMA = 0.01  # [m]
LEAST_KAPPA = 0.01
TINY = 1e-8
MAKERS = {"mobilenet_v2": MobileNetV2, "resnet18": ResNet18}


class GeometryNetwork(nn.Module):
    """A NetworkConfig's network: (B, 3, H, W) pictures to two maps (B, .., H/2, W/2)."""

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.encoder = MAKERS[config.encoder](config.thin)
        self.decoder = Decoder(self.encoder.widths, config.decoder)
        n = 2 if config.task == DEPTH else 4
        self.head = nn.Conv2d(config.decoder[-1], n, 3, padding=1)
        self.register_buffer("mean", torch.tensor(MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(STD).view(3, 1, 1), persistent=False)
        self._start()

    def forward(self, rgb):
        """Depth: mean and sigma (B, h, w) [m]; normals: unit mean (B, 3, h, w), kappa (B, h, w)."""
        raw = self.head(self.decoder(self.encoder((rgb - self.mean) / self.std))).float()
        return depth_of(raw) if self.config.task == DEPTH else normal_of(raw)

    def _start(self):
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")
        nn.init.normal_(self.head.weight, std=0.01)
        start = (2.5, 0.5) if self.config.task == DEPTH else (0.0, 0.0, -1.0, 1.0)
        self.head.bias.data.copy_(torch.tensor(start))


def depth_of(raw):
    """Mean and sigma of (B, 2, h, w) outputs."""
    return F.softplus(raw[:, 0]), F.softplus(raw[:, 1]) + LEAST_SIGMA


def normal_of(raw):
    """Mean direction and kappa of (B, 4, h, w) outputs."""
    direction = raw[:, :3]
    length = torch.sqrt((direction * direction).sum(1, keepdim=True) + TINY)
    return direction / length, F.elu(raw[:, 3]) + (1 + LEAST_KAPPA)


class Decoder(nn.Module):
    """From the coarsest features to the finest: enlarge, join the encoder's, one convolution."""

    def __init__(self, skips, widths):
        super().__init__()
        self.narrow = ConvNorm(skips[-1], widths[0], 1, act=nn.ReLU)
        below = [widths[0], *widths[:-1]]
        joined = zip(reversed(skips[:-1]), below, widths, strict=True)
        self.levels = nn.ModuleList(ConvNorm(s + b, w, act=nn.ReLU) for s, b, w in joined)

    def forward(self, features):
        x = self.narrow(features[-1])
        for level, skip in zip(self.levels, reversed(features[:-1]), strict=True):
            x = F.interpolate(x, skip.shape[-2:], mode="bilinear", align_corners=False)
            x = level(torch.cat([x, skip], 1))
        return x
