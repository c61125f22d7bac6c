"""Boxes, cylinders and blobs that nobody detects: on, before and beside the furniture."""

import torch

from roomcad_offline.multi_sparc.scenes.footprint import Blocks

SMALLEST, LARGEST = 0.05, 0.7  # [m] about the range of a side
ON_TOP, BESIDE = 0.25, 0.4  # shares of the places; the rest hides furniture from the camera


def draw_clutter(furniture, camera, in_room, bank, config, draws):
    """Clutter of a batch, C pieces an image; `in_room` (B,) bool.

    Returns:
        model: (B, C) row of the bank's meshes.
        blocks: (B, C) Blocks in the level frame.
        present: (B, C) bool.
    """
    batch, n = len(in_room), config.clutter
    model = len(bank) + draws.integer(len(bank.count) - len(bank), batch, n)
    half = _sizes(batch, n, draws) / 2
    near, found = _companions(furniture, n, draws)
    place = draws.uniform(0, 1, batch, n)
    on_top, before = place < ON_TOP, place > ON_TOP + BESIDE
    toward = draws.uniform(0.35, 0.9, batch, n, 1) * near.centre  # the camera is the origin
    base = torch.where(before[..., None], toward, near.centre)
    away = torch.where(on_top, 0.25, torch.where(before, 0.2, 1.0))[..., None]
    reach = near.half[..., ::2].amax(-1, keepdim=True) + 0.1
    flat = base[..., :2] + away * reach * draws.normal(1.0, batch, n, 2)
    floor = half[..., 1] - camera.height[:, None]
    z = torch.where(in_room[:, None], floor, base[..., 2] + draws.normal(0.3, batch, n))
    z = torch.where(on_top, near.centre[..., 2] + near.half[..., 1] + half[..., 1], z)
    yaw = draws.uniform(0, 2 * torch.pi, batch, n)
    blocks = Blocks(torch.cat([flat, z[..., None]], -1), half, yaw)
    clear = blocks.centre.norm(dim=-1) - half.norm(dim=-1) > config.clearance
    wanted = torch.arange(n, device=z.device) < draws.integer(n + 1, batch, 1)
    return model, blocks, clear & wanted & found[:, None]


def _sizes(batch, n, draws):
    """(batch, n, 3) sides [m]: small things more often than large ones."""
    ratio = LARGEST / SMALLEST
    common = draws.uniform(0, 1, batch, n, 1) ** 1.5
    return SMALLEST * ratio**common * draws.uniform(-0.6, 0.6, batch, n, 3).exp()


def _companions(furniture, n, draws):
    """For each of n things one of the furniture as (B, n) Blocks, and if there is any (B,)."""
    present = furniture.present
    key = draws.uniform(0.1, 1, len(present), n, present.shape[1]) * present[:, None]
    pick = key.argmax(2)
    rows = torch.arange(len(pick), device=pick.device)[:, None]
    return furniture.blocks.map(lambda a: a[rows, pick]), present.any(1)
