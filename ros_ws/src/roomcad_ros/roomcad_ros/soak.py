"""Keeps the whole stack busy for a long time: does memory grow, do frames get lost or late?

Example: python -m roomcad_ros.soak ROOM_FOLDER [ROOM_FOLDER ...] --minutes 10 --out runs/soak
It starts the three nodes, plays the recordings one after the other, over and over, with the wall
clock's stamps, and resets the tracks before each. OUT gets soak.json and soak.png.
"""

import argparse
import functools
import itertools
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.executors import SingleThreadedExecutor
from roomcad_msgs.msg import CadAlignmentArray
from std_srvs.srv import Trigger
from tqdm import tqdm

from roomcad_core.datasets import open_dataset
from roomcad_ros.images import seconds
from roomcad_ros.replay import Publisher, wait_for_listeners
from roomcad_ros.soak_report import write_report
from roomcad_ros.stack import Stack, resident_mb
from roomcad_ros.transport import carry_images

LISTENERS = 2  # segment and align hear camera_info


class Monitor:
    """What the nodes say and need, sampled every `period` seconds while its thread runs."""

    def __init__(self, node, stack, period=5.0):
        self._stack, self._period, self._start = stack, period, time.monotonic()
        self.answers = []  # (stamp, seconds until its alignments came)
        self.samples = []  # {"seconds": after the start, "mb": {node: MB}}
        self.reports = {}  # node -> {what: text}, the newest
        self.restarts = 0
        self._pids = {}
        node.create_subscription(CadAlignmentArray, "alignments", self._on_alignments, 10)
        node.create_subscription(DiagnosticArray, "/diagnostics", self._on_report, 10)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self):
        """Take a last sample and end."""
        self._end.set()
        self._thread.join()

    def _on_alignments(self, message):
        stamp = seconds(message.header.stamp)
        self.answers.append((stamp, time.time() - stamp))

    def _on_report(self, message):
        for status in message.status:
            self.reports[status.name.strip("/")] = {v.key: v.value for v in status.values}

    def _run(self):
        while not self._end.wait(self._period):
            self._sample()
        self._sample()

    def _sample(self):
        pids = self._stack.pids()
        self.restarts += sum(pids.get(name, pid) != pid for name, pid in self._pids.items())
        self._pids |= pids
        mb = {name: resident_mb(pid) for name, pid in pids.items()}
        mb = {name: value for name, value in mb.items() if value is not None}
        self.samples.append({"seconds": time.monotonic() - self._start, "mb": mb})


def frames_of(paths):
    """Yield (Frame, whether a recording begins) for ever; frames are read one ahead."""
    datasets = [open_dataset(path) for path in paths]
    order = ((d, i) for d in itertools.cycle(datasets) for i in range(len(d)))
    with ThreadPoolExecutor(1) as reader:
        waiting = None
        for dataset, index in order:
            following = reader.submit(dataset.__getitem__, index), index == 0
            if waiting:
                yield waiting[0].result(), waiting[1]
            waiting = following


def feed(publisher, frames, rate, seconds_long, on_new_recording):
    """Publish frames at `rate` [1/s], stamped now; returns the stamps."""
    sent, start = [], time.monotonic()
    with tqdm(total=round(seconds_long), unit="s", desc="soak") as bar:
        for n, (frame, begins) in enumerate(frames):
            due = start + n / rate
            time.sleep(max(due - time.monotonic(), 0))
            passed = time.monotonic() - start
            if passed >= seconds_long:
                break
            bar.update(int(passed) - bar.n)
            if begins:
                on_new_recording()
            sent.append(time.time())
            publisher.publish(frame, sent[-1])
    return sent


def soak(args):
    """Run it; returns the figures that write_report takes."""
    publisher = Publisher()
    reset = publisher.create_client(Trigger, "/align/reset")
    executor = SingleThreadedExecutor()
    executor.add_node(publisher)
    spinning = threading.Thread(target=executor.spin)
    spinning.start()
    arguments = {"tracks": "true", "respawn": "true", **dict(a.split(":=") for a in args.launch)}
    try:
        with Stack(arguments, log=args.out / "nodes.log") as stack:
            wait_for_listeners(publisher, LISTENERS, 120.0, topics=("objects", "classified"))
            monitor = Monitor(publisher, stack)
            try:
                forget = functools.partial(reset.call_async, Trigger.Request())
                sent = feed(publisher, frames_of(args.rooms), args.rate, 60 * args.minutes, forget)
                time.sleep(3.0)  # the last answers and reports
            finally:
                monitor.stop()
    finally:
        executor.shutdown()
        spinning.join()
    return sent, monitor


def main(argv=None):
    parser = argparse.ArgumentParser("soak", description=__doc__.splitlines()[0])
    parser.add_argument("rooms", nargs="+", type=Path, help="folders, .sens files, or bags")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--rate", type=float, default=10.0, help="frames sent a second")
    parser.add_argument("--out", type=Path, default=Path("runs/soak"), help="folder of the report")
    parser.add_argument("--launch", nargs="*", default=[], help="launch arguments, NAME:=VALUE")
    args = parser.parse_args(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    os.environ.setdefault("ROS_DOMAIN_ID", str(1 + os.getpid() % 100))  # nobody else's frames
    carry_images()
    rclpy.init(args=[])  # the launch arguments are not this process's
    try:
        sent, monitor = soak(args)
        print(write_report(args, sent, monitor))
    except (ValueError, OSError, ImportError) as error:
        sys.exit(f"soak: {error}")
    finally:
        rclpy.try_shutdown()


if __name__ == "__main__":
    main()
