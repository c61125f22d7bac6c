"""A Result as an MCAP file, with the topics of the live nodes: one layout shows both."""

import os
from collections import Counter
from pathlib import Path

import numpy as np
from tqdm import tqdm

from roomcad_core.outlines import Outliner
from roomcad_core.thin import thin
from roomcad_core.view.messages import INSTALL, Messages

MARKERS, ROOM, OVERLAY, COLOR = "/markers", "/room", "/overlay", "/color/image_raw"
CLOUD, INFO, TF = "/cloud", "/camera_info", "/tf"
CLOUD_POINTS = 20_000  # of a frame at most
START_NS = 1_000_000_000  # stamp of a room that nothing else gives a time


def write_recording(result, library, out, every=1):
    """Write a Result (view.source); the file appears when all is written, or never.

    /markers holds the furniture of each moment, until the next one that was served; /room that of
    the whole room. Without moments the room is on /markers.

    Args:
        library: CAD library of the result.
        out: file to write.
        every: only every n-th moment, or frame of the dataset.

    Returns:
        Counter of messages by topic.

    Raises:
        ValueError: nothing is in the result, or a CAD of it is not in the library.
        FileExistsError: `out` is there already. ImportError: a package is missing.
    """
    out = Path(out)
    if out.exists():
        raise FileExistsError(f"{out} exists already")
    check(result, library)
    recording = Recording(result, library)
    unfinished = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        with unfinished.open("wb") as file:
            recording.write(file, every)
        os.rename(unfinished, out)
    finally:
        unfinished.unlink(missing_ok=True)
    return recording.counts


def check(result, library):
    """ValueError where there is nothing to see, or a CAD is missing."""
    if not result.room and not result.moments:
        raise ValueError("the result holds no furniture")
    used = {p.cad_id for p in result.room}
    used |= {a.cad_id for moment in result.moments for a in moment.alignments}
    missing = sorted(used - {model.id for model in library})
    if missing:
        raise ValueError(
            f"the CAD library {library.folder} lacks {', '.join(missing)}; which one made the "
            "result? (--library)"
        )


class Recording:
    """Writes one Result; `counts` tells what was written."""

    def __init__(self, result, library):
        self._result, self._library = result, library
        self._messages, self._outline = Messages(library), Outliner(library)
        self.counts = Counter()

    def write(self, file, every):
        """All messages into an open binary file, in the order of their stamps."""
        try:
            from mcap_protobuf.writer import Writer
        except ImportError as error:
            raise ImportError(f"recordings need mcap: {INSTALL}") from error
        n = self._result.count(every)
        with Writer(file) as self._writer:
            if not n:
                self._room(START_NS)
            shots = tqdm(self._result.shots(every), "record", n, unit="frame", delay=1.0)
            for number, shot in enumerate(shots):
                if number == 0:
                    self._room(shot.stamp_ns)
                self._shot(shot)

    def _room(self, stamp_ns):
        room = self._result.room
        if room:
            things = [(p.id, p.label, p.cad_id, p.T_world_obj, p.S, p.score) for p in room]
            topic = ROOM if self._result.moments else MARKERS
            self._put(topic, self._messages.scene(things, self._result.world, stamp_ns), stamp_ns)

    def _shot(self, shot):
        stamp, world, T_world_cam = shot.stamp_ns, self._result.world, shot.T_world_cam
        if T_world_cam is not None:
            moved = self._messages.transform(world, shot.frame_id, T_world_cam, stamp)
            self._put(TF, moved, stamp)
        if self._result.moments and shot.alignments is not None:
            posed = T_world_cam is not None
            T = T_world_cam if posed else np.eye(4)
            things = [
                (a.object_id, a.label, a.cad_id, T @ a.T_cam_obj, a.S, a.score)
                for a in shot.alignments
            ]
            scene = self._messages.scene(things, world if posed else shot.frame_id, stamp)
            self._put(MARKERS, scene, stamp)
        if shot.frame is not None:
            self._images(shot, stamp)

    def _images(self, shot, stamp):
        frame, make = shot.frame, self._messages
        self._put(INFO, make.calibration(frame, stamp), stamp)
        self._put(COLOR, make.image(frame.color, frame.frame_id, stamp), stamp)
        drawn = self._outline(frame.color, frame.K, shot.alignments or ())
        self._put(OVERLAY, make.image(drawn, frame.frame_id, stamp), stamp)
        self._put(CLOUD, make.cloud(thin(frame, CLOUD_POINTS), stamp), stamp)

    def _put(self, topic, message, stamp_ns):
        self._writer.write_message(topic, message, log_time=stamp_ns, publish_time=stamp_ns)
        self.counts[topic] += 1
