"""A trained PointNet as safetensors and as ONNX.

The ONNX graph is written node by node: batch norms folded into the layers, points as channels of
1 x 1 convolutions (what inference engines are fastest at), and the last ReLU after the max. All of
it is exact.
"""

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

OPSET = 17


def save_weights(network, path, about=None):
    """Write parameters and statistics as safetensors; `about` {name: value} is its header."""
    from safetensors.torch import save_file

    header = {name: str(value) for name, value in (about or {}).items()}
    save_file({k: v.contiguous() for k, v in network.state_dict().items()}, path, header)
    Path(path).chmod(0o644)  # safetensors makes files that only their owner can read


def load_weights(network, path):
    """Load safetensors into a network of the same architecture; ValueError if it is another."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        network.load_state_dict(load_file(path))
    except (RuntimeError, OSError, SafetensorError) as error:
        raise ValueError(f"{path}: does not fit this network: {error}") from None
    return network.eval()


def save_onnx(network, path):
    """Write a PointNet as ONNX.

    Inputs: `points` (batch, n, 3) float32 and, where the network has them, `extra` (batch, E).
    Outputs: `logits` (batch, classes) and `embedding` (batch, last hidden width).
    """
    graph = GraphWriter()
    h = graph.node("Transpose", ["points"], perm=[0, 2, 1])
    layers = list(zip(network.point_linears, network.point_norms, strict=True))
    for k, (linear, norm) in enumerate(layers):
        weight, bias = folded(linear, norm)
        h = graph.node("Conv", [h, graph.constant(weight[:, :, None]), graph.constant(bias)])
        if k < len(layers) - 1:
            h = graph.node("Relu", [h])
    h = graph.node("Relu", [graph.node("ReduceMax", [h], axes=[2], keepdims=0)])
    extra = network.head_linears[0].in_features - network.point_linears[-1].out_features
    if extra:
        h = graph.node("Concat", [h, "extra"], axis=1)
    for linear, norm in zip(network.head_linears, network.head_norms, strict=True):
        h = graph.node("Relu", [graph.linear(h, *folded(linear, norm))])
    graph.node("Identity", [h], output="embedding")
    last = network.classifier
    graph.linear(h, *(p.detach().numpy() for p in (last.weight, last.bias)), output="logits")
    onnx.save(graph.model(extra, last.in_features, last.out_features), path)


def folded(linear, norm):
    """Weight (C, K) and bias (C,) of a linear layer with its batch norm in evaluation mode."""
    with torch.no_grad():
        gain = (norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps))[:, None]
        weight = linear.weight.double() * gain
        bias = (linear.bias.double() - norm.running_mean.double()) * gain[:, 0] + norm.bias.double()
    return weight.numpy().astype(np.float32), bias.numpy().astype(np.float32)


class GraphWriter:
    """Collects the nodes and constants of an ONNX graph."""

    def __init__(self):
        self._nodes, self._constants = [], []

    def node(self, kind, inputs, output=None, **attributes):
        """Append a node; returns the name of its output."""
        output = output or f"h{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def constant(self, array):
        """Add a constant tensor; returns its name."""
        name = f"c{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def linear(self, h, weight, bias, output=None):
        """Append h @ weight.T + bias; returns the name of the output."""
        inputs = [h, self.constant(weight), self.constant(bias)]
        return self.node("Gemm", inputs, output, transB=1)

    def model(self, extra, embedding, classes):
        """The finished and checked ModelProto."""
        inputs = [tensor("points", "batch", "n", 3)]
        inputs += [tensor("extra", "batch", extra)] if extra else []
        outputs = [tensor("logits", "batch", classes), tensor("embedding", "batch", embedding)]
        graph = helper.make_graph(self._nodes, "pointnet", inputs, outputs, self._constants)
        opset = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(graph, opset_imports=opset, ir_version=8, producer_name="roomcad")
        onnx.checker.check_model(model)
        return model


def tensor(name, *shape):
    """Description of a float32 input or output."""
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
