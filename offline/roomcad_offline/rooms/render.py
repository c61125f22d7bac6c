"""Colour, depth and instances of one view of a Scene: ray casting and Lambert shading."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from roomcad_core.camera import rays as camera_rays
from roomcad_offline.rooms.materials import TILE
from roomcad_offline.rooms.scene import NOTHING, cast

LEVELS = 4  # halvings of the texture for far surfaces
AMBIENT = 0.32  # light from everywhere, in units of a lamp at 1 m
GREY = np.array([0.299, 0.587, 0.114], np.float32)  # of R, G, B
SHADOW_LAMPS = 2  # the strongest lamps throw shadows


@dataclass(frozen=True)
class View:
    """A noise-free picture; arrays (H, W, ...) on one pixel grid."""

    depth: np.ndarray  # float32 z-depth [m], 0 where no surface is hit
    instances: np.ndarray  # uint16, see scene.Part
    cosine: np.ndarray  # float32 in 0-1, of the angle between ray and surface normal
    dropout: np.ndarray  # float32, Material.dropout
    light: np.ndarray  # (H, W, 3) float32 linear colour, not yet exposed
    albedo: np.ndarray | None = None  # float32 in 0-1, grey share of the light thrown back
    points: np.ndarray | None = None  # (H, W, 3) float32 in the room's or scan's frame [m]


class Renderer:
    """Draws views of one Scene."""

    def __init__(self, scene, shadows):
        self.scene, self.shadows = scene, shadows
        self.atlas, self.offsets = texture_atlas([m.tile for m in scene.materials])
        part = scene.parts
        self.instance = np.array([p.instance for p in part] + [0], np.uint16)
        self.material = np.array([p.material for p in part] + [0])
        x, y, z, yaw = np.array([p.frame for p in part] + [(0, 0, 0, 0)], np.float32).T
        self.frame = np.stack([x, y, z, np.cos(yaw), np.sin(yaw)])
        table = [(m.size, m.dropout, m.glow) for m in scene.materials]
        self.size, self.dropout, self.glow = np.array(table, np.float32).T

    def view(self, T_room_cam, K, shape):
        """View (H, W) `shape` of a camera with intrinsics K [px] posed in the room frame."""
        T, directions = T_room_cam.astype(np.float32), camera_rays(shape, K)
        directions = directions @ T[:3, :3].T
        rays = np.empty((*shape, 6), np.float32)
        rays[..., :3], rays[..., 3:] = T[:3, 3], directions
        hit = cast(self.scene.caster, rays)
        missed = hit["geometry_ids"] == NOTHING
        geometry = np.where(missed, len(self.scene.parts), hit["geometry_ids"])
        depth = np.where(missed, np.float32(0), hit["t_hit"])  # rays have z = 1
        normal, cosine = facing_normals(hit["primitive_normals"], directions)
        points = T[:3, 3] + directions * depth[..., None]
        material = self.material[geometry]
        color = self.texture(points, normal, geometry, material, depth / K[0, 0])
        albedo = color @ GREY
        light = self.lit(points, normal) + self.glow[material][..., None] * 1.5
        light = np.where(missed[..., None], np.float32(0), color * light)
        dropout = self.dropout[material]
        return View(depth, self.instance[geometry], cosine, dropout, light, albedo, points)

    def texture(self, points, normal, geometry, material, footprint):
        """(H, W, 3) linear surface colour; `footprint` is the size of a pixel there [m]."""
        import cv2

        x, y, z, c, s = self.frame[:, geometry]
        dx, dy = points[..., 0] - x, points[..., 1] - y
        px, py, pz = c * dx + s * dy, c * dy - s * dx, points[..., 2] - z
        nx = np.abs(c * normal[..., 0] + s * normal[..., 1])
        ny = np.abs(c * normal[..., 1] - s * normal[..., 0])
        nz = np.abs(normal[..., 2])
        u = np.where((nx > ny) & (nx > nz), py, px)  # the two axes along the surface
        v = np.where((nz >= nx) & (nz >= ny), py, pz)
        size = self.size[material]
        level = np.log2(np.clip(footprint * TILE / size, 1, 2 ** (LEVELS - 1))).astype(int)
        side = (TILE >> level).astype(np.float32)
        map_x = self.offsets[level] + (u / size % 1) * side
        map_y = (material * (TILE + 2) + 0.5).astype(np.float32) + (v / size % 1) * side
        return cv2.remap(self.atlas, map_x, map_y, cv2.INTER_LINEAR)

    def lit(self, points, normal):
        """(H, W, 3) light that arrives: ambient from above and all lamps."""
        sky = 0.75 + 0.25 * normal[..., 2]
        light = np.repeat((AMBIENT * sky)[..., None], 3, axis=2)
        for k, (position, color) in enumerate(self.scene.lamps):
            to = position.astype(np.float32) - points
            square = np.einsum("hwc,hwc->hw", to, to)
            angle = np.einsum("hwc,hwc->hw", to, normal) / np.sqrt(square)
            strength = np.maximum(angle, 0) * 2.2 / (1 + 0.45 * square)
            if self.shadows and k < SHADOW_LAMPS:
                strength *= self.reached(points + 0.004 * normal, to)
            light += strength[..., None] * color.astype(np.float32)
        return light

    def reached(self, points, to):
        """(H, W) float32: 1 where nothing stands between the points and points + to."""
        import open3d as o3d

        rays = np.concatenate([points, to], axis=2)
        blocked = self.scene.caster.test_occlusions(o3d.core.Tensor.from_numpy(rays), tfar=0.98)
        return 1 - blocked.numpy().astype(np.float32)


def facing_normals(normals, directions):
    """Normals turned towards the camera, and the cosine (H, W) they make with the ray."""
    norm = np.sqrt(np.einsum("hwc,hwc->hw", normals, normals))
    normals = normals / np.maximum(norm, 1e-9)[..., None]
    along = np.einsum("hwc,hwc->hw", normals, directions)
    length = np.sqrt(np.einsum("hwc,hwc->hw", directions, directions))
    return normals * np.where(along > 0, np.float32(-1), 1)[..., None], np.abs(along) / length


def texture_atlas(tiles):
    """All tiles below each other, halved to the right, in linear colour.

    Returns:
        atlas (M * (TILE + 2), ..., 3) float32, each tile with one repeated texel around it so
        that interpolation never leaves it; offsets (LEVELS,) float32 of the columns.
    """
    import cv2

    widths = [TILE >> k for k in range(LEVELS)]
    starts = np.cumsum([0] + [w + 2 for w in widths])
    atlas = np.zeros((len(tiles) * (TILE + 2), starts[-1], 3), np.float32)
    for m, tile in enumerate(tiles):
        level = tile**2.2
        for k, width in enumerate(widths):
            level = (
                level if k == 0 else cv2.resize(level, (width, width), None, 0, 0, cv2.INTER_AREA)
            )
            top = m * (TILE + 2)
            padded = np.pad(level, ((1, 1), (1, 1), (0, 0)), mode="wrap")
            atlas[top : top + width + 2, starts[k] : starts[k] + width + 2] = padded
    return atlas, starts[:-1].astype(np.float32) + 0.5
