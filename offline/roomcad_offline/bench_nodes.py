"""The live nodes under load: three processes against all stages in one, and what that saves.

Alone: python -m roomcad_offline.bench_nodes SEQUENCE --rate 5 (part of `make bench`).
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
TICKS = os.sysconf("SC_CLK_TCK")
QUIET = 0.05  # a launch that uses less of one core than this has finished starting
START = 120.0  # [s] to wait for that at most


def bench_both(sequence, rate, scratch):
    """{"nodes": figures of three nodes, "one_process": of one} at `rate` frames a second."""
    return {
        "nodes": bench_nodes(sequence, rate, scratch, composed=False),
        "one_process": bench_nodes(sequence, rate, scratch, composed=True),
    }


def bench_nodes(sequence, rate, scratch, composed):
    """Delays from image stamp to marker, processor time and memory of the live nodes.

    Returns the figures of roomcad_ros.latency, and of all processes of the launch together
    cpu_ms (processor milliseconds a frame served) and memory_mb (proportional set size).
    """
    environment = {**os.environ, "ROS_DOMAIN_ID": str(1 + os.getpid() % 100)}
    launch = ["ros2", "launch", str(REPOSITORY / "launch" / "perception.launch.py")]
    topics = {"color": "color/image_raw", "depth": "depth/image_raw", "camera_info": "camera_info"}
    launch += [f"{argument}:=/{topic}" for argument, topic in topics.items()]
    launch += [f"composition:={str(composed).lower()}"]
    scratch.mkdir(parents=True, exist_ok=True)
    out = scratch / "latency.json"
    measure = ["ros2", "run", "roomcad_ros", "latency", str(sequence), "--rate", str(rate)]
    measure += ["--out", str(out), *(["--composed"] if composed else [])]
    nodes = subprocess.Popen(launch, env=environment, start_new_session=True)
    try:
        wait_until_quiet(nodes.pid)
        before = cpu_seconds(nodes.pid)
        subprocess.run(measure, check=True, env=environment, timeout=600)
        cpu, memory = cpu_seconds(nodes.pid) - before, memory_mb(nodes.pid)
    finally:
        os.killpg(nodes.pid, signal.SIGINT)
        nodes.wait(20)
    figures = json.loads(out.read_text())
    every = (figures["sent"] + figures["warm_up"]) * figures["served"] / figures["sent"]
    return figures | {"cpu_ms": round(1000 * cpu / every, 1), "memory_mb": round(memory)}


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


def nodes_lines(record):
    """Both ways to run the stages as Markdown lines."""
    lines = [
        f"Live nodes over DDS, {record['nodes']['rate']:g} frames/s sent, image stamp to marker:",
        "",
        "| nodes | served | frames/s | median [ms] | p95 [ms] | CPU a frame [ms] | memory [MB] |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for key, name in (("nodes", "three"), ("one_process", "one (`composition:=true`)")):
        n = record[key]
        lines.append(
            f"| {name} | {n['served']} of {n['sent']} | {n['frames_per_second']} | "
            f"{n['median_ms']} | {n['p95_ms']} | {n['cpu_ms']} | {n['memory_mb']} |"
        )
    return [*lines, "", saving(record["nodes"], record["one_process"])]


def saving(three, one):
    """What one process saves, as a sentence; negative numbers say that it costs."""
    shares = {
        "of the median delay": "median_ms",
        "of the processor time": "cpu_ms",
        "of the memory": "memory_mb",
    }
    parts = [f"{100 * (1 - one[k] / three[k]):.0f} % {text}" for text, k in shares.items()]
    return f"One process saves {', '.join(parts)}."


def main(argv=None):
    """Measure both and print the table; returns 0."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sequence", type=Path, help="recorded folder, .sens file, or bag")
    parser.add_argument("--rate", type=float, default=5.0, help="frames a second sent to the nodes")
    parser.add_argument("--scratch", type=Path, default=REPOSITORY / "runs" / "bench")
    args = parser.parse_args(argv)
    record = bench_both(args.sequence.resolve(), args.rate, args.scratch.resolve())
    print("\n".join(nodes_lines(record)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
