"""What the live nodes found, out of the bag that the recorder wrote."""

from dataclasses import dataclass

import numpy as np

from roomcad_core.bags.reader import NS, open_reader
from roomcad_core.pose import rigid, rotation
from roomcad_core.types import Alignment, Placed

ALIGNMENTS = "roomcad_msgs/msg/CadAlignmentArray"
ROOM = "room"  # the topic, in whatever namespace, on which such a message is the whole room


@dataclass(frozen=True)
class Found:
    """The alignments of one frame."""

    stamp_ns: int
    frame_id: str  # camera
    alignments: tuple[Alignment, ...]
    track_ids: tuple[int, ...]  # of each alignment; 0 = its object was not followed


def read_found(path):
    """List of Found of a result bag, in the order of recording; ValueError if it holds none."""
    found = [_found(message) for message in _messages(path, of_room=False)]
    if not found:
        raise ValueError(f"{path}: holds no {ALIGNMENTS}; did the nodes start?")
    return found


def read_room(path):
    """(tuple of Placed, name of the world frame) as the nodes knew the room last, ids of tracks.

    None where a result bag has no room: no camera pose was known, or objects were not followed.
    """
    rooms = _messages(path, of_room=True)
    if not rooms:
        return None
    last = rooms[-1]
    return tuple(map(_placed, last.alignments)), last.header.frame_id


def _messages(path, of_room):
    """Messages of type ALIGNMENTS of a bag, in the order of recording."""
    reader = open_reader(path)
    try:
        connections = [
            c
            for c in reader.connections
            if c.msgtype == ALIGNMENTS and (c.topic.split("/")[-1] == ROOM) == of_room
        ]
        messages = reader.messages(connections) if connections else ()
        return [reader.deserialize(data, c.msgtype) for c, _, data in messages]
    finally:
        reader.close()


def read_alignments(path, dataset):
    """{frame index: (tuple of Alignment, their track ids)} of a result bag, by the stamps of
    `dataset`; an id is 0 where the object was not followed.

    Raises:
        ValueError: no alignments in the bag, or a stamp that no frame of the dataset has.
    """
    stamps = np.round(np.asarray(dataset.stamps) * NS).astype(np.int64)
    alignments = {}
    for found in read_found(path):
        index = int(np.argmin(np.abs(stamps - found.stamp_ns)))
        if abs(int(stamps[index]) - found.stamp_ns) > 1_000_000:
            raise ValueError(f"{path}: no frame of {dataset.path} at {found.stamp_ns / NS:.3f} s")
        alignments[index] = found.alignments, found.track_ids
    return alignments


def _found(msg):
    stamp_ns = msg.header.stamp.sec * NS + msg.header.stamp.nanosec
    alignments = tuple(to_alignment(a) for a in msg.alignments)
    # Bags of before there were tracks have no such field.
    track_ids = tuple(int(getattr(a, "track_id", 0)) for a in msg.alignments)
    return Found(stamp_ns, msg.header.frame_id, alignments, track_ids)


def _placed(msg):
    a = to_alignment(msg)
    return Placed(msg.track_id, a.label, a.cad_id, a.T_cam_obj, a.S, msg.symmetry, a.score)


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
