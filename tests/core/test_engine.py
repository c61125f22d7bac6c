"""The engine contract, on tiny ONNX graphs made here."""

import hashlib
import sys

import numpy as np
import pytest

from roomcad_core import engine as engines
from roomcad_core.engine import make_engine, verify

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
pytest.importorskip("openvino")
from onnx import TensorProto, helper  # noqa: E402

BACK_ENDS = ("openvino", "onnxruntime")


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


@pytest.mark.parametrize("name", ["auto", *BACK_ENDS])
def test_an_engine_maps_named_arrays_to_named_arrays(sum_graph, name):
    engine = make_engine(sum_graph, name, threads=1)
    assert str(engine.inputs["a"]) == str(engine.outputs["c"]) == "float32 (n, 3)"
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
@pytest.mark.parametrize("name", BACK_ENDS)
def test_a_wrong_input_is_refused_with_got_and_expected(sum_graph, name, wrong, message):
    with pytest.raises(ValueError, match=message):
        make_engine(sum_graph, name)(wrong)


@pytest.mark.parametrize("name", BACK_ENDS)
def test_results_stay_as_they_are_when_the_engine_runs_again(sum_graph, name):
    engine = make_engine(sum_graph, name)
    first = engine(feeds())["c"]
    engine({"a": np.zeros((2, 3), np.float32), "b": np.zeros((2, 3), np.float32)})
    np.testing.assert_array_equal(first, np.full((2, 3), 3, np.float32))


def test_a_missing_file_an_unknown_engine_and_an_unknown_precision_are_named(tmp_path, sum_graph):
    with pytest.raises(FileNotFoundError, match="nowhere.onnx"):
        make_engine(tmp_path / "nowhere.onnx")
    with pytest.raises(ValueError, match="'magic', expected auto or one of tensorrt, openvino, on"):
        make_engine(sum_graph, "magic")
    with pytest.raises(ValueError, match="precision: got 'int4', expected f32 or bf16 or f16"):
        make_engine(sum_graph, precision="int4")


@pytest.mark.parametrize("name", ["auto", *BACK_ENDS])
@pytest.mark.parametrize("damage", ["garbage", "empty", "truncated"])
def test_a_damaged_model_is_refused_by_name(sum_graph, damage, name):
    data = sum_graph.read_bytes()
    bad = {"garbage": b"not a model" * 9, "empty": b"", "truncated": data[: len(data) // 2]}
    sum_graph.write_bytes(bad[damage])
    with pytest.raises(ValueError, match="sum.onnx: not a model that O[a-zA-Z ]+ can run"):
        make_engine(sum_graph, name)


def without(monkeypatch, *names):
    """These back-ends are not installed."""

    def absent(name):
        def load(path, threads, precision, sizes):
            kind = engines.Unavailable if name == "tensorrt" else ImportError
            raise kind(f"{name} is missing: pip install {name}")

        return load

    for name in names:
        monkeypatch.setitem(engines.ENGINES, name, absent(name))


def test_auto_takes_the_next_engine_where_a_package_is_missing_and_logs_why(
    sum_graph, monkeypatch, caplog
):
    caplog.set_level("INFO")
    without(monkeypatch, "tensorrt")
    assert make_engine(sum_graph).name == "openvino"
    no_tensorrt = "sum.onnx: engine left out: tensorrt is missing: pip install tensorrt"
    assert caplog.messages == [no_tensorrt, "sum.onnx: runs on openvino in f32"]
    caplog.clear()
    without(monkeypatch, "openvino")
    assert make_engine(sum_graph).name == "onnxruntime"
    assert caplog.messages == [
        no_tensorrt,
        "sum.onnx: engine left out: openvino is missing: pip install openvino",
        "sum.onnx: runs on onnxruntime in f32",
    ]
    # A robot without a GPU is nothing to warn of.
    assert [record.levelname for record in caplog.records] == ["INFO", "WARNING", "INFO"]


def test_auto_prefers_tensorrt_and_goes_on_where_it_cannot_run_a_file(
    sum_graph, monkeypatch, caplog
):
    class OnGpu(engines.OnnxRuntimeEngine):
        name = "tensorrt"

    def refuses(path, threads, precision, sizes):
        raise ValueError("sum.onnx: not a model that TensorRT can run: no such operator")

    monkeypatch.setitem(engines.ENGINES, "tensorrt", OnGpu)
    assert make_engine(sum_graph).name == "tensorrt"
    monkeypatch.setitem(engines.ENGINES, "tensorrt", refuses)
    assert make_engine(sum_graph).name == "openvino"
    assert "engine left out: sum.onnx: not a model that TensorRT can run" in caplog.text
    with pytest.raises(ValueError, match="auto takes openvino or onnxruntime instead"):
        make_engine(sum_graph, "tensorrt")


def test_auto_names_the_missing_packages_where_no_engine_is_installed(sum_graph, monkeypatch):
    without(monkeypatch, "tensorrt", *BACK_ENDS)
    with pytest.raises(
        ImportError, match="pip install tensorrt.*pip install openvino.*pip install onnxruntime"
    ):
        make_engine(sum_graph)


def test_a_package_that_cannot_be_imported_is_named_with_its_install_command(
    sum_graph, monkeypatch
):
    for name in BACK_ENDS:
        monkeypatch.setitem(sys.modules, name, None)
        with pytest.raises(ImportError, match=f"is missing: pip install {name}"):
            make_engine(sum_graph, name)


def test_an_engine_without_bfloat16_computes_in_float32_and_says_so(sum_graph, caplog):
    caplog.set_level("INFO")
    assert make_engine(sum_graph, "onnxruntime", precision="bf16").precision == "f32"
    assert "in f32 (bf16 was allowed, but is not faster)" in caplog.text


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
