"""The network as an ONNX graph, everything constant folded; the same outputs as MultiSparc's.

Exact rewritings, done once, in float64: LayerNorm gains and shifts go into the linears behind
them; the key and value projections of the rows are absorbed into queries and outputs (network.py),
so that all heads read the same tokens and count as so many latents more; the rows' mask is one
more channel of the tokens; shifts of keys drop out of the softmax, those of values go into the
output; the last feed-forward is averaged over an object's latents before its last linear; the
first block's queries are constants, so that what they read of tokens that do not depend on the
pose is read once (Glance).
"""

from typing import NamedTuple

import numpy as np

from roomcad_offline.multi_sparc.export_fold import folded_block, folded_head, normalised, numpy
from roomcad_offline.multi_sparc.export_rows import channel_order
from roomcad_offline.multi_sparc.network import MASKED, NORM_EPS, fourier_rows, usual
from roomcad_offline.multi_sparc.pose import OUTPUTS


class Glance(NamedTuple):
    """What the first block's queries read of some of the tokens.

    Attributes:
        scores: (A, G, rows, N) of these tokens, share: their softmax.
        mean: (A, G, rows, C) of these tokens.
    """

    scores: object
    share: object
    mean: object

    @property
    def weight(self):
        """(A, G, rows, 1) log of the sum of the exponentiated scores."""
        # The largest share tells by what all were divided.
        return self.scores.reduce("Max", 3) - self.share.reduce("Max", 3).map("Log")


class NetworkWriter:
    """Writes passes of a MultiSparc; its constants are made once and shared by all passes."""

    def __init__(self, graph, network, valid):
        """`valid`: Value (M,) bool."""
        self.graph, self.config = graph, network.config.network
        self.inputs, self.channels = network.config.inputs, network.channels
        self.width = self.channels + 1
        order = channel_order(self.channels)
        usable = len(usual(self.inputs)[0])
        centre, spread = np.array(usual(self.inputs))[:, order[:usable]]
        self.gain, self.shift = (x[:, None] for x in (1 / spread, -centre / spread))
        blocks = [
            network.blocks[min(i, len(network.blocks) - 1)] for i in range(self.config.blocks)
        ]
        self.blocks = [folded_block(block, order, self.width) for block in blocks]
        self.head = folded_head(network.head)
        self.latents = numpy(network.latents)
        self.valid = valid
        self.bias = self._latent_bias()

    def tokens(self, rows, mask, numbers):
        """(A, M, C, N) tokens of rows (A, M, channels, N); `numbers` is the slice that they are."""
        graph = self.graph
        flag = mask.cast(np.float32)
        rows = rows * self.gain + self.shift
        if self.config.fourier_rows:
            encoding = fourier_rows(self.inputs.n_input).numpy()[numbers]
            rows = graph.concat([rows, flag * 0.0 + encoding.T], 2)
        centred = rows - rows.reduce("Mean", 2)
        normal = centred / ((centred * centred).reduce("Mean", 2) + NORM_EPS).map("Sqrt")
        return graph.concat([normal, (flag - 1.0) * -MASKED], 2)

    def glance(self, tokens):
        """Glance at tokens (A, M, C, N)."""
        first, groups = self.blocks[0]["read"]["query"], self._groups()
        query = (normalised(self.latents) @ first[0] + first[1]).reshape(1, 1, -1, self.width)
        query = self.graph.value(np.tile(query, (1, groups, 1, 1)))
        keys = self._keys(tokens)
        scores = query @ keys[0]
        share = self._softmax(scores)
        return Glance(scores, share, share @ keys[1])

    def outputs(self, tokens, glances):
        """(A, M, 11) raw outputs of tokens (A, M, C, N); one or two Glances are at all of them."""
        last = self.blocks[-1]["thinks"][-1][1]
        keys, x = self._keys(tokens), None
        for i, block in enumerate(self.blocks):
            x = self._read(x, block["read"], keys) if i else self._first_read(glances)
            with self.graph.rough():
                x = x + self._feed_forward(x, block["read_ff"])
                for attention, feed_forward in block["thinks"]:
                    x = x + self._think(x, attention)
                    if feed_forward is not last:
                        x = x + self._feed_forward(x, feed_forward)
        hidden = self._mean(self._hidden(x, last), last["outer"][0].shape[0])
        x = self._mean(x, self.config.width) + self._linear(hidden, last["outer"])
        return self._decode(x)

    def _groups(self):
        """How many groups of latents read tokens of their own."""
        return 1 if self.config.joint_encoding else self.config.n_mul

    def _keys(self, tokens):
        """Tokens (A, G, C, N) as columns, and as rows."""
        if self.config.joint_encoding:
            tokens = tokens.transpose(0, 2, 1, 3).reshape(0, 1, self.width, -1)
        return tokens, tokens.transpose(0, 1, 3, 2)

    def _first_read(self, glances):
        """Latents (A, M·L, width) after the first block has read; all objects' start alike."""
        c, mean = self.config, glances[0].mean
        if len(glances) == 2:
            one, other = glances
            share = (one.weight - other.weight).map("Sigmoid")
            mean = other.mean + share * (one.mean - other.mean)
        x = np.tile(self.latents, (c.n_mul * c.n_latent // len(self.latents), 1))[None]
        return self._added(self.graph.value(x), mean, self.blocks[0]["read"])

    def _read(self, x, f, keys):
        """Latents (A, M·L, width) after reading."""
        with self.graph.rough():
            query = self._linear(self._normalised(x), f["query"])
        # Heads of a latent lie beside each other, so they are rows of the queries as well.
        rows = self.config.n_mul * self.config.n_latent * self.config.cross_heads
        query = query.reshape(-1, self._groups(), rows // self._groups(), self.width)
        return self._added(x, self._softmax(query @ keys[0]) @ keys[1], f)

    def _added(self, x, mean, f):
        """Latents plus what they make of the means (A, G, rows, C) of what they read."""
        c = self.config
        mean = mean.reshape(-1, c.n_mul * c.n_latent, c.cross_heads * self.width)
        with self.graph.rough():
            return x + self._linear(mean, f["out"])

    def _think(self, x, f):
        """What self-attention adds to latents (A, M·L, width)."""
        with self.graph.rough():
            x = self._normalised(x)
            query, value = (
                self._linear(x, f[name]).reshape(0, 0, self.config.self_heads, -1)
                for name in ("query", "value")
            )
            # Keys are wanted as columns: the narrower latents are turned, not the keys.
            key = self.graph.value(f["key"][0].T) @ x.transpose(0, 2, 1)
            key = key.reshape(
                0, self.config.self_heads, -1, self.config.n_mul * self.config.n_latent
            )
            scores = query.transpose(0, 2, 1, 3) @ key + self.bias
            mean = self._softmax(scores) @ value.transpose(0, 2, 1, 3)
            return self._linear(mean.transpose(0, 2, 1, 3).reshape(0, 0, -1), f["out"])

    def _feed_forward(self, x, f):
        with self.graph.rough():
            return self._linear(self._hidden(x, f), f["outer"])

    def _hidden(self, x, f):
        with self.graph.rough():
            x = self._normalised(x)
            return self._linear(x, f["value"]) * self._linear(x, f["gate"]).map("Gelu")

    def _mean(self, x, width):
        """(A, M, width) means over the latents (A, M·L, width) of every object."""
        c = self.config
        return x.reshape(0, c.n_mul, c.n_latent, width).reduce("Mean", 2, keep=False)

    def _decode(self, x):
        if self.config.joint_decoding:
            share = self.valid.cast(np.float32).reshape(1, -1, 1)
            count = self.graph.node("Max", share.reduce("Sum", 1), 1.0)
            x = (x * share).reduce("Sum", 1) / count
        x = self._linear(self._normalised(x), self.head[0])
        for layer in self.head[1:]:
            x = self._linear(x.map("Gelu"), layer)
        return x.reshape(-1, self.config.n_mul, OUTPUTS)

    def _latent_bias(self):
        """(1, 1, 1, M·L) what is added to scores, to mask the latents of empty slots."""
        bias = (self.valid.cast(np.float32) - 1.0) * -MASKED
        ones = np.ones((1, self.config.n_latent), np.float32)
        return (bias.reshape(-1, 1) * ones).reshape(1, 1, 1, -1)

    def _linear(self, x, weights):
        weight, bias = weights
        out = x @ weight
        return out if bias is None else out + bias

    def _normalised(self, x):
        ones = np.ones(self.config.width, np.float32)
        return self.graph.node("LayerNormalization", x, ones, axis=-1, epsilon=NORM_EPS)

    def _softmax(self, scores):
        return self.graph.node("Softmax", scores, axis=-1)
