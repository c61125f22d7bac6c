"""How long the live nodes take, from the stamp of an image to the arrival of its marker.

Example: ros2 run roomcad_ros latency FOLDER_OR_BAG --rate 8 10 30 --seconds 15 --out latency.json
The nodes run already; the frames are stamped with the wall clock at the moment they are sent. The
recording is played forwards and backwards, so that the camera never jumps, at one rate after the
other; what the nodes take from the first frame on to settle (`--warm-up`) does not count.
"""

import argparse
import itertools
import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.utilities import remove_ros_args
from roomcad_msgs.msg import CadAlignmentArray
from tqdm import tqdm
from visualization_msgs.msg import MarkerArray

from roomcad_core.datasets import open_dataset
from roomcad_ros.images import seconds
from roomcad_ros.latency_figures import summary
from roomcad_ros.replay import Publisher, wait_for_listeners
from roomcad_ros.transport import carry_images

# Who listens to the camera, and what else must be listened to before the first frame:
THREE_NODES = (2, ("objects",))  # segment and align; classify hears of the camera through segment
ONE_PROCESS = (1, ())
LAST = 3.0  # [s] until the last frame's markers and the nodes' next reports are here
KEPT = 256  # frames at most
CHANGE = 1.0  # [s] after a change of the rate that do not count


class Stopwatch:
    """Notes when the marker of each stamp arrives, and what the nodes say."""

    def __init__(self, node):
        self.delays = {}  # stamp -> seconds until its markers came
        self.objects = {}  # stamp -> alignments
        self.reports = {}  # node -> {what: text}, the newest
        node.create_subscription(MarkerArray, "markers", self._on_markers, 10)
        node.create_subscription(CadAlignmentArray, "alignments", self._on_alignments, 10)
        node.create_subscription(DiagnosticArray, "/diagnostics", self._on_report, 10)

    def _on_markers(self, msg):
        stamps = {seconds(m.header.stamp) for m in msg.markers}
        for stamp in stamps - {0.0}:
            self.delays.setdefault(stamp, time.time() - stamp)

    def _on_alignments(self, msg):
        self.objects[seconds(msg.header.stamp)] = len(msg.alignments)

    def _on_report(self, msg):
        for status in msg.status:
            self.reports[status.name.strip("/")] = {v.key: v.value for v in status.values}


def to_and_fro(dataset, first):
    """Yield the Frames from number `first` on, forwards and backwards for ever.

    They are read one ahead, and KEPT: a camera would not decode files beside the nodes.
    """
    last = len(dataset) - 1
    order = itertools.cycle([*range(first, last + 1), *range(last - 1, first, -1)])
    with ThreadPoolExecutor(1) as reader:
        read = lru_cache(KEPT)(dataset.__getitem__)
        waiting = reader.submit(read, next(order))
        for index in order:
            following = reader.submit(read, index)
            yield waiting.result()
            waiting = following


def feed(publisher, frames, rate, count, bar):
    """Send `count` frames at `rate` [1/s] stamped now; returns the stamps.

    What could not be sent in time is not made up for: cameras do not hurry either.
    """
    sent, due = [], time.time()
    for frame in itertools.islice(frames, count):
        time.sleep(max(due - time.time(), 0))
        sent.append(time.time())
        publisher.publish(frame, sent[-1])
        late = sent[-1] - due
        due += 1 / rate + (late if late > 0.5 / rate else 0)
        bar.update()
    return sent


def parse(argv):
    """Command line of latency, without ROS arguments."""
    parser = argparse.ArgumentParser("latency", description=__doc__.splitlines()[0])
    parser.add_argument("sequence", type=Path, help="folder, .sens file, or bag")
    parser.add_argument("--rate", type=float, nargs="+", default=[5.0], help="frames a second")
    parser.add_argument("--seconds", type=float, help="at each rate; left out: one pass of it")
    parser.add_argument("--first", type=int, default=0, help="frame that the part played begins at")
    parser.add_argument("--warm-up", type=float, default=1.0, help="first seconds left out")
    parser.add_argument("--composed", action="store_true", help="all stages run in one process")
    parser.add_argument("--out", type=Path, help="JSON file for the figures, a list of records")
    args = parser.parse_args(argv)
    if min(args.rate) <= 0:
        parser.error("--rate must be positive")
    return args


def measure(publisher, stopwatch, args):
    """Records of latency_figures.summary, one for each rate."""
    listeners, topics = ONE_PROCESS if args.composed else THREE_NODES
    wait_for_listeners(publisher, listeners, 60.0, topics=topics)
    dataset = open_dataset(args.sequence)
    if not 0 <= args.first < len(dataset):
        raise ValueError(f"--first: got {args.first}, {args.sequence} has {len(dataset)} frames")
    # The first transform takes a moment to reach the nodes.
    publisher.publish(dataset[args.first], time.time())
    time.sleep(2.0)
    frames, records = to_and_fro(dataset, args.first), []
    for rate in args.rate:
        unmeasured = round((CHANGE if records else args.warm_up) * rate)
        count = round(args.seconds * rate) if args.seconds else len(dataset) - args.first
        with tqdm(total=unmeasured + count, desc=f"{rate:g} frames/s", unit="frame") as bar:
            feed(publisher, frames, rate, unmeasured, bar)
            before = dict(stopwatch.reports)
            stamps = feed(publisher, frames, rate, count, bar)
        time.sleep(LAST)
        records.append(summary(rate, stamps, stopwatch, before))
    return records


def main():
    args = parse(remove_ros_args(sys.argv)[1:])
    carry_images()
    rclpy.init()
    publisher = Publisher()
    stopwatch = Stopwatch(publisher)
    executor = SingleThreadedExecutor()
    executor.add_node(publisher)
    spinning = threading.Thread(target=executor.spin)
    spinning.start()
    try:
        records = measure(publisher, stopwatch, args)
        print(json.dumps(records))
        if args.out:
            args.out.write_text(json.dumps(records, indent=1) + "\n")
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except (ValueError, OSError) as error:
        sys.exit(f"latency: {error}")
    finally:
        executor.shutdown()
        spinning.join()
        rclpy.try_shutdown()
