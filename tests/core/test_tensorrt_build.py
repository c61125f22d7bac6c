"""NVIDIA's own parser and builder on our files, by TensorRT-RTX, which needs no GPU for that."""

import numpy as np
import pytest

from roomcad_core.cli import main
from roomcad_core.engine.base import Unavailable
from roomcad_core.engine.shipped import shipped_models
from roomcad_core.engine.tensor_rt import cuda
from roomcad_core.engine.tensor_rt.api import FLAVOURS, load_api
from roomcad_core.engine.tensor_rt.build import build_plan, profiles_of
from roomcad_core.engine.tensor_rt.engine import check_support
from roomcad_core.engine.tensor_rt.shapes import PlanRefused, load_plan
from roomcad_core.library import models_folder

pytest.importorskip("tensorrt_rtx", reason="pip install -r requirements/tensorrt_rtx.txt")
onnx = pytest.importorskip("onnx")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

SHIPPED = shipped_models(models_folder())


@pytest.fixture(scope="module")
def api():
    return load_api(FLAVOURS[1:])


@pytest.fixture
def product(tmp_path):
    """product(axis, columns) -> file: y = x + w, x (axis, 4), w (2, columns)."""

    def make(axis="batch", columns=4, rows=1, kind="Add"):
        x, y = (helper.make_tensor_value_info(n, TensorProto.FLOAT, [axis, 4]) for n in "xy")
        w = numpy_helper.from_array(np.ones((rows, columns), np.float32), "w")
        node = helper.make_node(kind, ["x", "w"], ["y"])
        graph = helper.make_graph([node], "g", [x], [y], [w])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        path = tmp_path / "sum.onnx"
        path.write_bytes(model.SerializeToString())
        return path

    return make


@pytest.mark.parametrize("file", SHIPPED, ids=str)
def test_every_shipped_file_becomes_a_plan_in_the_precision_it_is_run_in(api, file):
    plan, timing = build_plan(api, file.onnx, file.precision)
    assert len(plan) > file.onnx.stat().st_size / 3 and timing is None


@pytest.mark.parametrize("precision", ["f16", "bf16"])
def test_a_classifier_becomes_a_smaller_plan_in_less_precision(api, precision):
    path = next(file.onnx for file in SHIPPED if file.name == "deployed")
    exact, low = (len(build_plan(api, path, p)[0]) for p in ("f32", precision))
    assert low < 0.75 * exact


@pytest.mark.parametrize("damage", ["garbage", "two bytes", "empty", "truncated"])
def test_a_damaged_file_is_refused_by_name(api, product, damage):
    path = product()
    data = path.read_bytes()
    cases = {"garbage": b"not a model" * 9, "two bytes": b"xx", "empty": b""}
    path.write_bytes(cases.get(damage, data[: len(data) // 2]))
    for precision in ("f32", "f16"):
        with pytest.raises(ValueError, match="sum.onnx: "):
            build_plan(api, path, precision)


def test_an_operator_that_is_not_known_is_named_with_its_node(api, product):
    with pytest.raises(ValueError, match="sum.onnx: not a model that TensorRT can run: .*NoSuch"):
        build_plan(api, product(kind="NoSuchOperator"), "f32")


def test_a_build_that_gives_nothing_says_why(api, product):
    # A batch of 128 cannot be added to 2 rows, which shows when sizes are tried out.
    with pytest.raises(ValueError, match="sum.onnx: tensorrt_rtx [0-9.]+ builds no plan of it: .+"):
        build_plan(api, product(rows=2), "f32")


def test_sizes_that_depend_on_data_are_refused(api, tmp_path):
    # The host would have to wait for them: every plan that is built is free of such round trips.
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [4])
    y = helper.make_tensor_value_info("y", TensorProto.INT64, [1, "n"])
    graph = helper.make_graph([helper.make_node("NonZero", ["x"], ["y"])], "g", [x], [y])
    opset = [helper.make_opsetid("", 17)]
    path = tmp_path / "nonzero.onnx"
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)
    with pytest.raises(
        ValueError, match="nonzero.onnx: not a model that TensorRT can run: NonZero"
    ):
        build_plan(api, path, "f32")


def test_free_axes_without_known_sizes_are_named(api, product):
    with pytest.raises(ValueError, match=r"got the free axes \['height'\], expected some of \['ba"):
        profiles_of(product("height"))


def test_a_plan_that_is_not_taken_says_why(api, product):
    try:
        cuda.open_device()
    except Unavailable:
        pass
    else:
        pytest.skip("there is a GPU, which takes it")

    class NoGpu:
        name = "no GPU"

        def use(self):
            pass

    plan, _ = build_plan(api, product(), "f32")
    with pytest.raises(PlanRefused, match="tensorrt_rtx .* does not load it on no GPU: .*cuda"):
        load_plan(api, NoGpu(), plan)


def test_gpus_that_plans_of_tensorrt_rtx_do_not_run_on_are_named(api):
    class H200:
        name, capability = "NVIDIA H200", (9, 0)

    with pytest.raises(Unavailable, match=r"does not run on NVIDIA H200 \(SM90\)"):
        check_support(api, H200)
    H200.capability = (7, 5)  # known, but only to plans that are made for it alone
    with pytest.raises(Unavailable, match="SM75"):
        check_support(api, H200)
    H200.capability = (8, 9)
    check_support(api, H200)


def no_device():
    raise Unavailable("TensorRT needs an NVIDIA GPU: none in this test")


def test_the_command_builds_without_a_gpu_once_and_lists_what_there_is(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("ROOMCAD_ENGINES", str(tmp_path))
    monkeypatch.setattr("roomcad_core.engine.tensor_rt.engine.open_device", no_device)
    monkeypatch.setattr("roomcad_core.engine.command.open_device", no_device)
    assert main(["engine", "build", "deployed"]) == 0
    assert "built: deployed (pointnet_deployed.onnx) f32" in capsys.readouterr().out
    assert main(["engine", "build", "deployed"]) == 0
    assert "there: deployed (pointnet_deployed.onnx) f32" in capsys.readouterr().out
    (tmp_path / "old.engine").write_bytes(b"junk")
    assert main(["engine", "info"]) == 0
    out = capsys.readouterr().out
    assert "deployed (pointnet_deployed.onnx): f32, 4." in out
    assert "baseline (pointnet_baseline.onnx): f32, not built yet" in out
    assert "other: old.engine" in out and "no engine file of this version" in out
