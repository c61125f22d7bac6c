"""Reading rosbag2 by message number: one pass notes the stamps, messages are fetched on demand."""

import logging
import struct
from dataclasses import dataclass

from tqdm import tqdm

from roomcad_core.bags.tf import TfTree, transform_matrix

log = logging.getLogger(__name__)

IMAGE = "sensor_msgs/msg/Image"
COMPRESSED = "sensor_msgs/msg/CompressedImage"
CLOUD = "sensor_msgs/msg/PointCloud2"
INFO = "sensor_msgs/msg/CameraInfo"
TF = "tf2_msgs/msg/TFMessage"
STAMPED = (IMAGE, COMPRESSED, CLOUD)
NS = 1_000_000_000
SQLITE_MAGIC = b"SQLite format 3\0"


@dataclass(frozen=True)
class Entry:
    """Where one message is: its own stamp and the time it was recorded."""

    stamp_ns: int
    log_ns: int


class BagReader:
    """Messages of one bag (folder, *.mcap or *.db3), by topic and number.

    Use it from the thread that opened it (a limit of sqlite3) and close it at the end.

    Attributes:
        types: {topic: message type} of the topics that hold messages.
        first: {topic: first message} of image, cloud and CameraInfo topics.
        entries: {topic: list of Entry in stamp order} of image and cloud topics.

    Raises:
        ValueError: the bag cannot be read; names the path.
        ImportError: the package rosbags is missing.
    """

    def __init__(self, path, max_tf_gap):
        self.path = path
        self.tf = TfTree(max_tf_gap)
        self._reader = open_reader(path)
        self.types = {c.topic: c.msgtype for c in self._reader.connections}
        self.first = {}
        self.entries = {}
        try:
            self._scan()
        except Exception as error:
            self.close()
            raise ValueError(f"{path}: bag cannot be read ({error})") from error

    def close(self):
        """Close the files."""
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def topics(self, *msgtypes):
        """Names of the topics of these types that hold messages, sorted."""
        return sorted(topic for topic in self.first if self.types[topic] in msgtypes)

    def message(self, topic, entry):
        """The message of `topic` at `entry`."""
        if self._reader is None:
            raise ValueError(f"{self.path}: the bag was closed")
        connections = [c for c in self._reader.connections if c.topic == topic]
        try:
            for connection, _, data in self._reader.messages(
                connections, start=entry.log_ns, stop=entry.log_ns + 1
            ):
                if header_stamp(data) == entry.stamp_ns:
                    return self._reader.deserialize(data, connection.msgtype)
        except Exception as error:  # rosbags raises what its parsers raise
            raise ValueError(f"{self.where(topic, entry)}: not readable ({error})") from error
        raise ValueError(f"{self.where(topic, entry)}: message is gone")

    def where(self, topic, entry):
        """Names a message in errors."""
        return f"{self.path}: {topic} at {entry.stamp_ns / NS:.3f} s"

    def _scan(self):
        kept = [c for c in self._reader.connections if c.msgtype in (*STAMPED, INFO, TF)]
        if not kept:
            return
        messages = self._reader.messages(kept)
        promised, found = sum(c.msgcount for c in kept), 0
        for connection, log_ns, data in tqdm(
            messages, f"index {self.path.name}", promised or None, delay=2.0, leave=False
        ):
            self._note(connection, log_ns, data)
            found += 1
        if found < promised:
            raise ValueError(f"{promised} messages were recorded, {found} are there")
        for entries in self.entries.values():
            entries.sort(key=lambda entry: entry.stamp_ns)

    def _note(self, connection, log_ns, data):
        topic, kind = connection.topic, connection.msgtype
        if kind == TF:
            self._add_tf(self._reader.deserialize(data, kind), topic.endswith("tf_static"))
            return
        if topic not in self.first:
            self.first[topic] = self._reader.deserialize(data, kind)
        if kind in STAMPED:
            self.entries.setdefault(topic, []).append(Entry(header_stamp(data), log_ns))

    def _add_tf(self, msg, static):
        for item in msg.transforms:
            stamp_ns = item.header.stamp.sec * NS + item.header.stamp.nanosec
            T = transform_matrix(item.transform)
            self.tf.add(item.header.frame_id, item.child_frame_id, stamp_ns, T, static)


def open_reader(path):
    """Opened rosbags AnyReader; ValueError naming the path if it is no readable bag."""
    try:
        from rosbags.highlevel import AnyReader
        from rosbags.typesys import Stores, get_typestore
    except ImportError as error:
        raise ImportError("reading bags needs the package rosbags: pip install rosbags") from error
    if path.is_dir() and not (path / "metadata.yaml").is_file():
        raise ValueError(
            f"{path}: metadata.yaml is missing, the recording was interrupted; "
            f"`ros2 bag reindex {path}` writes it"
        )
    for file in path.glob("*.db3") if path.is_dir() else [path]:
        check_sqlite_size(file)
    try:
        reader = AnyReader([path], default_typestore=get_typestore(Stores.ROS2_JAZZY))
        reader.open()
    except Exception as error:  # rosbags raises what its parsers raise on damaged files
        raise ValueError(f"{path}: not a readable bag ({error})") from error
    return reader


def check_sqlite_size(path):
    """ValueError if the sqlite3 file `path` is shorter than its header says.

    SQLite reads a file that lost its end without complaint as long as those pages are not used.
    """
    with path.open("rb") as file:
        head = file.read(100)
    if not head.startswith(SQLITE_MAGIC) or len(head) < 100:
        return  # another format, or so damaged that the reader says so
    page, pages = struct.unpack_from(">H", head, 16)[0], struct.unpack_from(">I", head, 28)[0]
    expected = (65536 if page == 1 else page) * pages
    if path.stat().st_size < expected:
        raise ValueError(f"{path}: truncated, {path.stat().st_size} of {expected} bytes")


def header_stamp(data):
    """Nanoseconds of the std_msgs/Header a serialised (CDR) message starts with."""
    order = "<" if data[1] & 1 else ">"
    sec, nanosec = struct.unpack_from(f"{order}iI", data, 4)
    return sec * NS + nanosec
