"""What a result holds to look at: a saved room, a report's folder, or a bag of the nodes."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from roomcad_core.bags.messages import WORLD_FRAME
from roomcad_core.bags.reader import NS, BagReader
from roomcad_core.bags.results import read_found
from roomcad_core.datasets import Dataset, ReadConfig, open_dataset
from roomcad_core.pose import inverse
from roomcad_core.room_file import JSON, read_objects, read_room
from roomcad_core.types import Alignment, Frame, Placed

OBJECTS, RESULT_BAG, INPUT_BAG = "objects.json", "result.mcap", "input.mcap"
NEAR_NS = 1_000_000  # stamps that differ by less are of the same frame


@dataclass(frozen=True)
class Shot:
    """One moment: what the camera saw, if that is known, and what stood in the room then."""

    stamp_ns: int
    frame_id: str  # camera
    T_world_cam: np.ndarray | None  # (4, 4) rigid
    # None = this frame was not served; object_id is the track's, where the object was followed.
    alignments: tuple[Alignment, ...] | None
    frame: Frame | None = None


@dataclass(frozen=True)
class Result:
    """The furniture of a whole room, and of moments; either may be missing."""

    room: tuple[Placed, ...]
    world: str  # name of the world frame
    moments: tuple[Shot, ...]  # without frames; () = the result has none
    dataset: Dataset | None

    def shots(self, every=1):
        """Yield every n-th Shot; with a dataset those of its frames, damaged ones left out."""
        if self.dataset is None:
            yield from self.moments[::every]
            return
        for i in range(0, len(self.dataset), every):
            for frame in self.dataset.frames([i]):
                yield self._shot(frame)

    def count(self, every=1):
        """How many shots there are at most."""
        return len(range(0, len(self.moments if self.dataset is None else self.dataset), every))

    def _shot(self, frame):
        stamp_ns = round(frame.stamp * NS)
        if self.moments:
            near = [m for m in self.moments if abs(m.stamp_ns - stamp_ns) < NEAR_NS]
            alignments = near[0].alignments if near else None
        else:
            alignments = seen_by(self.room, frame.T_world_cam)
        return Shot(stamp_ns, frame.frame_id, frame.T_world_cam, alignments, frame)


def open_result(path, sequence=None):
    """The Result at `path`, with the images of `sequence` (any dataset), where that is given.

    Raises:
        FileNotFoundError, ValueError: name the path and what was looked for there.
    """
    path = Path(path).expanduser()
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file or folder")
    room, world, bag = (), WORLD_FRAME, None
    if (path / JSON).is_file():
        room, world = read_room(path)
    elif (path / OBJECTS).is_file():
        room = read_objects(path / OBJECTS)
        bag = path / RESULT_BAG
        sequence = sequence or (path / INPUT_BAG if (path / INPUT_BAG).exists() else None)
    elif path.suffix in (".mcap", ".db3") or (path / "metadata.yaml").is_file():
        bag = path
    else:
        raise ValueError(
            f"{path}: no result here. Looked for a saved room ({JSON}), a report ({OBJECTS}), "
            "or a bag that the nodes' recorder wrote"
        )
    moments = read_moments(bag) if bag and bag.exists() else ()
    dataset = open_dataset(sequence, bad="skip") if sequence else None
    return Result(room, world, moments, dataset)


def read_moments(bag):
    """Tuple of Shot of a result bag; the camera's poses are from its transforms."""
    reader = BagReader(bag, ReadConfig().max_tf_gap)
    reader.close()
    return tuple(_moment(found, reader.tf) for found in read_found(bag))


def _moment(found, tf):
    world = tf.world_above(found.frame_id)
    T_world_cam = tf.lookup(world, found.frame_id, found.stamp_ns) if world else None
    alignments = tuple(
        dataclasses.replace(a, object_id=track or a.object_id)
        for a, track in zip(found.alignments, found.track_ids, strict=True)
    )
    return Shot(found.stamp_ns, found.frame_id, T_world_cam, alignments)


def seen_by(room, T_world_cam):
    """Alignments of a room's furniture for a camera; () where its pose is not known."""
    if T_world_cam is None:
        return ()
    T_cam_world = inverse(T_world_cam)
    return tuple(
        Alignment(p.id, p.label, p.cad_id, T_cam_world @ p.T_world_obj, p.S, p.score) for p in room
    )
