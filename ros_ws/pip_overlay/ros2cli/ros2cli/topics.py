"""What `ros2 topic` shows."""

import array
import importlib
import time
from collections import deque

import numpy as np
import rclpy
import yaml
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

DISCOVERY = 2.0  # seconds that other programs have to be found
WINDOW = 100  # messages a rate is taken over
LONGEST = 16  # items of an array that are printed


def show_list(node, args):
    """Print all topics."""
    wait(node, lambda: False)
    for name, types in node.get_topic_names_and_types():
        print(f"{name} [{', '.join(types)}]" if args.show_types else name)
    return 0


def show_messages(node, args):
    """Print the messages of a topic as YAML."""
    shown = []

    def show(msg):
        shown.append(True)
        print(yaml.safe_dump(plain(msg), sort_keys=False) + "---", flush=True)

    subscribe(node, args.topic, show)
    while not (args.once and shown):
        rclpy.spin_once(node)
    return 0


def show_rate(node, args):
    """Print the messages per second of a topic, once a second."""
    arrivals = deque(maxlen=WINDOW)
    subscribe(node, args.topic, lambda msg: arrivals.append(time.monotonic()), raw=True)
    while True:
        end = time.monotonic() + 1
        while time.monotonic() < end:
            rclpy.spin_once(node, timeout_sec=0.1)
        if len(arrivals) > 1:
            rate = (len(arrivals) - 1) / (arrivals[-1] - arrivals[0])
            print(f"average rate: {rate:.3f} (window {len(arrivals)})", flush=True)
        else:
            print("no new messages", flush=True)


def subscribe(node, topic, callback, raw=False):
    """Subscribe to a topic of any type, with a QoS its publisher can serve."""
    topic = topic if topic.startswith("/") else f"/{topic}"
    wait(node, lambda: node.get_publishers_info_by_topic(topic))
    publishers = node.get_publishers_info_by_topic(topic)
    if not publishers:
        raise ValueError(f"topic {topic} has no publisher")
    package, _, name = publishers[0].topic_type.split("/")
    kind = getattr(importlib.import_module(f"{package}.msg"), name)
    profiles = [p.qos_profile for p in publishers]
    reliable = all(p.reliability == ReliabilityPolicy.RELIABLE for p in profiles)
    latched = all(p.durability == DurabilityPolicy.TRANSIENT_LOCAL for p in profiles)
    qos = QoSProfile(
        depth=10,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )
    return node.create_subscription(kind, topic, callback, qos, raw=raw)


def wait(node, found):
    """Give discovery its time, or less once found() is true."""
    until = time.monotonic() + DISCOVERY
    while time.monotonic() < until and not found():
        rclpy.spin_once(node, timeout_sec=0.1)


def plain(value):
    """Nested plain values of a message; long arrays are cut."""
    if hasattr(value, "get_fields_and_field_types"):
        return {name: plain(getattr(value, name)) for name in value.get_fields_and_field_types()}
    if isinstance(value, (list, tuple, array.array, np.ndarray)):
        items = [plain(v) for v in value[:LONGEST]]
        return items + ["..."] if len(value) > LONGEST else items
    if isinstance(value, (bytes, bytearray)):
        return list(value[:LONGEST])
    return value.item() if isinstance(value, np.generic) else value
