"""Publishes frames that never move on /tf_static, latched."""

from rclpy.qos import DurabilityPolicy, QoSProfile
from tf2_msgs.msg import TFMessage


class StaticTransformBroadcaster:
    """Publishes everything sent so far whenever something is sent, so that it stays latched."""

    def __init__(self, node, qos=None):
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.pub_tf = node.create_publisher(TFMessage, "/tf_static", qos or latched)
        self.net_message = {}

    def sendTransform(self, transform):
        """Publish one TransformStamped or a list of them; a child sent again is replaced."""
        transforms = transform if isinstance(transform, (list, tuple)) else [transform]
        self.net_message.update({t.child_frame_id: t for t in transforms})
        self.pub_tf.publish(TFMessage(transforms=list(self.net_message.values())))
