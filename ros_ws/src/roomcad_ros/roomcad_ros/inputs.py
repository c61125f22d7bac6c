"""Topics to Frames: synchronisation, checks, and warnings that name the silent topic."""

import time

from message_filters import ApproximateTimeSynchronizer, Subscriber
from rclpy.clock import Clock, ClockType
from rclpy.qos import qos_profile_sensor_data
from rclpy.qos_overriding_options import QoSOverridingOptions
from sensor_msgs.msg import CameraInfo, Image, PointCloud2

from roomcad_core.config import TrackConfig
from roomcad_ros.health import BadFrame
from roomcad_ros.images import frame_from_cloud, frame_from_images, seconds
from roomcad_ros.world import World

KINDS = {
    "images": [(Image, "color/image_raw"), (Image, "depth/image_raw")],
    "cloud": [(PointCloud2, "points")],
}
FOREIGN_CLOCK = 60.0  # [s] an older or newer stamp comes from another clock
CLOCK_JUMP = TrackConfig.clock_jump  # [s] a stamp that goes back by less is only late


class TopicSets:
    """Sets of messages with (nearly) the same stamp, one of each (type, topic), to `put(*set)`.

    Every `silence` seconds without a set it warns and names the topics that are silent. Where
    stamps go back (a bag that starts again) it warns, forgets what waited, and calls `on_jump`.
    """

    def __init__(self, node, topics, put, health, silence, slop=0.0, queue=1, on_jump=lambda: None):
        self._node, self._health, self._put, self._on_jump = node, health, put, on_jump
        self._arrived, self._complete = {}, time.monotonic()
        self._newest = {}  # topic, or None for whole sets -> newest stamp since the last jump [s]
        self._filters = [_subscriber(node, *topic) for topic in topics]
        for number, f in enumerate(self._filters):
            # Before the synchroniser's own callback, so that a jump is seen first.
            f.registerCallback(self._note, node.resolve_topic_name(f.topic), number)
        if len(self._filters) > 1:
            self._sync = ApproximateTimeSynchronizer(self._filters, queue, slop)
            self._sync.registerCallback(self._on_set)
        else:
            self._sync = None
            self._filters[0].registerCallback(self._on_set)
        self._slop, self._silence = slop, silence
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = node.create_timer(silence, self._watch, clock=steady)

    def close(self):
        """Unsubscribe."""
        self._node.destroy_timer(self._timer)
        for f in self._filters:
            self._node.destroy_subscription(f.sub)

    def _note(self, message, topic, number):
        self._arrived[topic] = time.monotonic()
        if self._went_back(message, topic) and self._sync:
            # A full queue drops its oldest stamps: new messages, for ever, if these stayed.
            self._sync.queues[number].clear()

    def _on_set(self, *messages):
        self._complete = time.monotonic()
        back = self._went_back(messages[0], None)
        if back:
            text = f"stamps went back by {back:.1f} s; what was before is forgotten"
            self._health.warn("clock_went_back", text)
            self._on_jump()
        self._put(*messages)

    def _went_back(self, message, key):
        """By how much [s] the stamps of `key` went back with this message; 0 for no jump."""
        stamp = seconds(message.header.stamp)
        newest = self._newest.get(key, stamp)
        back = newest - stamp if newest - stamp > CLOCK_JUMP else 0.0
        self._newest[key] = stamp if back else max(newest, stamp)
        return back

    def _watch(self):
        since = time.monotonic() - self._silence
        if self._complete >= since:
            return
        names = [self._node.resolve_topic_name(f.topic) for f in self._filters]
        silent = [n for n in names if self._arrived.get(n, 0.0) < since]
        if silent:
            text = f"nothing for {self._silence:g} s on {', '.join(silent)}"
        else:
            text = f"the stamps of {', '.join(names)} differ by more than {self._slop:g} s"
        self._health.warn("no_input", text)


class FrameInput:
    """Complete sets of camera messages (and `extra` topics) to `put`; `frame` makes the Frame.

    camera_info is not synchronised: drivers publish it at any rate, so the newest one serves,
    and a set that comes before the first one waits for it.
    """

    def __init__(self, node, config, put, health, silence, extra=()):
        self._node, self._config, self._health = node, config, health
        self._put, self._info, self._early = put, None, None
        self._world = World(node, config, health)
        topics = [*KINDS[config.input], *extra]
        self._n_camera = len(KINDS[config.input])
        self._sets = TopicSets(
            node,
            topics,
            self._on_set,
            health,
            silence,
            config.sync_slop,
            config.sync_queue,
            self._world.forget,
        )
        self._info_topic = node.resolve_topic_name("camera_info")
        self._info_sub = _subscriber(node, CameraInfo, "camera_info")
        self._info_sub.registerCallback(self._on_info)

    def close(self):
        """Unsubscribe."""
        self._sets.close()
        self._world.close()
        self._node.destroy_subscription(self._info_sub.sub)

    def _on_info(self, info):
        self._info = info
        if self._early:
            early, self._early = self._early, None
            self._on_set(*early)

    def _on_set(self, *messages):
        if self._info is None and self._config.input == "images":
            if self._early:
                text = f"nothing on {self._info_topic} yet"
                self._health.drop("no_camera_info", text)
            self._early = messages
            return
        n = self._n_camera
        self._put((messages[:n], self._info, messages[n:]))

    def frame(self, camera, info):
        """(Frame, name of the world frame or None) of one set; call it outside the executor.

        Raises:
            BadFrame: with the reason for which the set cannot be used.
        """
        header = camera[-1].header
        self._check_age(header)
        self._check_frames([*camera, info] if info else camera)
        with self._health.timed("tf"):
            world, T_world_cam = self._world.camera_pose(header)
        make = frame_from_images if self._config.input == "images" else frame_from_cloud
        with self._health.timed("convert"):
            return make(*camera, info, T_world_cam), world

    def _check_age(self, header):
        age = self._node.get_clock().now().nanoseconds * 1e-9 - seconds(header.stamp)
        limit = self._config.max_age
        if abs(age) > FOREIGN_CLOCK:
            text = f"frame and clock are {age:.0f} s apart; is use_sim_time set as it should be?"
            self._health.warn("foreign_clock", text)
        elif limit and age > limit:
            raise BadFrame("too_old", f"the frame is {age:.1f} s old, the limit is {limit:g} s")

    def _check_frames(self, messages):
        ids = [m.header.frame_id for m in messages]
        if not all(ids):
            raise BadFrame("no_frame_id", f"a header without frame_id among {ids}")
        if len(set(ids)) > 1:
            text = f"{', '.join(ids)}; depth registered to colour has the colour's frame"
            self._health.warn("frame_ids_differ", text)


def _subscriber(node, kind, topic, qos=qos_profile_sensor_data):
    """message_filters.Subscriber whose QoS can be overridden by parameters."""
    overrides = QoSOverridingOptions.with_default_policies()
    return Subscriber(node, kind, topic, qos_profile=qos, qos_overriding_options=overrides)
