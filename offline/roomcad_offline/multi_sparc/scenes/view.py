"""What is in each pixel, without noise: meshes and background planes behind one z-buffer."""

from dataclasses import dataclass

import torch

from roomcad_offline.multi_sparc.scenes.background import FAR, PLANES
from roomcad_offline.multi_sparc.scenes.camera import rays
from roomcad_offline.multi_sparc.scenes.raster import rasterise


@dataclass(frozen=True)
class View:
    """Maps of a batch. Surfaces are numbered: A things, then six planes, then nothing."""

    ray: torch.Tensor  # (B, H, W, 3) viewing rays with z = 1
    depth: torch.Tensor  # (B, H, W) z-depth [m], 0 = nothing there
    normal: torch.Tensor  # (B, H, W, 3) unit, towards the camera; 0 = nothing there
    surface: torch.Tensor  # (B, H, W) int64 number of the surface
    part: torch.Tensor  # (B, H, W) int64 part of the thing

    @property
    def cosine(self):
        """(B, H, W) of the angle between the viewing ray and the surface's normal."""
        return -(self.ray * self.normal).sum(-1) / self.ray.norm(dim=-1)


def take_view(things, bank, planes, K, height, width):
    """View of Things before Planes through cameras K (B, 3, 3)."""
    batch, n = things.model.shape
    corners, thing, part = things.triangles(bank)
    triangle, depth = rasterise(corners, thing // n, K, height, width)
    ray = rays(K, height, width)
    far, plane = planes.intersect(ray)
    front = (triangle >= 0) & (depth < far)
    depth = torch.where(front, depth, far)
    empty = depth >= FAR
    surface = torch.where(empty, n + PLANES, n + plane)
    pixel = front.flatten().nonzero().squeeze(1)
    seen = triangle.flatten()[pixel]
    surface.view(-1)[pixel] = thing[seen] % n
    parts = torch.zeros_like(surface)
    parts.view(-1)[pixel] = part[seen]
    normal = -planes.outward.reshape(-1, 3).index_select(0, _flat(plane, PLANES)).view(ray.shape)
    normal.view(-1, 3)[pixel] = _facing(corners).index_select(0, seen)
    normal = torch.where(empty[..., None], 0, normal)
    return View(ray, torch.where(empty, 0, depth), normal, surface, parts)


def _facing(corners):
    """(F, 3) unit normals of triangles, towards the camera."""
    normal = torch.linalg.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    away = (normal * corners[:, 0]).sum(1, keepdim=True) > 0
    normal = torch.where(away, -normal, normal)
    return normal / normal.norm(dim=1, keepdim=True).clamp(min=1e-20)


def _flat(index, n):
    """Flat indices into (B, n) rows of a (B, H, W) index below n."""
    batch = torch.arange(len(index), device=index.device)[:, None, None]
    return (batch * n + index).flatten()
