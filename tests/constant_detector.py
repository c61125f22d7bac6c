"""Detectors that find the same whatever they are shown: ONNX graphs that emit given arrays."""

import numpy as np
import yaml

SIZE = 64  # detector input
COLOR = np.zeros((96, 128, 3), np.uint8)  # letterbox factor 0.5: fills 64 x 48
NAMES = ["chair", "couch", "person"]


def save_constant_model(path, outputs, shape=(1, 3, SIZE, SIZE)):
    """An ONNX graph that ignores its image and emits the given arrays."""
    import onnx
    from onnx import helper, numpy_helper

    image = helper.make_tensor_value_info("image", onnx.TensorProto.FLOAT, shape)
    nodes, infos = [], []
    for name, array in outputs.items():
        tensor = numpy_helper.from_array(array, f"{name}_value")
        nodes.append(helper.make_node("Constant", [], [name], value=tensor))
        infos.append(helper.make_tensor_value_info(name, tensor.data_type, array.shape))
    graph = helper.make_graph(nodes, "constant", [image], infos)
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)


def write(tmp_path, emitted, **spec):
    """YAML path of a detector that emits the arrays `emitted`."""
    save_constant_model(tmp_path / "net.onnx", emitted)
    spec = {"onnx": "net.onnx", "width": SIZE, "height": SIZE, "classes": NAMES, **spec}
    path = tmp_path / "detector.yaml"
    path.write_text(yaml.safe_dump({k: v for k, v in spec.items() if v is not None}))
    return path


def yolox_rows(rows, stride=8):
    """Raw yolox output (1, N, 8) with some rows {cell: (tx, ty, log w, log h, obj, c0, c1, c2)}."""
    out = np.zeros((1, (SIZE // stride) ** 2, 8), np.float32)
    for cell, row in rows.items():
        out[0, cell] = row
    return out
