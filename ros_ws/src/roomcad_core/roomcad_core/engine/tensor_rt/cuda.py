"""An NVIDIA GPU through ctypes and the driver's own library.

Every machine that can run an engine has libcuda.so.1, in a stable form: no CUDA toolkit or package
has to fit its version. The runtime library inside TensorRT uses the same (primary) context.
"""

import contextlib
import ctypes
import functools
from ctypes import byref, c_char_p, c_float, c_int, c_size_t, c_uint, c_uint64, c_void_p

from roomcad_core.engine.base import Unavailable

LIBRARY = "libcuda.so.1"
MAJOR, MINOR = 75, 76  # attributes of a device: its compute capability
THREAD_LOCAL = 1  # other threads may go on using the GPU while a graph is captured
NON_BLOCKING = 1  # a stream that does not wait for the default one
POINTER, OUT = c_void_p, ctypes.POINTER(c_void_p)
SIGNATURES = {
    "cuInit": (c_uint,),
    "cuDriverGetVersion": (ctypes.POINTER(c_int),),
    "cuGetErrorString": (c_int, ctypes.POINTER(c_char_p)),
    "cuDeviceGet": (ctypes.POINTER(c_int), c_int),
    "cuDeviceGetName": (c_char_p, c_int, c_int),
    "cuDeviceGetAttribute": (ctypes.POINTER(c_int), c_int, c_int),
    "cuDevicePrimaryCtxRetain": (OUT, c_int),
    "cuCtxSetCurrent": (POINTER,),
    "cuMemAlloc_v2": (ctypes.POINTER(c_uint64), c_size_t),
    "cuMemFree_v2": (c_uint64,),
    "cuMemHostAlloc": (OUT, c_size_t, c_uint),
    "cuMemFreeHost": (POINTER,),
    "cuMemcpyHtoDAsync_v2": (c_uint64, POINTER, c_size_t, POINTER),
    "cuMemcpyDtoHAsync_v2": (POINTER, c_uint64, c_size_t, POINTER),
    "cuStreamCreate": (OUT, c_uint),
    "cuStreamDestroy_v2": (POINTER,),
    "cuStreamSynchronize": (POINTER,),
    "cuStreamBeginCapture_v2": (POINTER, c_int),
    "cuStreamEndCapture": (POINTER, OUT),
    "cuGraphInstantiateWithFlags": (OUT, POINTER, c_uint64),
    "cuGraphLaunch": (POINTER, POINTER),
    "cuGraphDestroy": (POINTER,),
    "cuGraphExecDestroy": (POINTER,),
    "cuEventCreate": (OUT, c_uint),
    "cuEventRecord": (POINTER, POINTER),
    "cuEventElapsedTime": (ctypes.POINTER(c_float), POINTER, POINTER),
    "cuEventDestroy_v2": (POINTER,),
}


class CudaError(RuntimeError):
    """A call to the driver failed."""


class Driver:
    """The functions of the driver's library; one that fails is a CudaError."""

    def __init__(self, library):
        self._library = library
        for name, kinds in SIGNATURES.items():
            function = getattr(library, name)
            function.argtypes, function.restype = kinds, c_int

    def call(self, name, *args):
        code = getattr(self._library, name)(*args)
        if code:
            text = c_char_p()
            self._library.cuGetErrorString(code, byref(text))
            reason = text.value.decode() if text.value else "unknown"
            raise CudaError(f"{name}: error {code}: {reason}")

    def new(self, name, *args, kind=c_void_p):
        """What a function writes to where its first argument points."""
        out = kind()
        self.call(name, byref(out), *args)
        return out.value


class Device:
    """One GPU.

    Attributes:
        name: as the driver calls it.
        capability: (major, minor) compute capability.
        driver_version: of CUDA, 12040 for 12.4.
    """

    def __init__(self, driver, index=0):
        self.driver = driver
        number = driver.new("cuDeviceGet", index, kind=c_int)
        text = ctypes.create_string_buffer(256)
        driver.call("cuDeviceGetName", text, len(text), number)
        self.name = text.value.decode()
        self.capability = tuple(
            driver.new("cuDeviceGetAttribute", which, number, kind=c_int)
            for which in (MAJOR, MINOR)
        )
        self.driver_version = driver.new("cuDriverGetVersion", kind=c_int)
        self._context = driver.new("cuDevicePrimaryCtxRetain", number)

    def use(self):
        """Make this the GPU of the calling thread."""
        self.driver.call("cuCtxSetCurrent", self._context)

    def allocate(self, size):
        """Address of `size` bytes on the GPU."""
        return self.driver.new("cuMemAlloc_v2", max(size, 1), kind=c_uint64)

    def free(self, address):
        self.driver.call("cuMemFree_v2", address)

    def allocate_host(self, size):
        """Address of `size` bytes of this computer that the GPU copies directly."""
        return self.driver.new("cuMemHostAlloc", max(size, 1), 0)

    def free_host(self, address):
        self.driver.call("cuMemFreeHost", address)

    def stream(self):
        return Stream(self.driver)


class Stream:
    """Work of the GPU that is done one after the other."""

    def __init__(self, driver):
        self._driver = driver
        self.handle = driver.new("cuStreamCreate", NON_BLOCKING)

    def upload(self, device, host, size):
        self._driver.call("cuMemcpyHtoDAsync_v2", device, host, size, self.handle)

    def download(self, host, device, size):
        self._driver.call("cuMemcpyDtoHAsync_v2", host, device, size, self.handle)

    def synchronize(self):
        self._driver.call("cuStreamSynchronize", self.handle)

    def capture(self, work):
        """Graph of what `work()` puts on this stream; nothing of it is done yet."""
        self._driver.call("cuStreamBeginCapture_v2", self.handle, THREAD_LOCAL)
        try:
            work()
        except BaseException:
            with contextlib.suppress(CudaError):  # a stream that goes on capturing is of no use
                self._driver.call("cuGraphDestroy", self._captured())
            raise
        graph = self._captured()
        try:
            return self._driver.new("cuGraphInstantiateWithFlags", graph, 0)
        finally:
            self._driver.call("cuGraphDestroy", graph)

    def _captured(self):
        """The graph of a capture, which ends here."""
        graph = c_void_p()
        self._driver.call("cuStreamEndCapture", self.handle, byref(graph))
        return graph

    def launch(self, graph):
        self._driver.call("cuGraphLaunch", graph, self.handle)

    def drop(self, graph):
        self._driver.call("cuGraphExecDestroy", graph)

    def milliseconds(self, work):
        """How long the GPU takes for what `work()` puts on this stream."""
        marks = [self._driver.new("cuEventCreate", 0) for _ in range(2)]
        try:
            self._driver.call("cuEventRecord", marks[0], self.handle)
            work()
            self._driver.call("cuEventRecord", marks[1], self.handle)
            self.synchronize()
            return self._driver.new("cuEventElapsedTime", *marks, kind=c_float)
        finally:
            for mark in marks:
                self._driver.call("cuEventDestroy_v2", mark)

    def close(self):
        self._driver.call("cuStreamDestroy_v2", self.handle)


@functools.cache
def open_device():
    """The first GPU; asked for once, as it stays what it is.

    Raises:
        Unavailable: there is no driver or no GPU.
    """
    try:
        driver = Driver(ctypes.CDLL(LIBRARY))
        driver.call("cuInit", 0)
        return Device(driver)
    except (OSError, AttributeError, CudaError) as error:
        raise Unavailable(f"TensorRT needs an NVIDIA GPU: {error}") from None
