"""How a plan is run: buffers, shapes, graphs and copies, on a stand-in for the GPU."""

import gc
import importlib.util
from pathlib import Path

import numpy as np
import pytest

from roomcad_core.engine import TensorRtEngine
from roomcad_core.engine.onnx_axes import read_axes
from roomcad_core.engine.tensor_rt import engine as engine_module
from roomcad_core.engine.tensor_rt.build import profiles_of
from roomcad_core.engine.tensor_rt.layout import ALIGNMENT, Writer, offsets, views
from roomcad_core.engine.tensor_rt.session import KEPT_SHAPES, Session

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from onnx import TensorProto, helper  # noqa: E402

SPEC = importlib.util.spec_from_file_location("fake_gpu", Path(__file__).parent / "fake_gpu.py")
fake = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(fake)

IMAGE = (8, 16, 64)  # 32 kB: looked at for changes


@pytest.fixture
def net(tmp_path):
    """total (initialisations, 3) = T * (sum of image) + count; flag is turned round."""

    def tensor(name, kind, shape):
        return helper.make_tensor_value_info(name, kind, shape)

    free = "initialisations"
    inputs = [
        tensor("T", TensorProto.FLOAT, [free, 3]),
        tensor("image", TensorProto.FLOAT, list(IMAGE)),
        tensor("count", TensorProto.INT32, [1]),
        tensor("flag", TensorProto.BOOL, [5]),
    ]
    outputs = [
        tensor("total", TensorProto.FLOAT, [free, 3]), tensor("turned", TensorProto.BOOL, [5])
    ]  # fmt: skip
    nodes = [
        helper.make_node("ReduceSum", ["image"], ["sum"], keepdims=0),
        helper.make_node("Mul", ["T", "sum"], ["product"]),
        helper.make_node("Cast", ["count"], ["number"], to=TensorProto.FLOAT),
        helper.make_node("Add", ["product", "number"], ["total"]),
        helper.make_node("Not", ["flag"], ["turned"]),
    ]
    graph = helper.make_graph(nodes, "net", inputs, outputs)
    path = tmp_path / "net.onnx"
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)
    return path


def feeds(a=1, value=1.0, count=2):
    return {
        "T": np.arange(3 * a, dtype=np.float32).reshape(a, 3),
        "image": np.full(IMAGE, value / np.prod(IMAGE), np.float32),
        "count": np.array([count], np.int32),
        "flag": np.array([True, False, True, True, False]),
    }


def check(session, f, value, count=2):
    out = session(f)
    np.testing.assert_allclose(out["total"], f["T"] * value + count, rtol=1e-5)
    np.testing.assert_array_equal(out["turned"], ~f["flag"])


@pytest.fixture
def device():
    return fake.FakeDevice()


def make_session(net, device):
    api = fake.FakeTensorRt(device).api()
    return Session(api, device, net.read_bytes(), profiles_of(net), read_axes(net))


def test_a_plan_is_described_by_the_names_of_its_file(net, device):
    session = make_session(net, device)
    assert {n: str(s) for n, s in session.inputs.items()} == {
        "T": "float32 (initialisations, 3)", "image": "float32 (8, 16, 64)",
        "count": "int32 (1)", "flag": "bool (5)",
    }  # fmt: skip
    assert str(session.outputs["total"]) == "float32 (initialisations, 3)"


@pytest.mark.parametrize("no_graphs", [False, True])
def test_results_are_right_whatever_changes_and_in_whatever_shape(net, no_graphs, caplog):
    session = make_session(net, fake.FakeDevice(no_graphs))
    for a, value in ((1, 1), (4, 1), (4, 3), (1, 3), (1, 5), (16, 5), (4, 5), (1, 1)):
        check(session, feeds(a, value), value)
        check(session, feeds(a, value, count=7), value, 7)
    assert ("no CUDA graph" in caplog.text) == no_graphs


def test_an_image_that_stays_is_uploaded_once_and_inputs_go_up_in_one_copy(net, device):
    session = make_session(net, device)
    image, rest = np.prod(IMAGE) * 4, 3 * ALIGNMENT
    session(feeds())
    uploads = device.the_stream.uploads
    assert uploads == [image + rest]
    for count in (3, 4):
        check(session, feeds(count=count), 1, count)
    assert uploads[1:] == [rest, rest]
    check(session, feeds(a=4), 1)  # its place does not depend on the shapes
    assert uploads[3:] == [rest]
    check(session, feeds(value=2), 2)
    assert uploads[4:] == [image + rest]


def test_an_array_that_was_changed_in_place_is_uploaded_again(net, device):
    session, same = make_session(net, device), feeds()
    check(session, same, 1)
    same["image"] *= 2
    check(session, same, 2)
    same["image"] = same["image"].transpose(1, 0, 2).copy().transpose(1, 0, 2)  # not contiguous
    check(session, same, 2)


def test_after_a_failed_upload_everything_is_uploaded_again(net, device, monkeypatch):
    session, stream = make_session(net, device), device.the_stream
    session(feeds())

    def fails(*args):
        raise fake.CudaError("cuMemcpyHtoDAsync_v2: error 700")

    with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="error 700"):
        patch.setattr(stream, "upload", fails)
        session(feeds(value=2))
    stream.uploads.clear()
    check(session, feeds(value=2), 2)  # by now it lies in the page-locked memory, unchanged
    assert stream.uploads == [np.prod(IMAGE) * 4 + 3 * ALIGNMENT]


def test_every_shape_is_captured_once_and_then_launched(net, device):
    session = make_session(net, device)
    for a in (1, 4, 1, 4, 1):
        session(feeds(a))
    assert device.the_stream.launches == 5 and len(session._shaped) == 2
    for a in range(1, 17):
        session(feeds(a))
    assert len(session._shaped) == 16 <= KEPT_SHAPES


def test_shapes_beyond_those_that_are_kept_are_made_anew(net, device, monkeypatch):
    monkeypatch.setattr("roomcad_core.engine.tensor_rt.session.KEPT_SHAPES", 2)
    session = make_session(net, device)
    for a in (1, 2, 3, 1, 2, 3):
        check(session, feeds(a), 1)
    assert len(session._shaped) == 2


def test_results_stay_as_they_are_when_the_engine_runs_again(net, device):
    session = make_session(net, device)
    first = session(feeds())["total"]
    session(feeds(value=9))
    np.testing.assert_allclose(first, feeds()["T"] + 2, rtol=1e-5)


def test_the_tracking_profile_is_taken_for_one_initialisation(net, device):
    session = make_session(net, device)
    session(feeds(1))
    session(feeds(4))
    assert [shaped.context.profile for shaped in session._shaped.values()] == [0, 1]


def test_sizes_that_the_plan_was_not_made_for_are_refused_with_what_it_was(net, device):
    session = make_session(net, device)
    with pytest.raises(ValueError, match="initialisations 17, expected initialisations 1 to 16"):
        session(feeds(17))
    check(session, feeds(16), 1)


def test_memory_is_allocated_once_and_given_back(net, device):
    session = make_session(net, device)
    before = list(device.memory), list(device.host)
    for a in (1, 16, 4):
        session(feeds(a))
    assert (list(device.memory), list(device.host)) == before
    assert [len(block) for block in device.memory.values()][0] >= np.prod(IMAGE) * 4
    del session
    gc.collect()
    assert not device.memory and not device.host and device.closed


def test_a_gpu_without_room_keeps_nothing(net):
    device = fake.FakeDevice(memory=1 << 12)
    with pytest.raises(fake.CudaError, match="out of memory"):
        make_session(net, device)
    gc.collect()
    assert not device.memory and not device.host


def test_the_time_on_the_gpu_is_taken_with_and_without_the_upload(net, device):
    session = make_session(net, device)
    session(feeds())
    device.the_stream.uploads.clear()
    assert session.gpu_milliseconds(feeds(), upload=False) == 0.5
    rest = 3 * ALIGNMENT
    assert device.the_stream.uploads == [rest]
    session.gpu_milliseconds(feeds(), upload=True)
    assert device.the_stream.uploads[1:] == [rest, np.prod(IMAGE) * 4 + rest]


# --- the whole back-end


@pytest.fixture
def plans(monkeypatch, tmp_path, device):
    """A machine with the stand-ins, where "building" is counted; its plan is the ONNX file."""
    trt = fake.FakeTensorRt(device)
    built = []

    def build_plan(api, path, precision, timing=None):
        built.append((path.name, precision, timing))
        return path.read_bytes(), b"timings"

    class Api(type(trt.api())):
        def __str__(self):
            return "tensorrt 10.9"

    api = Api(**vars(trt.api()))
    monkeypatch.setenv("ROOMCAD_ENGINES", str(tmp_path / "engines"))
    monkeypatch.setattr(engine_module, "open_device", lambda: device)
    monkeypatch.setattr(engine_module, "load_api", lambda: api)
    monkeypatch.setattr(engine_module, "build_plan", build_plan)
    built_and_trt = type("Plans", (), {"built": built, "trt": trt, "folder": tmp_path / "engines"})
    return built_and_trt


def test_the_engine_keeps_the_contract_and_builds_once(net, plans):
    for _ in range(2):
        engine = TensorRtEngine(net, precision="f16")
        assert (engine.name, engine.precision) == ("tensorrt", "f16")
        check(engine, feeds(4, 2), 2)
    assert plans.built == [("net.onnx", "f16", b"")]
    with pytest.raises(ValueError, match="'count': got int64"):
        engine(feeds() | {"count": np.array([1])})
    files = sorted(path.name for path in plans.folder.iterdir())
    assert [f for f in files if f.endswith(".engine")] == [
        f"net-{engine_module.sha256_of(net)[:12]}-tensorrt_10.9-Fake_GPU_sm89-f16.engine"
    ]


def test_what_a_build_has_learnt_about_the_gpu_helps_the_next_one(net, plans):
    TensorRtEngine(net, precision="f16")
    TensorRtEngine(net, precision="f32")
    assert [timing for _, _, timing in plans.built] == [b"", b"timings"]
    (cache,) = plans.folder.glob("*.timing")
    cache.write_bytes(b"damaged")
    TensorRtEngine(net, precision="bf16")
    assert plans.built[-1] == ("net.onnx", "bf16", b"")


def test_another_version_of_the_network_gets_another_plan(net, plans):
    check(TensorRtEngine(net), feeds(), 1)
    model = onnx.load(net)
    model.graph.node[1].op_type = "Sub"
    onnx.save(model, net)
    out = TensorRtEngine(net)(feeds(value=5))
    np.testing.assert_allclose(out["total"], feeds()["T"] - 5 + 2, rtol=1e-5)
    assert len(plans.built) == 2


def test_a_stored_plan_that_is_refused_is_built_once_more(net, plans, caplog):
    TensorRtEngine(net)
    good = net.read_bytes()
    (path,) = plans.folder.glob("*.engine")
    key = engine_module.plan_key(engine_module.load_api(), fake.FakeDevice(), net, "f32")
    engine_module.store(path, key.about(), b"a plan of yesterday's driver")
    plans.trt.refused = [b"a plan of yesterday's driver"]
    check(TensorRtEngine(net), feeds(), 1)
    assert "built again: tensorrt 10.9 does not load it on Fake GPU: fake reason" in caplog.text
    assert len(plans.built) == 2
    plans.trt.refused = [good]
    with pytest.raises(ValueError, match="net.onnx: .* does not load it on Fake GPU: fake reason"):
        TensorRtEngine(net)
    assert len(plans.built) == 3


def test_a_plan_that_is_refused_when_new_is_not_built_twice(net, plans):
    plans.trt.refused = [net.read_bytes()]
    with pytest.raises(ValueError, match="does not load it"):
        TensorRtEngine(net)
    assert len(plans.built) == 1


def test_a_gpu_without_bfloat16_keeps_float32_and_says_so(net, plans, device):
    device.capability = (7, 5)
    assert TensorRtEngine(net, precision="bf16").precision == "f32"
    assert TensorRtEngine(net, precision="f16").precision == "f16"


def test_a_gpu_without_room_is_a_clear_error(net, plans, device):
    device._left = 100
    with pytest.raises(ValueError, match="net.onnx: TensorRT on Fake GPU: .* out of memory"):
        TensorRtEngine(net)


# --- memory


def test_tensors_lie_apart_at_multiples_of_the_alignment():
    f, b = np.dtype(np.float32), np.dtype(bool)
    places, size = offsets({"a": (f, (65,)), "b": (b, (3,)), "c": (f, ())})
    assert (places, size) == ({"a": 0, "b": 512, "c": 768}, 1024)


def test_views_cover_the_memory_they_are_made_of():
    memory = np.zeros(1024, np.uint8)
    arrays, _ = views(memory.ctypes.data, {"a": (np.dtype("i4"), (2, 2)), "b": (np.dtype("?"), 3)})
    arrays["a"][...] = 1
    arrays["b"][...] = True
    assert memory.nonzero()[0].tolist() == [0, 4, 8, 12, 256, 257, 258]


def test_a_writer_tells_what_changed_bit_by_bit():
    writer, target = Writer(), np.zeros(3, np.float32)
    assert not writer.write(target, np.zeros(3, np.float32))
    assert writer.write(target, np.float32([0, np.nan, -0.0]))
    assert not writer.write(target, np.float32([0, np.nan, -0.0]))
    np.testing.assert_array_equal(target, np.float32([0, np.nan, 0]))
