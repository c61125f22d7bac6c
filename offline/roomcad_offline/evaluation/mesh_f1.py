"""F1 of a posed CAD against the true one, from points sampled on both surfaces.

As in Mesh R-CNN: both meshes are scaled by 10 / (longest side of the true CAD's box), 10,000
points are drawn uniformly on each surface, precision is the share of predicted points with a true
point within rho, recall the reverse, F1 = 2PR / (P + R + 1e-8). Decided here:
- the box is the true object's own (extents along its axes), not one along the camera's axes, so
  the score does not depend on where the camera stands;
- the same CAD is sampled with the same random numbers on both sides, so that the true pose has
  F1 = 1 exactly. `shared=False` draws them apart, as independent samples would be; a perfect pose
  then loses what the point spacing costs (large, finely divided surfaces at rho 0.3).
Everything is computed in the true object's rigid frame, where all frames of a scene share the
true points and their KD-tree.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from roomcad_core.pose import transform

EPSILON = 1e-8


@dataclass(frozen=True)
class MeshRule:
    """How surfaces are compared; the defaults are the paper's."""

    points: int = 10_000  # on each surface
    longest_side: float = 10.0  # of the true CAD's box after scaling
    radii: tuple[float, ...] = (0.3, 0.5, 0.7)  # rho, after scaling
    shared: bool = True  # same random numbers for the same CAD on both sides
    seed: int = 0

    def __post_init__(self):
        if self.points < 1 or self.longest_side <= 0 or not self.radii or min(self.radii) <= 0:
            raise ValueError(f"expected points >= 1, longest_side > 0 and radii > 0, got {self}")


@dataclass(frozen=True, eq=False)
class MeshJob:
    """One true object and all the predictions that were associated with it, in any frame."""

    category: str
    cad_id: str
    s: np.ndarray  # (3,) scale of the true CAD
    rows: np.ndarray  # (n,) int, names the predictions
    cads: tuple[tuple[str, str], ...]  # n pairs (category, CAD id) predicted
    M_true_cad: np.ndarray  # (n, 4, 4) predicted CAD -> rigid frame of the true object


class SurfaceSampler:
    """Draws points on meshes, always the same ones for one CAD, side and pose."""

    def __init__(self, meshes, rule):
        """`meshes`: cad_meshes.CadMeshes, or any meshes(category, cad_id) -> (V, 3), (F, 3)."""
        self._meshes, self._rule, self._numbers = meshes, rule, {}

    def __call__(self, key, M, side):
        """(points, 3) float64 on the surface of CAD `key` mapped by M (4, 4).

        side: "true" or "predicted".
        """
        vertices, triangles = self._meshes(*key)
        return sample_surface(transform(M, vertices), triangles, self._uniform(key, side))

    def _uniform(self, key, side):
        name = key if self._rule.shared else (*key, side)
        if name not in self._numbers:
            digest = hashlib.sha256("/".join(name).encode()).digest()
            rng = np.random.default_rng([self._rule.seed, *digest[:8]])
            self._numbers[name] = rng.random((self._rule.points, 3))
        return self._numbers[name]

    def extents(self, key):
        """(3,) extents of a CAD in its file coordinates."""
        return np.ptp(self._meshes(*key)[0], axis=0)


def sample_surface(vertices, triangles, uniform):
    """(N, 3) points uniform on a mesh (V, 3), (F, 3), from (N, 3) uniform numbers in [0, 1).

    Raises ValueError where the mesh has no area.
    """
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    along = np.cumsum(np.linalg.norm(np.cross(b - a, c - a), axis=1))
    if not along[-1] > 0:
        raise ValueError("the mesh has no surface")
    face = np.searchsorted(along, uniform[:, 0] * along[-1], side="right")
    face = np.minimum(face, len(triangles) - 1)
    root = np.sqrt(uniform[:, 1, None])
    share = uniform[:, 2, None]
    return (1 - root) * a[face] + root * (1 - share) * b[face] + root * share * c[face]


def f1_scores(predicted, true, true_tree, radii):
    """(len(radii),) F1 of points (N, 3) against points (M, 3) with their KD-tree."""
    from scipy.spatial import cKDTree

    bound = max(radii) * (1 + 1e-9)
    low, high = predicted.min(axis=0) - bound, predicted.max(axis=0) + bound
    if (true.max(axis=0) < low).any() or (true.min(axis=0) > high).any():
        return np.zeros(len(radii))
    tree = cKDTree(predicted, balanced_tree=False, compact_nodes=False)
    to_true, _ = true_tree.query(predicted, distance_upper_bound=bound)
    to_predicted, _ = tree.query(true, distance_upper_bound=bound)
    precision = np.array([(to_true <= radius).mean() for radius in radii])
    recall = np.array([(to_predicted <= radius).mean() for radius in radii])
    return 2 * precision * recall / (precision + recall + EPSILON)


def score_job(job, sampler, rule):
    """F1 of one MeshJob's predictions.

    Returns:
        (n, len(rule.radii)) F1, and a list of (row, reason) of predictions without a usable mesh,
        whose F1 is 0. Raises KeyError or ValueError where the true mesh is missing or broken.
    """
    from scipy.spatial import cKDTree

    key = job.category, job.cad_id
    factor = rule.longest_side / (sampler.extents(key) * job.s).max()
    scaled = np.diag([factor, factor, factor, 1.0])
    true = sampler(key, scaled @ np.diag([*job.s, 1.0]), "true")
    tree = cKDTree(true)
    scores, failed = np.zeros((len(job.rows), len(rule.radii))), []
    for i, (cad, M) in enumerate(zip(job.cads, job.M_true_cad, strict=True)):
        try:
            points = sampler(cad, scaled @ M, "predicted")
        except (KeyError, ValueError) as error:
            failed.append((int(job.rows[i]), str(error.args[0])))
            continue
        scores[i] = f1_scores(points, true, tree, rule.radii)
    return scores, failed
