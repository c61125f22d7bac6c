"""The room as the last stage knows it: its tracks, and the services that forget or save them."""

import contextlib
import itertools
import threading
import time
from pathlib import Path

from std_srvs.srv import Trigger

from roomcad_core.room_file import save_room
from roomcad_ros.health import BadFrame
from roomcad_ros.results import Results
from roomcad_ros.settings import RoomConfig


class Room:
    """Publishes the results of a node's frames, and serves ~/reset and ~/save_scene.

    `follower`: gives the node's tracks.Follower, None while the node is not configured.
    """

    def __init__(self, node, follower):
        self._node, self._follower = node, follower
        self._config = node.parameters(RoomConfig, rebuild=False).config
        self._results = Results(node, self._config.track_frames)
        self._lock = threading.Lock()  # frames change tracks in the worker, services elsewhere
        self._reset_asked = False  # while a frame is at work
        node.create_service(Trigger, "~/reset", self._answering(self._reset))
        node.create_service(Trigger, "~/save_scene", self._answering(self._save))

    def announce(self):
        """Start a new scene; call it when active."""
        self._results.announce(self._follower().library)

    @contextlib.contextmanager
    def frame(self, world):
        """Align and publish one frame inside: tracks are then changed by nobody else.

        `world`: name of the fixed frame of its camera pose, or None.
        """
        try:
            with self._lock:
                self._check_world(world)
                yield
        finally:
            self._reset_if_free()

    def _check_world(self, world):
        known = self._results.world
        if world and known and world != known:
            self._forget("world_frame_changed")
            text = f"poses are in '{world}' now, were in '{known}'; tracks start anew"
            self._node.health.warn("world_frame_changed", text)

    def publish(self, alignments, header, frame, world):
        """Send what a Frame led to; see Results.publish."""
        follower = self._follower()
        self._node.health.followed(follower)
        if self._reset_asked:
            raise BadFrame("reset", "the room was reset while the frame was at work")
        self._results.publish(alignments, follower, header, frame, world)

    def _forget(self, reason):
        """End all tracks; returns how many there were."""
        ended = self._follower().reset(reason)
        self._node.health.track_ends(ended)
        return len(ended)

    def _answering(self, action):
        """Service callback that answers with the text `action` returns, or why it failed."""

        def answer(_, response):
            try:
                if self._follower() is None:
                    raise ValueError("the node is not configured")
                response.message, response.success = action(), True
            except Exception as error:  # a node outlives any call
                response.message = f"{type(error).__name__}: {error}"
                self._node.get_logger().error(f"service call failed: {response.message}")
            return response

        return answer

    def _reset(self):
        n = len(self._follower().tracks)
        self._reset_asked = True
        self._reset_if_free()
        return f"{n} tracks forgotten"

    def _reset_if_free(self):
        """Reset where that was asked for, unless a frame is at work: that does it at its end."""
        if self._reset_asked and self._lock.acquire(blocking=False):
            try:
                self._reset_asked = False
                self._forget("reset")
                self._results.clear()
            finally:
                self._lock.release()

    def _save(self):
        follower = self._follower()
        if not follower.follows:
            raise ValueError("objects are not followed: set the parameter tracks.enabled")
        placed = follower.room()
        confirmed = (track for track in follower.tracks if track.confirmed)
        adrift = [str(track.id) for track in confirmed if track.T_world_obj is None]
        left_out = f"left out, no camera pose was known: tracks {', '.join(adrift)}"
        if not placed:
            raise ValueError(f"nothing to save; {left_out if adrift else 'no track is confirmed'}")
        folder = unused(Path(self._config.scene_folder).expanduser())
        save_room(placed, follower.library, folder, self._results.world)
        return f"{len(placed)} objects in {folder}" + (f"; {left_out}" if adrift else "")


def unused(folder):
    """A folder in `folder` that is not there yet, named after the time."""
    name = time.strftime("room_%Y%m%d_%H%M%S")
    names = itertools.chain([name], (f"{name}_{i}" for i in itertools.count(2)))
    return next(folder / n for n in names if not (folder / n).exists())
