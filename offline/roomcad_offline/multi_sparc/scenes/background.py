"""Floor, ceiling and walls: planes that rays meet, fitted around the furniture."""

from dataclasses import dataclass

import torch

PLANES = 6  # floor, ceiling, four walls
FAR = 1e4  # [m] depth of a plane that is not there


@dataclass(frozen=True)
class Planes:
    """The six planes of each image, in the camera frame: outward · X = distance."""

    outward: torch.Tensor  # (B, 6, 3) unit normals, away from the camera
    distance: torch.Tensor  # (B, 6) > 0 [m]
    present: torch.Tensor  # (B, 6) bool

    def intersect(self, rays):
        """Nearest plane along (B, H, W, 3) rays with z = 1.

        Returns:
            depth: (B, H, W) z-depth [m], FAR where there is none.
            plane: (B, H, W) int64 which of the six.
        """
        along = torch.einsum("bhwc,bpc->bphw", rays, self.outward)
        depth = self.distance[..., None, None] / along.clamp(min=1e-4)
        depth = torch.where(self.present[..., None, None] & (along > 1e-4), depth, FAR)
        return depth.min(1)


def draw_planes(furniture, camera, in_room, config, draws):
    """A room's floor and walls; behind the furniture of random scenes, planes at random."""
    batch = len(in_room)
    blocks, present = furniture.blocks, furniture.present[..., None]
    walls = furniture.walls
    centre = torch.einsum("bnc,bwc->bnw", blocks.centre[..., :2], walls)
    reach = blocks.map(lambda a: a.unsqueeze(2)).reach(walls[:, None])
    behind = torch.where(present, centre + reach, 0).amax(1).clamp(min=config.clearance + 0.2)
    behind = behind + draws.uniform(0.1, 2, batch, 4)
    behind = torch.where(in_room[:, None], furniture.wall_distance, behind)
    floor, ceiling = _floor_and_ceiling(furniture, camera, in_room, config, draws)
    level = torch.zeros(batch, PLANES, 3, device=draws.device)
    level[:, 0, 2], level[:, 1, 2] = -1, 1
    level[:, 2:, :2] = walls
    bare = draws.flag(config.bare_share, batch) & ~in_room
    shown = draws.flag(config.wall_share, batch, PLANES)
    shown[:, 0] |= in_room
    distance = torch.cat([floor[:, None], ceiling[:, None], behind], 1)
    outward = level @ camera.R_cam_level.transpose(1, 2)
    return Planes(outward, distance, shown & ~bare[:, None])


def _floor_and_ceiling(furniture, camera, in_room, config, draws):
    """(B,) heights below and above the camera [m]."""
    batch = len(in_room)
    middle, half = furniture.blocks.centre[..., 2], furniture.blocks.half[..., 1]
    lean = 0.2 * (~in_room)[:, None]  # leaning objects reach a little lower
    low = torch.where(furniture.present, middle - half - lean, 0).amin(1)
    high = torch.where(furniture.present, middle + half + lean, 0).amax(1)
    deep = (-low).clamp(min=config.clearance) + draws.uniform(0, 0.5, batch)
    floor = torch.where(in_room, camera.height, deep)
    ceiling = (draws.uniform(2.3, 3.2, batch) - floor).maximum(high + 0.02)
    return floor, ceiling.clamp(min=config.clearance)
