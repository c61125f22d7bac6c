"""How long the live nodes take, from the stamp of an image to the arrival of its marker.

Example: ros2 run roomcad_ros latency FOLDER_OR_BAG --rate 5 --out latency.json
The nodes run already; the frames are stamped with the wall clock at the moment they are sent.
"""

import argparse
import json
import sys
import threading
import time
from pathlib import Path

import numpy as np
import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.utilities import remove_ros_args
from visualization_msgs.msg import MarkerArray

from roomcad_core.datasets import open_dataset
from roomcad_ros.images import seconds
from roomcad_ros.replay import Publisher, wait_for_listeners
from roomcad_ros.transport import carry_images

# Who listens to the camera, and what else must be listened to before the first frame:
THREE_NODES = (2, ("objects",))  # segment and align; classify hears of the camera through segment
ONE_PROCESS = (1, ())


class Stopwatch:
    """Notes when the marker of each stamp arrives."""

    def __init__(self, node):
        self.delays = {}  # stamp -> seconds until its markers came
        node.create_subscription(MarkerArray, "markers", self._on_markers, 10)

    def _on_markers(self, msg):
        stamps = {seconds(m.header.stamp) for m in msg.markers}
        for stamp in stamps - {0.0}:
            self.delays.setdefault(stamp, time.time() - stamp)


def feed(publisher, dataset, rate, warm_up):
    """Send all frames at `rate` [1/s] stamped now; returns the stamps after the warm-up."""
    sent = []
    for index in range(len(dataset)):
        frame = dataset[index]
        if index == 0:
            # The first transform takes a moment to reach the nodes.
            publisher.publish(frame, time.time())
            time.sleep(2.0)
        due = (sent[-1] + 1 / rate) if sent else time.time()
        time.sleep(max(due - time.time(), 0))
        stamp = time.time()
        publisher.publish(frame, stamp)
        sent.append(stamp)
    return sent[warm_up:]


def summary(stamps, delays, rate):
    """Figures of one run: frames sent and served, delays [ms], frames per second."""
    first = min(stamps)
    ms = [1000 * delay for stamp, delay in delays.items() if stamp >= first - 1e-6]
    if not ms:
        raise TimeoutError("no marker came back; do the nodes run, and on this ROS_DOMAIN_ID?")
    span = max(stamps) - first + 1 / rate
    return {
        "rate": rate,
        "sent": len(stamps),
        "served": len(ms),
        "frames_per_second": round(len(ms) / span, 2),
        "median_ms": round(float(np.median(ms)), 1),
        "p95_ms": round(float(np.percentile(ms, 95)), 1),
    }


def parse(argv):
    """Command line of latency, without ROS arguments."""
    parser = argparse.ArgumentParser("latency", description=__doc__.splitlines()[0])
    parser.add_argument("sequence", type=Path, help="folder, .sens file, or bag")
    parser.add_argument("--rate", type=float, default=5.0, help="frames sent a second")
    parser.add_argument("--warm-up", type=int, default=5, help="first frames that do not count")
    parser.add_argument("--composed", action="store_true", help="all stages run in one process")
    parser.add_argument("--out", type=Path, help="JSON file for the figures")
    return parser.parse_args(argv)


def measure(publisher, args):
    """Feed the nodes and print, or write, what came back."""
    stopwatch = Stopwatch(publisher)
    executor = SingleThreadedExecutor()
    executor.add_node(publisher)
    spinning = threading.Thread(target=executor.spin)
    spinning.start()
    try:
        count, topics = ONE_PROCESS if args.composed else THREE_NODES
        wait_for_listeners(publisher, count, 60.0, topics=topics)
        stamps = feed(publisher, open_dataset(args.sequence), args.rate, args.warm_up)
        time.sleep(3.0)  # the last frame's markers
    finally:
        executor.shutdown()
        spinning.join()
    figures = summary(stamps, stopwatch.delays, args.rate) | {"warm_up": args.warm_up}
    print(json.dumps(figures))
    if args.out:
        args.out.write_text(json.dumps(figures, indent=1) + "\n")


def main():
    args = parse(remove_ros_args(sys.argv)[1:])
    carry_images()
    rclpy.init()
    try:
        measure(Publisher(), args)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except (ValueError, OSError) as error:
        sys.exit(f"latency: {error}")
    finally:
        rclpy.try_shutdown()
