"""Links of the frame tree: where a child frame stands in its parent, over time.

A transform here is (t, q): translation (3,) [m] and unit quaternion (4,) xyzw; it maps points
of the child frame to the parent frame. Times are integer nanoseconds.
"""

import bisect

import numpy as np

from tf2_ros.errors import ExtrapolationException

IDENTITY = (np.zeros(3), np.array([0.0, 0.0, 0.0, 1.0]))


def rotate(q, v):
    """Vector `v` turned by quaternion `q`."""
    u = 2 * np.cross(q[:3], v)
    return v + q[3] * u + np.cross(q[:3], u)


def multiply(a, b):
    """Quaternion product: turns by `b`, then by `a`."""
    xyz = a[3] * b[:3] + b[3] * a[:3] + np.cross(a[:3], b[:3])
    return np.array([*xyz, a[3] * b[3] - a[:3] @ b[:3]])


def compose(a, b):
    """Transform `b` followed by transform `a`."""
    return a[0] + rotate(a[1], b[0]), multiply(a[1], b[1])


def invert(a):
    """The transform the other way round."""
    q = a[1] * [-1, -1, -1, 1]
    return -rotate(q, a[0]), q


def blend(a, b, w):
    """Transform a share `w` (0..1) of the way from `a` to `b`, turning at constant speed."""
    cos = float(a[1] @ b[1])
    end, cos = (b[1], cos) if cos >= 0 else (-b[1], -cos)
    if cos > 1 - 1e-9:  # the sines below vanish; a straight line is exact enough
        q = (1 - w) * a[1] + w * end
    else:
        angle = np.arccos(cos)
        q = (np.sin((1 - w) * angle) * a[1] + np.sin(w * angle) * end) / np.sin(angle)
    return (1 - w) * a[0] + w * b[0], q / np.linalg.norm(q)


class StaticLink:
    """A child that never moves in its parent."""

    newest = None  # holds at all times

    def __init__(self, parent, transform):
        self.parent = parent
        self.transform = transform

    def at(self, time):
        return self.transform


class MovingLink:
    """Samples of a moving child, sorted by time; those older than `cache_ns` are forgotten."""

    def __init__(self, parent, cache_ns):
        self.parent = parent
        self.cache_ns = cache_ns
        self.times = []
        self.transforms = []

    @property
    def newest(self):
        return self.times[-1]

    def add(self, time, transform):
        if self.times and time < self.newest - self.cache_ns:
            return
        i = bisect.bisect_left(self.times, time)
        same = i < len(self.times) and self.times[i] == time
        self.times[i : i + same] = [time]
        self.transforms[i : i + same] = [transform]
        old = bisect.bisect_left(self.times, self.newest - self.cache_ns)
        del self.times[:old], self.transforms[:old]

    def at(self, time):
        """Transform at `time`, interpolated; ExtrapolationException outside of the samples."""
        if not self.times[0] <= time <= self.newest:
            raise ExtrapolationException(self._outside(time))
        i = bisect.bisect_left(self.times, time)
        if self.times[i] == time:
            return self.transforms[i]
        before, after = self.times[i - 1], self.times[i]
        weight = (time - before) / (after - before)
        return blend(self.transforms[i - 1], self.transforms[i], weight)

    def _outside(self, time):
        if len(self.times) == 1:
            where, which, edge = "at one time only", "data", self.newest
        elif time > self.newest:
            where, which, edge = "into the future", "latest data", self.newest
        else:
            where, which, edge = "into the past", "earliest data", self.times[0]
        return (
            f"Lookup would require extrapolation {where}. Requested time {time * 1e-9:.6f} "
            f"but the {which} is at time {edge * 1e-9:.6f}"
        )
