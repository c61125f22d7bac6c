"""How fast the exported loop is: against eager torch, on every back-end, with random weights.

The reference is what one would write first: sixteen passes of the network in its textbook form
(float32, one initialisation at a time, their sparse inputs included) for four initialisations,
each updated three times and scored. All contenders take turns, so that whatever else runs here
slows all of them alike; processor time is given as well, which depends less on that.
"""

import json
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from tqdm import tqdm

from roomcad_core.engine import ENGINES, make_engine
from roomcad_offline.multi_sparc.config import preset
from roomcad_offline.multi_sparc.export import save_loop
from roomcad_offline.multi_sparc.export_example import example_feeds
from roomcad_offline.multi_sparc.inputs import sample_pattern, view_of
from roomcad_offline.multi_sparc.network import MultiSparc
from roomcad_offline.multi_sparc.pose import Pose, update
from roomcad_offline.multi_sparc.refine import predict

CORES = 2  # what torch and the engines may use
ROUNDS = 7
REFERENCE = "eager torch"
# What is measured: preset, initialisations, updates, whether against eager torch.
CASES = {
    "main": ("main", 4, 3, True),
    "live": ("live", 4, 3, False),
    "live tracking": ("live", 1, 1, False),
}
PRECISIONS = {"openvino": ("f32", "bf16"), "onnxruntime": ("f32",)}


def alignment_speed(rounds=ROUNDS, cores=CORES):
    """{case: {contender: {ms, cpu_ms, ratio_ms, ratio_cpu_ms}}} of one image with all its objects.

    Args:
        rounds: how often everything is measured.
        cores: threads of torch and of the engines.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(cores)
    try:
        return {"cores": cores} | {case: _figures(case, rounds, cores) for case in CASES}
    finally:
        torch.set_num_threads(before)


def _figures(case, rounds, cores):
    """{contender: figures} of one of the CASES."""
    name, initialisations, n, against_torch = CASES[case]
    torch.manual_seed(0)
    network = MultiSparc(preset(name), absorbed=False).eval().requires_grad_(False)
    feeds = example_feeds(network.config, initialisations)
    runs = {REFERENCE: eager_loop(network, feeds, n)} if against_torch else {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "loop.onnx"
        save_loop(network, n, path)
        for engine in ENGINES:
            for precision in PRECISIONS.get(engine, ()):
                runs |= _engine_run(path, engine, precision, cores, feeds)
    figures = take_turns(case, runs, rounds)
    for values in figures.values() if against_torch else ():
        for key in ("ms", "cpu_ms"):
            ratio = figures[REFERENCE][key] / values[key]
            values[f"ratio_{key}"] = round(ratio, 2)
    return figures


def _engine_run(path, engine, precision, cores, feeds):
    """{name: function} of a back-end; empty where it is not installed or has no such precision."""
    try:
        loaded = make_engine(path, engine, cores, precision, sizes=(len(feeds["T"]),))
    except ImportError as error:
        print(f"speed: {engine} left out: {error}")
        return {}
    if loaded.precision != precision:
        print(f"speed: {engine} {precision} left out: this CPU has no instructions for it")
        return {}
    return {f"{engine} {precision}": lambda: loaded(feeds)}


def eager_loop(network, feeds, n):
    """Function that refines and scores one initialisation after the other in torch."""
    config, times = network.config, len(feeds["T"])
    pattern = sample_pattern(config.inputs.n_bbox)
    tensors = {name: torch.from_numpy(array)[None] for name, array in feeds.items()}
    starts = [Pose(*(tensors[name][:, k] for name in "TRS")) for k in range(times)]

    @torch.inference_mode()
    def run():
        view = view_of(SimpleNamespace(**tensors))
        for pose in starts:
            for step in range(n + 1):
                output = predict(network, view, pose, pattern)
                if step < n:
                    pose = update(pose, output, config.network.scale_factor)

    return run


def take_turns(case, runs, rounds):
    """{name: {ms, cpu_ms}}: medians over `rounds` in which every function is called once."""
    times = {name: [] for name in runs}
    for index in tqdm(range(rounds + 1), f"speed {case}", unit="round"):
        for name, run in runs.items():
            wall, cpu = time.perf_counter(), time.process_time()
            run()
            spent = time.perf_counter() - wall, time.process_time() - cpu
            if index:  # the first call allocates
                times[name].append(spent)
    medians = {name: 1000 * np.median(spent, 0) for name, spent in times.items()}
    return {
        name: {"ms": round(float(wall), 1), "cpu_ms": round(float(cpu), 1)}
        for name, (wall, cpu) in medians.items()
    }


def markdown(record):
    """The figures of alignment_speed as Markdown lines."""
    lines = [
        f"Multi-SPARC, one image with five objects, everything included, {record['cores']} cores:",
        "",
        "| network | initialisations, updates | runs on | median [ms] | processor [ms] | x eager |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for case, (name, initialisations, n, _) in CASES.items():
        for contender, v in record[case].items():
            ratio = v.get("ratio_ms", "")
            what = f"{initialisations}, {n} + scoring"
            lines.append(f"| {name} | {what} | {contender} | {v['ms']} | {v['cpu_ms']} | {ratio} |")
    return lines


def print_speed(rounds=ROUNDS, cores=CORES):
    """Measure, and print the table and the record."""
    record = alignment_speed(rounds, cores)
    print("\n".join(markdown(record)), json.dumps(record), sep="\n\n")
