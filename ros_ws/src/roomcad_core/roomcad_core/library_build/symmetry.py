"""Symmetry about the up axis, found by laying a model's points over themselves turned."""

import numpy as np
from scipy.spatial import cKDTree

from roomcad_core.pose import rotation_y

# A turn counts as symmetric when 98 % of the turned points lie within this share of the model's
# horizontal diagonal (or of what two samples of one surface differ by) from the model.
TOLERANCE = 0.02
SHARE = 0.98
TESTED = 1500  # points turned


def detect_symmetry(points):
    """A key of pose.SYMMETRIES for (N, 3) metric surface points, centred, y up."""
    tree, tested = cKDTree(points), points[:TESTED]
    noise = np.quantile(tree.query(tested, k=2)[0][:, 1], SHARE)
    limit = max(TOLERANCE * np.hypot(*np.ptp(points, axis=0)[[0, 2]]), 1.5 * noise)

    def fits(angle):
        distance = tree.query(tested @ rotation_y(angle).T)[0]
        return np.quantile(distance, SHARE) <= limit

    if all(fits(angle) for angle in np.deg2rad([17, 40, 63, 90])):
        return "rotational"
    if not fits(np.pi):
        return "none"
    return "4-fold" if fits(np.pi / 2) else "2-fold"
