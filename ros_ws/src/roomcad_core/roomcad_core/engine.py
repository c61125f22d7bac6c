"""Inference engines with one contract: engine(dict of arrays) -> dict of arrays.

A back-end is a class with `inputs`, `outputs` (name -> TensorSpec) and `_run(feeds)`; openvino and
tensorrt are further entries of ENGINES.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class TensorSpec:
    """Dtype and shape of one input or output; an axis is a size or the name of a free size."""

    dtype: np.dtype
    shape: tuple[int | str, ...]

    def __str__(self):
        return f"{self.dtype} ({', '.join(map(str, self.shape))})"


class Engine:
    """A loaded network. Calls check their inputs; a wrong one is a ValueError."""

    name = ""  # its key in ENGINES

    def __init__(self, path, inputs, outputs):
        self.path = Path(path)
        self.inputs = inputs
        self.outputs = outputs

    def __call__(self, feeds):
        """Run the network.

        Args:
            feeds: {input name: array of exactly the dtype and shape of `inputs`}.

        Returns:
            {output name: array}.
        """
        check_feeds(self.path.name, self.inputs, feeds)
        return self._run(feeds)

    def _run(self, feeds):
        raise NotImplementedError


def check_feeds(name, inputs, feeds):
    """Raise ValueError, with got and expected, unless `feeds` fits the TensorSpecs `inputs`."""
    if set(feeds) != set(inputs):
        raise ValueError(f"{name}: inputs: got {sorted(feeds)}, expected {sorted(inputs)}")
    sizes = {}
    for key, spec in inputs.items():
        array = feeds[key]
        got = f"{array.dtype} {array.shape}" if isinstance(array, np.ndarray) else type(array)
        message = f"{name}: input {key!r}: got {got}, expected {spec}"
        if not isinstance(array, np.ndarray) or array.dtype != spec.dtype:
            raise ValueError(message)
        if array.ndim != len(spec.shape):
            raise ValueError(message)
        for size, want in zip(array.shape, spec.shape, strict=True):
            # A free size is fixed by its first use: axes of the same name must agree.
            if size != (want if isinstance(want, int) else sizes.setdefault(want, size)):
                also = "" if isinstance(want, int) else f" with {want} = {sizes[want]}"
                raise ValueError(message + also)


class OnnxRuntimeEngine(Engine):
    """ONNX Runtime on the CPU."""

    name = "onnxruntime"

    def __init__(self, path, threads=0):
        """Load an ONNX file; `threads` inside an operator, 0 = all cores."""
        try:
            import onnxruntime
        except ImportError:
            raise ImportError("ONNX Runtime is missing: pip install onnxruntime") from None
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # Spinning threads wait for descheduled partners where nodes share the cores.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # its exceptions share no base class
            raise ValueError(f"{path}: not a model that ONNX Runtime can run: {error}") from None
        inputs = {i.name: _spec(path, i, k) for k, i in enumerate(self._session.get_inputs())}
        outputs = {o.name: _spec(path, o, k) for k, o in enumerate(self._session.get_outputs())}
        super().__init__(path, inputs, outputs)

    def _run(self, feeds):
        names = list(self.outputs)
        return dict(zip(names, self._session.run(names, feeds), strict=True))


DTYPES = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(double)": "float64",
    "tensor(int8)": "int8",
    "tensor(uint8)": "uint8",
    "tensor(int16)": "int16",
    "tensor(uint16)": "uint16",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
    "tensor(bool)": "bool",
}


def _spec(path, node, position):
    """TensorSpec of an ONNX Runtime input or output."""
    if node.type not in DTYPES:
        raise ValueError(f"{path}: {node.name!r}: got {node.type}, expected a tensor of numbers")
    free = (f"{node.name}.{axis}" for axis in range(len(node.shape)))
    shape = tuple(
        size if isinstance(size, (int, str)) else name
        for size, name in zip(node.shape, free, strict=True)
    )
    return TensorSpec(np.dtype(DTYPES[node.type]), shape)


ENGINES = {OnnxRuntimeEngine.name: OnnxRuntimeEngine}
PREFERRED = ("onnxruntime",)  # what `auto` tries, best first


def make_engine(onnx_path, engine="auto", threads=0):
    """Load an ONNX file into an inference engine.

    Args:
        onnx_path: ONNX file.
        engine: key of ENGINES, or "auto" for the best one here.
        threads: threads inside one operator, 0 = all cores.

    Raises:
        FileNotFoundError: no such file.
        ValueError: unknown engine, or the file is no readable model.
        ImportError: the engine's package is not installed.
    """
    if engine != "auto" and engine not in ENGINES:
        raise ValueError(f"engine: got {engine!r}, expected auto or one of {', '.join(ENGINES)}")
    if not Path(onnx_path).is_file():
        raise FileNotFoundError(f"{onnx_path}: no such ONNX file")
    missing = []
    for name in PREFERRED if engine == "auto" else (engine,):
        try:
            return ENGINES[name](onnx_path, threads)
        except ImportError as error:
            missing.append(str(error))
    raise ImportError("; ".join(missing))


def verify(path, sha256):
    """Raise ValueError unless the file has this SHA-256, as models/manifest.json states it."""
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such model file")
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    got = digest.hexdigest()
    if got != sha256.lower():
        raise ValueError(f"{path}: sha256: got {got}, expected {sha256}")
