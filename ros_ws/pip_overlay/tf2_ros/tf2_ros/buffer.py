"""The frame tree: transforms go in as they arrive and come out between any two frames."""

import threading
import time as wall

import numpy as np
from geometry_msgs.msg import TransformStamped
from rclpy.duration import Duration
from rclpy.time import Time

from tf2_ros import links
from tf2_ros.errors import (
    ConnectivityException,
    ExtrapolationException,
    InvalidArgumentException,
    LookupException,
    TransformException,
)


class Buffer:
    """Keeps the last `cache_time` (10 s) of every moving frame, static frames for ever."""

    def __init__(self, cache_time=None, node=None):
        self._cache_ns = (cache_time or Duration(seconds=10)).nanoseconds
        self._links = {}
        self._changed = threading.Condition()

    def set_transform(self, transform, authority):
        """Add one TransformStamped; the same stamp again replaces the former."""
        parent, child, value = checked(transform)
        with self._changed:
            link = self._links.get(child)
            if not isinstance(link, links.MovingLink) or link.parent != parent:
                link = self._links[child] = links.MovingLink(parent, self._cache_ns)
            link.add(Time.from_msg(transform.header.stamp).nanoseconds, value)
            self._changed.notify_all()

    def set_transform_static(self, transform, authority):
        """Add one TransformStamped that holds at all times."""
        parent, child, value = checked(transform)
        with self._changed:
            self._links[child] = links.StaticLink(parent, value)
            self._changed.notify_all()

    def clear(self):
        """Forget every transform that moves; static ones are sent only once and stay."""
        with self._changed:
            moving = [f for f, link in self._links.items() if isinstance(link, links.MovingLink)]
            for frame in moving:
                del self._links[frame]

    def lookup_transform(self, target_frame, source_frame, time, timeout=Duration()):  # noqa: B008
        """TransformStamped that maps points of `source_frame` to `target_frame`.

        Time zero means the newest time all links have in common. Waits up to `timeout` for
        transforms that another thread receives.

        Raises:
            LookupException: a frame is not known.
            ConnectivityException: the frames are in separate trees.
            ExtrapolationException: `time` lies outside of what was received.
        """
        until = wall.monotonic() + timeout.nanoseconds * 1e-9
        with self._changed:
            while True:
                try:
                    return self._lookup(target_frame, source_frame, time.nanoseconds)
                except TransformException:
                    left = until - wall.monotonic()
                    if left <= 0:
                        raise
                    self._changed.wait(left)

    def can_transform(
        self,
        target_frame,
        source_frame,
        time,
        timeout=Duration(),  # noqa: B008
        return_debug_tuple=False,
    ):
        """Whether `lookup_transform` would succeed; (bool, reason) with `return_debug_tuple`."""
        try:
            self.lookup_transform(target_frame, source_frame, time, timeout)
        except TransformException as error:
            return (False, str(error)) if return_debug_tuple else False
        return (True, "") if return_debug_tuple else True

    def _lookup(self, target, source, time_ns):
        up, down = self._paths(target, source)
        if time_ns == 0:
            newest = [self._links[f].newest for f in up + down]
            time_ns = min((t for t in newest if t is not None), default=0)
        try:
            to_source, to_target = self._chain(up, time_ns), self._chain(down, time_ns)
        except ExtrapolationException as error:
            raise ExtrapolationException(
                f"{error}, when looking up transform from frame [{source}] to frame [{target}]"
            ) from None
        value = links.compose(links.invert(to_target), to_source)
        return message(target, source, time_ns, value)

    def _paths(self, target, source):
        """Frames from `source`, and from `target`, up to below their common ancestor."""
        up, down = self._ancestors(source), self._ancestors(target)
        shared = next((frame for frame in up if frame in down), None)
        if shared is None:
            raise ConnectivityException(
                f"Could not find a connection between '{target}' and '{source}' because they "
                "are not part of the same tree. Tf has two or more unconnected trees."
            )
        return up[: up.index(shared)], down[: down.index(shared)]

    def _ancestors(self, frame):
        known = {link.parent for link in self._links.values()}.union(self._links)
        if frame not in known:
            raise LookupException(f'"{frame}" passed to lookupTransform does not exist.')
        path = [frame]
        while path[-1] in self._links:
            path.append(self._links[path[-1]].parent)
            if path[-1] in path[:-1]:
                raise LookupException(f"the tf tree has a loop: {' -> '.join(path)}")
        return path

    def _chain(self, frames, time_ns):
        value = links.IDENTITY
        for frame in frames:
            value = links.compose(self._links[frame].at(time_ns), value)
        return value


def checked(msg):
    """(parent, child, transform) of a TransformStamped; raises InvalidArgumentException."""
    parent, child = msg.header.frame_id.lstrip("/"), msg.child_frame_id.lstrip("/")
    t, q = msg.transform.translation, msg.transform.rotation
    t, q = np.array([t.x, t.y, t.z]), np.array([q.x, q.y, q.z, q.w])
    norm = np.linalg.norm(q)
    if not parent or not child or parent == child:
        raise InvalidArgumentException(f"bad frame names: parent {parent!r}, child {child!r}")
    if not np.isfinite(t).all() or not abs(norm - 1) < 0.01:
        raise InvalidArgumentException(f"bad transform {parent} <- {child}: {t}, {q}")
    return parent, child, (t, q / norm)


def message(target, source, time_ns, value):
    """TransformStamped of a transform."""
    out = TransformStamped(child_frame_id=source)
    out.header.frame_id = target
    out.header.stamp = Time(nanoseconds=time_ns).to_msg()
    to, turn = out.transform.translation, out.transform.rotation
    to.x, to.y, to.z = map(float, value[0])
    turn.x, turn.y, turn.z, turn.w = map(float, value[1])
    return out
