"""Objects to CAD poses, the plain baseline: box fit, four yaws, ICP on the crop (Open3D).

It needs no weights, and stays in the tree as the row every accuracy table is read against.
"""

import dataclasses
from dataclasses import dataclass

import numpy as np

from roomcad_core.box_fit import fit_to_box, refit_size
from roomcad_core.boxes import box_at_yaw, fit_upright_box
from roomcad_core.candidates import chosen_class, furniture, likely_classes, models_of_class
from roomcad_core.fit_score import COARSE, FINE, DepthView, fit_score, thin
from roomcad_core.library import CadModel
from roomcad_core.pose import inverse, rigid, transform, upright_rotation, yaw_of
from roomcad_core.types import Alignment, Dropped

CROP_POINTS = 400  # crop points paired in ICP
CAD_POINTS = 1500  # CAD surface points they are paired with
MIN_POINTS = 32  # smaller crops are not aligned
# A class counts as its probability x fit score to this power; of 1, 2, 4, 8 and 16 this one named
# most of the library's models rightly, each seen once with itself left out of the library.
SHAPE_WEIGHT = 8


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

    def __init__(self, config, library, updates=(), before=None):
        """`updates` and `before` are for networks and not used: ICP iterates until it stands."""
        self._config = config
        self._library = library
        self._icp = PointToPlaneIcp(config.icp_distance, config.icp_iterations)
        self.dropped = ()  # of the last frame
        self.passes = {}  # object id -> ICP runs and scorings, of the last frame

    def __call__(self, frame, segmentation, starts=None):
        """Alignments of all objects that are furniture or have a Start, best pose each.

        `starts`: {object id: Start}; every other object is aligned from scratch.
        """
        starts, self.passes = starts or {}, {}
        view = DepthView(frame.depth, frame.K, segmentation)
        objects = furniture(segmentation, starts)
        found = [self._align(obj, view, segmentation, starts.get(obj.id)) for obj in objects]
        self.dropped = tuple(a for a in found if isinstance(a, Dropped))
        aligned = (a for a in found if isinstance(a, Alignment))
        return tuple(a for a in aligned if a.score >= self._config.min_score)

    def _align(self, obj, view, segmentation, start):
        """Alignment of an object, or Dropped."""
        if len(obj.points) < MIN_POINTS:
            text = f"its crop has {len(obj.points)} points, expected at least {MIN_POINTS}"
            return Dropped(obj.id, "bad_crop", text)
        if start is not None:
            return self._go_on(obj, view, segmentation.T_grav_cam, start)
        prior = likely_classes(obj, self._config.n_classes)
        boxes = self._turned_boxes(obj.points)
        fits = {c: self._best_fit(obj, c, boxes, view, segmentation.floor_z) for c in prior}
        fits = {c: fit for c, fit in fits.items() if fit}
        if not fits:
            return Dropped(obj.id, "no_cad", f"the library has no model of {', '.join(prior)}")
        weights = {c: prior[c] * fit.score**SHAPE_WEIGHT for c, fit in fits.items()}
        chosen = chosen_class(prior, weights)
        if chosen is None:
            return Dropped(obj.id, "no_fit", f"no model of {', '.join(fits)} fits its crop")
        label, class_score = chosen
        fit = fits[label]
        T_cam_obj = inverse(segmentation.T_grav_cam) @ fit.T_grav_obj
        return Alignment(obj.id, label, fit.model.id, T_cam_obj, fit.S, fit.score, class_score)

    def _go_on(self, obj, view, T_grav_cam, start):
        """Alignment of an object from the poses of its Start, or Dropped."""
        if start.cad_id not in self._library:
            return Dropped(obj.id, "no_cad", f"the library has no model {start.cad_id!r}")
        model = self._library[start.cad_id]
        fits = [Fit(model, T_grav_cam @ T_cam_obj, S) for T_cam_obj, S in start.poses]
        fit = max((self._refine(fit, obj, view) for fit in fits), key=lambda fit: fit.score)
        T_cam_obj = inverse(T_grav_cam) @ fit.T_grav_obj
        label, score = model.label, start.class_score
        return Alignment(obj.id, label, model.id, T_cam_obj, fit.S, fit.score, score)

    def _turned_boxes(self, points):
        """The crop's upright box seen from each yaw; the first one is the smallest."""
        box = fit_upright_box(points)
        turns = np.arange(1, self._config.n_yaw) * 2 * np.pi / self._config.n_yaw
        return [box, *(box_at_yaw(points, box.yaw + turn) for turn in turns)]

    def _best_fit(self, obj, label, boxes, view, floor_z):
        """The best Fit of a class, or None if the library has no such model."""
        starts = [
            self._scored(Fit(model, *fit_to_box(box, model, floor_z)), obj, view, COARSE)
            for model in self._models(obj, label, boxes[0])
            for box in boxes
        ]
        starts.sort(key=lambda fit: -fit.score)
        refined = (self._refine(fit, obj, view) for fit in starts[: self._config.n_refined])
        return max(refined, key=lambda fit: fit.score, default=None)

    def _models(self, obj, label, box):
        return models_of_class(obj, label, self._library, self._config.n_candidates, box)

    def _refine(self, fit, obj, view):
        """The fit after ICP and, where that is better, with its size taken from the crop."""
        self._count(obj)
        T_grav_obj = self._icp(obj.points, fit.model, fit.T_grav_obj, fit.S)
        moved = self._scored(Fit(fit.model, T_grav_obj, fit.S), obj, view)
        resized = Fit(fit.model, *refit_size(obj.points, T_grav_obj, fit.S, fit.model))
        return max(moved, self._scored(resized, obj, view), key=lambda f: f.score)

    def _scored(self, fit, obj, view, samples=FINE):
        self._count(obj)
        score = fit_score(obj.points, fit.model, fit.T_grav_obj, fit.S, view, samples)
        return dataclasses.replace(fit, score=score)

    def _count(self, obj):
        self.passes[obj.id] = self.passes.get(obj.id, 0) + 1


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
        normals = thin(model.unit_normals, CAD_POINTS) / S
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
