"""The least time that a network can take: its operations and bytes over this machine's peaks.

Both peaks are measured with the same engine, as networks of one operator.
"""

import math
import tempfile
import time
from pathlib import Path

import numpy as np

from roomcad_core.engine.choose import make_engine

# Rows and columns of the matrix: large enough for full speed, in a tenth of a second.
SIDES = {"tensorrt": 8192}
SIDE = 2048
REPEATS = 5
OPSET = 17


def work_of(path, sizes):
    """What one call of a network does.

    Args:
        path: ONNX file.
        sizes: {free axis: size}.

    Returns:
        operations of its matrix products and convolutions (a multiply-add counts two), and bytes
        of its weights, inputs and outputs in float32, each moved once.
    """
    onnx = _onnx()
    model = onnx.load(path)
    del model.graph.value_info[:]  # what is written there may hold free axes
    for tensor in model.graph.output:
        tensor.type.tensor_type.ClearField("shape")
    for tensor in model.graph.input:
        for axis in tensor.type.tensor_type.shape.dim:
            if axis.dim_param:
                axis.dim_value = sizes[axis.dim_param]
    graph = onnx.shape_inference.infer_shapes(model, data_prop=True, strict_mode=True).graph
    shapes = {w.name: tuple(w.dims) for w in graph.initializer}
    moved = [*shapes, *(t.name for t in (*graph.input, *graph.output))]
    for tensor in (*graph.value_info, *graph.input, *graph.output):
        axes = tensor.type.tensor_type.shape.dim
        shapes[tensor.name] = tuple(axis.dim_value for axis in axes)
    operations = sum(_operations(node, shapes) for node in graph.node)
    return operations, 4 * sum(math.prod(shapes[name]) for name in moved)


def _operations(node, shapes):
    """Operations of one ONNX node; 0 for all but products and convolutions."""
    if node.op_type not in ("MatMul", "Gemm", "Conv"):
        return 0
    first, second = (shapes[name] for name in node.input[:2])
    if node.op_type == "Conv":  # weights are (out, in / group, size...)
        summed = math.prod(second[1:])
    else:
        transposed = any(a.name == "transA" and a.i for a in node.attribute)
        summed = first[0] if transposed else first[-1]
    return 2 * math.prod(shapes[node.output[0]]) * summed


def measure_peaks(engine, precision, side=None):
    """Operations and bytes a second of an engine, as {"operations", "bytes"}; None = no such one.

    Args:
        engine: key of choose.ENGINES.
        precision: of config.PRECISIONS.
        side: rows and columns of the matrix; None = those of SIDES.
    """
    side = side or SIDES.get(engine, SIDE)
    x = np.random.default_rng(0).uniform(-1, 1, (side, side)).astype(np.float32)
    rates = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, product in (("operations", True), ("bytes", False)):
            path = Path(folder) / f"peak_{name}_{side}.onnx"
            path.write_bytes(_graph(side, product))
            loaded = make_engine(path, engine, precision=precision)
            if loaded.precision != precision:
                return None
            rates[name] = (2 * side**3 if product else x.nbytes) / _least_seconds(loaded, x)
    return rates


def _graph(side, product):
    """ONNX file (bytes): the largest entry of x @ x, or of x alone; x (side, side)."""
    helper, kind = _onnx().helper, _onnx().TensorProto.FLOAT
    nodes = [helper.make_node("MatMul", ["x", "x"], ["p"])] if product else []
    nodes += [helper.make_node("ReduceMax", ["p" if product else "x"], ["y"], keepdims=1)]
    x, y = (
        helper.make_tensor_value_info(name, kind, shape)
        for name, shape in (("x", (side, side)), ("y", (1, 1)))
    )
    opset = [helper.make_opsetid("", OPSET)]
    graph = helper.make_graph(nodes, "peak", [x], [y])
    return helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()


def _least_seconds(engine, x):
    """Of several calls; those of a GPU without the upload."""
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        engine({"x": x})
        seconds.append(time.perf_counter() - start)
        if hasattr(engine, "gpu_milliseconds"):
            seconds[-1] = engine.gpu_milliseconds({"x": x}, upload=False) / 1000
    return min(seconds)


def _onnx():
    try:
        import onnx
    except ImportError:
        raise ImportError("onnx is missing, which counts operations: pip install onnx") from None
    return onnx
