"""The networks by themselves: on the CPU, and on the GPU or how to measure it there.

Alone, with more choices: roomcad engine bench.
"""

from pathlib import Path

from roomcad_core.config import PRECISIONS, AlignConfig, ClassifyConfig, SegmentConfig
from roomcad_core.engine.base import Unavailable
from roomcad_core.engine.bench import measure
from roomcad_core.engine.bench_table import markdown
from roomcad_core.engine.shipped import shipped_models
from roomcad_core.library import models_folder

COMMAND = "make setup-tensorrt TENSORRT=tensorrt && make bench"
CPU = {"engine": "openvino", "precisions": ("f32", "bf16"), "rounds": 30, "frames": 10}
GPU = {"engine": "tensorrt", "precisions": PRECISIONS, "rounds": 200, "frames": 50}


def bench_cpu(sequence):
    """Figures of the networks that the stack runs, on one CPU thread as there."""
    names = ClassifyConfig().model, AlignConfig().model, SegmentConfig().model
    files = shipped_models(models_folder(), names)
    record = measure(files, sequence=str(sequence), cameras=(1,), **CPU)
    return record | {"maps": Path(sequence).name}


def bench_gpu(sequence):
    """Figures of every shipped network on the GPU, or why they were not measured."""
    files = shipped_models(models_folder())
    try:
        record = measure(files, sequence=str(sequence), **GPU)
    except Unavailable as error:
        return {"not_run": str(error)}
    return record | {"maps": Path(sequence).name}


def engine_lines(record):
    """{cpu, gpu} figures as Markdown lines."""
    lines = ["Networks by themselves, one CPU thread:", "", *markdown(record["cpu"]).splitlines()]
    if "not_run" in record["gpu"]:
        reason = record["gpu"]["not_run"]
        return [*lines, "", f"GPU: **not measured**: {reason}. There: `{COMMAND}`."]
    return [*lines, "", "GPU:", "", *markdown(record["gpu"]).splitlines()]
