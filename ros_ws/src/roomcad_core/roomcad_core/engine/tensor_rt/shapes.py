"""Tensors of a loaded plan, which of its profiles shapes fit, and contexts that run them."""

import numpy as np

from roomcad_core.engine.base import TensorSpec


class PlanRefused(ValueError):
    """TensorRT does not load a plan on this GPU."""


def load_plan(api, device, plan):
    """Runtime and ICudaEngine of a plan (bytes).

    Raises:
        PlanRefused: TensorRT does not take it.
    """
    device.use()
    api.messages.take()
    runtime = api.module.Runtime(api.messages)
    engine = runtime.deserialize_cuda_engine(plan)
    if engine is None:
        raise PlanRefused(f"{api} does not load it on {device.name}: {api.messages.take()}")
    return runtime, engine


def tensor_specs(api, engine, axes):
    """{name: TensorSpec} of the inputs and of the outputs.

    Args:
        api: Api, engine: ICudaEngine.
        axes: {tensor name: sizes and names of its axes}, see onnx_axes; names free sizes.
    """
    trt = api.module
    specs = {trt.TensorIOMode.INPUT: {}, trt.TensorIOMode.OUTPUT: {}}
    for name in map(engine.get_tensor_name, range(engine.num_io_tensors)):
        sizes = tuple(engine.get_tensor_shape(name))
        named = axes.get(name, sizes)
        shape = tuple(
            size if size >= 0 else named[i] if isinstance(named[i], str) else f"{name}.{i}"
            for i, size in enumerate(sizes)
        )
        dtype = np.dtype(trt.nptype(engine.get_tensor_dtype(name)))
        specs[engine.get_tensor_mode(name)][name] = TensorSpec(dtype, shape)
    return specs[trt.TensorIOMode.INPUT], specs[trt.TensorIOMode.OUTPUT]


def fitting_profile(profiles, specs, shapes):
    """Number of the first profile that input shapes fit.

    Args:
        profiles: [{free axis: (least, usual, most)}], see build.profiles_of.
        specs: {input name: TensorSpec}, shapes: {input name: shape}.

    Raises:
        ValueError: they fit none.
    """
    sizes = {}
    for name, shape in shapes.items():
        named = zip(specs[name].shape, shape, strict=True)
        sizes |= {axis: size for axis, size in named if isinstance(axis, str)}
    for number, profile in enumerate(profiles):
        if all(profile[axis][0] <= size <= profile[axis][2] for axis, size in sizes.items()):
            return number
    widest = profiles[-1]
    expected = ", ".join(f"{axis} {widest[axis][0]} to {widest[axis][2]}" for axis in sizes)
    got = ", ".join(f"{axis} {size}" for axis, size in sizes.items())
    raise ValueError(
        f"the TensorRT engine was built for other sizes: got {got}, expected {expected}"
    )


def largest_shapes(profile, specs):
    """{input name: shape} at the most that a profile allows."""
    return {
        name: tuple(profile[s][2] if isinstance(s, str) else s for s in spec.shape)
        for name, spec in specs.items()
    }


def make_context(api, engine, profile, shapes, stream):
    """IExecutionContext for {input name: shape}; its working memory has to be given to it.

    Raises:
        ValueError: TensorRT refuses the shapes.
    """
    context = _new_context(api, engine)
    if context is None:
        raise PlanRefused(f"{api} gives no context: {api.messages.take()}")
    good = context.set_optimization_profile_async(profile, stream.handle)
    good = good and all(context.set_input_shape(name, s) for name, s in shapes.items())
    try:
        unknown = context.infer_shapes() if good else list(shapes)
    except RuntimeError as error:
        unknown = [str(error)]
    if unknown:
        raise ValueError(f"{api} refuses the shapes {shapes}: {unknown}: {api.messages.take()}")
    return context


def _new_context(api, engine):
    given = api.module.ExecutionContextAllocationStrategy.USER_MANAGED
    if not hasattr(engine, "create_runtime_config"):
        return engine.create_execution_context(given)
    config = engine.create_runtime_config()
    config.set_execution_context_allocation_strategy(given)
    kernels = getattr(api.module, "DynamicShapesKernelSpecializationStrategy", None)
    if kernels is not None:  # TensorRT-RTX: a captured graph keeps the kernels it was made with
        config.dynamic_shapes_kernel_specialization_strategy = kernels.EAGER
    return engine.create_execution_context(config)
