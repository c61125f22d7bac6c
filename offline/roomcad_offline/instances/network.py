"""The instance network: a small U-Net from geometry and colour to votes for the centres of objects.

Stages, for a batch B on a grid of h x w cells (channels of NetworkConfig):
    cells    (B, 14, h, w): places, normals, colour
    picture  (B, 3, 2h, 2w): colour, two pixels to a cell
    colour   EfficientNet-lite0 of the picture: features at 1/1, 1/2, 1/4, 1/8, 1/16 of the cells
    encoder  the same of the cells: convolution, then residual blocks; the colour's are added
    decoder  back to 1/1: enlarge, join the encoder's features, one convolution
    head     21 maps: kinds (16), offset (3), spread, seed
"""

import torch
from torch import nn

from roomcad_core.segment.instances.channels import CHANNELS
from roomcad_core.segment.instances.model_files import STRUCTURE
from roomcad_offline.rgb_geometry.encoders import BasicBlock, ConvNorm, EfficientNetLite0
from roomcad_offline.rgb_geometry.network import Decoder

SPREAD = 0.25  # of the votes of an object before training [m]
WIDEST = 3.0  # largest logarithm of what a spread differs from SPREAD by


def ends(kinds):
    """{output of the head: its channels}, in order, of a network with these kinds."""
    return {"kinds": len(kinds), "offset": 3, "spread": 1, "seed": 1}


class VoteNetwork(nn.Module):
    """Cells (B, channels, h, w) of channels.CHANNELS to {name: (B, ..., h, w)}.

    kinds: logits of config.kinds; offset: to the object's centre [m]; spread: of its
    object's votes [m]; seed: 0-1. What model_files.outputs calls foreground is made from kinds.
    """

    def __init__(self, config):
        super().__init__()
        self.config = config
        widths = [len(CHANNELS), *config.encoder]
        self.encoder = nn.ModuleList(
            level(*widths[k : k + 2], stride=min(k, 1) + 1, blocks=n)
            for k, n in enumerate(config.blocks)
        )
        self.colour = EfficientNetLite0() if config.colour else None
        # A small network has fewer levels than there are features of colour.
        joins = zip(self.colour.widths, config.encoder, strict=False) if config.colour else ()
        self.joins = nn.ModuleList(ConvNorm(n_in, n, 1, act=None) for n_in, n in joins)
        self.decoder = Decoder(config.encoder, config.decoder)
        self.head = nn.Conv2d(config.decoder[-1], sum(ends(config.kinds).values()), 1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        for join in self.joins:  # at first what is seen in the cells decides
            nn.init.zeros_(join[1].weight)
        nn.init.normal_(self.head.weight, std=0.01)
        nn.init.zeros_(self.head.bias)

    def train(self, mode=True):
        """As torch's; the colour encoder's batch norms keep the statistics of real pictures."""
        super().train(mode)
        if self.colour is not None:
            self.colour.eval()
        return self

    def forward(self, cells, picture=None):
        """`picture`: (B, 3, 2h, 2w), for a network that looks at colour."""
        seen = self.colour(picture) if self.config.colour else ()
        added = [join(f) for join, f in zip(self.joins, seen, strict=False)]
        features, x = [], cells
        for k, stage in enumerate(self.encoder):
            x = stage(x)
            x = x + added[k] if added else x
            features.append(x)
        raw = self.head(self.decoder(features)).float()
        kinds, offset, spread, seed = raw.split(list(ends(self.config.kinds).values()), 1)
        spread = SPREAD * torch.exp(spread[:, 0].clamp(-WIDEST, WIDEST))
        return {"kinds": kinds, "offset": offset, "spread": spread, "seed": seed[:, 0].sigmoid()}


def level(n_in, n_out, stride, blocks):
    """One level of the encoder; without residual blocks it has a second convolution."""
    first = ConvNorm(n_in, n_out, stride=stride, act=nn.ReLU)
    rest = [BasicBlock(n_out, n_out, 1) for _ in range(blocks)]
    return nn.Sequential(first, *(rest or [ConvNorm(n_out, n_out, act=nn.ReLU)]))


def foreground(kinds, names):
    """(B, h, w) probability that a cell shows a thing, from logits (B, len(names), h, w)."""
    structure = [i for i, name in enumerate(names) if name in STRUCTURE]
    return 1 - kinds.softmax(1)[:, structure].sum(1)
