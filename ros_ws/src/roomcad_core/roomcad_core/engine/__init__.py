"""Inference engines with one contract: engine(dict of arrays) -> dict of arrays.

A back-end is a subclass of Engine that is made from an ONNX file (path, threads, precision) and
has `inputs`, `outputs` (name -> TensorSpec) and `_run(feeds)`.
"""

from roomcad_core.config import PRECISIONS
from roomcad_core.engine.base import ROUGH, Engine, TensorSpec, Unavailable, check_feeds
from roomcad_core.engine.choose import ENGINES, PREFERRED, make_engine
from roomcad_core.engine.files import sha256_of, verify
from roomcad_core.engine.onnx_runtime import OnnxRuntimeEngine
from roomcad_core.engine.open_vino import OpenVinoEngine
from roomcad_core.engine.tensor_rt import TensorRtEngine

__all__ = [
    "ENGINES",
    "PRECISIONS",
    "PREFERRED",
    "ROUGH",
    "Engine",
    "OnnxRuntimeEngine",
    "OpenVinoEngine",
    "TensorRtEngine",
    "TensorSpec",
    "Unavailable",
    "check_feeds",
    "make_engine",
    "sha256_of",
    "verify",
]
