"""Fills a Buffer from /tf and /tf_static."""

from threading import Thread

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import DurabilityPolicy, QoSProfile
from tf2_msgs.msg import TFMessage

from tf2_ros.errors import InvalidArgumentException


class TransformListener:
    """Subscribes `node` to /tf and /tf_static; `spin_thread` spins the node by itself."""

    def __init__(self, buffer, node, *, spin_thread=False, qos=None, static_qos=None):
        self.buffer = buffer
        self.node = node
        latched = QoSProfile(depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        group = ReentrantCallbackGroup()
        self.tf_sub = node.create_subscription(
            TFMessage, "/tf", self.callback, qos or QoSProfile(depth=100), callback_group=group
        )
        self.tf_static_sub = node.create_subscription(
            TFMessage,
            "/tf_static",
            self.static_callback,
            static_qos or latched,
            callback_group=group,
        )
        if spin_thread:
            self.executor = SingleThreadedExecutor()
            self.executor.add_node(node)
            self.dedicated_listener_thread = Thread(target=self.executor.spin, daemon=True)
            self.dedicated_listener_thread.start()

    def unregister(self):
        """Stop listening."""
        self.node.destroy_subscription(self.tf_sub)
        self.node.destroy_subscription(self.tf_static_sub)

    def callback(self, data):
        self._add(data, self.buffer.set_transform)

    def static_callback(self, data):
        self._add(data, self.buffer.set_transform_static)

    def _add(self, data, set_transform):
        for transform in data.transforms:
            try:
                set_transform(transform, "default_authority")
            except InvalidArgumentException as error:
                self.node.get_logger().warning(f"tf ignored: {error}", throttle_duration_sec=5.0)
