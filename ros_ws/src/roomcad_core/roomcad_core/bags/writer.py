"""Frames to a rosbag2 that the official tools play (ROS 2 Jazzy messages, sqlite3 or mcap)."""

import shutil
import tempfile
from pathlib import Path

from roomcad_core.bags.messages import Messages

STORAGES = ("mcap", "sqlite3")
SUFFIX_STORAGE = {".db3": "sqlite3"}


class FrameBagWriter:
    """Context manager that writes types.Frame objects into the bag folder `out`.

    The bag grows in a hidden folder beside `out` and is moved into place when it is complete, so
    `out` never holds a part of a bag.

    Args:
        out: folder to make; its suffix .db3 chooses sqlite3 where `storage` is None, else mcap.
        points: add an organised PointCloud2.
        compressed: JPEG and compressedDepth topics instead of raw images.
        overwrite: replace an existing bag; otherwise FileExistsError.
    """

    def __init__(self, out, storage=None, points=False, compressed=False, overwrite=False):
        self.out = Path(out)
        self.storage = storage or SUFFIX_STORAGE.get(self.out.suffix, STORAGES[0])
        if self.storage not in STORAGES:
            raise ValueError(f"storage: got {self.storage!r}, expected one of {STORAGES}")
        self._points = points
        self._compressed = compressed
        self._overwrite = overwrite
        self._count = 0
        self._topics = {}

    def __enter__(self):
        if self.out.exists() and not self._overwrite:
            raise FileExistsError(f"{self.out}: exists already")
        Writer, StoragePlugin = _rosbags()
        self._messages = Messages()
        self.out.parent.mkdir(parents=True, exist_ok=True)
        partial = tempfile.mkdtemp(prefix=f".{self.out.name}.partial-", dir=self.out.parent)
        self._partial = Path(partial)
        try:
            self._bag = Writer(
                self._partial / self.out.stem,
                version=Writer.VERSION_LATEST,
                storage_plugin=StoragePlugin[self.storage.upper()],
            )
            self._bag.open()
        except BaseException:
            shutil.rmtree(self._partial)
            raise
        return self

    def __exit__(self, kind, error, trace):
        try:
            if kind is not None:
                self._bag.abort()
                return
            if self._count == 0:
                self._bag.abort()
                raise ValueError(f"{self.out}: no frame was written")
            self._bag.close()
            if self.out.exists():
                _remove_bag(self.out)
            (self._partial / self.out.stem).rename(self.out)
        finally:
            shutil.rmtree(self._partial, ignore_errors=True)

    def write(self, frame):
        """Append one types.Frame; a frame without pose gets no transform."""
        stamp_ns = round(frame.stamp * 1e9)
        if stamp_ns <= 0:
            raise ValueError(f"stamp {frame.stamp} s: ROS needs stamps after 0")
        for topic, msg in self._messages.of_frame(
            frame, stamp_ns, points=self._points, compressed=self._compressed
        ):
            self._bag.write(self._connection(topic, msg), stamp_ns, self._messages.encode(msg))
        self._count += 1

    def _connection(self, topic, msg):
        if topic not in self._topics:
            self._topics[topic] = self._messages.connect(self._bag, topic, msg)
        return self._topics[topic]


def _remove_bag(path):
    """Remove an old bag; a folder that is no bag is never touched."""
    if path.is_file():
        path.unlink()
    elif (path / "metadata.yaml").is_file():
        shutil.rmtree(path)
    else:
        raise FileExistsError(f"{path}: exists and is no bag")


def _rosbags():
    try:
        from rosbags.rosbag2 import StoragePlugin, Writer
    except ImportError as error:
        raise ImportError("writing bags needs the package rosbags: pip install rosbags") from error
    return Writer, StoragePlugin
