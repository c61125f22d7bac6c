"""Which topics make a frame: raw images, compressed ones, or a cloud."""

from sensor_msgs.msg import CompressedImage, Image, PointCloud2

TRANSPORTS = ("compressed", "compressedDepth")  # how the names of their topics end


def camera_topics(node, config):
    """[(message type, topic)] of one frame, depth last, as InputConfig `config` asks for it."""
    if config.input == "cloud":
        return [(PointCloud2, "points")]
    return [
        image_topic(node, "color/image_raw", config.color_transport),
        image_topic(node, "depth/image_raw", config.depth_transport),
    ]


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
