"""What the live nodes found, out of the bag that the recorder wrote."""

from dataclasses import dataclass

import numpy as np

from roomcad_core.bags.reader import NS, open_reader
from roomcad_core.pose import rigid, rotation
from roomcad_core.types import Alignment

ALIGNMENTS = "roomcad_msgs/msg/CadAlignmentArray"


@dataclass(frozen=True)
class Found:
    """The alignments of one frame."""

    stamp_ns: int
    frame_id: str  # camera
    alignments: tuple[Alignment, ...]
    track_ids: tuple[int, ...]  # of each alignment; 0 = its object was not followed


def read_found(path):
    """List of Found of a result bag, in the order of recording; ValueError if it holds none."""
    found = []
    reader = open_reader(path)
    try:
        connections = [c for c in reader.connections if c.msgtype == ALIGNMENTS]
        for connection, _, data in reader.messages(connections) if connections else ():
            found.append(_found(reader.deserialize(data, connection.msgtype)))
    finally:
        reader.close()
    if not found:
        raise ValueError(f"{path}: holds no {ALIGNMENTS}; did the nodes start?")
    return found


def read_alignments(path, dataset):
    """{frame index: tuple of Alignment} of a result bag, by the stamps of `dataset`.

    Raises:
        ValueError: no alignments in the bag, or a stamp that no frame of the dataset has.
    """
    stamps = np.round(np.asarray(dataset.stamps) * NS).astype(np.int64)
    alignments = {}
    for found in read_found(path):
        index = int(np.argmin(np.abs(stamps - found.stamp_ns)))
        if abs(int(stamps[index]) - found.stamp_ns) > 1_000_000:
            raise ValueError(f"{path}: no frame of {dataset.path} at {found.stamp_ns / NS:.3f} s")
        alignments[index] = found.alignments
    return alignments


def _found(msg):
    stamp_ns = msg.header.stamp.sec * NS + msg.header.stamp.nanosec
    alignments = tuple(to_alignment(a) for a in msg.alignments)
    # Bags of before there were tracks have no such field.
    track_ids = tuple(int(getattr(a, "track_id", 0)) for a in msg.alignments)
    return Found(stamp_ns, msg.header.frame_id, alignments, track_ids)


def to_alignment(msg):
    """roomcad_msgs/CadAlignment to types.Alignment."""
    p, q, s = msg.pose.position, msg.pose.orientation, msg.size
    return Alignment(
        object_id=msg.object_id,
        label=msg.label,
        cad_id=msg.cad_id,
        T_cam_obj=rigid(rotation([q.x, q.y, q.z, q.w]), [p.x, p.y, p.z]),
        S=np.array([s.x, s.y, s.z]),
        score=float(msg.score),
        class_score=float(msg.class_score),
    )
