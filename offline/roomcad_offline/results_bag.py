"""Alignments out of the bag that the live stack's recorder wrote."""

import numpy as np

from roomcad_core.bags.reader import NS, open_reader
from roomcad_core.pose import rigid, rotation
from roomcad_core.types import Alignment

ALIGNMENTS = "roomcad_msgs/msg/CadAlignmentArray"


def read_alignments(path, dataset):
    """{frame index: tuple of Alignment} of a result bag, by the stamps of `dataset`.

    Raises:
        ValueError: no alignments in the bag, or a stamp that no frame of the dataset has.
    """
    stamps = np.round(np.asarray(dataset.stamps) * NS).astype(np.int64)
    found = {}
    reader = open_reader(path)
    try:
        connections = [c for c in reader.connections if c.msgtype == ALIGNMENTS]
        for connection, _, data in reader.messages(connections) if connections else ():
            msg = reader.deserialize(data, connection.msgtype)
            stamp_ns = msg.header.stamp.sec * NS + msg.header.stamp.nanosec
            index = int(np.argmin(np.abs(stamps - stamp_ns)))
            if abs(int(stamps[index]) - stamp_ns) > 1_000_000:
                raise ValueError(f"{path}: no frame of {dataset.path} at {stamp_ns / NS:.3f} s")
            found[index] = tuple(to_alignment(a) for a in msg.alignments)
    finally:
        reader.close()
    if not found:
        raise ValueError(f"{path}: holds no {ALIGNMENTS}; did the nodes start?")
    return found


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
