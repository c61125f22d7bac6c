"""Candidate places of an object: anywhere, at a wall, beside or on top of an earlier object.

All of it is in the level frame, whose origin is the camera.
"""

from dataclasses import dataclass

import torch

from roomcad_offline.multi_sparc.scenes.camera import Camera
from roomcad_offline.multi_sparc.scenes.footprint import Blocks

QUARTER = torch.pi / 2


@dataclass
class Plan:
    """Rooms being filled slot by slot; N objects an image."""

    size: torch.Tensor  # (B, N, 3) metric sizes S [m]
    is_monitor: torch.Tensor  # (B, N) bool
    is_chair: torch.Tensor  # (B, N) bool
    holds: torch.Tensor  # (B, N) bool: a monitor can stand on it
    in_room: torch.Tensor  # (B,) bool: room-like, not random
    camera: Camera
    room_yaw: torch.Tensor  # (B,) [rad]
    walls: torch.Tensor  # (B, 4, 2) unit directions on the floor, the first at room_yaw
    wall_distance: torch.Tensor  # (B, 4) [m]
    centre: torch.Tensor  # (B, N, 3) [m]; filled slot by slot, as the next two
    yaw: torch.Tensor  # (B, N) [rad]
    present: torch.Tensor  # (B, N) bool

    def put(self, slot, candidates, good):
        """Take the first of the (B, tries) candidates that is `good`; without one, none."""
        first = good.float().argmax(1)
        rows = torch.arange(len(first), device=first.device)
        self.present[:, slot] = good.any(1)
        self.centre[:, slot] = candidates.centre[rows, first]
        self.yaw[:, slot] = candidates.yaw[rows, first]

    def earlier(self, slot):
        """(B, slot) Blocks of the slots before."""
        return Blocks(self.centre[:, :slot], self.size[:, :slot] / 2, self.yaw[:, :slot])

    def one_of(self, mask, draws):
        """One object in `mask` (B, slot) of each image as (B, 1) Blocks, and if there is one."""
        pick = (draws.uniform(0.1, 1, *mask.shape) * mask).argmax(1, keepdim=True)
        rows = torch.arange(len(pick), device=pick.device)[:, None]
        return self.earlier(mask.shape[1]).map(lambda a: a[rows, pick]), mask.any(1)


def propose(plan, slot, config, draws):
    """(B, tries) Blocks for an object, best ideas first."""
    batch, tries = len(plan.size), config.tries
    half = (plan.size[:, slot] / 2)[:, None].expand(-1, tries, -1)
    centre, yaw = anywhere(plan, half, config, draws)
    stands = torch.zeros_like(plan.in_room)
    if slot:
        wanted = draws.flag(config.beside_share, batch) & plan.in_room
        early = torch.arange(tries, device=centre.device) < (tries + 1) // 2
        where, turn, found = beside(plan, slot, half, draws)
        mix = (wanted & found)[:, None] & early
        centre, yaw = torch.where(mix[..., None], where, centre), torch.where(mix, turn, yaw)
        where, turn, found = on_top(plan, slot, half, draws)
        stands = found & draws.flag(config.stand_share, batch)
        centre = torch.where(stands[:, None, None], where, centre)
        yaw = torch.where(stands[:, None], turn, yaw)
    hangs = plan.is_monitor[:, slot] & plan.in_room & ~stands
    rise = torch.zeros_like(centre)
    rise[..., 2] = (draws.uniform(0.4, 1.5, batch) * hangs)[:, None]
    return Blocks(centre + rise, half, yaw)


def anywhere(plan, half, config, draws):
    """Centres (B, tries, 3) and yaws of places before the camera, on the floor of rooms."""
    batch, tries = half.shape[:2]
    K = plan.camera.K
    u = draws.uniform(-0.05, 1.05, batch, tries) * config.width
    v = draws.uniform(0, 1, batch, tries) * config.height
    x = (u - K[:, 0, 2, None]) / K[:, 0, 0, None]
    y = (v - K[:, 1, 2, None]) / K[:, 1, 1, None]
    ray = torch.stack([x, y, torch.ones_like(x)], -1) @ plan.camera.R_cam_level  # R^T @ ray
    distance = draws.uniform(config.nearest, config.farthest, batch, tries)[..., None]
    ahead = ray[..., :2] / ray[..., :2].norm(dim=-1, keepdim=True).clamp(min=1e-6)
    flat, yaw = in_room(plan, ahead * distance, ahead, half, config, draws)
    on_floor = _on_floor(plan, flat, half)
    free = ray * distance / ray.norm(dim=-1, keepdim=True)
    room = plan.in_room[:, None]
    turned = draws.uniform(0, 2 * torch.pi, batch, tries)
    return torch.where(room[..., None], on_floor, free), torch.where(room, yaw, turned)


def in_room(plan, flat, ahead, half, config, draws):
    """Places (B, tries, 2) on the floor and yaws: free, square, or back to the wall behind.

    flat: (B, tries, 2) first idea; ahead: (B, tries, 2) its direction from the camera.
    """
    shape = half.shape[:2]
    square = draws.flag(config.aligned_share, *shape)
    backed = square & draws.flag(config.back_share, *shape)
    # Most furniture shows its front: its back is to the wall behind it, seen from the camera.
    away = torch.atan2(ahead[..., 0], -ahead[..., 1]) - plan.room_yaw[:, None]
    side = torch.where(backed, (away / QUARTER).round().long(), draws.integer(4, *shape))
    yaw = plan.room_yaw[:, None] + side * QUARTER
    yaw = yaw + draws.normal(1.0, *shape) * torch.where(backed, 0.008, 0.03)
    yaw = torch.where(square, yaw, draws.uniform(0, 2 * torch.pi, *shape))
    wall = (side - 1) % 4  # the one that a back of this yaw faces
    outward = plan.walls.gather(1, wall[..., None].expand(-1, -1, 2))
    slack = plan.wall_distance.gather(1, wall) - (flat * outward).sum(-1) - half[..., 2]
    shift = outward * (slack - draws.uniform(0.0, 0.06, *shape))[..., None]
    return torch.where(backed[..., None], flat + shift, flat), yaw


def beside(plan, slot, half, draws):
    """Places at a side of an earlier object, and if there is one; chairs face it.

    Chairs may reach under it. Returns centres (B, tries, 3), yaws (B, tries), found (B,).
    """
    shape = half.shape[:2]
    parent, found = plan.one_of(plan.present[:, :slot], draws)
    side = draws.integer(4, *shape)
    heading = parent.yaw + side * QUARTER
    out = torch.stack([-heading.sin(), heading.cos()], -1)
    chair = plan.is_chair[:, slot, None]
    turn = torch.where(chair, torch.pi + draws.normal(0.25, *shape), -side * QUARTER)
    yaw = heading + turn + draws.normal(0.02, *shape)
    gap = draws.uniform(torch.where(chair, -0.2, 0.02), 0.3, *shape)
    own = Blocks(torch.zeros_like(half), half, yaw).reach(out)
    away = parent.reach(out) + own + gap
    across = torch.stack([out[..., 1], -out[..., 0]], -1)
    shift = draws.uniform(-0.6, 0.6, *shape) * parent.reach(across)
    flat = parent.centre[..., :2] + out * away[..., None] + across * shift[..., None]
    return _on_floor(plan, flat, half), yaw, found


def on_top(plan, slot, half, draws):
    """Places of a monitor on an earlier piece of furniture that holds it, as `beside`."""
    parent, found = plan.one_of(plan.present[:, :slot] & plan.holds[:, :slot], draws)
    slack = (parent.half - 0.6 * half).clamp(min=0)
    a, b = draws.uniform(-1, 1, 2, *half.shape[:2])
    flat = parent.centre[..., :2] + parent.right * (a * slack[..., 0])[..., None]
    flat = flat + parent.back * (b * slack[..., 2])[..., None]
    top = parent.centre[..., 2] + parent.half[..., 1] + half[..., 1] + 0.002
    yaw = parent.yaw + draws.normal(0.2, *half.shape[:2])
    centre = torch.cat([flat, top[..., None]], -1)
    return centre, yaw, found & plan.is_monitor[:, slot]


def _on_floor(plan, flat, half):
    """(B, tries, 3) centres of objects that stand on the floor at (B, tries, 2)."""
    height = half[..., 1] - plan.camera.height[:, None]
    return torch.cat([flat, height[..., None]], -1)
