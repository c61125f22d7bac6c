"""An ONNX graph whose ROUGH nodes compute in float16 or bfloat16, by casts where data enters them.

Newer TensorRTs have no switch for precision: they compute as the graph says. Inputs and outputs of
the graph stay as they are.
"""

import numpy as np

from roomcad_core.engine.base import ROUGH

LOW = "/low"  # ends the names of tensors that hold less than float32
# They make float32 out of something else, or hold it: no input tells them what to make.
ALWAYS_EXACT = {"Cast", "CastLike", "Constant", "ConstantOfShape", "RandomNormal", "Range"}


def low_precision(data, precision, name="the graph"):
    """The ONNX file `data` (bytes) with its ROUGH nodes in `precision`: "f32", "f16" or "bf16".

    Where no node is called ROUGH, all of them are taken.

    Raises:
        ValueError: no ONNX graph, or a weight is too large for float16; the message has `name`.
        ImportError: the package onnx is not installed.
    """
    if precision == "f32":
        return data
    try:
        import onnx
        from google.protobuf.message import DecodeError
    except ImportError:
        raise ImportError(
            f"onnx is missing, which precision {precision} needs: pip install onnx"
        ) from None
    try:
        model = onnx.shape_inference.infer_shapes(onnx.load_from_string(data))
        _Writer(onnx, model.graph, precision, name).rewrite()
        # Not a full check: the ONNX of our files has no bfloat16 convolutions, TensorRT has.
        onnx.checker.check_model(model)
    except (
        DecodeError,
        onnx.checker.ValidationError,
        onnx.shape_inference.InferenceError,
    ) as error:
        raise ValueError(f"{name}: cannot be changed to {precision}: {error}") from None
    return model.SerializeToString()


class _Writer:
    """Rewrites a graph in place."""

    def __init__(self, onnx, graph, precision, name):
        self._onnx, self._graph, self._name, self._precision = onnx, graph, name, precision
        self._kind = {"f16": onnx.TensorProto.FLOAT16, "bf16": onnx.TensorProto.BFLOAT16}[precision]
        self._weights = {w.name: w for w in graph.initializer}
        self._floats = self._float_tensors()
        named = any(node.name.startswith(ROUGH) for node in graph.node)
        self._rough = [
            node.op_type not in ALWAYS_EXACT and (node.name.startswith(ROUGH) or not named)
            for node in graph.node
        ]
        self._nodes, self._made = [], set()

    def rewrite(self):
        graph = self._graph
        exact = self._wanted_exact()
        for node, rough in zip(list(graph.node), self._rough, strict=True):
            if rough:
                self._change(node, exact)
            else:
                self._nodes.append(node)
        used = {name for node in self._nodes for name in node.input}
        weights = [w for w in self._weights.values() if w.name in used]
        for field, values in (("node", self._nodes), ("initializer", weights), ("value_info", [])):
            # Copies: what is in a field goes away with it.
            copies = [type(v).FromString(v.SerializeToString()) for v in values]
            graph.ClearField(field)
            getattr(graph, field).extend(copies)

    def _change(self, node, exact):
        """Append a rough node, with casts before and behind it."""
        for i, name in enumerate(node.input):
            if name in self._floats:
                self._make_low(name)
                node.input[i] = name + LOW
        self._nodes.append(node)
        for i, name in enumerate(node.output):
            if name in self._floats:
                node.output[i] = name + LOW
                self._made.add(name)
                if name in exact:
                    self._cast(name + LOW, name, self._onnx.TensorProto.FLOAT)

    def _make_low(self, name):
        """Have a low tensor of this float32 tensor, once."""
        if name in self._made:
            return
        self._made.add(name)
        if name in self._weights:
            low = self._low_weight(self._weights[name])
            self._weights[low.name] = low
        else:
            self._cast(name, name + LOW, self._kind)

    def _cast(self, source, target, kind):
        node = self._onnx.helper.make_node(
            "Cast", [source], [target], name=target + "/cast", to=kind
        )
        self._nodes.append(node)

    def _low_weight(self, weight):
        array = self._onnx.numpy_helper.to_array(weight)
        if self._precision == "f16" and np.abs(array).max(initial=0) > np.finfo(np.float16).max:
            largest = np.abs(array).max()
            raise ValueError(
                f"{self._name}: constant {weight.name!r}: got {largest:.3g}, expected at most 65504"
                " for f16; use bf16"
            )
        low = self._onnx.TensorProto(name=weight.name + LOW, data_type=self._kind, dims=weight.dims)
        low.raw_data = (
            array.astype("<f2") if self._precision == "f16" else bfloat16_bits(array)
        ).tobytes()
        return low

    def _wanted_exact(self):
        """Names of tensors that nodes which are not rough, or the graph's outputs, need."""
        pairs = zip(self._graph.node, self._rough, strict=True)
        used = {name for node, rough in pairs if not rough for name in node.input}
        return used | {output.name for output in self._graph.output}

    def _float_tensors(self):
        """Names of all tensors of float32."""
        graph, kind = self._graph, self._onnx.TensorProto.FLOAT
        values = (*graph.input, *graph.output, *graph.value_info)
        known = {v.name for v in values if v.type.tensor_type.elem_type == kind}
        return known | {w.name for w in graph.initializer if w.data_type == kind}


def bfloat16_bits(array):
    """uint16 bits of the bfloat16s nearest to finite float32s, ties to even."""
    bits = np.ascontiguousarray(array, "<f4").view("<u4")
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2")
