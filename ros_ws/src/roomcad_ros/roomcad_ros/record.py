"""Writes topics into a rosbag2 (mcap) that official tools read; ends cleanly on Ctrl-C.

Example: ros2 run roomcad_ros record out_bag --topics alignments markers tf
"""

import argparse
import importlib
import sys
from pathlib import Path

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.qos import QoSDurabilityPolicy, QoSProfile, QoSReliabilityPolicy
from rclpy.utilities import remove_ros_args

from roomcad_ros.definitions import type_store
from roomcad_ros.transport import carry_images

RESULTS = (
    *("alignments", "markers", "room", "classes", "classified", "camera_info"),
    *("/tf", "/tf_static"),
)


class Recorder(Node):
    """Subscribes to each topic once somebody publishes it, and writes what comes as it is."""

    def __init__(self, out, topics, **options):
        super().__init__("record", **options)
        from rosbags.rosbag2 import StoragePlugin, Writer

        self.counts = {self.resolve_topic_name(topic): 0 for topic in topics}
        self._bag = Writer(out, version=Writer.VERSION_LATEST, storage_plugin=StoragePlugin.MCAP)
        self._bag.open()
        self._connections = {}
        self.create_timer(0.1, self._look, clock=_steady())
        self._look()

    def close(self):
        """Finish the bag."""
        if self._bag:
            self._bag.close()
            self._bag = None

    def _look(self):
        for topic in self.counts.keys() - self._connections.keys():
            offers = self.get_publishers_info_by_topic(topic)
            if offers:
                self._connect(topic, offers)

    def _connect(self, topic, offers):
        kind, qos = offers[0].topic_type, fitting_qos(offers)
        self._connections[topic] = self._bag.add_connection(
            topic,
            kind,
            typestore=type_store(kind),
            offered_qos_profiles=[bag_qos(qos)],
        )
        package, _, name = kind.split("/")
        message = getattr(importlib.import_module(f"{package}.msg"), name)
        self.create_subscription(message, topic, self._writer_of(topic), qos, raw=True)
        self.get_logger().info(f"recording {topic} [{kind}]")

    def _writer_of(self, topic):
        def write(data):
            if self._bag:
                now = self.get_clock().now().nanoseconds
                self._bag.write(self._connections[topic], now, data)
                self.counts[topic] += 1

        return write


def fitting_qos(offers):
    """A QoSProfile that every publisher of a topic matches, and as strong as they allow."""
    reliable = all(o.qos_profile.reliability == QoSReliabilityPolicy.RELIABLE for o in offers)
    latched = all(o.qos_profile.durability == QoSDurabilityPolicy.TRANSIENT_LOCAL for o in offers)
    return QoSProfile(
        depth=100,
        reliability=QoSReliabilityPolicy.RELIABLE if reliable else QoSReliabilityPolicy.BEST_EFFORT,
        durability=QoSDurabilityPolicy.TRANSIENT_LOCAL if latched else QoSDurabilityPolicy.VOLATILE,
    )


def bag_qos(qos):
    """The QoS that players of the bag offer again, as rosbags writes it."""
    from roomcad_core.bags.messages import qos_profile

    return qos_profile(qos.durability == QoSDurabilityPolicy.TRANSIENT_LOCAL)


def _steady():
    # Topics must be found also while simulated time stands still.
    from rclpy.clock import Clock, ClockType

    return Clock(clock_type=ClockType.STEADY_TIME)


def main():
    parser = argparse.ArgumentParser("record", description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, help="bag folder to make")
    parser.add_argument("--topics", nargs="+", default=RESULTS)
    args = parser.parse_args(remove_ros_args(sys.argv)[1:])
    if args.out.exists():
        sys.exit(f"record: {args.out} exists already")
    carry_images()
    rclpy.init()  # its handlers end the spin on SIGINT and SIGTERM alike
    recorder = None
    try:
        recorder = Recorder(args.out, args.topics)
        rclpy.spin(recorder)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        if recorder:
            recorder.close()
            summary = ", ".join(f"{topic} {n}" for topic, n in sorted(recorder.counts.items()))
            print(f"{args.out}: {summary}", flush=True)
        rclpy.try_shutdown()
