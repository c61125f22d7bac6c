"""Which candidate places are good: free, in the room, clear of the camera and in view."""

import torch

from roomcad_offline.multi_sparc.scenes.camera import project
from roomcad_offline.multi_sparc.scenes.footprint import Blocks, overlap

GAP = 0.005  # [m] half the space between neighbours
TUCKED = 0.5  # a chair may stand under a table with this share of itself
IN_WALL = 0.02  # [m] a corner may be this far in the wall: nobody sees it


def is_good(candidates, plan, slot, config):
    """(B, tries) bool for the candidate Blocks of a slot."""
    good = is_clear(candidates, config) & is_inside(candidates, plan)
    good = good & is_in_view(candidates, plan.camera, config)
    return good & is_free(candidates, plan, slot) if slot else good


def is_clear(candidates, config):
    """(B, tries) bool: not around the camera."""
    half = torch.full((3,), config.clearance, device=candidates.yaw.device)
    return ~overlap(candidates, Blocks(torch.zeros_like(half), half, torch.zeros_like(half[0])))


def is_inside(candidates, plan):
    """(B, tries) bool: not through the walls; random scenes have none yet."""
    walls = plan.walls[:, None]  # (B, 1, 4, 2)
    reach = candidates.map(lambda a: a.unsqueeze(2)).reach(walls)
    outermost = (candidates.centre[:, :, None, :2] * walls).sum(-1) + reach
    return (outermost < plan.wall_distance[:, None] + IN_WALL).all(2) | ~plan.in_room[:, None]


def is_in_view(candidates, camera, config):
    """(B, tries) bool: the centre is seen or nearly so, and not too far."""
    point = candidates.centre @ camera.R_cam_level.transpose(1, 2)
    u, v = project(point, camera.K).unbind(-1)
    near = (u > -0.08 * config.width) & (u < 1.08 * config.width)
    near = near & (v > -0.15 * config.height) & (v < 1.15 * config.height)
    return near & (point[..., 2] > config.clearance) & (point.norm(dim=-1) < config.farthest + 1)


def is_free(candidates, plan, slot):
    """(B, tries) bool: in none of the earlier objects."""
    tucked = plan.is_chair[:, slot, None] & plan.holds[:, :slot]
    share = torch.where(tucked, TUCKED, 1.0)[:, None]  # (B, 1, slot)
    half = candidates.half[:, :, None] * torch.ones_like(share)[..., None]
    half[..., ::2] = half[..., ::2] * share[..., None] + GAP  # monitors touch what is below
    me = Blocks(candidates.centre[:, :, None], half, candidates.yaw[:, :, None])
    hit = overlap(me, plan.earlier(slot).map(lambda a: a.unsqueeze(1)))
    return ~(hit & plan.present[:, None, :slot]).any(2)
