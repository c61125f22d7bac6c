"""Colours: random or the mesh's own, simple patterns, one lamp, exposure and grain."""

import torch

from roomcad_offline.multi_sparc.scenes.background import PLANES
from roomcad_offline.multi_sparc.scenes.bank import PARTS

FOCAL = 0.86  # focal length of a depth camera, of the image width


def shade(view, things, bank, up, config, draws):
    """(B, 3, H, W) colours in 0-1 of a View; `up` (B, 3) in the camera frame."""
    batch, height, width = view.depth.shape
    n = things.model.shape[1] + PLANES + 1
    row = torch.arange(batch, device=up.device)[:, None, None] * n + view.surface
    colour = palette(things, bank, config, draws).view(-1, 3)
    image = colour.index_select(0, (row * PARTS + view.part).flatten()).view(*row.shape, 3)
    bright = light(view, up, draws)
    if config.texture:
        bright = bright + config.texture * pattern(view, row, n, draws)
    gain = (
        0.15
        + draws.normal(config.exposure, batch, 1, 1, 1)
        + draws.normal(config.exposure / 4, batch, 1, 1, 3)
    )
    image = image * (bright[..., None] * gain.exp())
    grain = draws.uniform(0, config.grain, batch, 1, 1, 1)
    if config.grain:
        image = image + grain * draws.normal(1.0, batch, height, width, 3)
    return image.clamp(0, 1).permute(0, 3, 1, 2).contiguous()


def palette(things, bank, config, draws):
    """(B, A + planes + 1, PARTS, 3) colours of all surfaces in 0-1."""
    batch, n = things.model.shape
    grey = draws.uniform(0.1, 0.95, batch, n, 1, 1)
    vivid = draws.uniform(0, 1, batch, n, 1, 1) ** 2
    tint = grey + vivid * draws.uniform(-0.5, 0.5, batch, n, 1, 3)
    spread = draws.uniform(0, 0.5, batch, n, 1, 1)
    drawn = tint + spread * draws.uniform(-1, 1, batch, n, PARTS, 3)
    own = bank.colour[things.model] + 0.1 * draws.normal(1.0, batch, n, 1, 3)
    is_own = draws.flag(config.own_colour, batch, n) & (things.model < len(bank))
    colour = torch.where(is_own[..., None, None], own, drawn)
    pale = draws.uniform(0.3, 1, batch, PLANES + 1, 1, 1)
    plane = pale + 0.08 * draws.normal(1.0, batch, PLANES + 1, 1, 3)
    plane = plane.expand(-1, -1, PARTS, -1)
    return torch.cat([colour, plane], 1).clamp(0.02, 1)


def light(view, up, draws):
    """(B, H, W) brightness: ambient light and a lamp somewhere above."""
    batch = len(up)
    lamp = up + 0.8 * draws.direction(batch)
    lamp = lamp / lamp.norm(dim=1, keepdim=True).clamp(min=1e-6)
    ambient = draws.uniform(0.35, 0.9, batch, 1, 1)
    falling = torch.einsum("bhwc,bc->bhw", view.normal, lamp).clamp(min=0)
    # A weak light at the camera tells faces in the shadow apart.
    return ambient + (1.1 - ambient) * falling + 0.15 * (view.cosine - 0.5)


def pattern(view, row, n, draws):
    """(B, H, W) of about unit deviation: stripes fixed to each surface, and soft stains."""
    batch, height, width = view.depth.shape
    count = batch * n
    pace = draws.uniform(2, 4.5, count, 1).exp()  # [rad/m]
    strength = draws.uniform(-1.5, 1.5, count, 1).clamp(min=0)  # half of the surfaces are plain
    table = torch.cat([draws.direction(count) * pace, pace, strength], 1)
    table = table.index_select(0, row.flatten()).view(*row.shape, 5)
    phase = (view.ray * table[..., :3]).sum(-1) * view.depth
    # Stripes about as fine as the pixels would turn into others.
    fine = table[..., 3] * view.depth / (FOCAL * width)
    stripes = phase.sin() * table[..., 4] * (1.5 - fine).clamp(0, 1)
    stains = draws.smooth(batch, 1, height, width, 9) + draws.smooth(batch, 1, height, width, 3)
    return stripes + 0.5 * stains[:, 0] * draws.uniform(0, 1, batch, 1, 1)
