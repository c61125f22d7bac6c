"""The Perceiver of Multi-SPARC: per-object cross-attention, self-attention over all objects.

Each block lets every object's latents read the object's own rows (shared weights), then lets
all latents attend to each other twice; every attention is followed by a GEGLU feed-forward.
An object's outputs are decoded from the mean of its own latents.

The rows have only 13 channels, so their key and value projections can be absorbed exactly: with
t the normalised row, queries Wk'Wq LN(x) score t itself, and Wo Wv maps the mean of t that
results; terms that are constant over the rows drop out of the softmax. Same parameters, same
state dict, less arithmetic. `absorbed=False` keeps the textbook form.

Two additions to SPARC's network, neither of which costs anything at run time. Channels are
centred and scaled by constants before the LayerNorm of the rows, which would otherwise see little
but depth and token. And keys start KEY_GAIN times larger: with the usual values every latent
first reads the mean of all rows, and a rotation is not visible in that mean, so that training
stays long on a plateau where rotations are not updated at all.
"""

import contextlib
import math

import torch
from torch import nn
from torch.nn import functional

from roomcad_offline.multi_sparc.pose import OUTPUTS

MASKED = -3e4  # score of a masked key: no weight, yet finite, so that nothing becomes NaN
KEY_GAIN = 10.0
# Centre and spread of RGB, normal, depth, mask, bearing, token, slot; of the partner's normal and
# gap; of point and normal in the object's frame.
PAPER = (
    (0.5, 0.5, 0.5, 0, 0, 0, 2, 0.5, 0, 0, 1, 1, 0.5),
    (1, 1, 1, 1, 1, 1, 2, 1, 1 / 3, 1 / 3, 1, 1, 1),
)
PAIRED = ((0,) * 4, (1,) * 4)
OBJECT_FRAME = ((0,) * 6, (0.5,) * 3 + (1,) * 3)
FOURIER_BANDS = 64
FOURIER_LARGEST = 1120.0  # largest frequency of SPARC's row encoding
NORM_EPS = 1e-5


class MultiSparc(nn.Module):
    """Rows of M objects in B images to 11 raw outputs an object.

    Attributes:
        config: ModelConfig.
        absorbed: use the absorbed cross-attention; may be changed at any time.
    """

    def __init__(self, config, absorbed=True):
        super().__init__()
        self.config, self.absorbed = config, absorbed
        c = config.network
        groups = c.n_mul if c.joint_encoding else 1
        self.channels = config.inputs.channels + (2 * FOURIER_BANDS + 1) * c.fourier_rows
        self.latents = nn.Parameter(torch.randn(groups * c.n_latent, c.width))
        own = min(c.blocks, 2) if c.tied else c.blocks
        self.blocks = nn.ModuleList(Block(c, self.channels) for _ in range(own))
        self.head = _head(c)

    def forward(self, rows, mask, valid):
        """Raw outputs; see pose.update for their meaning.

        Args:
            rows: (B, M, N, 13), mask: (B, M, N) bool, valid: (B, M) bool.

        Returns:
            (B, M, 11) float outputs.

        Raises:
            ValueError: M is neither n_mul nor a multiple of it (or, encoded and decoded
                separately, smaller).
        """
        group = self._group(rows.shape[1])
        fold = [tensor.reshape(-1, group, *tensor.shape[2:]) for tensor in (rows, mask, valid)]
        return self._forward(*fold).reshape(*valid.shape, OUTPUTS)

    def _group(self, objects):
        """How many of the objects are aligned jointly: more than n_mul are split."""
        c = self.config.network
        separate = not (c.joint_encoding or c.joint_decoding)
        if 0 < objects < c.n_mul and separate:
            return objects
        if objects == 0 or objects % c.n_mul:
            raise ValueError(f"expected a multiple of n_mul = {c.n_mul} objects, got {objects}")
        return c.n_mul

    def _forward(self, rows, mask, valid):
        """As forward, for at most n_mul objects."""
        c = self.config.network
        joint = c.joint_encoding
        count, objects = valid.shape
        tokens = self._tokens(rows)
        if joint:
            tokens, mask = tokens.flatten(1, 2)[:, None], mask.flatten(1, 2)[:, None]
        row_bias = _bias(mask, tokens.dtype)[:, :, None]
        latent_bias = _bias(valid, tokens.dtype).repeat_interleave(c.n_latent, 1)[:, None, None]
        # Until the rows are read all images and objects share one set of latents.
        x = self.latents[None, None]
        for i in range(c.blocks):
            block = self.blocks[min(i, len(self.blocks) - 1)]
            x = block.read(x, tokens, row_bias, self.absorbed)
            x = x.reshape(count, objects * c.n_latent, c.width)
            x = block.think(x, latent_bias)
            x = x.reshape(count, tokens.shape[1], -1, c.width)
        return self._decode(x.reshape(count, objects, c.n_latent, c.width), valid)

    def _tokens(self, rows):
        """Rows scaled, then normalised as by a LayerNorm without gain; padded to 8s of channels."""
        centre, spread = usual(self.config.inputs)
        rows = (rows - rows.new_tensor(centre)) / rows.new_tensor(spread)
        if self.config.network.fourier_rows:
            encoding = fourier_rows(rows.shape[2]).to(rows)
            rows = torch.cat([rows, encoding.expand(*rows.shape[:3], -1)], -1)
        with _full_precision(rows):
            tokens = functional.layer_norm(rows, (self.channels,), eps=NORM_EPS)
        return functional.pad(tokens, (0, -self.channels % 8)) if self.absorbed else tokens

    def _decode(self, x, valid):
        """(B, M, 11) outputs of (B, M, n_latent, width) latents."""
        with _full_precision(x):
            x = x.to(self.latents.dtype)
            if not self.config.network.joint_decoding:
                return self.head(x.mean(2))
            share = valid.to(x.dtype)[:, :, None]
            mean = (x.mean(2) * share).sum(1) / share.sum(1).clamp(min=1)
            return self.head(mean).unflatten(-1, (-1, OUTPUTS))


class Block(nn.Module):
    """Cross-attention to the rows, then self-attention layers, each with a feed-forward."""

    def __init__(self, c, channels):
        super().__init__()
        self.cross = CrossAttention(c.width, channels, c.cross_heads, c.head_width)
        self.cross_ff = FeedForward(c.width, c.ff_mult)
        layers = range(c.self_layers)
        self.self_attention = nn.ModuleList(
            SelfAttention(c.width, c.self_heads, c.head_width) for _ in layers
        )
        self.self_ff = nn.ModuleList(FeedForward(c.width, c.ff_mult) for _ in layers)

    def read(self, x, tokens, bias, absorbed):
        """Latents (B or 1, G or 1, L, width) after reading tokens (B, G, N, channels)."""
        x = x + self.cross(x, tokens, bias, absorbed)
        return x + self.cross_ff(x)

    def think(self, x, bias):
        """Latents (B, M·L, width) after attending to each other."""
        for attention, feed_forward in zip(self.self_attention, self.self_ff, strict=True):
            x = x + attention(x, bias)
            x = x + feed_forward(x)
        return x


class CrossAttention(nn.Module):
    """Latents read rows that come normalised, without the gain and shift of their LayerNorm."""

    def __init__(self, width, channels, heads, head_width):
        super().__init__()
        self.heads, self.channels, self.scale = heads, channels, head_width**-0.5
        self.norm = nn.LayerNorm(width, eps=NORM_EPS)
        self.row_gain = nn.Parameter(torch.ones(channels))
        self.row_shift = nn.Parameter(torch.zeros(channels))
        self.query = nn.Linear(width, heads * head_width, bias=False)
        self.key = nn.Linear(channels, heads * head_width, bias=False)
        self.value = nn.Linear(channels, heads * head_width, bias=False)
        self.out = nn.Linear(heads * head_width, width)
        with torch.no_grad():
            self.key.weight.mul_(KEY_GAIN)

    def forward(self, x, tokens, bias, absorbed):
        """(B, G, L, width) of x (B or 1, G or 1, L, width), tokens (B, G, N, channels or more)."""
        # Rows hold centimetres at metres: bfloat16 would round them away.
        with _full_precision(tokens):
            read = self._absorbed if absorbed else self._plain
            return read(self.norm(x.to(tokens.dtype)), tokens, bias)

    def _plain(self, x, tokens, bias):
        tokens = tokens * self.row_gain + self.row_shift
        key, value = _split(self.key(tokens), self.heads), _split(self.value(tokens), self.heads)
        return self.out(self._attend(_split(self.query(x), self.heads), key, value, bias))

    def _absorbed(self, x, tokens, bias):
        def by_head(weight):
            padding = tokens.shape[-1] - self.channels
            return functional.pad(weight * self.row_gain, (0, padding)).unflatten(
                0, (self.heads, -1)
            )

        to_query = torch.einsum(
            "hdw,hdc->hwc",
            self.query.weight.unflatten(0, (self.heads, -1)),
            by_head(self.key.weight),
        )
        from_mean = torch.einsum(
            "whd,hdc->hcw",
            self.out.weight.unflatten(1, (self.heads, -1)),
            by_head(self.value.weight),
        )
        # Heads differ in their queries alone, so they are rows of one product each.
        query = torch.einsum("bglw,hwc->bghlc", x, to_query).flatten(2, 3)
        query = query.expand(*tokens.shape[:2], -1, -1)
        folded = [tensor.flatten(0, 1)[:, None] for tensor in (query, tokens, tokens, bias)]
        mean = attend(*folded, self.scale)[:, 0].unflatten(0, tokens.shape[:2])
        mean = mean.unflatten(2, (self.heads, -1)).transpose(2, 3).flatten(3)
        return mean @ from_mean.flatten(0, 1) + self.out(self.value(self.row_shift))

    def _attend(self, query, key, value, bias):
        """(B, G, L, heads·e) of query (B or 1, G or 1, heads, L, e), keys (B, G, heads, N, e)."""
        query = query.expand(*key.shape[:3], -1, -1)
        folded = [tensor.flatten(0, 1) for tensor in (query, key, value, bias[:, :, None])]
        mean = attend(*folded, self.scale)
        return mean.unflatten(0, key.shape[:2]).transpose(2, 3).flatten(3)


class SelfAttention(nn.Module):
    """Latents (B, L, width) attend to each other; bias (B, 1, 1, L) masks those of empty slots."""

    def __init__(self, width, heads, head_width):
        super().__init__()
        self.heads, self.scale = heads, head_width**-0.5
        self.norm = nn.LayerNorm(width, eps=NORM_EPS)
        self.query_key_value = nn.Linear(width, 3 * heads * head_width, bias=False)
        self.out = nn.Linear(heads * head_width, width)

    def forward(self, x, bias):
        parts = self.query_key_value(self.norm(x)).unflatten(2, (3, self.heads, -1))
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        mean = attend(query, key, value, bias.to(query.dtype), self.scale)
        return self.out(mean.transpose(1, 2).flatten(2))


class FeedForward(nn.Module):
    """LayerNorm, a gated hidden layer (GEGLU) of `mult` times the width, back to the width."""

    def __init__(self, width, mult):
        super().__init__()
        self.norm = nn.LayerNorm(width, eps=NORM_EPS)
        self.inner = nn.Linear(width, 2 * mult * width)
        self.outer = nn.Linear(mult * width, width)

    def forward(self, x):
        value, gate = self.inner(self.norm(x)).chunk(2, -1)
        return self.outer(value * functional.gelu(gate))


def attend(query, key, value, bias, scale):
    """(B, heads, L, e) means of values (B, heads, N, e) weighted by keys; bias (B, 1, 1, N)."""
    if query.device.type == "cpu":
        # Fused attention is half as fast as its three products here (training: 40 %).
        with _full_precision(query):
            return torch.softmax((query * scale) @ key.transpose(-1, -2) + bias, -1) @ value
    return functional.scaled_dot_product_attention(query, key, value, attn_mask=bias, scale=scale)


def fourier_rows(n):
    """(n, 129) SPARC's encoding of the row number, which runs from -1 to 1."""
    place = torch.linspace(-1, 1, n)[:, None]
    angles = place * torch.linspace(1, FOURIER_LARGEST / 2, FOURIER_BANDS) * math.pi
    return torch.cat([angles.sin(), angles.cos(), place], 1)


def parameter_count(network):
    """Number of trainable parameters."""
    return sum(p.numel() for p in network.parameters() if p.requires_grad)


def usual(inputs):
    """Centre and spread of every channel of an InputConfig."""
    parts = [PAPER] + [PAIRED] * inputs.paired + [OBJECT_FRAME] * inputs.object_frame
    return tuple(sum(column, ()) for column in zip(*parts, strict=True))


def _head(c):
    """LayerNorm and one Linear, or a hidden layer more; small last weights, so that an untrained
    network moves poses little."""
    outputs = OUTPUTS * (c.n_mul if c.joint_decoding else 1)
    hidden = [nn.Linear(c.width, c.width), nn.GELU()] if c.head == "mlp" else []
    last = nn.Linear(c.width, outputs)
    with torch.no_grad():
        last.weight.mul_(0.1)
        last.bias.zero_()
    return nn.Sequential(nn.LayerNorm(c.width, eps=NORM_EPS), *hidden, last)


def _split(x, heads):
    """(B, G, N, heads·e) as (B, G, heads, N, e)."""
    return x.unflatten(3, (heads, -1)).transpose(2, 3)


def _bias(mask, dtype):
    """What is added to scores: 0 where the mask holds, MASKED elsewhere."""
    return torch.where(mask, 0.0, MASKED).to(dtype)


def _full_precision(tensor):
    """Suspends autocast where it is on, and is nothing at all where it is off."""
    kind = tensor.device.type
    on = torch.is_autocast_enabled(kind)
    return torch.autocast(kind, enabled=False) if on else contextlib.nullcontext()
