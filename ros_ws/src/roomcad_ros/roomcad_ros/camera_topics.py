"""Which topics make a frame: raw images, compressed ones, a cloud, or colour alone."""

from rclpy.qos import QoSProfile
from sensor_msgs.msg import CompressedImage, Image, PointCloud2

from roomcad_ros.predicted import DEPTH, NORMALS

OWN = QoSProfile(depth=5)  # of our own images: reliable
TRANSPORTS = ("compressed", "compressedDepth")  # how the names of their topics end


def camera_topics(node, config, predicted=False):
    """[(message type, topic)], or with a QoS, of one frame as InputConfig `config` asks for it.

    `predicted`: with input rgb, also the depth and normals of the segment node.
    """
    if config.input == "cloud":
        return [(PointCloud2, "points")]
    color = image_topic(node, "color/image_raw", config.color_transport)
    if config.input == "rgb":
        return [color, *((Image, topic, OWN) for topic in (DEPTH, NORMALS) if predicted)]
    return [color, image_topic(node, "depth/image_raw", config.depth_transport)]


def image_topic(node, name, transport):
    """(message type, topic) of an image that comes by `transport`.

    As image_transport does, a transport other than raw appends its name to the topic. A topic
    that was remapped to one that ends so already is compressed, whatever `transport` says.
    """
    resolved = node.resolve_topic_name(name)
    if resolved.rsplit("/", 1)[-1] in TRANSPORTS:
        return CompressedImage, name
    if transport == "raw":
        return Image, name
    return CompressedImage, f"{resolved}/{transport}"
