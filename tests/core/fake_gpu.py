"""A GPU and a TensorRT made of NumPy and ONNX Runtime, for tests without one.

A FakeDevice's memory is memory of this computer, so that addresses, offsets, copies and what is
captured are real. A plan of the FakeTensorRt is the ONNX file itself.
"""

import ctypes
import enum
from types import SimpleNamespace

import numpy as np
import onnxruntime

from roomcad_core.engine.onnx_runtime import DTYPES
from roomcad_core.engine.tensor_rt.cuda import CudaError

HANDLE = 77
MEMORY = 1 << 30


class FakeStream:
    """Does things at once, or keeps them while it captures."""

    handle = HANDLE

    def __init__(self, device):
        self._device, self.captured, self.uploads, self.launches = device, None, [], 0

    def do(self, work):
        if self.captured is None:
            work()
        else:
            self.captured.append(work)

    def upload(self, device, host, size):
        self.uploads.append(size)
        self._device.check(device, size)
        self.do(lambda: ctypes.memmove(device, host, size))

    def download(self, host, device, size):
        self._device.check(device, size)
        self.do(lambda: ctypes.memmove(host, device, size))

    def synchronize(self):
        pass

    def capture(self, work):
        if self._device.no_graphs:
            raise CudaError("cuStreamBeginCapture: error 900: not permitted")
        self.captured = []
        work()
        graph, self.captured = self.captured, None
        return graph

    def launch(self, graph):
        self.launches += 1
        for work in graph:
            work()

    def drop(self, graph):
        graph.clear()

    def milliseconds(self, work):
        work()
        return 0.5

    def close(self):
        self._device.closed = True


class FakeDevice:
    """Knows what is allocated; refuses copies outside of it."""

    name, capability, driver_version = "Fake GPU", (8, 9), 12040

    def __init__(self, no_graphs=False, memory=MEMORY):
        self.memory, self.host, self.no_graphs, self.closed = {}, {}, no_graphs, False
        self._left = memory

    def use(self):
        pass

    def allocate(self, size):
        self._left -= size
        if self._left < 0:
            raise CudaError("cuMemAlloc_v2: error 2: out of memory")
        return _allocate(self.memory, size)

    def allocate_host(self, size):
        return _allocate(self.host, size)

    def free(self, address):
        del self.memory[address]

    def free_host(self, address):
        del self.host[address]

    def stream(self):
        self.the_stream = FakeStream(self)
        return self.the_stream

    def check(self, address, size):
        inside = (a <= address and address + size <= a + len(m) for a, m in self.memory.items())
        assert any(inside), "a copy reaches out of the memory of the GPU"


def _allocate(blocks, size):
    block = np.full(max(size, 1), 0xAA, np.uint8)
    blocks[block.ctypes.data] = block
    return block.ctypes.data


class Mode(enum.Enum):
    INPUT, OUTPUT = range(2)


class FakeTensorRt:
    """Stands in for the module tensorrt. `refused`: plans that it does not load."""

    __version__ = "10.9"
    TensorIOMode = Mode
    ExecutionContextAllocationStrategy = SimpleNamespace(USER_MANAGED="given")
    nptype = staticmethod(np.dtype)

    def __init__(self, device, refused=()):
        self._device, self.refused = device, list(refused)

    def Runtime(self, messages):
        return self

    def deserialize_cuda_engine(self, plan):
        if plan in self.refused:
            return None
        return FakeEngine(onnxruntime.InferenceSession(plan), self._device)

    def api(self):
        """Api of it."""
        messages = SimpleNamespace(take=lambda: "fake reason")
        return SimpleNamespace(module=self, flavour="tensorrt", portable=False, messages=messages)


class FakeEngine:
    device_memory_size_v2 = 64

    def __init__(self, session, device):
        self.session, self.device = session, device
        self._modes = {i.name: (Mode.INPUT, i) for i in session.get_inputs()}
        self._modes |= {o.name: (Mode.OUTPUT, o) for o in session.get_outputs()}
        self.num_io_tensors = len(self._modes)

    def get_tensor_name(self, i):
        return list(self._modes)[i]

    def get_tensor_mode(self, name):
        return self._modes[name][0]

    def get_tensor_dtype(self, name):
        return DTYPES[self._modes[name][1].type]

    def get_tensor_shape(self, name):
        return [s if isinstance(s, int) else -1 for s in self._modes[name][1].shape]

    def create_execution_context(self, strategy):
        assert strategy == "given"
        return FakeContext(self)


class FakeContext:
    def __init__(self, engine):
        self._engine, self._shapes, self._addresses, self._scratch = engine, {}, {}, None
        self.profile = None

    def set_optimization_profile_async(self, profile, stream):
        self.profile = profile
        return stream == HANDLE

    def set_input_shape(self, name, shape):
        self._shapes[name] = tuple(shape)
        return True

    def infer_shapes(self):
        zeros = {
            name: np.zeros(shape, self._engine.get_tensor_dtype(name))
            for name, shape in self._shapes.items()
        }
        names = [o.name for o in self._engine.session.get_outputs()]
        results = self._engine.session.run(names, zeros)
        self._shapes |= {n: r.shape for n, r in zip(names, results, strict=True)}
        return []

    def get_tensor_shape(self, name):
        return self._shapes[name]

    def set_tensor_address(self, name, address):
        assert address % 2 == 0
        self._addresses[name] = address
        return True

    def set_device_memory(self, address, size):
        self._engine.device.check(address, size)
        self._scratch = address

    def execute_async_v3(self, handle):
        assert handle == HANDLE and self._scratch is not None
        self._engine.device.the_stream.do(self._run)
        return True

    def _run(self):
        feeds = {i.name: self._array(i.name) for i in self._engine.session.get_inputs()}
        names = [o.name for o in self._engine.session.get_outputs()]
        results = self._engine.session.run(names, feeds)
        for name, result in zip(names, results, strict=True):
            self._array(name)[...] = result

    def _array(self, name):
        dtype = np.dtype(self._engine.get_tensor_dtype(name))
        shape = self._shapes[name]
        size = int(np.prod(shape)) * dtype.itemsize
        self._engine.device.check(self._addresses[name], size)
        block = (ctypes.c_uint8 * size).from_address(self._addresses[name])
        return np.frombuffer(block, dtype).reshape(shape)
