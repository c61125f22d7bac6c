"""Calls into the driver's library, made to a small C library with the same functions."""

import ctypes
import shutil
import subprocess

import numpy as np
import pytest

from roomcad_core.engine.tensor_rt.cuda import SIGNATURES, CudaError, Device, Driver

# Memory is malloc's, and its addresses have more than 32 bits. Copies are kept while a graph is
# captured. Whatever is not here cannot be bound, which is what a driver that is too old does.
LIBRARY = r"""
#include <stdlib.h>
#include <string.h>
typedef unsigned long long u64;
typedef struct { void *to; void *from; size_t size; } Copy;
static Copy copies[8];
static int count, capturing, live, current;
static u64 limit = 1ull << 40;
int cuInit(unsigned flags) { return flags ? 1 : 0; }
int cuDriverGetVersion(int *v) { *v = 12040; return 0; }
int cuGetErrorString(int code, const char **text) {
  *text = code == 2 ? "out of memory" : 0; return 0; }
int cuDeviceGet(int *d, int i) { *d = 40 + i; return i ? 101 : 0; }
int cuDeviceGetName(char *n, int size, int d) { strncpy(n, "Stub GPU", size); return d != 40; }
int cuDeviceGetAttribute(int *v, int which, int d) {
  *v = which == 75 ? 8 : which == 76 ? 9 : -1; return d != 40; }
int cuDevicePrimaryCtxRetain(void **c, int d) { *c = &current; return d != 40; }
int cuCtxSetCurrent(void *c) { current++; return c != &current; }
int cuMemAlloc_v2(u64 *p, size_t n) {
  if (n > limit) return 2;
  live++; *p = (u64)malloc(n); return 0; }
int cuMemFree_v2(u64 p) { live--; free((void *)p); return 0; }
int cuMemHostAlloc(void **p, size_t n, unsigned f) { live++; *p = malloc(n); return f; }
int cuMemFreeHost(void *p) { live--; free(p); return 0; }
static int copy(void *to, void *from, size_t n) {
  if (capturing) { Copy c = {to, from, n}; copies[count++] = c; } else memcpy(to, from, n);
  return 0; }
int cuMemcpyHtoDAsync_v2(u64 d, void *h, size_t n, void *s) { return copy((void *)d, h, n); }
int cuMemcpyDtoHAsync_v2(void *h, u64 d, size_t n, void *s) { return copy(h, (void *)d, n); }
int cuStreamCreate(void **s, unsigned f) { live++; *s = &live; return f != 1; }
int cuStreamDestroy_v2(void *s) { live--; return s != &live; }
int cuStreamSynchronize(void *s) { return s != &live; }
int cuStreamBeginCapture_v2(void *s, int mode) {
  capturing = 1; count = 0; return s != &live || mode != 1; }
int cuStreamEndCapture(void *s, void **g) { capturing = 0; live++; *g = copies; return 0; }
int cuGraphInstantiateWithFlags(void **e, void *g, u64 f) { live++; *e = g; return f != 0; }
int cuGraphLaunch(void *e, void *s) {
  for (int i = 0; i < count; i++) memcpy(copies[i].to, copies[i].from, copies[i].size);
  return e != copies || s != &live; }
int cuGraphDestroy(void *g) { live--; return g != copies; }
int cuGraphExecDestroy(void *e) { live--; return e != copies; }
int cuEventCreate(void **e, unsigned f) { live++; *e = malloc(8); return f; }
int cuEventRecord(void *e, void *s) { return s != &live; }
int cuEventElapsedTime(float *ms, void *a, void *b) { *ms = a == b ? -1 : 1.5f; return 0; }
int cuEventDestroy_v2(void *e) { live--; free(e); return 0; }
int still_there(void) { return live; }
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler")
    folder = tmp_path_factory.mktemp("cuda")
    (folder / "stub.c").write_text(LIBRARY)
    command = [compiler, "-shared", "-fPIC", "-o", "stub.so", "stub.c"]
    subprocess.run(command, cwd=folder, check=True)
    return ctypes.CDLL(str(folder / "stub.so"))


@pytest.fixture
def device(library):
    before = library.still_there()
    yield Device(Driver(library))
    assert library.still_there() == before, "not everything was given back"


def test_the_gpu_is_described(device):
    assert (device.name, device.capability, device.driver_version) == ("Stub GPU", (8, 9), 12040)
    device.use()


def test_data_goes_to_the_gpu_and_back(device):
    stream, data = device.stream(), np.arange(1000, dtype=np.float32)
    gpu, host = device.allocate(data.nbytes), device.allocate_host(data.nbytes)
    stream.upload(gpu, data.ctypes.data, data.nbytes)
    stream.download(host, gpu, data.nbytes)
    stream.synchronize()
    block = (ctypes.c_float * 1000).from_address(host)
    np.testing.assert_array_equal(np.ctypeslib.as_array(block), data)
    device.free(gpu)
    device.free_host(host)
    stream.close()


def test_a_graph_does_what_was_captured_each_time_it_is_launched(device):
    stream, data, back = device.stream(), np.ones(4, np.float32), np.zeros(4, np.float32)
    gpu = device.allocate(16)

    def work():
        stream.upload(gpu, data.ctypes.data, 16)
        stream.download(back.ctypes.data, gpu, 16)

    graph = stream.capture(work)
    assert back.tolist() == [0] * 4  # nothing is done yet
    for value in (1, 5):
        data[:] = value
        stream.launch(graph)
        assert back.tolist() == [value] * 4
    stream.drop(graph)
    device.free(gpu)
    stream.close()


def test_a_capture_that_fails_does_not_leave_the_stream_capturing(device, library):
    stream = device.stream()

    def fails():
        raise RuntimeError("no plan")

    with pytest.raises(RuntimeError, match="no plan"):
        stream.capture(fails)
    a, b = np.ones(4, np.float32), np.zeros(4, np.float32)
    stream.upload(b.ctypes.data, a.ctypes.data, 16)
    assert b.tolist() == [1] * 4
    stream.close()


def test_time_is_measured_between_two_events(device):
    stream, done = device.stream(), []
    assert stream.milliseconds(lambda: done.append(1)) == 1.5 and done == [1]
    stream.close()


def test_a_failure_is_told_in_the_drivers_words(device):
    with pytest.raises(CudaError, match="cuMemAlloc_v2: error 2: out of memory"):
        device.allocate(1 << 41)
    with pytest.raises(CudaError, match="cuDeviceGet: error 101: unknown"):
        Device(device.driver, index=1)


def test_every_function_that_is_called_has_a_signature(library):
    for name in SIGNATURES:
        assert getattr(library, name)
