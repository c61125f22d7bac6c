"""Speed and accuracy of an engine in all its precisions, on this machine, in one go."""

import os
import platform
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from tqdm import tqdm

from roomcad_core.engine.bench_feeds import is_loop, random_feeds, recorded_feeds
from roomcad_core.engine.choose import make_engine
from roomcad_core.engine.roofline import measure_peaks, work_of
from roomcad_core.engine.tensor_rt.cuda import open_device
from roomcad_core.engine.tensor_rt.engine import building_tools

INITIALISATIONS = (4, 1)  # a search, and a track that goes on
BATCHES = (1, 2, 4, 8)  # crops classified at a time
CAMERAS = (1, 2, 4, 8)  # that share the machine
POINTS = 512
NEAR_M, NEAR_DEG = 0.01, 1.0  # poses that count as the same
WARM_UP = 5


def measure(files, engine, precisions, rounds, frames, sequence=None, cameras=CAMERAS):
    """Everything there is to know, as a JSON-ready dict.

    Args:
        files: [Shipped].
        engine: key of ENGINES.
        precisions: of config.PRECISIONS; results are compared with those of f32.
        rounds: calls that are timed, frames: inputs whose results are compared.
        sequence: dataset whose frames the alignment loop gets; None = random maps.
        cameras: numbers of cameras whose images are aligned at the same time.

    Raises:
        ImportError: this machine cannot run the engine.
    """
    about = machine(engine)
    precisions = list(dict.fromkeys(("f32", *precisions)))
    peaks = {p: measure_peaks(engine, p) for p in tqdm(precisions, "peaks", disable=None)}
    results = []
    for file in files:
        exact = make_engine(file.onnx, engine)
        loop = is_loop(exact.inputs)
        recorded = recorded_feeds(sequence, file, frames) if sequence and loop else []
        usual = INITIALISATIONS if loop else ()
        for precision in (p for p in precisions if peaks[p]):
            loaded = make_engine(file.onnx, engine, precision=precision, sizes=usual)
            for sizes in cases(exact.inputs):
                feeds = [sliced(f, sizes) for f in recorded] or [
                    random_feeds(exact.inputs, sizes, seed) for seed in range(frames)
                ]
                name = f"{file.onnx.name} {precision} {' '.join(map(str, sizes.values()))}"
                row = {"file": file.onnx.name, "precision": precision, "sizes": sizes}
                row |= speed(loaded, feeds, rounds, name)
                row["floor_ms"] = floor_ms(file.onnx, sizes, peaks[precision])
                row |= agreement(exact, loaded, feeds)
                if loop:
                    row["cameras"] = by_cameras(loaded, feeds, rounds, cameras)
                results.append(row)
    maps = str(sequence) if sequence else "random"
    return {"machine": about, "rounds": rounds, "maps": maps, "peaks": peaks, "results": results}


def cases(inputs):
    """[{free axis: size}] that an engine with these inputs is measured at."""
    free = {s for spec in inputs.values() for s in spec.shape if isinstance(s, str)}
    if is_loop(inputs):
        return [{"initialisations": count} for count in INITIALISATIONS]
    if not free <= {"batch", "n"}:
        raise ValueError(f"free axes: got {sorted(free)}, expected batch and n")
    sizes = [{"batch": batch, "n": POINTS} for batch in BATCHES] if free else [{}]
    return [{k: v for k, v in case.items() if k in free} for case in sizes]


def sliced(feeds, sizes):
    """Recorded feeds with only the first initialisations."""
    count = sizes["initialisations"]
    return feeds | {name: np.ascontiguousarray(feeds[name][:count]) for name in "TRS"}


def speed(engine, feeds, rounds, name):
    """Milliseconds of calls with a new image each time, and of calls that differ in poses only."""
    same = [f | {k: v for k, v in feeds[0].items() if k not in "TRS"} for f in feeds]
    out = {}
    for key, taken in (("new", feeds[:2]), ("same", same[:2])):
        times = []
        for i in tqdm(range(WARM_UP + rounds), f"{name}, {key} image", disable=None, leave=False):
            start = time.perf_counter()
            engine(taken[i % len(taken)])
            times.append(1000 * (time.perf_counter() - start))
        out[f"{key}_ms"] = _statistics(times[WARM_UP:])
        if hasattr(engine, "gpu_milliseconds"):
            upload = key == "new"
            times = [engine.gpu_milliseconds(taken[0], upload) for _ in range(WARM_UP + rounds)]
            out[f"{key}_gpu_ms"] = _statistics(times[WARM_UP:])
    return out


def _statistics(times):
    median, p95 = np.percentile(times, (50, 95))
    return {"median": round(float(median), 4), "p95": round(float(p95), 4)}


def floor_ms(path, sizes, peaks):
    """Milliseconds that one call takes at least, by operations or by bytes."""
    operations, moved = work_of(path, sizes)
    return round(1000 * max(operations / peaks["operations"], moved / peaks["bytes"]), 4)


def by_cameras(engine, feeds, rounds, cameras):
    """{number of cameras: images a second of all of them}."""
    alike = [engine]
    while len(alike) < max(cameras):  # an engine of its own for each, as in a process each
        alike.append(make_engine(engine.path, engine.name, precision=engine.precision))
    return {str(count): _frame_rate(alike[:count], feeds, rounds // count + 1) for count in cameras}


def _frame_rate(engines, feeds, rounds):
    def camera(engine):
        for i in range(rounds):
            engine(feeds[i % len(feeds)])

    with ThreadPoolExecutor(len(engines)) as pool:
        list(pool.map(camera, engines))  # the first time is not counted
        start = time.perf_counter()
        list(pool.map(camera, engines))
        return round(len(engines) * rounds / (time.perf_counter() - start), 1)


def agreement(exact, engine, feeds):
    """How near an engine's results come to those of float32."""
    pairs = [(exact(f), engine(f), f) for f in feeds]
    largest = {
        name: float(max(np.abs(a[name] - b[name]).max() for a, b, _ in pairs))
        for name in exact.outputs
    }
    out = {"largest_difference": {name: round(value, 6) for name, value in largest.items()}}
    if not is_loop(exact.inputs):
        return out
    near = np.concatenate([same_poses(a, b, f["valid"]) for a, b, f in pairs])
    return out | {"poses": len(near), "poses_near": round(float(near.mean()), 4)}


def same_poses(a, b, valid):
    """Flat bool: which final poses of two results lie within NEAR_M and NEAR_DEG."""
    away = np.linalg.norm(a["T_out"] - b["T_out"], axis=-1)
    # |Ra - Rb| of two rotations is sqrt(8) times the sine of half the angle between them.
    bend = np.linalg.norm(a["R_out"] - b["R_out"], axis=(-2, -1)) / np.sqrt(8)
    angle = np.degrees(2 * np.arcsin(np.clip(bend, 0, 1)))
    return ((away < NEAR_M) & (angle < NEAR_DEG))[:, valid].ravel()


def machine(engine):
    """What the figures are measured on; Unavailable where it cannot run the engine."""
    text = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    names = [x.partition(":")[2].strip() for x in text.splitlines() if x.startswith("model name")]
    out = {"engine": engine, "cpu": names[0] if names else platform.processor()}
    out["cores"] = os.cpu_count()
    if engine != "tensorrt":
        return out
    device = open_device()  # without one there is nothing to run on, whatever can be built
    api, _ = building_tools()
    out |= {"gpu": device.name, "sm": "{}{}".format(*device.capability)}
    return out | {"cuda": device.driver_version, "runtime": str(api)}
