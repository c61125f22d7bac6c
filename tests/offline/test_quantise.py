"""roomcad-offline quantise: networks in int8 that answer as those in float32 do."""

import json
import shutil
import sys

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
pytest.importorskip("openvino")

from roomcad_core.classify.model_files import read_spec as read_classifier  # noqa: E402
from roomcad_core.engine import OpenVinoEngine  # noqa: E402
from roomcad_core.library import models_folder  # noqa: E402
from roomcad_core.segment.instances.model_files import read_spec as read_instances  # noqa: E402
from roomcad_offline.cli import main  # noqa: E402
from roomcad_offline.quantise.compare import compare  # noqa: E402
from roomcad_offline.quantise.convert import convert  # noqa: E402

CHANNELS = 8


@pytest.fixture
def network(tmp_path):
    """network(names) -> file of convolutions in a row, one for each name, (1, 8, 16, 16)."""
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT

    def make(*names):
        rng, nodes, weights = np.random.default_rng(0), [], []
        for i, name in enumerate(names):
            w = rng.normal(0, 0.15, (CHANNELS, CHANNELS, 3, 3)).astype(np.float32)
            weights.append(onnx.numpy_helper.from_array(w, f"w{i}"))
            nodes += [
                helper.make_node("Conv", [f"t{i}", f"w{i}"], [f"c{i}"], name, pads=[1, 1, 1, 1]),
                helper.make_node("Relu", [f"c{i}"], [f"t{i + 1}"]),
            ]
        shape, last = [1, CHANNELS, 16, 16], f"t{len(names)}"
        ends = [[helper.make_tensor_value_info(n, kind, shape)] for n in ("t0", last)]
        graph = helper.make_graph(nodes, "convolutions", *ends, weights)
        path = tmp_path / "network.onnx"
        opset = [helper.make_opsetid("", 17)]
        onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)
        return path

    return make


@pytest.fixture
def feeds():
    rng = np.random.default_rng(1)
    return [{"t0": rng.normal(size=(1, CHANNELS, 16, 16)).astype(np.float32)} for _ in range(8)]


def in_int8(path):
    """How many convolutions of a file have weights in int8."""
    graph = onnx.load(path).graph
    kinds = {i.name: i.data_type for i in graph.initializer}
    stored = {
        n.output[0]: kinds.get(n.input[0]) for n in graph.node if n.op_type == "DequantizeLinear"
    }
    convolutions = [n for n in graph.node if n.op_type == "Conv"]
    return sum(stored.get(n.input[1]) == onnx.TensorProto.INT8 for n in convolutions)


@pytest.mark.parametrize(
    "names, expected",
    [
        (("", "", ""), 2),  # all but the first
        (("rough/a", "rough/b", "exact/c"), 1),
        (("exact/a", "rough/b", "rough/c"), 2),
    ],
)
def test_convolutions_but_the_first_are_in_int8_where_the_file_allows_it(
    network, feeds, tmp_path, names, expected
):
    path, out = network(*names), tmp_path / "int8.onnx"
    convert(path, out, feeds[:4])
    assert in_int8(out) == expected
    assert OpenVinoEngine(out, 1).precision == "int8"
    (found,) = compare(path, out, feeds[4:])["outputs"].values()
    assert 0 < found["difference"] < 0.05


def test_the_shipped_networks_are_quantised_and_entered(tmp_path, monkeypatch, capsys):
    models = tmp_path / "models"
    shutil.copytree(
        models_folder(), models, ignore=shutil.ignore_patterns("*_int8*", "*.safetensors")
    )
    monkeypatch.setenv("ROOMCAD_MODELS", str(models))
    for name in ("instances", "deployed"):
        drop_int8(models, name)
    rooms = tmp_path / "rooms"
    assert main(["rooms", "make", str(rooms), "--rooms", "2", "--frames", "3", "--seed", "5"]) == 0
    assert main(["quantise", str(rooms), "--step", "1", "--out", str(tmp_path / "out")]) == 0
    assert "times as fast" in capsys.readouterr().out
    report = json.loads((tmp_path / "out" / "int8.json").read_text())["networks"]
    assert report["instances"]["outputs"]["kinds"]["same_class"] > 0.95
    for spec in (read_instances(models, "instances"), read_classifier(models, "deployed")):
        found = report[spec.name]["outputs"].values()
        assert all(output["difference"] < 0.2 for output in found)
        assert OpenVinoEngine(spec.int8.onnx, 1).precision == "int8"


def drop_int8(models, name):
    """Take the int8 file out of a network's entry."""
    path = models / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["models"][name].pop("int8", None)
    path.write_text(json.dumps(manifest))


def test_a_machine_without_sympy_is_told_how_to_get_it(monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, "sympy", None)
    assert main(["quantise", str(tmp_path), "--out", str(tmp_path)]) == 1
    assert "sympy" in (told := capsys.readouterr().err) and "`make setup-train`" in told


def test_one_room_is_too_few(tmp_path, capsys):
    rooms = tmp_path / "rooms"
    assert main(["rooms", "make", str(rooms), "--rooms", "1", "--frames", "1", "--seed", "5"]) == 0
    assert main(["quantise", str(rooms), "--out", str(tmp_path)]) == 1
    assert "got 1 rooms, step 5, expected at least 2 and 1" in capsys.readouterr().err
