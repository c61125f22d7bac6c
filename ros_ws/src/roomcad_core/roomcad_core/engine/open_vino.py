"""OpenVINO: the fastest on CPUs, and the only one that makes use of bfloat16 there."""

import os
import threading

import numpy as np

from roomcad_core.engine import bfloat16
from roomcad_core.engine.base import ROUGH, Engine, TensorSpec, named_axes
from roomcad_core.engine.onnx_axes import read_axes

ANY = None  # stands for all sizes that a model was not compiled for


class OpenVinoEngine(Engine):
    """OpenVINO on the CPU."""

    name = "openvino"

    def __init__(self, path, threads=0, precision="f32", sizes=()):
        """Load an ONNX file.

        Args:
            path: ONNX file.
            threads: threads inside an operator, 0 = all cores but one: its threads wait for each
                other, which takes long where one of them shares its core with another node.
            precision: "bf16" lets ROUGH nodes be computed in bfloat16; that is done where it is
                faster on this CPU (then the attribute `precision` says so).
        """
        try:
            import openvino
        except ImportError:
            raise ImportError("OpenVINO is missing: pip install openvino") from None
        core = openvino.Core()
        fast = precision == "bf16" and bfloat16.pays()
        self.precision = "bf16" if fast else "f32"
        hint = "f32"
        try:
            model = core.read_model(str(path))
            if fast and not convert_rough(model):
                hint = "bf16"
            if any(op.get_type_name() == "FakeQuantize" for op in model.get_ops()):
                self.precision = "int8"
            self._compile = lambda m: core.compile_model(m, "CPU", settings(threads, hint))
            axes = read_axes(path)
            inputs, outputs = (
                dict(_spec(path, tensor, axes) for tensor in tensors)
                for tensors in (model.inputs, model.outputs)
            )
            super().__init__(path, inputs, outputs)
            self._model, self._lock, self._free = model, threading.Lock(), free_axes(inputs)
            sizes = sizes if self._free and sizes else (ANY,)
            self._requests = {size: self._request(size) for size in sizes}
        except RuntimeError as error:
            raise ValueError(f"{path}: not a model that OpenVINO can run: {error}") from None

    def _request(self, size):
        """Inference request of the model compiled for free axes of one size, or of ANY."""
        if size is ANY:
            return self._compile(self._model).create_infer_request()
        shapes = {name: list(spec.shape) for name, spec in self.inputs.items()}
        for name, axis in self._free:
            shapes[name][axis] = size
        fixed = self._model.clone()
        fixed.reshape(shapes)
        return self._compile(fixed).create_infer_request()

    def _run(self, feeds):
        sizes = {feeds[name].shape[axis] for name, axis in self._free}
        (size,) = sizes if len(sizes) == 1 else (ANY,)
        size = size if size in self._requests else ANY
        # A request holds one call's tensors; those of its outputs are overwritten by the next.
        with self._lock:
            try:
                if size not in self._requests:
                    self._requests[size] = self._request(size)
                out = self._requests[size].infer(feeds, share_inputs=True)
            except RuntimeError as error:
                raise ValueError(f"{self.path.name}: OpenVINO: {error}") from None
            return {name: np.array(out[name]) for name in self.outputs}


def settings(threads, precision):
    """Configuration for a CPU whose cores are shared with other processes."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": 1,
        "INFERENCE_NUM_THREADS": threads or max(1, cores - 1),
        "ENABLE_CPU_PINNING": False,  # a pinned thread cannot step aside for another process
        "INFERENCE_PRECISION_HINT": precision,
    }


def convert_rough(model):
    """Change the ROUGH nodes of an openvino.Model to bfloat16; False if it has none.

    Conversions are put where data enters or leaves them, and everything else stays float32. (The
    precision hint would take the whole graph, positions in pixels and metres included.)
    """
    rough = _rough_names(model)
    if rough:
        _convert_edges(model, rough)
        model.validate_nodes_and_infer_types()
    return bool(rough)


def _rough_names(model):
    """Names of ROUGH nodes and of those that were one ONNX node with them."""
    nodes = model.get_ordered_ops()
    rough = {n.get_friendly_name() for n in nodes if n.get_friendly_name().startswith(ROUGH)}
    for node in reversed(nodes):
        # ONNX names hold a slash; what OpenVINO has split off a node has a name without.
        name, users = node.get_friendly_name(), _users(node)
        inner = "/" not in name and users and node.get_type_name() not in ("Constant", "Parameter")
        if inner and all(user.get_friendly_name() in rough for user in users):
            rough.add(name)
    return rough


def _convert_edges(model, rough):
    """Conversions on all edges of floats into and out of the nodes of these names."""
    from openvino import Type

    made = {}
    for node in model.get_ordered_ops():
        inside = node.get_friendly_name() in rough
        for edge in node.inputs():
            source = edge.get_source_output()
            leaves = source.get_node().get_friendly_name() in rough
            if leaves == inside or source.get_element_type() != Type.f32:
                continue
            edge.replace_source_output(_converted(source, Type.bf16 if inside else Type.f32, made))


def _converted(source, kind, made):
    """Output of a conversion of an output; there is one for all its users."""
    from openvino import opset13

    key = source.get_node().get_friendly_name(), source.get_index()
    if key not in made:
        made[key] = opset13.convert(source, kind).output(0)
    return made[key]


def free_axes(specs):
    """[(name, axis)] of all axes of {name: TensorSpec} that have no fixed size."""
    axes = ((name, *axis) for name, spec in specs.items() for axis in enumerate(spec.shape))
    return [(name, axis) for name, axis, size in axes if isinstance(size, str)]


def _users(node):
    return [edge.get_node() for out in node.outputs() for edge in out.get_target_inputs()]


def _spec(path, tensor, axes):
    """Name and TensorSpec of an OpenVINO input or output; `axes` is that of read_axes."""
    # A tensor that the graph passes on unchanged has several names.
    name = next((name for name in axes if name in tensor.names), tensor.any_name)
    if tensor.partial_shape.rank.is_dynamic:
        raise ValueError(f"{path}: {name!r}: got any number of axes, expected a fixed number")
    sizes = [None if d.is_dynamic else d.get_length() for d in tensor.partial_shape]
    named = axes.get(name, ())
    if len(named) == len(sizes):
        both = zip(sizes, named, strict=True)
        sizes = [a if isinstance(b, int) or a is not None else b for a, b in both]
    dtype = np.dtype(tensor.element_type.to_dtype())
    return name, TensorSpec(dtype, named_axes(name, sizes))
