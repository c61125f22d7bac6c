"""The constants of an exported network: the weights of MultiSparc's parts, folded in float64."""

import numpy as np

from roomcad_offline.multi_sparc.network import NORM_EPS


def folded_block(block, order, width):
    """Constants of a Block."""
    thinks = zip(block.self_attention, block.self_ff, strict=True)
    return {
        "read": folded_cross(block.cross, order, width),
        "read_ff": folded_feed_forward(block.cross_ff),
        "thinks": [(folded_self(a), folded_feed_forward(ff)) for a, ff in thinks],
    }


def folded_cross(cross, order, width):
    """Queries that score tokens, and an output that takes means of tokens."""
    heads, channels = cross.heads, cross.channels
    gain, free = numpy(cross.row_gain), ((0, 0), (0, 0), (0, width - channels))

    def by_head(weight):
        return np.pad((weight * gain)[:, order].reshape(heads, -1, channels), free)

    query = numpy(cross.query.weight).reshape(heads, -1, cross.query.in_features)
    out = numpy(cross.out.weight).reshape(cross.out.out_features, heads, -1)
    key, value = by_head(numpy(cross.key.weight)), by_head(numpy(cross.value.weight))
    to_query = np.einsum("hdw,hdc->hcw", query, key) * cross.scale
    shift = np.zeros((heads, width))
    shift[:, channels] = 1  # the tokens' mask channel is added to scores as it is
    from_mean = np.einsum("whd,hdc->whc", out, value).reshape(len(out), -1)
    constant = numpy(cross.value.weight) @ numpy(cross.row_shift)
    bias = numpy(cross.out.bias) + numpy(cross.out.weight) @ constant
    return {
        "query": behind(cross.norm, to_query.reshape(heads * width, -1), shift.ravel()),
        "out": (from_mean.T, bias),
    }


def folded_self(attention):
    """Queries (with the scale), keys and values, and the output."""
    norm, out = attention.norm, numpy(attention.out.weight)
    query, key, value = np.split(numpy(attention.query_key_value.weight), 3)
    bias = numpy(attention.out.bias) + out @ (value @ numpy(norm.bias))
    return {
        "query": behind(norm, query * attention.scale, 0),
        "key": (behind(norm, key, 0)[0], None),
        "value": (behind(norm, value, 0)[0], None),
        "out": (out.T, bias),
    }


def folded_feed_forward(ff):
    """Separate linears for values and gates, and the outer one."""
    (value, gate), bias = np.split(numpy(ff.inner.weight), 2), np.split(numpy(ff.inner.bias), 2)
    return {
        "value": behind(ff.norm, value, bias[0]),
        "gate": behind(ff.norm, gate, bias[1]),
        "outer": (numpy(ff.outer.weight).T, numpy(ff.outer.bias)),
    }


def folded_head(head):
    """Weights and biases of the decoder's linears; between them lies a GELU."""
    norm, first, *rest = head
    layers = [behind(norm, numpy(first.weight), numpy(first.bias))]
    return layers + [(numpy(x.weight).T, numpy(x.bias)) for x in rest if hasattr(x, "weight")]


def behind(norm, weight, bias):
    """(in, out) weight and bias of a linear with the gain and shift of the LayerNorm before it."""
    return (weight * numpy(norm.weight)).T, weight @ numpy(norm.bias) + bias


def normalised(x):
    """A LayerNorm over the last axis without gain and shift."""
    x = x - x.mean(-1, keepdims=True)
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + NORM_EPS)


def numpy(parameter):
    """float64 array of a parameter."""
    return parameter.detach().double().cpu().numpy()
