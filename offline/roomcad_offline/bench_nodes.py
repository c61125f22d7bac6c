"""The live nodes under load: three processes against all stages in one, and what that saves.

Without tracks at 5 frames/s; with tracks in steady state at 8 and 10 frames/s; and with tracks at
30 frames/s, which is more than they manage.
Alone: python -m roomcad_offline.bench_nodes SEQUENCE (part of `make bench`).
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from roomcad_offline.bench_nodes_table import nodes_lines

REPOSITORY = Path(__file__).resolve().parents[2]
TICKS = os.sysconf("SC_CLK_TCK")
QUIET = 0.05  # a launch that uses less of one core than this has finished starting
START = 120.0  # [s] to wait for that at most
STEADY, OVERLOAD = (8.0, 10.0), 30.0  # frames a second
SECONDS = 12.0  # measured at each of these rates
SETTLE = 16.0  # [s] before: the camera went its way twice, objects were looked at again


def bench_both(sequence, rate, first, scratch, params=None):
    """Figures of the live nodes, each for three nodes ("nodes") and for one ("one_process").

    Args:
        sequence: played once at `rate` frames a second, objects not followed; from frame number
            `first` on it is played to and fro with objects followed.
        params: as bench_nodes takes it.

    Returns:
        {"nodes", "one_process"}: records of `bench_nodes`, and "tracked": {"settle_s", "first",
        "nodes", "one_process"} with lists of them, the last one of the overload.
    """
    record, tracked = {}, {"settle_s": SETTLE, "first": first}
    for name, composed in (("nodes", False), ("one_process", True)):
        (record[name],) = bench_nodes(
            sequence, scratch, composed, ["--rate", str(rate)], params=params
        )
        rates = [str(r) for r in (*STEADY, OVERLOAD)]
        how = ["--rate", *rates, "--seconds", str(SECONDS), "--warm-up", str(SETTLE)]
        how += ["--first", str(first)]
        tracked[name] = bench_nodes(sequence, scratch, composed, how, True, params)
    return record | {"tracked": tracked}


def bench_nodes(sequence, scratch, composed, how, tracks=False, params=None):
    """Delays from image stamp to marker, processor time and memory of the live nodes.

    Args:
        how: arguments of roomcad_ros.latency that say what is fed.
        params: file of the nodes' parameters instead of launch/params.yaml, or None.

    Returns:
        for each rate the record of roomcad_ros.latency_figures.summary with, of all processes of
        the launch together, cpu_ms (processor milliseconds a frame served) and memory_mb
        (proportional set size at the end).
    """
    environment = {**os.environ, "ROS_DOMAIN_ID": str(1 + os.getpid() % 100)}
    launch = ["ros2", "launch", str(REPOSITORY / "launch" / "perception.launch.py")]
    topics = {"color": "color/image_raw", "depth": "depth/image_raw", "camera_info": "camera_info"}
    launch += [f"{argument}:=/{topic}" for argument, topic in topics.items()]
    launch += [f"composition:={str(composed).lower()}", f"tracks:={str(tracks).lower()}"]
    launch += [f"params_file:={params}"] if params else []
    scratch.mkdir(parents=True, exist_ok=True)
    out = scratch / "latency.json"
    measure = ["ros2", "run", "roomcad_ros", "latency", str(sequence), *how, "--out", str(out)]
    measure += ["--composed"] if composed else []
    nodes = subprocess.Popen(launch, env=environment, start_new_session=True)
    try:
        wait_until_quiet(nodes.pid)
        used = run_watching(measure, environment, nodes.pid)
        memory = memory_mb(nodes.pid)
    finally:
        os.killpg(nodes.pid, signal.SIGINT)
        nodes.wait(20)
    records = json.loads(out.read_text())
    return [with_costs(record, used, memory) for record in records]


def run_watching(command, environment, pid, period=0.25):
    """Run a command; (N, 2) time and processor seconds so far of a process and all below it."""
    running, used = subprocess.Popen(command, env=environment), []
    while running.poll() is None:
        used.append((time.time(), cpu_seconds(pid)))
        time.sleep(period)
    if running.returncode:
        raise subprocess.CalledProcessError(running.returncode, command)
    return np.array(used)


def with_costs(record, used, memory):
    """A record of latency with cpu_ms and memory_mb; `used`: of run_watching."""
    first, last = np.interp(record["window"], *used.T)
    cpu = 1000 * (last - first) / record["served"]
    return record | {"cpu_ms": round(float(cpu), 1), "memory_mb": round(memory)}


def wait_until_quiet(pid):
    """Return when a process and all below it idle: models are loaded, nodes listen."""
    end, used, before = time.monotonic() + START, 1.0, 0.0
    while used > QUIET or before < 1.0:
        if time.monotonic() > end:
            raise TimeoutError(f"the nodes are still busy {START:g} s after their start")
        time.sleep(1.0)
        now = cpu_seconds(pid)
        used, before = now - before, now


def cpu_seconds(pid):
    """Processor time so far of a living process and all below it."""
    return sum(int(fields[11]) + int(fields[12]) for fields in family(pid).values()) / TICKS


def memory_mb(pid):
    """Proportional set size of a process and all below it, shared pages counted once."""
    total = 0
    for member in family(pid):
        lines = Path(f"/proc/{member}/smaps_rollup").read_text().splitlines()
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def family(pid):
    """{pid: fields of /proc/PID/stat from the state on} of a process and all below it."""
    every = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            every[int(path.parent.name)] = path.read_text().rsplit(")", 1)[1].split()
        except OSError:  # it has ended
            continue
    found, waiting = {}, [pid] if pid in every else []
    while waiting:
        member = waiting.pop()
        found[member] = every[member]
        waiting += [child for child, fields in every.items() if int(fields[1]) == member]
    return found


def main(argv=None):
    """Measure both and print the tables; returns 0."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sequence", type=Path, help="recorded folder, .sens file, or bag")
    parser.add_argument("--rate", type=float, default=5.0, help="frames a second without tracks")
    parser.add_argument("--first", type=int, default=0, help="first frame of the part with tracks")
    parser.add_argument("--params", type=Path, help="parameters of the nodes (YAML)")
    parser.add_argument("--scratch", type=Path, default=REPOSITORY / "runs" / "bench")
    args = parser.parse_args(argv)
    sequence, scratch = args.sequence.resolve(), args.scratch.resolve()
    params = args.params and args.params.resolve()
    record = bench_both(sequence, args.rate, args.first, scratch, params)
    print("\n".join(nodes_lines(record)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
