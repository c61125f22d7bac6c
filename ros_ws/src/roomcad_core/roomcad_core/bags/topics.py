"""Which topics of a bag hold the colour, the depth and the camera: asked for, or found."""

import logging
from dataclasses import dataclass

from roomcad_core.bags.images import COLOR_ENCODINGS, DEPTH_ENCODINGS, is_compressed_depth
from roomcad_core.bags.reader import CLOUD, COMPRESSED, IMAGE, INFO

log = logging.getLogger(__name__)

# A depth image computed onto the colour image's grid says so in its name.
ALIGNED_WORDS = ("aligned", "registered")
# Grey images are infrared more often than colour, so they come last.
GREY = ("mono8", "8UC1")


@dataclass(frozen=True)
class Topics:
    """Chosen topics; either color and depth, or cloud; info may be None beside a cloud."""

    color: str | None
    depth: str | None
    cloud: str | None
    info: str | None


def choose_topics(bag, config):
    """Topics of an open BagReader, by ReadConfig's names or by what the messages hold.

    Raises:
        ValueError: a named topic is absent, or nothing usable is there; lists the topics.
    """
    if config.cloud_topic:
        cloud = named(bag, config.cloud_topic, (CLOUD,))
        return Topics(None, None, cloud, find_info(bag, config, cloud, required=False))
    color = (
        named(bag, config.color_topic, (IMAGE, COMPRESSED))
        if config.color_topic
        else find_color(bag)
    )
    depth = (
        named(bag, config.depth_topic, (IMAGE, COMPRESSED))
        if config.depth_topic
        else find_depth(bag)
    )
    if color and depth:
        info = find_info(bag, config, depth, color)
        log.info("%s: colour %s, depth %s, camera %s", bag.path, color, depth, info)
        return Topics(color, depth, None, info)
    return _cloud_instead(bag, config, color, depth)


def named(bag, topic, kinds):
    """`topic` if the bag holds messages of one of `kinds` on it."""
    if topic in bag.topics(*kinds):
        return topic
    if topic in bag.types:
        raise ValueError(f"{bag.path}: {topic} is empty or of type {bag.types[topic]}")
    raise ValueError(f"{bag.path}: no topic {topic}; it has {listing(bag)}")


def listing(bag):
    """All topics and types of the bag, for errors."""
    return ", ".join(f"{topic} [{kind}]" for topic, kind in sorted(bag.types.items())) or "none"


def find_color(bag):
    """The best colour topic, or None: colour before grey, raw before compressed."""
    found = []
    for topic in bag.topics(IMAGE, COMPRESSED):
        msg = bag.first[topic]
        raw = bag.types[topic] == IMAGE
        if raw and msg.encoding in COLOR_ENCODINGS:
            found.append((msg.encoding in GREY, 0, topic))
        elif not raw and not is_compressed_depth(msg):
            found.append(("mono8" in msg.format or "16UC1" in msg.format, 1, topic))
    return min(found)[-1] if found else None


def find_depth(bag):
    """The best depth topic, or None: aligned with colour first, raw before compressed."""
    found = []
    for topic in bag.topics(IMAGE, COMPRESSED):
        msg = bag.first[topic]
        raw = bag.types[topic] == IMAGE
        apart = not any(word in topic for word in ALIGNED_WORDS)
        if (raw and msg.encoding in DEPTH_ENCODINGS) or (not raw and is_compressed_depth(msg)):
            found.append((apart, not raw, topic))
    return min(found)[-1] if found else None


def find_info(bag, config, *images, required=True):
    """The CameraInfo topic: asked for, beside one of `images`, or the only one."""
    if config.info_topic:
        return named(bag, config.info_topic, (INFO,))
    infos = bag.topics(INFO)
    for image in images:
        beside = [info for info in infos if _folder(info) in _folders(image)]
        if beside:
            return max(beside, key=len)
    if len(infos) == 1:
        return infos[0]
    if required:
        raise ValueError(
            f"{bag.path}: no CameraInfo beside {' or '.join(images)}; it has {infos or 'none'}"
        )
    return None


def _cloud_instead(bag, config, color, depth):
    clouds = [topic for topic in bag.topics(CLOUD) if bag.first[topic].height > 1]
    if clouds:
        log.info("%s: organised cloud %s", bag.path, clouds[0])
        return Topics(None, None, clouds[0], find_info(bag, config, clouds[0], required=False))
    missing = " and ".join(
        word for word, topic in (("colour", color), ("depth", depth)) if topic is None
    )
    raise ValueError(
        f"{bag.path}: no {missing} image topic and no organised PointCloud2; it has {listing(bag)}"
    )


def _folder(topic):
    return topic.rsplit("/", 1)[0]


def _folders(image):
    """The namespace of an image topic; one more up for its compressed forms (image_raw/...)."""
    above = _folder(image)
    return (above, _folder(above)) if above.count("/") > 1 else (above,)
