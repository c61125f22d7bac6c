"""Topics to Frames: synchronisation, checks, and warnings that name the silent topic."""

import time

from message_filters import ApproximateTimeSynchronizer, SimpleFilter, Subscriber
from rclpy.clock import Clock, ClockType
from rclpy.qos import qos_profile_sensor_data
from rclpy.qos_overriding_options import QoSOverridingOptions
from sensor_msgs.msg import CameraInfo

from roomcad_ros.camera_topics import camera_topics
from roomcad_ros.health import BadFrame
from roomcad_ros.images import frame_from_cloud, frame_from_images, seconds
from roomcad_ros.predicted import frame_from_color, frame_from_prediction
from roomcad_ros.stamps import JUMP, ODD, Stamps, stamp_of
from roomcad_ros.world import World

FOREIGN_CLOCK = 60.0  # [s] an older or newer stamp comes from another clock


class TopicSets:
    """Sets of messages with (nearly) the same stamp, one of each (type, topic), to `put(*set)`.

    `settings`: Parameters of NodeConfig. After `silence` seconds without a set it warns and names
    the topics that are silent. A message whose stamp is out of line with those before it on its
    topic is dropped; where the next one agrees with it, the clock was set (a bag that starts
    again): it warns, forgets what waited, and calls `on_jump`.
    """

    def __init__(self, node, topics, put, health, settings, slop=0.0, queue=1, on_jump=None):
        self._node, self._health, self._put, self._on_jump = node, health, put, on_jump
        self._settings, self._slop = settings, slop
        self._arrived, self._complete = {}, time.monotonic()
        self._jumped = ""  # what to say of a clock that went back, with the next set
        self._filters = [_subscriber(node, *topic) for topic in topics]
        # Behind each subscriber: what it lets through counts, and may wait for its partners.
        self._gates = [SimpleFilter() for _ in topics]
        for number, f in enumerate(self._filters):
            topic = node.resolve_topic_name(f.topic)
            f.registerCallback(self._check, number, topic, Stamps())
        if len(self._gates) > 1:
            self._sync = ApproximateTimeSynchronizer(self._gates, queue, slop)
            self._sync.registerCallback(self._on_set)
        else:
            self._sync = None
            self._gates[0].registerCallback(self._on_set)
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = node.create_timer(settings.config.silence, self._watch, clock=steady)

    def close(self):
        """Unsubscribe."""
        self._node.destroy_timer(self._timer)
        for f in self._filters:
            self._node.destroy_subscription(f.sub)

    def _check(self, message, number, topic, stamps):
        self._arrived[topic] = time.monotonic()
        limits = self._settings.config
        verdict = stamps.judge(stamp_of(message), limits.clock_jump, limits.clock_leap)
        if verdict == ODD:
            stamp = message.header.stamp
            text = f"{topic}: stamp {stamp.sec}.{stamp.nanosec:09d} s is far from the one before"
            self._health.drop("odd_stamp", text)
            return
        if verdict == JUMP:
            self._jumped = f"stamps of {topic} went back; what was before is forgotten"
            if self._sync:
                # A full queue drops its oldest stamps: new messages, for ever, if these stayed.
                self._sync.queues[number].clear()
        self._gates[number].signalMessage(message)

    def _on_set(self, *messages):
        self._complete = time.monotonic()
        if self._jumped:
            self._health.warn("clock_went_back", self._jumped)
            self._jumped = ""
            if self._on_jump:
                self._on_jump()
        self._put(*messages)

    def _watch(self):
        silence = self._settings.config.silence
        self._timer.timer_period_ns = round(silence * 1e9)  # it may have been changed
        since = time.monotonic() - silence
        if self._complete >= since:
            return
        names = [self._node.resolve_topic_name(f.topic) for f in self._filters]
        silent = [n for n in names if self._arrived.get(n, 0.0) < since]
        if silent:
            text = f"nothing for {silence:g} s on {', '.join(silent)}"
        else:
            text = f"the stamps of {', '.join(names)} differ by more than {self._slop:g} s"
        self._health.warn("no_input", text)


class FrameInput:
    """Complete sets of camera messages (and `extra` topics) to `put`; `frame` makes the Frame.

    camera_info is not synchronised: drivers publish it at any rate, so the newest one serves,
    and a set that comes before the first one waits for it.
    """

    def __init__(self, node, inputs, put, health, settings, extra=(), predicted=False):
        """
        Args:
            inputs: Parameters of InputConfig; settings: of NodeConfig.
            predicted: with input rgb, frames get depth and normals from the segment node.
        """
        config = inputs.config
        self._node, self._inputs, self._health = node, inputs, health
        self._kind, self._put, self._info, self._early = config.input, put, None, None
        self._make = {
            "images": frame_from_images,
            "cloud": frame_from_cloud,
            "rgb": frame_from_prediction if predicted else frame_from_color,
        }[self._kind]
        self._world = World(node, inputs, health)
        camera = camera_topics(node, config, predicted)
        self._n_camera = len(camera)
        self._sets = TopicSets(
            node,
            [*camera, *extra],
            self._on_set,
            health,
            settings,
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
        if self._info is None and self._kind != "cloud":
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
        with self._health.timed("convert"):
            return self._make(*camera, info, T_world_cam), world

    def _check_age(self, header):
        age = self._node.get_clock().now().nanoseconds * 1e-9 - seconds(header.stamp)
        limit = self._inputs.config.max_age
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
