"""The GPU's part of the benchmark; where there is no GPU, how to measure it.

Alone, with more choices: roomcad engine bench.
"""

from roomcad_core.config import PRECISIONS
from roomcad_core.engine.base import Unavailable
from roomcad_core.engine.bench import measure
from roomcad_core.engine.bench_table import markdown
from roomcad_core.engine.shipped import shipped_models
from roomcad_core.library import models_folder

ROUNDS, FRAMES = 200, 50
COMMAND = "make setup-tensorrt TENSORRT=tensorrt && make bench"


def bench_gpu(sequence):
    """Figures of every shipped network on the GPU, or why they were not measured."""
    files = shipped_models(models_folder())
    try:
        return measure(files, "tensorrt", PRECISIONS, ROUNDS, FRAMES, str(sequence))
    except Unavailable as error:
        return {"not_run": str(error)}


def gpu_lines(record):
    """The figures as Markdown lines."""
    if "not_run" in record:
        return [f"GPU: **not measured**: {record['not_run']}. There: `{COMMAND}`."]
    return ["GPU:", "", *markdown(record).splitlines()]
