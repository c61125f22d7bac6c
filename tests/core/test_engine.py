"""The engine contract, on tiny ONNX graphs made here."""

import hashlib

import numpy as np
import pytest

from roomcad_core import engine as engines
from roomcad_core.engine import make_engine, verify

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from onnx import TensorProto, helper  # noqa: E402


@pytest.fixture
def sum_graph(tmp_path):
    """c = a + b, both float32 ("n", 3)."""
    values = {
        name: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 3]) for name in "abc"
    }
    node = helper.make_node("Add", ["a", "b"], ["c"])
    graph = helper.make_graph([node], "sum", [values["a"], values["b"]], [values["c"]])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path = tmp_path / "sum.onnx"
    onnx.save(model, path)
    return path


def feeds(n=2, m=2, dtype=np.float32):
    return {"a": np.ones((n, 3), dtype), "b": np.full((m, 3), 2, dtype)}


@pytest.mark.parametrize("name", ["auto", "onnxruntime"])
def test_an_engine_maps_named_arrays_to_named_arrays(sum_graph, name):
    engine = make_engine(sum_graph, name, threads=1)
    assert str(engine.inputs["a"]) == "float32 (n, 3)"
    for n in (1, 4):
        out = engine(feeds(n, n))
        assert list(out) == ["c"]
        np.testing.assert_array_equal(out["c"], np.full((n, 3), 3, np.float32))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"a": np.ones((2, 3), np.float32)}, r"got \['a'\], expected \['a', 'b'\]"),
        ({**feeds(), "d": np.ones(1)}, r"got \['a', 'b', 'd'\], expected \['a', 'b'\]"),
        (feeds(dtype=np.float64), r"'a': got float64 \(2, 3\), expected float32 \(n, 3\)"),
        ({**feeds(), "b": np.ones((2, 4), np.float32)}, r"'b': got float32 \(2, 4\), expected"),
        ({**feeds(), "b": np.ones(3, np.float32)}, r"'b': got float32 \(3,\), expected"),
        (feeds(2, 5), r"'b': got float32 \(5, 3\), expected float32 \(n, 3\) with n = 2"),
        ({**feeds(), "a": [[1.0, 2.0, 3.0]]}, r"'a': got <class 'list'>"),
    ],
)
def test_a_wrong_input_is_refused_with_got_and_expected(sum_graph, wrong, message):
    with pytest.raises(ValueError, match=message):
        make_engine(sum_graph)(wrong)


def test_a_missing_file_and_an_unknown_engine_are_named(tmp_path, sum_graph):
    with pytest.raises(FileNotFoundError, match="nowhere.onnx"):
        make_engine(tmp_path / "nowhere.onnx")
    with pytest.raises(ValueError, match="got 'magic', expected auto or one of onnxruntime"):
        make_engine(sum_graph, "magic")


@pytest.mark.parametrize("damage", ["garbage", "empty", "truncated"])
def test_a_damaged_model_is_refused_by_name(sum_graph, damage):
    data = sum_graph.read_bytes()
    bad = {"garbage": b"not a model" * 9, "empty": b"", "truncated": data[: len(data) // 2]}
    sum_graph.write_bytes(bad[damage])
    with pytest.raises(ValueError, match="sum.onnx: not a model that ONNX Runtime can run"):
        make_engine(sum_graph)


def test_auto_names_the_missing_package_where_no_engine_is_installed(sum_graph, monkeypatch):
    def absent(path, threads):
        raise ImportError("ONNX Runtime is missing: pip install onnxruntime")

    monkeypatch.setitem(engines.ENGINES, "onnxruntime", absent)
    with pytest.raises(ImportError, match="pip install onnxruntime"):
        make_engine(sum_graph)


def test_verify_accepts_only_the_right_checksum(tmp_path):
    path = tmp_path / "weights.onnx"
    path.write_bytes(b"weights")
    digest = hashlib.sha256(b"weights").hexdigest()
    verify(path, digest)
    verify(path, digest.upper())
    with pytest.raises(ValueError, match=f"weights.onnx: sha256: got {digest}, expected 00"):
        verify(path, "00")
    with pytest.raises(FileNotFoundError, match="gone.onnx"):
        verify(tmp_path / "gone.onnx", digest)
