"""How well a posed CAD explains a depth image: seen points on it, none of it in free space."""

import numpy as np
from scipy.spatial import cKDTree

from roomcad_core.camera import project
from roomcad_core.pose import transform

# How many points a score is computed from: crop points tested against the CAD surface, the CAD
# points that stand for that surface, CAD points tested against the depth image.
FINE = (300, 1366, 600)
COARSE = (120, 512, 200)
ON_SURFACE = 0.05  # a seen point nearer to the CAD than this is explained [m]


class DepthView:
    """The depth image a pose is judged against, and where the grav frame is to it."""

    def __init__(self, depth, K, segmentation):
        self.depth, self.K = depth, K
        self.T_cam_grav = segmentation.T_grav_cam.T  # pure rotation

    def lookup(self, points_grav):
        """Measured depth at each point's pixel (0 = missing), the point's own depth, and a mask.

        All (n,); the mask is True where the point projects into the image.
        """
        points_cam = transform(self.T_cam_grav, points_grav)
        uv, z = project(points_cam, self.K)
        height, width = self.depth.shape
        uv = np.where((z > 0.05)[:, None], uv, -1.0)
        u, v = np.rint(uv).astype(int).T
        inside = (u >= 0) & (u < width) & (v >= 0) & (v < height)
        u, v = np.where(inside, u, 0), np.where(inside, v, 0)
        return self.depth[v, u], z, inside


def fit_score(points_grav, model, T_grav_obj, S, view, samples=FINE):
    """Score in [0, 1]: share of explained crop points x share of consistent CAD surface."""
    n_crop, n_surface, n_tested = samples
    crop, surface = thin(points_grav, n_crop), thin(model.points, n_surface)
    tested, normals = thin(model.points, n_tested), thin(model.unit_normals, n_tested)
    return explained(crop, surface, T_grav_obj, S) * consistent(
        tested, normals, T_grav_obj, S, view
    )


def explained(points_grav, surface_obj, T_grav_obj, S):
    """Soft share of (N, 3) crop points that lie on the (M, 3) unit-frame CAD surface."""
    points_obj = (points_grav - T_grav_obj[:3, 3]) @ T_grav_obj[:3, :3]
    tree = cKDTree(surface_obj * S, balanced_tree=False, compact_nodes=False)
    distance, _ = tree.query(points_obj, distance_upper_bound=4 * ON_SURFACE)
    distance = np.minimum(distance, 4 * ON_SURFACE)  # infinite where nothing is near
    return float(np.exp(-((distance / ON_SURFACE) ** 2) / 2).mean())


def consistent(points_obj, normals_obj, T_grav_obj, S, view):
    """Share of the CAD surface facing the camera that the depth image does not speak against.

    A CAD point in front of the measured depth stands in free space: the camera saw through it.
    What is hidden or outside the image nothing speaks against, but nothing for it either: such
    surface counts half.
    """
    points_grav = transform(T_grav_obj, points_obj * S)
    normals = (normals_obj / S) @ T_grav_obj[:3, :3].T
    facing = np.einsum("ij,ij->i", normals, points_grav) < 0  # the camera is the origin
    measured, z, inside = view.lookup(points_grav)
    tested = facing & inside & (measured > 0)
    if not tested.any():
        return 0.0
    tolerance = 0.04 + 0.01 * z**2
    through = tested & (measured > z + tolerance)
    seen = tested & ~through & (measured > z - 2 * tolerance)
    return float((1.0 - through.sum() / tested.sum()) * (1.0 + seen.sum() / facing.sum()) / 2)


def thin(rows, n):
    """At most `n` rows, evenly spread over the array."""
    return rows[:: max(len(rows) // n, 1)][:n]
