"""`make bench`: frames per second and per-stage milliseconds, in process and over DDS.

Times mean little by themselves, so each stage is also given as a ratio to a reference measured
in the same run: one 1024 x 1024 float32 matrix product.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from tqdm import tqdm

from roomcad_core.classify.crop_network import load_network
from roomcad_core.config import AlignConfig, ClassifyConfig, PipelineConfig, TrackConfig
from roomcad_core.datasets import open_dataset
from roomcad_core.pipeline import Pipeline
from roomcad_offline.bench_engines import bench_cpu, bench_gpu
from roomcad_offline.bench_nodes import bench_both
from roomcad_offline.bench_text import markdown

REPOSITORY = Path(__file__).resolve().parents[2]
ROOM = ["--frames", "60", "--seed", "4", "--fps", "5"]  # the room that is measured
FIRST_TRACKED = 30  # frame of that room from which on about five objects are in view


def main(argv=None):
    """Run the benchmark; writes bench.json and bench.md, returns 0."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sequence", type=Path, help="recorded folder instead of a room")
    parser.add_argument("--out", type=Path, default=REPOSITORY / "offline" / "results")
    parser.add_argument("--rate", type=float, default=5.0, help="frames a second sent to the nodes")
    parser.add_argument("--no-nodes", action="store_true", help="only the pipeline in process")
    args = parser.parse_args(argv)
    scratch = REPOSITORY / "runs" / "bench"
    sequence = args.sequence or make_room(scratch / "rooms")
    record = {"machine": machine(), "reference_ms": reference_ms()}
    record["stages"] = bench_pipeline(open_dataset(sequence))
    record["icp"] = bench_pipeline(open_dataset(sequence), AlignConfig(aligner="icp"))
    record["classifier"] = bench_classifier()
    record["alignment"] = bench_alignment()
    record["networks"] = {"cpu": bench_cpu(sequence), "gpu": bench_gpu(sequence)}
    record["training"] = bench_training()
    if not args.no_nodes:
        first = 0 if args.sequence else FIRST_TRACKED
        record |= bench_both(sequence, args.rate, first, scratch)
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "bench.json").write_text(json.dumps(record, indent=1) + "\n")
    (args.out / "bench.md").write_text(markdown(record))
    print(markdown(record))
    return 0


def make_room(out):
    """Folder of the benchmark's simulated room, below `out`; made once."""
    command = [sys.executable, "-m", "roomcad_offline.cli", "rooms", "make", str(out)]
    subprocess.run([*command, *ROOM], check=True)
    return out / "room0000"


def machine():
    """What the figures were measured on."""
    cpu = platform.processor()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = [x for x in info.read_text().splitlines() if x.startswith("model name")]
        cpu = lines[0].split(":", 1)[1].strip() if lines else cpu
    return {"cpu": cpu, "cores": os.cpu_count(), "python": platform.python_version()}


def reference_ms(repeats=15):
    """Milliseconds (median) of a 1024 x 1024 float32 matrix product with all cores."""
    a = np.random.default_rng(0).normal(size=(1024, 1024)).astype(np.float32)
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        a @ a
        times.append(1000 * (time.perf_counter() - start))
    return round(float(np.median(times)), 2)


def bench_pipeline(dataset, align=None, warm_up=3):
    """Milliseconds of every stage over the frames of a dataset; `align`: another AlignConfig.

    Objects are not followed: every frame takes the time of one that is seen for the first time.
    """
    tracks = TrackConfig(enabled=False)
    pipeline = Pipeline(PipelineConfig(align=align or AlignConfig(), tracks=tracks))
    stages = {"segment": [], "classify": [], "align": [], "total": []}
    objects = []
    for index in tqdm(range(len(dataset)), "pipeline", unit="frame"):
        frame = dataset[index]
        alignments, _ = pipeline(frame)
        if index < warm_up:
            continue
        for stage, seconds in pipeline.seconds.items():
            stages[stage].append(1000 * seconds)
        stages["total"].append(1000 * sum(pipeline.seconds.values()))
        objects.append(len(alignments))
    table = {name: percentiles(ms) for name, ms in stages.items()}
    rate = 1000 / np.mean(stages["total"])
    return {
        "frames": len(objects),
        "image": list(frame.depth.shape[::-1]),
        "alignments_per_frame": round(float(np.mean(objects)), 2),
        "frames_per_second": round(float(rate), 2),
        "ms": table,
    }


def bench_classifier(crops=8, repeats=50):
    """Milliseconds of the deployed network for a frame of `crops` crops, input making included."""
    config = ClassifyConfig()
    network = load_network(config.model, config.engine, config.precision)
    rng = np.random.default_rng(0)
    clouds = [rng.random((2048, 3)).astype(np.float32) for _ in range(crops)]
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        network(clouds, floor_z=0.0)
        times.append(1000 * (time.perf_counter() - start))
    return {"crops": crops, "points": network.spec.points, "engine": network.engine.name,
            "precision": network.engine.precision,
            "ms": percentiles(times[5:])}  # fmt: skip


def bench_training():
    """Training speed of the scan-gap study's network, or why it was not measured."""
    try:
        from roomcad_offline.pointnet.speed import training_speed
    except ImportError as error:
        return {"not_run": f"{error}: make setup-train"}
    return training_speed()


def bench_alignment():
    """Times of the exported alignment loop against eager torch, or why it was not measured."""
    try:
        from roomcad_offline.multi_sparc.speed import alignment_speed
    except ImportError as error:
        return {"not_run": f"{error}: make setup-train"}
    return alignment_speed()


def percentiles(ms):
    """Median and 95th percentile."""
    return {"median": round(float(np.median(ms)), 1), "p95": round(float(np.percentile(ms, 95)), 1)}


if __name__ == "__main__":
    sys.exit(main())
