"""Shared by all tests: ROS stays on this machine, and every pytest process in a domain of its own.

Set at import, because rclpy reads both when it is imported or initialised.
"""

import hashlib
import json
import os

import numpy as np
import pytest

os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
# 1..100: higher domains reach into the ports that the system hands out.
os.environ["ROS_DOMAIN_ID"] = str(1 + (os.getpid() * 7 - 1) % 100)


@pytest.fixture
def write_model(tmp_path, monkeypatch):
    """write_model(...) puts a linear classifier into a models folder, which ROOMCAD_MODELS names.

    Its embedding is the largest x, y and z of the cloud, and the extra numbers after them if it
    takes any; logits = weight (labels, embedding) @ embedding + bias. Returns the entry of the
    manifest, `changed` included.
    """
    pytest.importorskip("onnxruntime")
    onnx = pytest.importorskip("onnx")
    folder = tmp_path / "models"
    monkeypatch.setenv("ROOMCAD_MODELS", str(folder))

    def write(labels, weight, bias=None, name="deployed", sizes=(), **changed):
        folder.mkdir(exist_ok=True)
        path = folder / f"pointnet_{name}.onnx"
        entry = {
            "task": "classify",
            "onnx": path.name,
            "labels": list(labels),
            "points": 128,
            "cloud": "trimmed_box",
            "extra": True,
            "temperature": 1.0,
        } | changed
        weight = np.asarray(weight, np.float32)
        bias = np.zeros(len(weight)) if bias is None else bias
        onnx.save(linear_graph(weight, np.asarray(bias, np.float32), dict(sizes)), path)
        entry["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
        manifest = folder / "manifest.json"
        models = json.loads(manifest.read_text())["models"] if manifest.exists() else {}
        manifest.write_text(json.dumps({"version": 1, "models": models | {name: entry}}))
        return entry

    return write


def linear_graph(weight, bias, sizes):
    """ONNX model of write_model; `sizes` fixes free axes (batch, n)."""
    from onnx import TensorProto, helper, numpy_helper

    def tensor(name, *shape):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    batch, n = sizes.get("batch", "batch"), sizes.get("n", "n")
    extra = weight.shape[1] - 3
    nodes = [helper.make_node("ReduceMax", ["points"], ["largest"], axes=[1], keepdims=0)]
    joined = ["largest", "extra"] if extra else ["largest"]
    nodes += [
        helper.make_node("Concat", joined, ["embedding"], axis=1),
        helper.make_node("Gemm", ["embedding", "weight", "bias"], ["logits"], transB=1),
    ]
    inputs = [tensor("points", batch, n, 3)] + [tensor("extra", batch, extra)] * bool(extra)
    outputs = [tensor("logits", batch, len(bias)), tensor("embedding", batch, weight.shape[1])]
    constants = [numpy_helper.from_array(weight, "weight"), numpy_helper.from_array(bias, "bias")]
    graph = helper.make_graph(nodes, "linear", inputs, outputs, constants)
    opset = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opset, ir_version=8)
