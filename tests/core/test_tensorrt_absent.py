"""Without a GPU or without TensorRT: clear words, a fallback, and nothing that could crash."""

import ctypes
import sys

import pytest

from roomcad_core.cli import main
from roomcad_core.engine import TensorRtEngine, Unavailable, make_engine
from roomcad_core.engine.tensor_rt import api, cuda
from roomcad_core.library import models_folder

NET = models_folder() / "pointnet_deployed.onnx"


@pytest.fixture
def no_gpu(monkeypatch):
    """No driver; and importing any TensorRT is an accident, as it may crash then."""
    cuda.open_device.cache_clear()
    monkeypatch.setattr(cuda, "LIBRARY", "libno_such_cuda.so.1")

    def accident(name):
        raise AssertionError(f"{name} imported before the GPU was looked for")

    monkeypatch.setattr(api.importlib, "import_module", accident)
    yield
    cuda.open_device.cache_clear()


@pytest.fixture
def nothing_installed(monkeypatch):
    api._load.cache_clear()
    for flavour in api.FLAVOURS:
        monkeypatch.setitem(sys.modules, flavour, None)
    yield
    api._load.cache_clear()


def test_the_gpu_is_looked_for_before_tensorrt_is_touched(no_gpu):
    with pytest.raises(Unavailable, match="TensorRT needs an NVIDIA GPU: libno_such_cuda.so.1"):
        TensorRtEngine(NET)


def test_asking_for_tensorrt_names_the_fallback_and_auto_takes_it(no_gpu, caplog):
    pytest.importorskip("openvino")
    caplog.set_level("INFO")
    with pytest.raises(ImportError, match="NVIDIA GPU.*; engine: auto takes openvino or onnxrun"):
        make_engine(NET, "tensorrt")
    assert make_engine(NET).name == "openvino"
    assert "pointnet_deployed.onnx: engine left out: TensorRT needs an NVIDIA GPU" in caplog.text


def test_a_driver_without_a_gpu_is_no_gpu(monkeypatch):
    cuda.open_device.cache_clear()

    class Library:
        """Every function fails with error 100, as cuInit does where no GPU is."""

        def __getattr__(self, name):
            class Function:
                def __call__(self, *args):
                    if name == "cuGetErrorString":
                        pointer = ctypes.cast(args[1], ctypes.POINTER(ctypes.c_char_p))
                        pointer[0] = b"no CUDA-capable device is detected"
                        return 0
                    return 100

            function = Function()
            setattr(self, name, function)
            return function

    monkeypatch.setattr(cuda.ctypes, "CDLL", lambda name: Library())
    with pytest.raises(Unavailable, match="cuInit: error 100: no CUDA-capable device is detected"):
        cuda.open_device()
    cuda.open_device.cache_clear()


def test_missing_packages_are_named_with_their_install_commands(nothing_installed):
    with pytest.raises(Unavailable, match="tensorrt is missing: pip install .*; tensorrt_rtx is m"):
        api.load_api()


def test_bindings_without_their_libraries_are_told_from_no_package(monkeypatch):
    def broken(name):
        raise ImportError("libnvonnxparser.so.11: cannot open shared object file")

    api._load.cache_clear()
    monkeypatch.setattr(api.importlib, "import_module", broken)
    with pytest.raises(Unavailable, match="tensorrt cannot be loaded: libnvonnxparser.so.11"):
        api.load_api()
    api._load.cache_clear()


def test_the_commands_say_what_is_missing(monkeypatch, capsys, nothing_installed):
    cuda.open_device.cache_clear()
    monkeypatch.setattr(cuda, "LIBRARY", "libno_such_cuda.so.1")
    assert main(["engine", "build"]) == 1
    error = capsys.readouterr().err
    assert "NVIDIA GPU" in error and "to build without one: tensorrt_rtx is missing: pip" in error
    assert "Nodes run on openvino or onnxruntime (engine: auto)" in error
    assert main(["engine", "bench"]) == 1
    assert "nothing measured: TensorRT needs an NVIDIA GPU" in capsys.readouterr().err
    assert main(["engine", "info"]) == 0
    out = capsys.readouterr().out
    assert "GPU:      none: TensorRT needs an NVIDIA GPU" in out
    assert "TensorRT: none: tensorrt_rtx is missing" in out and "none can be built here" in out
    cuda.open_device.cache_clear()


def test_models_that_do_not_exist_are_named(capsys):
    pytest.importorskip("openvino")
    assert main(["engine", "bench", "nothing", "--engine", "openvino"]) == 1
    assert "manifest.json: models: no ['nothing'], it has" in capsys.readouterr().err
