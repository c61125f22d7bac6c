"""OpenVINO's own matters: which nodes become bfloat16, its threads, and names of free axes."""

import itertools

import numpy as np
import pytest

from roomcad_core.engine import OpenVinoEngine, make_engine
from roomcad_core.engine.onnx_axes import read_axes

onnx = pytest.importorskip("onnx")
openvino = pytest.importorskip("openvino")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from roomcad_core.engine import bfloat16, open_vino  # noqa: E402

WIDTH = 64


@pytest.fixture
def product(tmp_path):
    """product(first, last) -> file: y = -(x @ w @ v) with products of these names, x (n, 64)."""

    def make(first, last):
        rng = np.random.default_rng(0)
        weights = [
            numpy_helper.from_array(rng.normal(size=(WIDTH, WIDTH)).astype(np.float32), name)
            for name in "wv"
        ]
        nodes = [
            helper.make_node("MatMul", ["x", "w"], ["h"], name=first),
            helper.make_node("MatMul", ["h", "v"], ["z"], name=last),
            helper.make_node("Neg", ["z"], ["y"], name="exact/end"),
        ]
        x, y = (
            helper.make_tensor_value_info(n, TensorProto.FLOAT, ["n", WIDTH]) for n in ("x", "y")
        )
        graph = helper.make_graph(nodes, "product", [x], [y], weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        path = tmp_path / "product.onnx"
        onnx.save(model, path)
        return path

    return make


def feeds():
    return {"x": np.random.default_rng(1).normal(size=(8, WIDTH)).astype(np.float32)}


def error(path, precision):
    """Largest error of OpenVINO's product, as a share of the largest entry."""
    want = make_engine(path, "onnxruntime")(feeds())["y"]
    got = OpenVinoEngine(path, threads=1, precision=precision)(feeds())["y"]
    return np.abs(got - want).max() / np.abs(want).max()


def convert_count(path):
    """How many nodes of the converted model are conversions."""
    model = openvino.Core().read_model(str(path))
    open_vino.convert_rough(model)
    return sum(node.get_type_name() == "Convert" for node in model.get_ops())


def test_float32_is_exact_whatever_the_nodes_are_called(product):
    assert error(product("rough/a", "rough/b"), "f32") < 1e-6


def test_only_rough_nodes_become_bfloat16(product, monkeypatch):
    if not bfloat16.supported():
        pytest.skip("this CPU has no bfloat16 instructions")
    monkeypatch.setattr(bfloat16, "pays", lambda: True)
    assert error(product("exact/a", "exact/b"), "f32") < 1e-6
    assert 1e-4 < error(product("exact/a", "rough/b"), "bf16") < 0.02
    # Without any such name all nodes may be.
    assert 1e-4 < error(product("a", "b"), "bf16") < 0.02


@pytest.mark.parametrize("sizes", [(8,), (1, 8)])
def test_the_sizes_it_was_compiled_for_change_nothing(product, sizes):
    path = product("rough/a", "rough/b")
    any_size, engine = OpenVinoEngine(path, 1), OpenVinoEngine(path, 1, sizes=sizes)
    assert engine.inputs == any_size.inputs and engine.outputs == any_size.outputs
    for n in (8, 2, 8, 1):
        x = {"x": feeds()["x"][:n]}
        np.testing.assert_allclose(engine(x)["y"], any_size(x)["y"], rtol=1e-6)


def test_a_wrong_size_of_a_fixed_axis_is_told_before_anything_is_compiled_for_it(product):
    engine = OpenVinoEngine(product("a", "b"), 1, sizes=(8,))
    with pytest.raises(ValueError, match="expected float32"):
        engine({"x": np.zeros((2, WIDTH + 1), np.float32)})


def test_conversions_lie_only_where_rough_nodes_begin_and_end(product):
    # Into the first: x and w; into the second: v; out of it: z.
    assert convert_count(product("rough/a", "rough/b")) == 4
    assert convert_count(product("exact/a", "rough/b")) == 3
    assert convert_count(product("exact/a", "exact/b")) == 0


def test_a_cpu_where_bfloat16_does_not_pay_keeps_float32(product, monkeypatch):
    monkeypatch.setattr(bfloat16, "pays", lambda: False)
    path = product("rough/a", "rough/b")
    assert OpenVinoEngine(path, precision="bf16").precision == "f32"
    assert error(path, "bf16") < 1e-6


@pytest.mark.parametrize(
    "seconds, answer", [((2.0, 1.0), True), ((1.05, 1.0), False), ((1.0, 2.0), False)]
)
def test_bfloat16_pays_where_it_is_faster(seconds, answer, monkeypatch):
    """The `seconds` of float32 and bfloat16; half of the rounds are disturbed."""
    taken = itertools.cycle([*seconds, *(9 * s for s in reversed(seconds))])
    monkeypatch.setattr(bfloat16, "supported", lambda: True)
    monkeypatch.setattr(bfloat16, "_seconds", lambda request, x: next(taken))
    assert bfloat16.pays.__wrapped__() is answer
    monkeypatch.setattr(bfloat16, "supported", lambda: False)
    assert bfloat16.pays.__wrapped__() is False


def test_threads_are_as_asked_and_leave_a_core_to_other_nodes_by_default(monkeypatch):
    monkeypatch.setattr(open_vino.os, "sched_getaffinity", lambda pid: set(range(4)))
    assert open_vino.settings(2, "f32")["INFERENCE_NUM_THREADS"] == 2
    assert open_vino.settings(0, "f32")["INFERENCE_NUM_THREADS"] == 3
    monkeypatch.setattr(open_vino.os, "sched_getaffinity", lambda pid: {0})
    assert open_vino.settings(0, "f32")["INFERENCE_NUM_THREADS"] == 1


def test_names_and_sizes_of_axes_are_read_from_the_file(product, tmp_path):
    assert read_axes(product("a", "b")) == {"x": ("n", WIDTH), "y": ("n", WIDTH)}
    bad = tmp_path / "bad.onnx"
    for data in (b"not a model", b"\x3a\x7f\x01", b"\xff" * 9):
        bad.write_bytes(data)
        with pytest.raises(ValueError, match="bad.onnx: not an ONNX model"):
            read_axes(bad)
