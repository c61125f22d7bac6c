"""TensorRT and TensorRT-RTX on NVIDIA GPUs: the same code for both, and for versions 10 and 11.

cuda.py       the GPU itself, through NVIDIA's driver library alone
api.py        which of the two is installed, and what it says
precision.py  the ONNX graph with its ROUGH nodes in less than float32
build.py      ONNX file -> plan, which takes seconds to minutes
store.py      plans kept in files that are never trusted blindly
shapes.py     tensors of a loaded plan, and contexts for their shapes
layout.py     where tensors lie in a block of memory
session.py    a plan running: buffers, CUDA graphs, one copy in and one out
engine.py     all that behind the Engine contract
"""

from roomcad_core.engine.tensor_rt.engine import TensorRtEngine

__all__ = ["TensorRtEngine"]
