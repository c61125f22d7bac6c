"""A rosbag2 as a dataset: colour, depth and camera paired by stamp, poses from TF.

The world is the TF frame map, odom or world, which ROS keeps z-up (REP 103), so `up="auto"`
leaves it as it is. A frame without a TF chain at its stamp has no pose.
"""

import logging

import numpy as np

from roomcad_core.bags.clouds import cloud_images, cloud_intrinsics
from roomcad_core.bags.images import (
    color_array,
    compressed_color,
    compressed_depth,
    depth_array,
    is_compressed_depth,
)
from roomcad_core.bags.reader import IMAGE, NS, BagReader
from roomcad_core.bags.topics import choose_topics
from roomcad_core.datasets.base import Dataset
from roomcad_core.datasets.text_files import check_against_image, checked_intrinsics
from roomcad_core.datasets.world import to_z_up
from roomcad_core.rectify import Rectifier
from roomcad_core.types import Frame

log = logging.getLogger(__name__)

SUFFIXES = (".mcap", ".db3")


class RosBag(Dataset):
    """Frames of a rosbag2 folder (sqlite3 or mcap) or of one of its files.

    Attributes:
        topics: bags.topics.Topics that are read.
    """

    LOOKS_FOR = "a folder with metadata.yaml, or a file *.mcap or *.db3"

    def __init__(self, path, config):
        super().__init__(path, config)
        self._bag = BagReader(path, config.max_tf_gap)
        try:
            self.topics = choose_topics(self._bag, config)
            self._rectify = self._read_camera()
            self._entries = self._pair()
        except Exception:
            self._bag.close()
            raise
        self.stamps = np.array([depth.stamp_ns for _, depth in self._entries]) / NS
        self._T_world_raw = to_z_up("z" if config.up == "auto" else config.up, [])
        self._report()

    @staticmethod
    def found_at(path):
        if path.is_file():
            return path.suffix in SUFFIXES
        return (path / "metadata.yaml").is_file() or any(
            p.suffix in SUFFIXES for p in path.iterdir()
        )

    def close(self):
        """Close the bag's files."""
        self._bag.close()

    def _read_camera(self):
        """Rectifier from the CameraInfo, or None where the cloud itself gives the camera."""
        info = self.topics.info
        self._info_shape = (0, 0)
        if info is None:
            return None
        msg = self._bag.first[info]
        self._info_shape = (msg.height, msg.width)
        source = f"{self.path}: {info}"
        K = checked_intrinsics(np.array(msg.k, float).reshape(3, 3), source)
        return Rectifier(K, np.array(msg.d, float), msg.distortion_model, source)

    def _pair(self):
        """[(colour entry, depth entry)] of nearest stamps; a cloud is its own partner."""
        topics, entries = self.topics, self._bag.entries
        if topics.cloud:
            return [(entry, entry) for entry in entries[topics.cloud]]
        pairs, alone = pair_nearest(
            entries[topics.color], entries[topics.depth], round(self.config.slop * NS)
        )
        if alone:
            log.warning(
                "%s: %d of %d images of %s have no colour within %.3f s, the first at %.3f s",
                *(self.path, len(alone), len(alone) + len(pairs), topics.depth),
                *(self.config.slop, alone[0].stamp_ns / NS),
            )
        if not pairs:
            raise ValueError(
                f"{self.path}: no stamps of {topics.color} and {topics.depth} lie within "
                f"{self.config.slop} s"
            )
        return pairs

    def _read(self, i):
        entry_color, entry_depth = self._entries[i]
        where = self._bag.where(self.topics.cloud or self.topics.depth, entry_depth)
        read = self._read_cloud if self.topics.cloud else self._read_images
        color, depth, K, frame_id = read(entry_color, entry_depth)
        self._check_camera(K, depth.shape, where)
        return Frame(
            stamp=float(self.stamps[i]),
            color=color,
            depth=depth,
            K=K,
            T_world_cam=self._pose(frame_id, entry_depth.stamp_ns),
            frame_id=frame_id,
        )

    def _check_camera(self, K, shape, where):
        if self._info_shape not in ((0, 0), shape):
            raise ValueError(
                f"{where}: image of {shape[1]}x{shape[0]}, but {self.topics.info} describes "
                f"{self._info_shape[1]}x{self._info_shape[0]}"
            )
        check_against_image(K, shape, f"{where}: camera {self.topics.info or 'of the cloud'}")

    def _read_images(self, entry_color, entry_depth):
        topics = self.topics
        color_msg = self._bag.message(topics.color, entry_color)
        depth_msg = self._bag.message(topics.depth, entry_depth)
        color = self._decode(topics.color, entry_color, color_msg, color_array, compressed_color)
        depth = self._decode(topics.depth, entry_depth, depth_msg, depth_array, compressed_depth)
        if color.shape[:2] != depth.shape:
            raise ValueError(
                f"{self.path}: {topics.color} is {color.shape[1]}x{color.shape[0]} but "
                f"{topics.depth} is {depth.shape[1]}x{depth.shape[0]}; record the depth that is "
                "registered to the colour image"
            )
        frame_id = depth_msg.header.frame_id or color_msg.header.frame_id
        return *self._rectify(color, depth), self._rectify.K, frame_id

    def _read_cloud(self, _, entry):
        msg = self._bag.message(self.topics.cloud, entry)
        try:
            color, points = cloud_images(msg)
            K = self._rectify.K if self._rectify else cloud_intrinsics(points)
        except ValueError as error:
            raise ValueError(f"{self._bag.where(self.topics.cloud, entry)}: {error}") from None
        return color, np.ascontiguousarray(points[..., 2]), K, msg.header.frame_id

    def _decode(self, topic, entry, msg, raw, compressed):
        where = self._bag.where(topic, entry)
        if self._bag.types[topic] != IMAGE:
            if (compressed is compressed_depth) != is_compressed_depth(msg):
                raise ValueError(f"{where}: unexpected format {msg.format!r}")
            return compressed(msg, where)
        try:
            return raw(msg)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None

    def _pose(self, frame_id, stamp_ns):
        world = self._bag.tf.world_above(frame_id, self.config.world_frame)
        if world is None:
            return None
        T = self._bag.tf.lookup(world, frame_id, stamp_ns)
        return None if T is None else self._T_world_raw @ T

    def _report(self):
        """Warn once of what makes poses absent or geometry doubtful."""
        topics, first = self.topics, self._bag.first
        frame_id = first[topics.cloud or topics.depth].header.frame_id
        if self._bag.tf.world_above(frame_id, self.config.world_frame) is None:
            wanted = self.config.world_frame or "map, odom or world"
            log.warning("%s: no TF from %s to %s: no poses", self.path, frame_id, wanted)
        color_id = first[topics.color].header.frame_id if topics.color else frame_id
        if color_id != frame_id:
            log.warning(
                "%s: %s is in frame %s, %s in %s: is the depth registered to the colour image?",
                *(self.path, topics.color, color_id, topics.depth, frame_id),
            )


def pair_nearest(colors, depths, slop_ns):
    """Pair every depth entry with the nearest colour entry.

    Args:
        colors, depths: lists of Entry in stamp order.

    Returns:
        pairs: list of (colour, depth); alone: depth entries without colour within slop_ns.
    """
    stamps = np.array([entry.stamp_ns for entry in colors])
    pairs, alone = [], []
    for depth in depths:
        nearest = int(np.abs(stamps - depth.stamp_ns).argmin())
        if abs(int(stamps[nearest]) - depth.stamp_ns) <= slop_ns:
            pairs.append((colors[nearest], depth))
        else:
            alone.append(depth)
    return pairs, alone
