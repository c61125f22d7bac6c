"""The TF tree of a whole recording: where a frame was at a given time."""

import logging
from bisect import bisect_left

import numpy as np
from scipy.spatial.transform import Rotation, Slerp

from roomcad_core.pose import rigid, rotation

log = logging.getLogger(__name__)

WORLD_FRAMES = ("map", "odom", "world")  # in this order, where no frame is asked for
MAX_DEPTH = 100  # a longer chain means a loop


class TfTree:
    """All transforms of /tf and /tf_static, looked up at integer nanoseconds.

    Args:
        max_gap: samples further apart than this are not interpolated [s].
    """

    def __init__(self, max_gap):
        self._max_gap_ns = round(max_gap * 1e9)
        self._parent = {}  # child -> parent
        self._static = {}  # child -> T_parent_child
        self._samples = {}  # child -> {stamp_ns: T_parent_child}
        self._stamps = {}  # child -> sorted stamps

    def add(self, parent, child, stamp_ns, T_parent_child, static=False):
        """Add one transform; frame names may start with a slash."""
        parent, child = parent.lstrip("/"), child.lstrip("/")
        if not np.isfinite(T_parent_child).all():
            log.warning("TF %s -> %s at %d ns holds NaN: ignored", parent, child, stamp_ns)
            return
        self._parent[child] = parent
        if static:
            self._static[child] = T_parent_child
        else:
            self._samples.setdefault(child, {})[stamp_ns] = T_parent_child
            self._stamps.pop(child, None)

    def ancestors(self, frame):
        """The frames above `frame`, nearest first."""
        above = []
        while frame in self._parent and len(above) < MAX_DEPTH:
            frame = self._parent[frame]
            above.append(frame)
        return above

    def world_above(self, frame, wanted=""):
        """The world frame above `frame`: `wanted`, or the first of WORLD_FRAMES; None if none."""
        above = self.ancestors(frame.lstrip("/"))
        names = (wanted.lstrip("/"),) if wanted else WORLD_FRAMES
        return next((name for name in names if name in above), None)

    def lookup(self, world, frame, stamp_ns):
        """T_world_frame (4, 4) at `stamp_ns`, or None where a link of the chain is not known."""
        T, frame = np.eye(4), frame.lstrip("/")
        for parent in self.ancestors(frame):
            link = self._link(frame, stamp_ns)
            if link is None:
                return None
            T, frame = link @ T, parent
            if frame == world:
                return T
        return None

    def _link(self, child, stamp_ns):
        """T_parent_child at the stamp: recorded, or interpolated between its neighbours."""
        if child in self._static:
            return self._static[child]
        samples = self._samples[child]
        if stamp_ns in samples:
            return samples[stamp_ns]
        stamps = self._stamps.setdefault(child, sorted(samples))
        after = bisect_left(stamps, stamp_ns)
        if after == 0 or after == len(stamps):
            return None
        a, b = stamps[after - 1], stamps[after]
        if b - a > self._max_gap_ns:
            return None
        return interpolate(samples[a], samples[b], (stamp_ns - a) / (b - a))


def interpolate(T_a, T_b, fraction):
    """(4, 4) between two rigid transforms: straight line and shortest turn."""
    turns = Rotation.from_matrix(np.stack([T_a[:3, :3], T_b[:3, :3]]))
    R = Slerp([0, 1], turns)(fraction).as_matrix()
    return rigid(R, (1 - fraction) * T_a[:3, 3] + fraction * T_b[:3, 3])


def transform_matrix(transform):
    """(4, 4) of a geometry_msgs/Transform; all NaN where its quaternion is not one."""
    q, t = transform.rotation, transform.translation
    xyzw = np.array([q.x, q.y, q.z, q.w])
    if not 0.5 < np.linalg.norm(xyzw) < 2:
        return np.full((4, 4), np.nan)
    return rigid(rotation(xyzw), (t.x, t.y, t.z))
