"""Files in int8 beside those in float32: their manifest entries, and where they are taken."""

from types import SimpleNamespace

import numpy as np
import pytest

from roomcad_core.engine import int8, sha256_of
from roomcad_core.engine.int8 import QuantisedFile, load_engine, read_quantised

SHA256 = "0" * 64


@pytest.fixture
def scaling(tmp_path):
    """scaling(name, factor) -> file of a network: y = factor * x."""
    onnx = pytest.importorskip("onnx")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT

    def make(name, factor):
        tensors = [[helper.make_tensor_value_info(n, kind, [1])] for n in "xy"]
        weight = onnx.numpy_helper.from_array(np.float32([factor]), "w")
        graph = helper.make_graph([helper.make_node("Mul", ["x", "w"], ["y"])], "scaling",
                                  *tensors, [weight])  # fmt: skip
        opset = [helper.make_opsetid("", 17)]
        path = tmp_path / name
        onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)
        return path

    return make


@pytest.fixture
def spec(scaling):
    """A network that gives 1 in float32, and 2 in what stands for int8."""
    exact, rough = scaling("exact.onnx", 1), scaling("rough.onnx", 2)
    file = QuantisedFile(rough, sha256_of(rough))
    return SimpleNamespace(onnx=exact, sha256=sha256_of(exact), int8=file)


def answer(engine):
    return float(engine({"x": np.ones(1, np.float32)})["y"][0])


def test_int8_is_taken_where_it_is_allowed_and_pays(spec, monkeypatch):
    pytest.importorskip("openvino")
    monkeypatch.setattr(int8, "pays", lambda: True)
    assert answer(load_engine(spec, "openvino", precision="int8")) == 2
    assert answer(load_engine(spec, "openvino")) == 1
    monkeypatch.setattr(int8, "pays", lambda: False)
    assert answer(load_engine(spec, "openvino", precision="int8")) == 1


def test_other_engines_and_networks_without_such_a_file_stay_in_float32(spec, monkeypatch):
    monkeypatch.setattr(int8, "pays", lambda: True)
    assert answer(load_engine(spec, "onnxruntime", precision="int8")) == 1
    spec.int8 = None
    assert answer(load_engine(spec, precision="int8")) == 1


def test_a_changed_file_is_refused(spec, monkeypatch):
    pytest.importorskip("openvino")
    monkeypatch.setattr(int8, "pays", lambda: True)
    spec.int8.onnx.write_bytes(b"")
    with pytest.raises(ValueError, match="rough.onnx: sha256: got"):
        load_engine(spec, "openvino", precision="int8")


@pytest.mark.parametrize(
    "flags, answer",
    [
        ("fpu avx2 avx512_vnni", True),
        ("fpu avx_vnni", True),
        ("fpu avx2 avx512f", False),
        ("", False),
    ],
)
def test_it_pays_where_the_cpu_adds_up_products_of_bytes(flags, answer, tmp_path, monkeypatch):
    cpuinfo = tmp_path / "cpuinfo"
    monkeypatch.setattr(int8, "CPUINFO", cpuinfo)
    assert int8.pays() is False  # no such file: another system
    cpuinfo.write_text(f"processor\t: 0\nflags\t\t: {flags}\nbugs\t\t:\n")
    assert int8.pays() is answer
    cpuinfo.write_text("processor\t: 0\n")
    assert int8.pays() is False


def test_the_entry_is_read_where_there_is_one(tmp_path):
    assert read_quantised("m", {}, tmp_path) is None
    entry = {"int8": {"onnx": "m_int8.onnx", "sha256": SHA256}}
    assert read_quantised("m", entry, tmp_path) == QuantisedFile(tmp_path / "m_int8.onnx", SHA256)


@pytest.mark.parametrize(
    "entry, message",
    [
        ("m.onnx", r"m\.int8: got 'm.onnx', expected \['onnx', 'sha256'\]"),
        ({"onnx": "m.onnx"}, r"m\.int8: got .*, expected \['onnx', 'sha256'\]"),
        (
            {"onnx": "../m.onnx", "sha256": SHA256},
            r"m\.int8\.onnx: got '../m.onnx', expected a file",
        ),
        ({"onnx": "m.onnx", "sha256": "12"}, r"m\.int8\.sha256: got '12', expected 64"),
    ],
)
def test_a_wrong_entry_is_named(entry, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        read_quantised("m", {"int8": entry}, tmp_path)
