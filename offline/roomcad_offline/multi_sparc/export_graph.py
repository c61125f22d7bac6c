"""Writes ONNX graphs from expressions: a Value is a tensor of the graph, operators append nodes.

Nodes are called EXACTKIND_NUMBER or, where they are made inside Graph.rough, ROUGHKIND_NUMBER:
the latter may be computed in less than float32 (see roomcad_core.engine).
"""

import contextlib

import numpy as np
import onnx
from onnx import helper, numpy_helper

from roomcad_core.engine import ROUGH

OPSET = 20  # the first with Gelu
IR_VERSION = 9
EXACT = "exact/"


class Value:
    """A tensor of a Graph."""

    def __init__(self, graph, name):
        self.graph, self.name = graph, name

    def __add__(self, other):
        return self.graph.node("Add", self, other)

    def __sub__(self, other):
        return self.graph.node("Sub", self, other)

    def __mul__(self, other):
        return self.graph.node("Mul", self, other)

    def __truediv__(self, other):
        return self.graph.node("Div", self, other)

    def __matmul__(self, other):
        return self.graph.node("MatMul", self, other)

    def __and__(self, other):
        return self.graph.node("And", self, other)

    def __lt__(self, other):
        return self.graph.node("Less", self, other)

    def __gt__(self, other):
        return self.graph.node("Greater", self, other)

    def __ge__(self, other):
        return self.graph.node("GreaterOrEqual", self, other)

    def __le__(self, other):
        return self.graph.node("LessOrEqual", self, other)

    __radd__, __rmul__ = __add__, __mul__

    def equals(self, other):
        """Elementwise, bool."""
        return self.graph.node("Equal", self, other)

    def reshape(self, *shape):
        """0 keeps the size of an axis, -1 takes what is left."""
        return self.graph.node("Reshape", self, np.array(shape, np.int64))

    def transpose(self, *axes):
        return self.graph.node("Transpose", self, perm=axes)

    def part(self, axis, start, end):
        """Entries start to end of an axis."""
        return self.graph.node("Gather", self, np.arange(start, end, dtype=np.int32), axis=axis)

    def reduce(self, kind, axis, keep=True):
        """Sum, Mean, Max or Min over an axis."""
        axes = np.array([axis], np.int64)
        return self.graph.node(f"Reduce{kind}", self, axes, keepdims=int(keep))

    def cast(self, kind):
        """To a NumPy type."""
        return self.graph.node("Cast", self, to=helper.np_dtype_to_tensor_dtype(np.dtype(kind)))

    def clip(self, low, high):
        return self.graph.node("Clip", self, np.float32(low), np.float32(high))

    def map(self, kind):
        """An elementwise operator: Sqrt, Floor, Abs, Sin, ..."""
        return self.graph.node(kind, self)


class Graph:
    """Collects the nodes and constants of an ONNX graph."""

    def __init__(self):
        self._nodes, self._constants, self._names = [], [], {}
        self._prefix = EXACT

    @contextlib.contextmanager
    def rough(self):
        """Nodes made inside may be computed in less than float32."""
        before, self._prefix = self._prefix, ROUGH
        yield
        self._prefix = before

    def node(self, kind, *inputs, output=None, **attributes):
        """Append a node; inputs are Values, arrays or numbers (float32). Returns its Value."""
        names = [self.value(x).name for x in inputs]
        name = f"{self._prefix}{kind}_{len(self._nodes)}"
        node = helper.make_node(kind, names, [output or name], name=name, **attributes)
        self._nodes.append(node)
        return Value(self, output or name)

    def value(self, x):
        """Value of a constant; equal constants are stored once."""
        if isinstance(x, Value):
            return x
        array = np.ascontiguousarray(np.float32(x) if isinstance(x, (int, float)) else x)
        array = array.astype(np.float32) if array.dtype == np.float64 else array
        key = array.dtype.str, array.shape, array.tobytes()
        if key not in self._names:
            self._names[key] = f"c{len(self._constants)}"
            self._constants.append(numpy_helper.from_array(array, self._names[key]))
        return Value(self, self._names[key])

    def input(self, name):
        return Value(self, name)

    def concat(self, values, axis):
        return self.node("Concat", *values, axis=axis)

    def where(self, condition, yes, no):
        return self.node("Where", condition, yes, no)

    def model(self, name, inputs, outputs):
        """The finished, checked ModelProto; inputs and outputs are {name: (dtype, shape)}."""
        described = [
            [helper.make_tensor_value_info(n, _onnx_type(kind), shape)
             for n, (kind, shape) in tensors.items()] for tensors in (inputs, outputs)
        ]  # fmt: skip
        graph = helper.make_graph(self._nodes, name, *described, self._constants)
        opset = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(
            graph, opset_imports=opset, ir_version=IR_VERSION, producer_name="roomcad"
        )
        onnx.checker.check_model(model, full_check=True)
        return model


def _onnx_type(kind):
    return helper.np_dtype_to_tensor_dtype(np.dtype(kind))
