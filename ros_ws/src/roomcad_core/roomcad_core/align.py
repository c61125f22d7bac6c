"""Objects to CAD poses. The plain baseline: box fit, four yaws, ICP on the crop (Open3D).

It needs no weights, and stays in the tree as the row every accuracy table is read against.
"""

import dataclasses
from dataclasses import dataclass

import numpy as np

from roomcad_core.box_fit import fit_to_box, refit_size
from roomcad_core.boxes import box_at_yaw, fit_upright_box
from roomcad_core.fit_score import COARSE, FINE, DepthView, fit_score, thin
from roomcad_core.library import CadModel
from roomcad_core.pose import inverse, rigid, transform, upright_rotation, yaw_of
from roomcad_core.types import OTHER, Alignment

CROP_POINTS = 400  # crop points paired in ICP
CAD_POINTS = 1500  # CAD surface points they are paired with
MIN_PROBABILITY = 0.03  # less probable classes are not tried
# A class counts as its probability x fit score to this power; of 1, 2, 4, 8 and 16 this one named
# most of the library's models rightly, each seen once with itself left out of the library.
SHAPE_WEIGHT = 8


def make_aligner(config, library):
    """The aligner that `config` (AlignConfig) names; call it with a Frame and a Segmentation."""
    return ALIGNERS[config.aligner](config, library)


@dataclass(frozen=True)
class Fit:
    """One CAD model in one pose, and how well the depth image agrees."""

    model: CadModel
    T_grav_obj: np.ndarray
    S: np.ndarray
    score: float = 0.0


class IcpAligner:
    """For each object: models x yaws fitted to its box, the best refined by ICP, and scored.

    The fit also decides between the classes that the classifier holds possible: a chair's crop
    fits no toilet.
    """

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
        prior = self._classes(obj)
        boxes = self._turned_boxes(obj.points)
        fits = {c: self._best_fit(obj, c, boxes, view, segmentation.floor_z) for c in prior}
        weights = {c: prior[c] * fit.score**SHAPE_WEIGHT for c, fit in fits.items() if fit}
        if not weights or max(weights.values()) <= 0:
            return None
        label = max(weights, key=weights.get)
        # What the tried classes leave over (other classes, `other`) stays as doubt.
        class_score = sum(prior.values()) * weights[label] / sum(weights.values())
        fit = fits[label]
        T_cam_obj = inverse(segmentation.T_grav_cam) @ fit.T_grav_obj
        return Alignment(obj.id, label, fit.model.id, T_cam_obj, fit.S, fit.score, class_score)

    def _classes(self, obj):
        """{class: probability} of the classes worth trying."""
        scores = obj.class_scores or {obj.label: obj.score}
        ranked = sorted((c for c in scores if c != OTHER), key=scores.get, reverse=True)
        possible = [c for c in ranked if scores[c] >= MIN_PROBABILITY]
        return {c: scores[c] for c in possible[: self._config.n_classes] or [obj.label]}

    def _turned_boxes(self, points):
        """The crop's upright box seen from each yaw; the first one is the smallest."""
        box = fit_upright_box(points)
        turns = np.arange(1, self._config.n_yaw) * 2 * np.pi / self._config.n_yaw
        return [box, *(box_at_yaw(points, box.yaw + turn) for turn in turns)]

    def _best_fit(self, obj, label, boxes, view, floor_z):
        """The best Fit of a class, or None if the library has no such model."""
        starts = [
            self._scored(Fit(model, *fit_to_box(box, model, floor_z)), obj, view, COARSE)
            for model in self._candidates(obj, label, boxes[0])
            for box in boxes
        ]
        starts.sort(key=lambda fit: -fit.score)
        refined = (self._refine(fit, obj, view) for fit in starts[: self._config.n_refined])
        return max(refined, key=lambda fit: fit.score, default=None)

    def _candidates(self, obj, label, box):
        """Retrieved models of the class if there are any, else those nearest in size."""
        models = self._library.of_class(label)
        retrieved = [m for i in obj.cad_ids for m in models if m.id == i]
        return (retrieved or nearest_in_size(models, box))[: self._config.n_candidates]

    def _refine(self, fit, obj, view):
        """The fit after ICP and, where that is better, with its size taken from the crop."""
        T_grav_obj = self._icp(obj.points, fit.model, fit.T_grav_obj, fit.S)
        moved = self._scored(Fit(fit.model, T_grav_obj, fit.S), obj, view)
        resized = Fit(fit.model, *refit_size(obj.points, T_grav_obj, fit.S, fit.model))
        return max(moved, self._scored(resized, obj, view), key=lambda f: f.score)

    @staticmethod
    def _scored(fit, obj, view, samples=FINE):
        score = fit_score(obj.points, fit.model, fit.T_grav_obj, fit.S, view, samples)
        return dataclasses.replace(fit, score=score)


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


def nearest_in_size(models, box):
    """CadModels sorted by how much their sizes differ from those of an UprightBox."""
    seen = _sorted_size(box.extents)
    return sorted(
        models, key=lambda m: np.abs(np.log(_sorted_size(m.size[[0, 2, 1]]) / seen)).sum()
    )


def _sorted_size(extents_xyz):
    """(3,) long side, short side, height of z-up extents."""
    x, y, z = extents_xyz
    return np.array([max(x, y), min(x, y), z])
