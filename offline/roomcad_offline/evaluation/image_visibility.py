"""Which part of a CAD a camera really sees: its rendered depth against the sensor's.

A CAD is rendered alone by casting rays at its posed mesh, on the pixel grid of the depth image.
Rendered pixels where the sensor has no depth say nothing and are left out of the share; a CAD of
which no pixel has sensor depth has the share 0. Only pixels inside the image count.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

from roomcad_core.camera import project
from roomcad_core.pose import transform
from roomcad_offline.rooms.scene import raycaster
from roomcad_offline.rooms.shapes import Mesh

NEAR = 0.02  # vertices nearer to the camera plane than this have no usable pixel [m]
KEPT = 64  # ray casters in memory


@dataclass(frozen=True)
class VisibilityRule:
    """When an annotated object counts as visible; the defaults are the paper's."""

    depth_tolerance: float = 0.30  # rendered and sensor depth agree within this [m]
    min_share: float = 0.5  # share of the rendered pixels that have to agree

    def __post_init__(self):
        if not self.depth_tolerance > 0 or not 0 <= self.min_share <= 1:
            raise ValueError(f"expected depth_tolerance > 0 and min_share in 0-1, got {self}")


@dataclass(frozen=True)
class Rendered:
    """Depth of one CAD inside a window of the image."""

    rows: slice
    columns: slice
    depth: np.ndarray  # (h, w) float32 z-depth [m]; inf where the CAD is not hit

    @property
    def box(self):
        """(4,) xyxy [px] around the hit pixels, pixel edges; None where nothing was hit."""
        rows, columns = np.nonzero(np.isfinite(self.depth))
        if not len(rows):
            return None
        x, y = columns + self.columns.start, rows + self.rows.start
        return np.array([x.min(), y.min(), x.max() + 1, y.max() + 1], float)


class CadRenderer:
    """Renders CADs one at a time; keeps the ray casters of the last KEPT of them."""

    def __init__(self, meshes):
        """`meshes`: cad_meshes.CadMeshes, or any meshes(category, cad_id) -> (V, 3), (F, 3)."""
        self._meshes, self._casters = meshes, OrderedDict()

    def __call__(self, category, cad_id, M_cam_cad, K, shape):
        """Rendered of a posed CAD in an image (H, W) `shape`, or None where it is outside.

        M_cam_cad: (4, 4) affine map from CAD file coordinates to the camera [m].
        """
        vertices, triangles = self._meshes(category, cad_id)
        window = pixel_window(transform(M_cam_cad, vertices), K, shape)
        if window is None:
            return None
        caster = self._caster((category, cad_id), vertices, triangles)
        return Rendered(*window, cast_window(caster, M_cam_cad, K, *window))

    def box_centre(self, category, cad_id):
        """(3,) centre of a CAD's bounding box in its file coordinates."""
        vertices, _ = self._meshes(category, cad_id)
        return (vertices.min(axis=0) + vertices.max(axis=0)) / 2

    def _caster(self, key, vertices, triangles):
        if key not in self._casters:
            self._casters[key] = raycaster([Mesh(vertices, triangles)])
            if len(self._casters) > KEPT:
                self._casters.popitem(last=False)
        self._casters.move_to_end(key)
        return self._casters[key]


def pixel_window(points_cam, K, shape):
    """Row and column slices of the image (H, W) that hold all (N, 3) points, or None.

    Where some points are behind the camera the window is the whole image.
    """
    height, width = shape
    front = points_cam[:, 2] > NEAR
    if not front.any():
        return None
    if not front.all():
        return slice(0, height), slice(0, width)
    uv, _ = project(points_cam, K)
    low = np.floor(uv.min(axis=0)).clip(0, (width, height)).astype(int)
    high = (np.ceil(uv.max(axis=0)) + 1).clip(0, (width, height)).astype(int)
    if (high <= low).any():
        return None
    return slice(low[1], high[1]), slice(low[0], high[0])


def cast_window(caster, M_cam_cad, K, rows, columns):
    """(h, w) float32 z-depth of the window's pixels, inf where nothing is hit.

    The rays go into CAD coordinates, so one caster serves all poses; they keep z = 1 in the
    camera, which makes the hit's parameter the z-depth.
    """
    import open3d as o3d

    A = np.linalg.inv(M_cam_cad)
    x = (np.arange(columns.start, columns.stop) - K[0, 2]) / K[0, 0]
    y = (np.arange(rows.start, rows.stop) - K[1, 2]) / K[1, 1]
    directions = np.empty((len(y), len(x), 3))
    directions[..., 0], directions[..., 1], directions[..., 2] = x, y[:, None], 1
    rays = np.empty((len(y), len(x), 6), np.float32)
    rays[..., :3], rays[..., 3:] = A[:3, 3], directions @ A[:3, :3].T
    return caster.cast_rays(o3d.core.Tensor.from_numpy(rays), nthreads=1)["t_hit"].numpy()


def visible_share(rendered, sensor_depth, tolerance):
    """Share of the CAD's pixels whose sensor depth agrees, in 0-1.

    Args:
        rendered: Rendered.
        sensor_depth: (H, W) z-depth [m] of the whole image, 0 = missing.
        tolerance: largest difference that agrees [m], exclusive.
    """
    sensor = sensor_depth[rendered.rows, rendered.columns]
    judged = np.isfinite(rendered.depth) & (sensor > 0)
    if not judged.any():
        return 0.0
    return float((np.abs(rendered.depth[judged] - sensor[judged]) < tolerance).mean())
