"""Views of a scan: its colours and instances by ray casting."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import distance_transform_edt

from roomcad_core.camera import rays as camera_rays
from roomcad_offline.rooms.render import GREY, View, facing_normals
from roomcad_offline.rooms.scene import HIT, NOTHING, cast, raycaster
from roomcad_offline.rooms.shapes import Mesh
from roomcad_offline.scannet.scan import Scan

KEYS = (*HIT, "primitive_ids", "primitive_uvs")
WHITE = 0.6  # share of the light that a scan's bright surfaces throw back
GAMMA = 2.2  # what sensor.develop undoes


class ScanRenderer:
    """Draws views of one scan; both sides of its surfaces are seen."""

    def __init__(self, scan: Scan, holes: float = 0.0):
        """`holes`: those of the mesh up to this radius are closed [m]."""
        self.faces = closed(scan.vertices, scan.faces, holes)
        self.caster = raycaster([Mesh(scan.vertices, self.faces)])
        self.instance = scan.instance.astype(np.uint16)
        self.light = ((scan.colors / 255.0) ** GAMMA).astype(np.float32)
        # The colours hold the room's light as well, which a depth camera brings along.
        bright = np.percentile(self.light @ GREY, 90) if len(self.light) else 0.0
        self.brightness = np.float32(WHITE / max(bright, 0.01))

    def view(self, T_world_cam: np.ndarray, K: np.ndarray, shape: tuple[int, int]) -> View:
        """View (H, W) `shape` of a camera with intrinsics K [px] in the aligned frame.

        The instance of a pixel is that of the nearest vertex of the triangle it shows, so that
        no two are mixed; its light is interpolated. Nothing hit: all zero.
        """
        T, directions = T_world_cam.astype(np.float32), camera_rays(shape, K)
        directions = directions @ T[:3, :3].T
        rays = np.empty((*shape, 6), np.float32)
        rays[..., :3], rays[..., 3:] = T[:3, 3], directions
        hit = cast(self.caster, rays, keys=KEYS)
        seen = hit["geometry_ids"] != NOTHING
        depth = np.where(seen, hit["t_hit"], np.float32(0))  # rays have z = 1
        corners = self.faces[np.where(seen, hit["primitive_ids"], 0)]
        weights = barycentric(hit["primitive_uvs"])
        nearest = np.take_along_axis(corners, weights.argmax(-1)[..., None], -1)[..., 0]
        light = np.einsum("hwk,hwkc->hwc", weights, self.light[corners]).astype(np.float32)
        _, cosine = facing_normals(hit["primitive_normals"], directions)
        return View(
            depth,
            np.where(seen, self.instance[nearest], 0).astype(np.uint16),
            cosine,
            np.zeros_like(depth),
            np.where(seen[..., None], light, np.float32(0)),
            np.minimum(light @ GREY * self.brightness, np.float32(1)),
            T[:3, 3] + directions * depth[..., None],
        )


def closed(vertices: np.ndarray, faces: np.ndarray, radius: float) -> np.ndarray:
    """Faces (F + G, 3): those given, and new ones over holes of up to `radius` [m]."""
    import open3d as o3d

    if radius <= 0:
        return faces
    corners = o3d.core.Tensor(np.ascontiguousarray(faces, np.int64))
    mesh = o3d.t.geometry.TriangleMesh(o3d.core.Tensor(vertices), corners).fill_holes(radius)
    if len(mesh.vertex.positions) != len(vertices):  # then they may not be ours any more
        return faces
    return mesh.triangle.indices.numpy()


def without_gaps(depth: np.ndarray) -> np.ndarray:
    """Depth (H, W) [m] where missing pixels have that of the nearest one that is not.

    For simulated sensors: what lies behind a gap is unknown, and must not throw a shadow.
    """
    gap = depth <= 0
    if gap.all() or not gap.any():
        return depth
    nearest = distance_transform_edt(gap, return_distances=False, return_indices=True)
    return depth[tuple(nearest)]


def barycentric(uv: np.ndarray) -> np.ndarray:
    """(..., 3) weights of a triangle's corners from Open3D's (..., 2) primitive_uvs."""
    return np.stack([1 - uv[..., 0] - uv[..., 1], uv[..., 0], uv[..., 1]], -1)
