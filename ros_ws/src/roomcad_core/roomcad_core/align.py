"""Objects to CAD poses. The plain baseline: box fit, four yaws, ICP on the crop (Open3D).

It needs no weights, and stays in the tree as the row every accuracy table is read against.
"""

import numpy as np

from roomcad_core.box_fit import fit_to_box, refit_size
from roomcad_core.boxes import fit_upright_box
from roomcad_core.fit_score import DepthView, fit_score
from roomcad_core.pose import inverse, rigid, transform, upright_rotation, yaw_of
from roomcad_core.types import OTHER, Alignment

CROP_POINTS = 400  # crop points paired in ICP
CAD_POINTS = 1500  # CAD surface points they are paired with


def make_aligner(config, library):
    """The aligner that `config` (AlignConfig) names; call it with a Frame and a Segmentation."""
    return ALIGNERS[config.aligner](config, library)


class IcpAligner:
    """For each object: candidate models x yaws, each fitted to the box, refined, scored."""

    engine = "open3d"

    def __init__(self, config, library):
        self._config = config
        self._library = library
        self._icp = PointToPlaneIcp(config.icp_distance, config.icp_iterations)

    def __call__(self, frame, segmentation):
        """Alignments of all objects that are furniture, best pose each."""
        view = DepthView(frame.depth, frame.K, segmentation)
        found = (
            self._align(obj, view, segmentation)
            for obj in segmentation.objects
            if obj.label and obj.label != OTHER and len(obj.points) >= 32
        )
        return tuple(a for a in found if a is not None and a.score >= self._config.min_score)

    def _align(self, obj, view, segmentation):
        candidates = self._candidates(obj, segmentation.floor_z)
        fits = [
            self._fit(obj, model, k * 2 * np.pi / self._config.n_yaw, view, segmentation)
            for model in candidates
            for k in range(self._config.n_yaw)
        ]
        if not fits:
            return None
        score, model, T_grav_obj, S = max(fits, key=lambda fit: fit[0])
        T_cam_obj = inverse(segmentation.T_grav_cam) @ T_grav_obj
        return Alignment(obj.id, obj.label, model.id, T_cam_obj, S, score, obj.score)

    def _candidates(self, obj, floor_z):
        """Retrieved models if there are any, else those of the class nearest in size."""
        if obj.cad_ids:
            return [self._library[i] for i in obj.cad_ids[: self._config.n_candidates]]
        seen = _sorted_size(fit_upright_box(obj.points).extents)
        models = self._library.of_class(obj.label)
        by_size = sorted(
            models, key=lambda m: np.abs(np.log(_sorted_size(m.size[[0, 2, 1]]) / seen)).sum()
        )
        return by_size[: self._config.n_candidates]

    def _fit(self, obj, model, turn, view, segmentation):
        """(score, model, T_grav_obj, S) after box fit, ICP and one refit of the size."""
        T_grav_obj, S = fit_to_box(obj.points, model, turn, segmentation.floor_z)
        T_grav_obj = self._icp(obj.points, model, T_grav_obj, S)
        T_refit, S_refit = refit_size(obj.points, T_grav_obj, S, model)
        best = (fit_score(obj.points, model, T_grav_obj, S, view), model, T_grav_obj, S)
        refit = (fit_score(obj.points, model, T_refit, S_refit, view), model, T_refit, S_refit)
        return max(best, refit, key=lambda fit: fit[0])


ALIGNERS = {"icp": IcpAligner}


class PointToPlaneIcp:
    """Rigid point-to-plane ICP of the crop onto the CAD surface, kept upright.

    The crop is the moving side: each seen point must lie on the CAD, but most of the CAD is
    hidden and has no seen partner.
    """

    def __init__(self, distance, iterations):
        import open3d

        self._o3d = open3d
        self._distance = distance
        self._criteria = open3d.pipelines.registration.ICPConvergenceCriteria(
            relative_fitness=1e-4, relative_rmse=1e-4, max_iteration=iterations
        )

    def __call__(self, points_grav, model, T_grav_obj, S):
        """Refined T_grav_obj of `model` at size `S`; unchanged where ICP finds no pairs."""
        registration = self._o3d.pipelines.registration
        crop = self._cloud(transform(inverse(T_grav_obj), thin(points_grav, CROP_POINTS)))
        cad = self._cloud(thin(model.points, CAD_POINTS) * S)
        normals = thin(model.normals, CAD_POINTS) / S
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
        cad.normals = self._o3d.utility.Vector3dVector(normals)
        # A crop shifted by half its size still finds partners in the first iterations.
        result = registration.registration_icp(
            crop,
            cad,
            self._distance,
            np.eye(4),
            registration.TransformationEstimationPointToPlane(),
            self._criteria,
        )
        moved = T_grav_obj @ inverse(np.asarray(result.transformation))
        if not len(result.correspondence_set) or not np.isfinite(moved).all():
            return T_grav_obj
        return rigid(upright_rotation(yaw_of(moved[:3, :3])), moved[:3, 3])

    def _cloud(self, points):
        cloud = self._o3d.geometry.PointCloud()
        cloud.points = self._o3d.utility.Vector3dVector(np.asarray(points, float))
        return cloud


def thin(rows, n):
    """At most `n` rows, evenly spaced over the array."""
    if len(rows) <= n:
        return rows
    return rows[np.linspace(0, len(rows) - 1, n).astype(int)]


def _sorted_size(extents_xyz):
    """(3,) long side, short side, height of z-up extents."""
    x, y, z = extents_xyz
    return np.array([max(x, y), min(x, y), z])
