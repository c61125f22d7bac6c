"""Rectangles on the floor: corners, overlap, containment. Lengths in metres, angles in radians."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Footprint:
    """A rectangle turned by `yaw`; at yaw 0 its front faces +y."""

    x: float
    y: float
    yaw: float
    half_width: float  # to the right and left
    half_depth: float  # to the front and back

    @property
    def right(self):
        """(2,) unit vector to the right of something that faces the front."""
        return np.array([np.cos(self.yaw), np.sin(self.yaw)])

    @property
    def front(self):
        """(2,) unit vector to the front."""
        return np.array([-np.sin(self.yaw), np.cos(self.yaw)])

    @property
    def centre(self):
        """(2,) position of the middle."""
        return np.array([self.x, self.y])

    def at(self, right, front):
        """(2,) point at an offset from the centre in the rectangle's own axes."""
        return self.centre + right * self.right + front * self.front

    def corners(self):
        """(4, 2) corners, counter-clockwise."""
        a, b = self.half_width, self.half_depth
        return np.array([self.at(-a, -b), self.at(a, -b), self.at(a, b), self.at(-a, b)])


def overlap(a, b, gap=0.0):
    """True if two footprints come nearer than `gap` along every separating axis."""
    corners_a, corners_b = a.corners(), b.corners()
    for axis in (a.right, a.front, b.right, b.front):
        along_a, along_b = corners_a @ axis, corners_b @ axis
        if along_a.min() - gap >= along_b.max() or along_b.min() - gap >= along_a.max():
            return False
    return True


def inside(footprint, width, depth):
    """True if the footprint lies in the rectangle (0, 0) to (width, depth)."""
    corners = footprint.corners()
    return bool((corners >= 0).all() and (corners <= (width, depth)).all())


def grid(footprint, n, margin=0.0):
    """(n * n, 2) points spread over the footprint, `margin` inside its border."""
    a = np.linspace(-1, 1, n) * max(footprint.half_width - margin, 0.0)
    b = np.linspace(-1, 1, n) * max(footprint.half_depth - margin, 0.0)
    right, front = np.meshgrid(a, b)
    return (
        footprint.centre
        + right.reshape(-1, 1) * footprint.right
        + front.reshape(-1, 1) * footprint.front
    )
