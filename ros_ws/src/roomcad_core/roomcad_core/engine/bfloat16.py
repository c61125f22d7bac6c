"""Whether bfloat16 is worth its rounding on this CPU.

That a CPU has AVX-512 BF16 says little: some multiply no faster with it than in float32, and lose
time with the conversions.
"""

import time
from functools import cache

import numpy as np

ROWS, WIDTH = 1024, 256  # of a matrix product like those of the networks
LAYERS = 2  # products in a row
ROUNDS = 8  # the fastest of these counts, as other processes may be starting
GAIN = 1.1  # times as fast as float32, at least


def supported():
    """Whether the CPU has instructions for it (AVX-512 BF16 or AMX)."""
    import openvino

    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


@cache
def pays():
    """Whether OpenVINO multiplies matrices faster in bfloat16 than in float32; measured once."""
    import openvino

    if not supported():
        return False
    core = openvino.Core()
    requests = [_request(core, kind) for kind in (openvino.Type.f32, openvino.Type.bf16)]
    x = np.random.default_rng(0).uniform(-1, 1, (ROWS, WIDTH)).astype(np.float32)
    seconds = [[_seconds(request, x) for request in requests] for _ in range(ROUNDS)]
    exact, rough = np.min(seconds, axis=0)
    return bool(exact > GAIN * rough)


def _request(core, kind):
    """Inference request, one thread, of matrix products in this openvino.Type."""
    from openvino import Model, Type, opset13

    weights = np.random.default_rng(1).uniform(-0.1, 0.1, (WIDTH, WIDTH)).astype(np.float32)
    given = opset13.parameter([ROWS, WIDTH], Type.f32)
    out = opset13.convert(given, kind)
    for _ in range(LAYERS):
        out = opset13.relu(opset13.matmul(out, opset13.constant(weights, kind), False, False))
    model = Model([opset13.convert(out, Type.f32)], [given])
    settings = {"INFERENCE_NUM_THREADS": 1, "INFERENCE_PRECISION_HINT": "f32"}
    return core.compile_model(model, "CPU", settings).create_infer_request()


def _seconds(request, x):
    start = time.perf_counter()
    request.infer([x], share_inputs=True)
    return time.perf_counter() - start
