"""The engines there are, and which one `auto` takes."""

import logging
from pathlib import Path

from roomcad_core.config import PRECISIONS
from roomcad_core.engine.base import Unavailable
from roomcad_core.engine.onnx_runtime import OnnxRuntimeEngine
from roomcad_core.engine.open_vino import OpenVinoEngine
from roomcad_core.engine.tensor_rt import TensorRtEngine

ENGINES = {e.name: e for e in (TensorRtEngine, OpenVinoEngine, OnnxRuntimeEngine)}
PREFERRED = ("tensorrt", "openvino", "onnxruntime")  # what `auto` tries, best first

log = logging.getLogger(__name__)


def make_engine(onnx_path, engine="auto", threads=0, precision="f32", sizes=()):
    """Load an ONNX file into an inference engine.

    Args:
        onnx_path: ONNX file.
        engine: key of ENGINES, or "auto" for the best one that can run the file here; why others
            were left out is logged.
        threads: threads inside one operator, 0 = what suits a machine that other nodes share.
        precision: lowest that is allowed, "f32", "bf16" or "f16"; less than f32 is used where the
            engine and the machine gain by it, and only in the nodes that the file allows it for
            (base.ROUGH).
        sizes: what sizes free axes usually have, for engines that gain by knowing.

    Raises:
        FileNotFoundError: no such file.
        ValueError: unknown engine or precision, or the file is no model that can be run.
        ImportError: the engine's package is not installed, or the machine has no GPU for it.
    """
    if engine != "auto" and engine not in ENGINES:
        raise ValueError(f"engine: got {engine!r}, expected auto or one of {', '.join(ENGINES)}")
    if precision not in PRECISIONS:
        expected = " or ".join(PRECISIONS)
        raise ValueError(f"precision: got {precision!r}, expected {expected}")
    if not Path(onnx_path).is_file():
        raise FileNotFoundError(f"{onnx_path}: no such ONNX file")
    failed = []
    for name in PREFERRED if engine == "auto" else (engine,):
        try:
            loaded = ENGINES[name](onnx_path, threads, precision, sizes)
        except (ImportError, ValueError) as error:
            failed.append(error)
            continue
        _log_choice(loaded, precision, failed)
        return loaded
    broken = any(isinstance(error, ValueError) for error in failed)
    reasons = "; ".join(map(str, failed))
    if engine == TensorRtEngine.name:
        reasons += "; engine: auto takes " + " or ".join(PREFERRED[1:]) + " instead"
    raise (ValueError if broken else ImportError)(reasons)


def _log_choice(loaded, precision, failed):
    """Say what runs a file, in which precision, and why it is not another engine."""
    file = loaded.path.name
    for error in failed:
        # That there is no GPU is no fault; what does not work where it should is one.
        level = logging.INFO if isinstance(error, Unavailable) else logging.WARNING
        log.log(level, "%s: engine left out: %s", file, error)
    slower = loaded.precision == "f32" != precision
    why = f" ({precision} was allowed, but is not faster)" if slower else ""
    log.info("%s: runs on %s in %s%s", file, loaded.name, loaded.precision, why)
