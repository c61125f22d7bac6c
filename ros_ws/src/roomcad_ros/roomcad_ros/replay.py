"""Publishes a dataset or bag as live topics: images, camera_info, cloud, TF, clock.

Example: ros2 run roomcad_ros replay FOLDER_OR_BAG --speed 1 --clock
"""

import argparse
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import rclpy
from geometry_msgs.msg import TransformStamped
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.time import Time
from rclpy.utilities import remove_ros_args
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from std_msgs.msg import Header
from tf2_ros import StaticTransformBroadcaster, TransformBroadcaster
from tqdm import tqdm

from roomcad_core.bags.messages import BODY_FRAME, Q_OPTICAL_BODY, WORLD_FRAME
from roomcad_core.datasets import open_dataset
from roomcad_core.pose import quaternion
from roomcad_ros import images
from roomcad_ros.transport import carry_images

SETTLE = 1.0  # [s] from the last subscriber to the first frame
CLOCK_STEP = 0.01  # [s] between two /clock messages


class Publisher(Node):
    """One Frame at a time onto the topics that the nodes listen to."""

    def __init__(self, points=False, clock=False, **options):
        super().__init__("replay", **options)
        self._color = self.create_publisher(Image, "color/image_raw", 10)
        self._depth = self.create_publisher(Image, "depth/image_raw", 10)
        self._info = self.create_publisher(CameraInfo, "camera_info", 10)
        self._points = self.create_publisher(PointCloud2, "points", 10) if points else None
        self._clock = self.create_publisher(Clock, "/clock", 10) if clock else None
        self._tf = TransformBroadcaster(self)
        self._tf_static = StaticTransformBroadcaster(self)
        self._body_of = set()

    def listeners(self):
        """How many subscribe to camera_info, as each node and the recorder does."""
        return self._info.get_subscription_count()

    def tick(self, seconds):
        """Publish simulated time, where asked for."""
        if self._clock:
            self._clock.publish(Clock(clock=Time(nanoseconds=round(seconds * 1e9)).to_msg()))

    def publish(self, frame, stamp):
        """Send one Frame with another stamp [s]; transforms go first, so that images find them."""
        time_msg = Time(nanoseconds=round(stamp * 1e9)).to_msg()
        header = Header(stamp=time_msg, frame_id=frame.frame_id)
        if frame.T_world_cam is not None:
            self._transforms(frame, time_msg)
        self._info.publish(images.info_msg(frame.K, frame.depth.shape, header))
        self._color.publish(images.image_msg(frame.color, "rgb8", header))
        self._depth.publish(images.depth_msg(frame.depth, header))
        if self._points:
            self._points.publish(images.cloud_msg(frame, header))

    def _transforms(self, frame, stamp):
        if frame.frame_id not in self._body_of:
            self._body_of.add(frame.frame_id)
            header = Header(stamp=stamp, frame_id=frame.frame_id)
            self._tf_static.sendTransform(_transform(header, BODY_FRAME, (0, 0, 0), Q_OPTICAL_BODY))
        T = frame.T_world_cam
        header = Header(stamp=stamp, frame_id=WORLD_FRAME)
        moved = _transform(header, frame.frame_id, T[:3, 3], quaternion(T[:3, :3]))
        self._tf.sendTransform(moved)


def _transform(header, child, translation, q):
    out = TransformStamped(header=header, child_frame_id=child)
    t, r = out.transform.translation, out.transform.rotation
    t.x, t.y, t.z = map(float, translation)
    r.x, r.y, r.z, r.w = map(float, q)
    return out


def schedule(stamps, speed, rate=None, loop=False):
    """Yield (frame index, stamp [s], seconds after the start), for ever with `loop`.

    `rate` [1/s] replaces the recorded pace. Every turn of a loop continues the stamps of the one
    before: time that jumps back would upset TF and every filter.
    """
    shift = 0.0
    step = 1 / rate if rate else (stamps[-1] - stamps[0]) / max(len(stamps) - 1, 1) or 1 / 30
    n = 0
    while True:
        for i, stamp in enumerate(stamps):
            due = n / rate if rate else (stamp + shift - stamps[0]) / speed if speed else 0.0
            yield i, stamp + shift, due
            n += 1
        if not loop:
            return
        shift += stamps[-1] - stamps[0] + step


def play(publisher, dataset, speed=1.0, rate=None, loop=False, bar=None):
    """Publish all frames of `dataset` at their time; returns the frames sent and the seconds.

    Frames are read one ahead in a thread of its own. A damaged frame is named and left out.
    """
    plan = schedule(dataset.stamps, speed, rate, loop)
    start = time.monotonic()
    sent, stamp, due = 0, dataset.stamps[0], 0.0
    with ThreadPoolExecutor(1) as reader:
        waiting = _read_next(reader, dataset, plan)
        while waiting and publisher.context.ok():
            (_, stamp, due), future = waiting
            waiting = _read_next(reader, dataset, plan)
            _wait_until(publisher, start + due, stamp, (speed or 1.0))
            try:
                publisher.publish(future.result(), stamp)
                sent += 1
            except (ValueError, OSError) as error:
                publisher.get_logger().error(f"frame left out: {error}")
            if bar is not None:
                bar.update()
    return sent, time.monotonic() - start


def _read_next(reader, dataset, plan):
    entry = next(plan, None)
    return entry and (entry, reader.submit(dataset.__getitem__, entry[0]))


def _wait_until(publisher, moment, stamp, speed):
    """Sleep until `moment` (monotonic), when simulated time reaches `stamp`; keep it ticking."""
    while publisher.context.ok():
        left = moment - time.monotonic()
        publisher.tick(stamp - max(left, 0) * speed)
        if left <= 0:
            return
        time.sleep(min(left, CLOCK_STEP))


def wait_for_listeners(publisher, count, timeout, first_stamp=0.0, topics=()):
    """Return when `count` nodes subscribe to the input; TimeoutError after `timeout` seconds.

    `topics` must have a subscriber too: a later stage that still loads would miss frames.
    Simulated time stands at `first_stamp` meanwhile, so that all know it before a frame comes.
    """
    end = time.monotonic() + timeout
    topics = [publisher.resolve_topic_name(topic) for topic in topics]
    while publisher.context.ok():
        unheard = [topic for topic in topics if not publisher.count_subscribers(topic)]
        found = publisher.listeners()
        if found >= count and not unheard:
            break
        if time.monotonic() > end:
            missing = "".join(f", none to {topic}" for topic in unheard)
            raise TimeoutError(f"{found} of {count} subscribers{missing} after {timeout:g} s")
        _wait_until(publisher, time.monotonic() + 0.05, first_stamp, 0.0)
    # The other topics of these nodes, and the recorder, are found a moment later.
    _wait_until(publisher, time.monotonic() + (SETTLE if count else 0), first_stamp, 0.0)


def parse(argv):
    """Command line of replay, without ROS arguments."""
    parser = argparse.ArgumentParser("replay", description=__doc__.splitlines()[0])
    parser.add_argument("sequence", type=Path, help="folder, .sens file, or bag")
    parser.add_argument("--speed", type=float, default=1.0, help="1 = real time, 0 = flat out")
    parser.add_argument("--rate", type=float, help="frames a second, instead of the recorded pace")
    parser.add_argument("--loop", action="store_true", help="start again at the end")
    parser.add_argument("--points", action="store_true", help="also an organised PointCloud2")
    parser.add_argument("--clock", action="store_true", help="publish /clock")
    parser.add_argument("--wait", type=int, default=0, help="wait for so many subscribers first")
    parser.add_argument("--wait-topic", nargs="*", default=[], help="... and one to each of these")
    parser.add_argument("--wait-timeout", type=float, default=60.0, help="at most so long [s]")
    parser.add_argument("--linger", type=float, default=2.0, help="stay so long at the end [s]")
    args = parser.parse_args(argv)
    if args.speed < 0 or (args.rate is not None and args.rate <= 0):
        parser.error("--speed must be at least 0 and --rate positive")
    return args


def main():
    args = parse(remove_ros_args(sys.argv)[1:])
    carry_images()
    rclpy.init()
    try:
        dataset = open_dataset(args.sequence, bad="skip")
        publisher = Publisher(args.points, args.clock)
        start, topics = dataset.stamps[0], args.wait_topic
        wait_for_listeners(publisher, args.wait, args.wait_timeout, start, topics)
        total = None if args.loop else len(dataset)
        with tqdm(total=total, desc=dataset.name, unit="frame") as bar:
            sent, took = play(publisher, dataset, args.speed, args.rate, args.loop, bar)
        publisher.get_logger().info(f"{sent} of {len(dataset)} frames in {took:.1f} s")
        time.sleep(args.linger)  # late results still need the clock and the transforms
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except (ValueError, OSError) as error:
        sys.exit(f"replay: {error}")
    finally:
        rclpy.try_shutdown()
