"""A plan running on a GPU: memory allocated once, a CUDA graph for every shape, one copy each way.

Inputs lie behind each other in page-locked memory and at the same offsets on the GPU. Those of
fixed and considerable size, such as images, come first: where none of them has changed since the
last call, only what lies behind them is uploaded.
"""

import logging
import weakref
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

from roomcad_core.engine.tensor_rt.cuda import CudaError
from roomcad_core.engine.tensor_rt.layout import Writer, offsets, views
from roomcad_core.engine.tensor_rt.shapes import (
    fitting_profile,
    largest_shapes,
    load_plan,
    make_context,
    tensor_specs,
)

CONSIDERABLE = 1 << 14  # bytes of an input that is looked at for changes
KEPT_SHAPES = 32  # CUDA graphs at a time

log = logging.getLogger(__name__)


@dataclass
class Shaped:
    """What belongs to one set of input shapes."""

    context: object  # IExecutionContext
    inputs: dict  # name -> array in page-locked memory
    input_size: int  # bytes
    outputs: dict
    output_size: int
    graph: object = None  # of the computation and the download; None = not captured


class Session:
    """Runs a plan. Not for several threads at a time.

    Attributes:
        inputs, outputs: {name: TensorSpec}.
    """

    def __init__(self, api, device, plan, profiles, axes):
        """
        Args:
            api: Api, device: cuda.Device.
            plan: bytes of build.build_plan, profiles: those it was made for.
            axes: {tensor name: sizes and names of its axes}, see onnx_axes.

        Raises:
            PlanRefused: TensorRT does not take the plan.
            cuda.CudaError: the GPU's memory is full, or the like.
        """
        self._api, self._device, self._profiles = api, device, profiles
        self._runtime, self._engine = load_plan(api, device, plan)
        self.inputs, self.outputs = tensor_specs(api, self._engine, axes)
        # Fixed and considerable ones first: their place is then the same for all shapes.
        self._order = sorted(self.inputs, key=self._is_small)
        self._small = [name for name in self._order if self._is_small(name)]
        self._writer = Writer()
        self._staged = False  # whether the considerable inputs of the last call are on the GPU
        self._shaped = OrderedDict()  # input shapes -> Shaped, the last used one at the end
        self._allocate()

    def __call__(self, feeds):
        """{output name: array} of checked feeds.

        Raises:
            ValueError: the plan was not made for these sizes.
            RuntimeError: the GPU failed.
        """
        shaped = self._ready(feeds)
        self._submit(shaped)
        self._stream.synchronize()
        return {name: array.copy() for name, array in shaped.outputs.items()}

    def gpu_milliseconds(self, feeds, upload=True):
        """Time on the GPU of one call: upload (of everything, or not), computation, download."""
        shaped = self._ready(feeds)

        def work():
            if upload:
                self._stream.upload(self._gpu[0], self._host[0], shaped.input_size)
            self._submit(shaped)

        return self._stream.milliseconds(work)

    def _ready(self, feeds):
        """Shaped of these feeds, with the inputs on their way to the GPU."""
        self._device.use()
        shapes = {name: feeds[name].shape for name in self._order}
        key = tuple(shapes.values())
        if key in self._shaped:
            self._shaped.move_to_end(key)
            self._upload(self._shaped[key], feeds)
            return self._shaped[key]
        shaped = self._prepare(shapes)
        self._upload(shaped, feeds)
        self._capture(shaped)
        self._shaped[key] = shaped
        if len(self._shaped) > KEPT_SHAPES:
            drop_graph(self._stream, self._shaped.popitem(last=False)[1])
        return shaped

    def _submit(self, shaped):
        if shaped.graph is None:
            self._compute(shaped)
        else:
            self._stream.launch(shaped.graph)

    def _compute(self, shaped):
        if not shaped.context.execute_async_v3(self._stream.handle):
            raise RuntimeError(f"{self._api} failed: {self._api.messages.take()}")
        self._stream.download(self._host[1], self._gpu[1], shaped.output_size)

    def _upload(self, shaped, feeds):
        """Put the inputs where the GPU copies them from, and have it copy what has changed."""
        changed = not self._staged
        self._staged = False  # should anything fail, the next upload is of everything
        for name in self._order:
            differs = self._writer.write(shaped.inputs[name], feeds[name])
            changed |= differs and name not in self._small
        start = 0
        if not changed:
            first = shaped.inputs[self._small[0]].ctypes.data if self._small else None
            start = shaped.input_size if first is None else first - self._host[0]
        if size := shaped.input_size - start:
            self._stream.upload(self._gpu[0] + start, self._host[0] + start, size)
        self._staged = True

    def _capture(self, shaped):
        """Make the CUDA graph of new shapes; without one the same is done step by step."""
        self._compute(shaped)  # the first time, TensorRT does what cannot be captured
        self._stream.synchronize()
        capturable = getattr(shaped.context, "is_stream_capturable", None)  # of TensorRT-RTX
        try:
            if capturable is not None and not capturable(self._stream.handle):
                raise RuntimeError(f"{self._api} cannot be captured here")
            shaped.graph = self._stream.capture(lambda: self._compute(shaped))
        except RuntimeError as error:
            log.warning("no CUDA graph, so every call takes longer: %s", error)

    def _prepare(self, shapes):
        """Shaped of new shapes."""
        profile = fitting_profile(self._profiles, self.inputs, shapes)
        context = make_context(self._api, self._engine, profile, shapes, self._stream)
        host = [
            views(address, tensors)
            for address, tensors in zip(self._host, self._tensors(context, shapes), strict=True)
        ]
        for (arrays, _), ours, gpu in zip(host, self._host, self._gpu, strict=False):
            for name, array in arrays.items():
                context.set_tensor_address(name, gpu + array.ctypes.data - ours)
        context.set_device_memory(self._gpu[2], self._engine.device_memory_size_v2)
        return Shaped(context, *host[0], *host[1])

    def _tensors(self, context, shapes):
        """{name: (dtype, shape)} of the inputs in order, and of the outputs."""
        outputs = {name: tuple(context.get_tensor_shape(name)) for name in self.outputs}
        inputs = {name: (self.inputs[name].dtype, shapes[name]) for name in self._order}
        return inputs, {name: (self.outputs[name].dtype, s) for name, s in outputs.items()}

    def _is_small(self, name):
        spec = self.inputs[name]
        free = any(isinstance(size, str) for size in spec.shape)
        return free or np.prod(spec.shape) * spec.dtype.itemsize < CONSIDERABLE

    def _allocate(self):
        """All memory: inputs and outputs at their largest, here and there, and working memory."""
        device, self._gpu, self._host = self._device, [], []
        self._stream = device.stream()
        # Registered first: what is allocated is given back, also if not all of it can be had.
        mine = device, self._stream, self._gpu, self._host, self._shaped
        weakref.finalize(self, release, *mine).atexit = False  # the driver may be gone by then
        sizes = self._largest_sizes()
        for size in (*sizes, self._engine.device_memory_size_v2):
            self._gpu.append(device.allocate(size))
        for size in sizes:
            self._host.append(device.allocate_host(size))

    def _largest_sizes(self):
        """Bytes of all inputs and of all outputs at the largest shapes."""
        sizes = []
        for number, profile in enumerate(self._profiles):
            shapes = largest_shapes(profile, self.inputs)
            context = make_context(self._api, self._engine, number, shapes, self._stream)
            sizes.append([offsets(tensors)[1] for tensors in self._tensors(context, shapes)])
        return np.max(sizes, 0).tolist()


def drop_graph(stream, shaped):
    if shaped.graph is not None:
        stream.drop(shaped.graph)


def release(device, stream, gpu, host, all_shaped):
    """Give back what a Session has allocated."""
    device.use()
    try:
        stream.synchronize()
    except CudaError as error:  # after a failure of the GPU nothing works any more
        log.warning("memory of the GPU is not given back: %s", error)
        return
    for shaped in all_shaped.values():
        drop_graph(stream, shaped)
    all_shaped.clear()  # contexts go before the memory that they use
    for address in gpu:
        device.free(address)
    for address in host:
        device.free_host(address)
    stream.close()
