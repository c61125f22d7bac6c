"""Symmetry about the up axis, found by laying a model over itself, turned."""

import numpy as np

from roomcad_core.library_build.sampling import sample_surface
from roomcad_core.library_build.sheet import raycaster
from roomcad_core.pose import rotation_y

# A turn counts as symmetric when this share of the turned surface lies within this part of the
# model's horizontal diagonal from the model. Handles are small, the grooves of doors are shallow.
SHARE = 0.98
TOLERANCE = 0.012
ROUND_TURNS = np.deg2rad([17, 40, 63, 90])  # no common divisor but 1°, so only round things fit


def detect_symmetry(vertices, triangles, rng):
    """A key of pose.SYMMETRIES for a metric mesh, its bounding box centred at the origin, y up."""
    o3d = raycaster()
    scene = o3d.t.geometry.RaycastingScene(nthreads=1)
    scene.add_triangles(np.float32(vertices), np.uint32(triangles))
    points, _, _ = sample_surface(vertices, triangles, 2000, rng)
    limit = TOLERANCE * np.hypot(*np.ptp(points, axis=0)[[0, 2]])

    def fits(angle):
        turned = np.float32(points @ rotation_y(angle).T)
        distance = scene.compute_distance(o3d.core.Tensor(turned), nthreads=1).numpy()
        return np.quantile(distance, SHARE) <= limit

    if all(fits(angle) for angle in ROUND_TURNS):
        return "rotational"
    if not fits(np.pi):
        return "none"
    return "4-fold" if fits(np.pi / 2) else "2-fold"
