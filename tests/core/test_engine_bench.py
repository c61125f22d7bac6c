"""What the benchmark of engines measures, on networks small enough to know the answers."""

import json

import numpy as np
import pytest

from roomcad_core.cli import main
from roomcad_core.engine import make_engine, roofline
from roomcad_core.engine.bench import same_poses
from roomcad_core.engine.roofline import measure_peaks, work_of

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

LOOP = {
    "rgb": (3, 6, 8), "normal": (3, 6, 8), "depth": (1, 6, 8), "K": (3, 3), "box": (2, 4),
    "cad_points": (2, 5, 3), "cad_normals": (2, 5, 3), "T": ("initialisations", 2, 3),
    "R": ("initialisations", 2, 3, 3), "S": ("initialisations", 2, 3),
}  # fmt: skip
KINDS = {"instance": (TensorProto.INT32, (6, 8)), "valid": (TensorProto.BOOL, (2,))}


def save(path, nodes, inputs, outputs, weights=()):
    """Write an ONNX file; tensors are {name: (type, shape)}."""
    tensors = [
        [helper.make_tensor_value_info(n, kind, shape) for n, (kind, shape) in part.items()]
        for part in (inputs, outputs)
    ]
    weights = [numpy_helper.from_array(np.ones(s, np.float32), n) for n, s in weights]
    graph = helper.make_graph(nodes, "g", *tensors, weights)
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)
    return path


def floats(**shapes):
    return {name: (TensorProto.FLOAT, shape) for name, shape in shapes.items()}


@pytest.fixture
def loop(tmp_path):
    """File with the inputs and outputs of the alignment loop; T moves by the scale, S."""
    nodes = [
        helper.make_node("Add", ["T", "S"], ["T_out"]),
        helper.make_node("Identity", ["R"], ["R_out"]),
        helper.make_node("ReduceSum", ["rgb"], ["light"], keepdims=0),
        helper.make_node("Mul", ["S", "light"], ["S_out"]),
    ]
    outputs = {f"{name}_out": (TensorProto.FLOAT, LOOP[name]) for name in "TRS"}
    return save(tmp_path / "loop.onnx", nodes, floats(**LOOP) | KINDS, outputs)


def test_operations_and_bytes_are_those_of_paper_and_pencil(tmp_path):
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["h"]),
        helper.make_node("Gemm", ["g", "h"], ["y"], transA=1),
        helper.make_node("Relu", ["y"], ["z"]),
    ]
    shapes = floats(x=("n", 4), g=("n", 2))
    path = save(tmp_path / "a.onnx", nodes, shapes, floats(z=(2, 8)), [("w", (4, 8))])
    # (5, 4) @ (4, 8), then (2, 5) @ (5, 8); x, g, w and z are moved.
    assert work_of(path, {"n": 5}) == (2 * 5 * 4 * 8 + 2 * 2 * 5 * 8, 4 * (20 + 10 + 32 + 16))
    node = helper.make_node("Conv", ["x", "w"], ["y"], pads=[1, 1])
    shapes = floats(x=(1, 6, "n")), floats(y=(1, 4, "n"))
    path = save(tmp_path / "b.onnx", [node], *shapes, [("w", (4, 6, 3))])
    assert work_of(path, {"n": 7})[0] == 2 * (4 * 7) * (6 * 3)


def test_peaks_are_measured_where_the_precision_is_there():
    assert min(measure_peaks("onnxruntime", "f32", side=64).values()) > 1e6
    assert measure_peaks("onnxruntime", "bf16", side=64) is None


def test_poses_count_as_the_same_within_a_centimetre_and_a_degree():
    turn = np.radians([0.0, 0.9, 1.1, 0.0])
    R = np.stack([np.eye(3)] * 4)
    R[:, 0, 0] = R[:, 1, 1] = np.cos(turn)
    R[:, 1, 0], R[:, 0, 1] = np.sin(turn), -np.sin(turn)
    T = np.zeros((4, 3))
    T[:, 2] = (0.009, 0, 0, 0.011)
    a = {"T_out": np.zeros((1, 4, 3)), "R_out": np.eye(3)[None, None]}
    b = {"T_out": T[None], "R_out": R[None]}
    assert same_poses(a, b, np.ones(4, bool)).tolist() == [True, True, False, False]
    assert same_poses(a, b, np.array([False, True, True, False])).tolist() == [True, False]


def test_the_command_measures_the_loop_and_writes_what_it_prints(
    loop, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(roofline, "SIDE", 64)
    options = ["--rounds", "2", "--frames", "3", "--out", str(tmp_path / "out")]
    arguments = ["engine", "bench", "--onnx", str(loop), "--engine", "onnxruntime", *options]
    assert main(arguments) == 0
    record = json.loads((tmp_path / "out" / "engines.json").read_text())
    assert [r["sizes"] for r in record["results"]] == [
        {"initialisations": 4},
        {"initialisations": 1},
    ]
    for row in record["results"]:
        assert row["poses"] == 3 * 2 * row["sizes"]["initialisations"] and row["poses_near"] == 1
        assert list(row["cameras"]) == ["1", "2", "4", "8"] and min(row["cameras"].values()) > 0
        assert row["new_ms"]["p95"] >= row["new_ms"]["median"] > 0
    table = (tmp_path / "out" / "engines.md").read_text()
    assert table in capsys.readouterr().out
    assert "| loop.onnx | f32 | initialisations 4 |" in table and "1.0000 of 24" in table
    assert "Not done here: bf16, f16" in table


def test_only_poses_differ_where_the_image_stays(loop, monkeypatch):
    from roomcad_core.engine.bench import speed
    from roomcad_core.engine.bench_feeds import random_feeds

    engine = make_engine(loop, "onnxruntime")
    feeds = [random_feeds(engine.inputs, {"initialisations": 1}, seed) for seed in range(2)]
    seen = []
    monkeypatch.setattr(engine, "_run", seen.append)
    speed(engine, feeds, rounds=1, name="loop")
    new, same = seen[: len(seen) // 2], seen[len(seen) // 2 :]
    assert len({f["rgb"].tobytes() for f in new}) == len({f["T"].tobytes() for f in same}) == 2
    assert len({f["rgb"].tobytes() for f in same}) == 1


@pytest.mark.parametrize("option", ["--rounds", "--frames"])
def test_a_count_that_measures_nothing_is_refused(option, capsys):
    with pytest.raises(SystemExit):
        main(["engine", "bench", option, "0"])
    assert f"argument {option}: invalid positive value: '0'" in capsys.readouterr().err
