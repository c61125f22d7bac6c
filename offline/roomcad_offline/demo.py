"""`make demo`: a room, its bag, the live nodes over DDS, a replay, and what they found.

Simulated without --sequence; with it the same on a recorded sequence (a folder or a bag).
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

from roomcad_core.bags.results import read_alignments, read_room
from roomcad_core.datasets import open_dataset
from roomcad_core.library import Library
from roomcad_offline.report import write_report

REPOSITORY = Path(__file__).resolve().parents[2]
ROOM = ["--frames", "80", "--seed", "4", "--fps", "4"]  # the demo's simulated room
RATE = 4.0  # frames a second that two cores can serve; faster recordings are slowed down


def main(argv=None):
    """Run the demo; exit status 0 when table and pictures are written."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sequence", type=Path, help="recorded folder or bag instead of a room")
    parser.add_argument("--out", type=Path, default=Path("demo_out"), help="folder for the results")
    parser.add_argument("--speed", type=float, help=f"replay speed; else at most {RATE:g} frames/s")
    args = parser.parse_args(argv)
    if args.sequence and not args.sequence.exists():
        parser.error(f"{args.sequence}: no such file or folder")
    try:
        demonstrate(args.sequence, args.out.resolve(), args.speed)
    except subprocess.CalledProcessError as error:
        print(f"demo: {error.cmd[-1]}: the step above failed", file=sys.stderr)
        return 1
    except (ValueError, OSError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    return 0


def demonstrate(sequence, out, speed=None):
    """All steps of the demo; `sequence` is a recorded one or None, `out` a folder."""
    out.mkdir(parents=True, exist_ok=True)
    seconds = {}
    with step("input", seconds):
        source = sequence.resolve() if sequence else make_room(out)
    with step("bag", seconds):
        bag = source if is_bag(source) else write_bag(source, out / "input.mcap")
    with step("live nodes", seconds):
        # Frames and truth come from the source; the nodes only see the bag.
        dataset = open_dataset(source)
        speed = speed or round(min(1.0, RATE / dataset.fps), 3)
        result = run_live(bag, out / "result.mcap", speed)
    with step("report", seconds):
        room, _ = read_room(result) or (None, "")
        write_report(dataset, read_alignments(result, dataset), room, Library.load(), out)
    (out / "times.json").write_text(json.dumps(seconds, indent=1) + "\n")
    print((out / "table.md").read_text())
    print(f"[demo] table, pictures, animation and result bag are in {out}")


@contextmanager
def step(name, seconds):
    """Say what is done and how long it took."""
    print(f"[demo] {name} ...", flush=True)
    start = time.perf_counter()
    yield
    seconds[name] = round(time.perf_counter() - start, 1)
    print(f"[demo] {name}: {seconds[name]} s", flush=True)


def make_room(out):
    """Folder of the demo's simulated room; made once."""
    offline("rooms", "make", out / "rooms", *ROOM)
    return out / "rooms" / "room0000"


def write_bag(source, bag):
    """The bag of a dataset, written anew."""
    shutil.rmtree(bag, ignore_errors=True)
    offline("bag", source, bag)
    return bag


def is_bag(path):
    """True for a rosbag2 folder or a bare storage file."""
    return path.suffix in (".mcap", ".db3") or (path / "metadata.yaml").is_file()


def run_live(bag, result, speed):
    """Start the launch file on a replay of `bag`, record, wait for its end."""
    shutil.rmtree(result, ignore_errors=True)
    launch = REPOSITORY / "launch" / "replay.launch.py"
    arguments = [f"sequence:={bag}", f"record:={result}", f"speed:={speed}"]
    # A domain of its own, so that a robot on the same network does not hear the demo.
    environment = {"ROS_DOMAIN_ID": str(40 + os.getpid() % 60), **os.environ}
    subprocess.run(["ros2", "launch", str(launch), *arguments], check=True, env=environment)
    return result


def offline(*arguments):
    """Run a roomcad-offline command with this interpreter."""
    command = [sys.executable, "-m", "roomcad_offline.cli", *map(str, arguments)]
    subprocess.run(command, check=True)


if __name__ == "__main__":
    sys.exit(main())
