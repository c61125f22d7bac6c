"""Inference engines with one contract: engine(dict of arrays) -> dict of arrays.

A back-end is a subclass of Engine that is made from an ONNX file (path, threads, precision) and
has `inputs`, `outputs` (name -> TensorSpec) and `_run(feeds)`; tensorrt is a further entry of
ENGINES.
"""

from roomcad_core.config import PRECISIONS
from roomcad_core.engine.base import ROUGH, Engine, TensorSpec, check_feeds
from roomcad_core.engine.choose import ENGINES, PREFERRED, make_engine
from roomcad_core.engine.files import sha256_of, verify
from roomcad_core.engine.onnx_runtime import OnnxRuntimeEngine
from roomcad_core.engine.open_vino import OpenVinoEngine

__all__ = [
    "ENGINES",
    "PRECISIONS",
    "PREFERRED",
    "ROUGH",
    "Engine",
    "OnnxRuntimeEngine",
    "OpenVinoEngine",
    "TensorSpec",
    "check_feeds",
    "make_engine",
    "sha256_of",
    "verify",
]
