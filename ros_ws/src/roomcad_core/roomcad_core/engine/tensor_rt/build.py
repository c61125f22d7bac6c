"""An ONNX file becomes a plan: what TensorRT has found to be the fastest way to compute it."""

from pathlib import Path

from tqdm import tqdm

from roomcad_core.engine.onnx_axes import read_axes
from roomcad_core.engine.tensor_rt.precision import low_precision

# Free axes: (least, usual, most) size of every profile. A plan is tuned to the usual sizes.
AXES = {
    "initialisations": ((1, 1, 1), (1, 4, 16)),  # a tracked object has one
    "batch": ((1, 8, 128),),  # clouds; crop_network splits more of them
    "n": ((1, 512, 1024),),  # points of a cloud
}
RECIPE = 1  # raise it when plans of the same file come out differently


def profiles_of(path):
    """[{free axis: (least, usual, most)}] that a plan of this ONNX file is made for.

    Raises:
        ValueError: no ONNX file, or it has a free axis that is not in AXES.
    """
    axes = read_axes(path)
    free = {size for shape in axes.values() for size in shape if isinstance(size, str)}
    if unknown := sorted(free - set(AXES)):
        raise ValueError(
            f"{path}: TensorRT has to know sizes beforehand: got the free axes {unknown},"
            f" expected some of {sorted(AXES)}"
        )
    count = max((len(AXES[name]) for name in free), default=1)
    return [
        {name: AXES[name][min(i, len(AXES[name]) - 1)] for name in sorted(free)}
        for i in range(count)
    ]


def build_plan(api, path, precision, timing=None):
    """Plan (bytes) of an ONNX file; with TensorRT-RTX this needs no GPU.

    Args:
        api: Api.
        path: ONNX file.
        precision: of its ROUGH nodes, "f32", "f16" or "bf16".
        timing: timing cache (bytes, b"" = none yet) of the same TensorRT and GPU; None = no cache.

    Returns:
        the plan, and the timing cache with what was learnt (None without one).

    Raises:
        ValueError: TensorRT cannot build a plan of this file; the message has its reasons.
    """
    trt, path = api.module, Path(path)
    profiles = profiles_of(path)
    api.messages.take()
    try:
        builder = trt.Builder(api.messages)
        network = builder.create_network(network_flags(trt))
    except (RuntimeError, TypeError) as error:  # no object was made
        raise ValueError(f"{api} has no builder: {error}: {api.messages.take()}") from None
    parse(api, network, low_precision(path.read_bytes(), precision, path), path)
    config = builder.create_builder_config()
    # TensorFloat-32 keeps 10 bits: 3 mm at 3 m. What may be rough is so in the graph.
    config.clear_flag(trt.BuilderFlag.TF32)
    # TensorRT-RTX: without it a CUDA graph cannot be captured.
    if hasattr(trt.BuilderFlag, "REQUIRE_USER_ALLOCATION"):
        config.set_flag(trt.BuilderFlag.REQUIRE_USER_ALLOCATION)
    for sizes in profiles:
        config.add_optimization_profile(make_profile(builder, network, sizes, read_axes(path)))
    cache = None if timing is None else config.create_timing_cache(timing)
    if cache is not None:
        config.set_timing_cache(cache, ignore_mismatch=False)
    with tqdm(desc=f"{path.name} {precision}", unit="step", disable=None) as bar:
        config.progress_monitor = monitor = progress_monitor(trt, bar)
        plan = builder.build_serialized_network(network, config)
        config.progress_monitor = None
        del monitor  # not earlier: the builder does not hold it
    if plan is None:
        raise ValueError(f"{path}: {api} builds no plan of it: {api.messages.take()}")
    learnt = None if cache is None else bytes(config.get_timing_cache().serialize())
    return bytes(plan), learnt


def network_flags(trt):
    """Everything is computed in the type that the graph says; newer versions know nothing else."""
    strongly = getattr(trt.NetworkDefinitionCreationFlag, "STRONGLY_TYPED", None)
    return 0 if strongly is None else 1 << int(strongly)


def parse(api, network, data, path):
    """Fill a network with an ONNX graph (bytes); `path` is its file, for messages."""
    parser = api.module.OnnxParser(network, api.messages)
    good = parser.parse(data)
    errors = [error_text(parser.get_error(i)) for i in range(parser.num_errors)]
    # Some garbage passes for a graph without anything in it.
    if not good or errors or not network.num_outputs:
        reason = "; ".join(errors[:5]) or api.messages.take()
        raise ValueError(f"{path}: not a model that TensorRT can run: {reason}")


def error_text(error):
    """A ParserError with the node that it is about."""
    node = f"{error.node_operator()} {error.node_name()}".strip()
    return f"{node}: {error.desc()}" if node else error.desc()


def make_profile(builder, network, sizes, axes):
    """Optimisation profile with `sizes` {free axis: (least, usual, most)}."""
    profile = builder.create_optimization_profile()
    for i in range(network.num_inputs):
        name = network.get_input(i).name
        if any(isinstance(size, str) for size in axes[name]):
            shapes = [
                tuple(sizes[s][k] if isinstance(s, str) else s for s in axes[name])
                for k in range(3)
            ]
            profile.set_shape(name, *shapes)
    return profile


def progress_monitor(trt, bar):
    """Shows the phases of a build in a tqdm bar."""

    class Monitor(trt.IProgressMonitor):
        def __init__(self):
            super().__init__()

        def phase_start(self, name, parent, steps):
            bar.total = (bar.total or 0) + steps
            bar.set_postfix_str(name, refresh=False)

        def step_complete(self, name, step):
            bar.update()
            return True

        def phase_finish(self, name):
            bar.refresh()

    return Monitor()
