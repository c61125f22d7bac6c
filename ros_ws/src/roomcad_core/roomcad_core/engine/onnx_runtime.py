"""ONNX Runtime: runs everywhere, in float32."""

import numpy as np

from roomcad_core.engine.base import Engine, TensorSpec, named_axes

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


class OnnxRuntimeEngine(Engine):
    """ONNX Runtime on the CPU."""

    name = "onnxruntime"

    def __init__(self, path, threads=0, precision="f32", sizes=()):
        """Load an ONNX file.

        Args:
            path: ONNX file.
            threads: threads inside an operator, 0 = all cores.
            precision, sizes: not looked at: all its arithmetic on CPUs is float32.
        """
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
        inputs = {i.name: _spec(path, i) for i in self._session.get_inputs()}
        outputs = {o.name: _spec(path, o) for o in self._session.get_outputs()}
        super().__init__(path, inputs, outputs)

    def _run(self, feeds):
        names = list(self.outputs)
        return dict(zip(names, self._session.run(names, feeds), strict=True))


def _spec(path, node):
    """TensorSpec of an ONNX Runtime input or output."""
    if node.type not in DTYPES:
        raise ValueError(f"{path}: {node.name!r}: got {node.type}, expected a tensor of numbers")
    return TensorSpec(np.dtype(DTYPES[node.type]), named_axes(node.name, node.shape))
