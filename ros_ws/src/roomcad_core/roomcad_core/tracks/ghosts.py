"""What a depth image says of the place where a track should stand: is it there, hidden, or gone?"""

from dataclasses import dataclass

import numpy as np

from roomcad_core.camera import project
from roomcad_core.fit_score import thin
from roomcad_core.pose import transform

OUTSIDE, HIDDEN, VISIBLE, THROUGH = "out_of_view", "hidden", "not_segmented", "seen_through"

SAMPLES = 300  # points of the CAD that are looked at
NEAREST = 0.1  # [m] points nearer to the camera plane have no usable pixel
LEAST_IN_VIEW = 0.3  # of the facing surface; with less the object counts as out of view
PREDICTED_ERROR = 0.25  # share of itself by which depth that no sensor measured may be wrong
LEAST_MEASURED = 0.15  # the same for surface on which, or behind which, something was measured


@dataclass(frozen=True)
class Look:
    """Shares of a CAD's surface that faces the camera; they add up to `in_view` or less."""

    in_view: float
    hidden: float  # something stands before it
    occupied: float  # measured where it should be
    through: float  # measured behind it: it is not there


def look(model, T_cam_obj, S, frame):
    """Look of a Frame at a CadModel in a pose; its depth is looked up at sampled points."""
    points = transform(T_cam_obj, thin(model.points, SAMPLES) * S)
    normals = (thin(model.normals, SAMPLES) * model.size / S) @ T_cam_obj[:3, :3].T
    points = points[np.einsum("ij,ij->i", normals, points) < 0]  # the camera is the origin
    n = max(len(points), 1)
    z, measured = _measured(points, frame)
    tolerance = 0.08 + 0.01 * z**2 + (0.0 if frame.measured else PREDICTED_ERROR) * z
    known = measured > 0
    hidden = known & (measured < z - tolerance)
    through = known & (measured > z + tolerance)
    occupied = known & ~hidden & ~through
    return Look(len(z) / n, *(float(x.sum()) / n for x in (hidden, occupied, through)))


def _measured(points_cam, frame):
    """Of the points (N, 3) inside the image: their z and the depth measured there [m], 0 = none."""
    uv, z = project(points_cam, frame.K)
    height, width = frame.depth.shape
    uv = np.where((z > NEAREST)[:, None], uv, -1.0)
    inside = ((uv >= -0.5) & (uv < [width - 0.5, height - 0.5])).all(1)
    u, v = np.rint(uv[inside]).astype(int).T
    depth = np.nan_to_num(frame.depth[v, u], nan=0.0, posinf=0.0)
    return z[inside], depth


def verdict(seen, ghost_share):
    """OUTSIDE, HIDDEN, VISIBLE or THROUGH for a Look.

    A place that the depth image says nothing of counts as HIDDEN.
    """
    if seen.in_view < LEAST_IN_VIEW:
        return OUTSIDE
    open_to_view = seen.occupied + seen.through
    if open_to_view < LEAST_MEASURED:
        return HIDDEN
    return THROUGH if seen.through >= ghost_share * open_to_view else VISIBLE
