"""An ONNX file in float32 to one whose convolutions are computed in int8."""

import tempfile
from pathlib import Path

from roomcad_core.engine import ROUGH


def convert(path, out, feeds):
    """Write `out`, the network of an ONNX file in int8.

    Weights are scaled by channel, activations by the range that they take for `feeds`. The first
    convolution stays in float32, and any that sees an input, for it sees metres; so do those that
    may not be ROUGH where the file says which may.

    Args:
        path: ONNX file in float32.
        out: the file to write.
        feeds: [{input name: array}].
    """
    from onnxruntime.quantization import (
        CalibrationDataReader,
        QuantFormat,
        QuantType,
        quantize_static,
    )
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):
        def __init__(self):
            self._rest = iter(feeds)

        def get_next(self):
            return next(self._rest, None)

    with tempfile.TemporaryDirectory() as folder:
        prepared = Path(folder) / "prepared.onnx"
        quant_pre_process(str(path), str(prepared))
        exact = name_nodes(prepared)
        quantize_static(
            str(prepared), str(out), Reader(), QuantFormat.QDQ, ["Conv"], per_channel=True,
            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8, nodes_to_exclude=exact,
        )  # fmt: skip


def name_nodes(path):
    """Give every node of an ONNX file a name; returns those of convolutions that stay float32."""
    import onnx

    model = onnx.load(path)
    for i, node in enumerate(model.graph.node):
        node.name = node.name or f"{node.op_type}_{i}"
    onnx.save(model, path)
    given = {tensor.name for tensor in model.graph.input}
    layers = [node for node in model.graph.node if node.op_type == "Conv"]
    stated = any(node.name.startswith(ROUGH) for node in layers)
    return [
        node.name
        for i, node in enumerate(layers)
        if i == 0 or given & set(node.input) or (stated and not node.name.startswith(ROUGH))
    ]
