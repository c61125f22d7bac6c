"""What a detector makes of the objects in view: which it finds, their masks and their boxes."""

import torch

from roomcad_offline.multi_sparc.scenes.camera import project
from roomcad_offline.multi_sparc.scenes.window import highest, lowest

KEPT = 0.4  # masks that would lose more than the rest stay as they are


def count_pixels(surface, n):
    """(B, n) number of pixels of surfaces 0 .. n - 1 in a (B, H, W) map of surface numbers."""
    batch = len(surface)
    image = torch.arange(batch, device=surface.device)[:, None, None]
    flat = (image * (n + 1) + surface.clamp(max=n)).flatten()
    return torch.bincount(flat, minlength=batch * (n + 1)).view(batch, n + 1)[:, :n]


def whole_boxes(points_cam, K):
    """(B, N, 4) xyxy boxes of whole objects from their (B, N, P, 3) posed surface points."""
    batch, n, p, _ = points_cam.shape
    uv = project(points_cam.reshape(batch, n * p, 3), K).view(batch, n, p, 2)
    seen = (points_cam[..., 2:] > 0.05).expand_as(uv)
    low = torch.where(seen, uv, torch.inf).amin(2)
    high = torch.where(seen, uv, -torch.inf).amax(2)
    box = torch.cat([low, high], -1)
    return torch.where(seen[..., 0].any(2)[..., None], box, 0)


def is_found(pixels, box, present, config, draws):
    """(B, N) bool: enough of the object is seen, and the detector does not miss it."""
    area = (box[..., 2:] - box[..., :2]).clamp(min=1).prod(-1)
    enough = (pixels >= config.min_pixels) & (pixels >= config.min_seen * area)
    return present & enough & ~draws.flag(config.missed, *present.shape)


def to_slots(surface, order, surfaces):
    """(B, H, W) slot + 1 of the objects `order` (B, M), where -1 = empty slot; 0 elsewhere.

    surface: (B, H, W) numbers below `surfaces`; objects have the first ones.
    """
    batch, slots = order.shape
    table = torch.zeros(batch, surfaces + 1, dtype=torch.int64, device=order.device)
    number = torch.arange(1, slots + 1, device=order.device).expand(batch, -1)
    table.scatter_(1, torch.where(order < 0, surfaces, order), number)
    return table.gather(1, surface.flatten(1)).view(surface.shape)


def visible_boxes(instance, slots):
    """(B, M, 4) xyxy around the pixels of each slot, at their outer edges; 0 where none."""
    mine = instance[:, None] == torch.arange(1, slots + 1, device=instance.device)[:, None, None]
    columns, rows = mine.any(2), mine.any(3)
    left, right = _first_and_last(columns)
    top, bottom = _first_and_last(rows)
    box = torch.stack([left - 0.5, top - 0.5, right + 0.5, bottom + 0.5], -1)
    return torch.where(columns.any(2)[..., None], box, 0)


def _first_and_last(flags):
    """First and last True along the last axis, as floats."""
    size = flags.shape[-1]
    flags = flags.to(torch.uint8)
    return flags.argmax(-1).float(), (size - 1 - flags.flip(-1).argmax(-1)).float()


def detected_boxes(visible, whole, config, draws):
    """(B, M, 4) boxes as detected: some around the whole object, all off by a little."""
    amodal = draws.flag(config.box_amodal, *visible.shape[:2])
    # What reaches beside the camera has a box without end.
    size = torch.tensor([config.width, config.height] * 2, device=whole.device)
    whole = torch.minimum(torch.maximum(whole, -size / 2), 1.5 * size)
    box = torch.where(amodal[..., None], whole, visible)
    side = (box[..., 2:] - box[..., :2]).repeat(1, 1, 2)
    box = box + draws.normal(config.box_jitter, *box.shape) * side
    low, high = torch.minimum(box[..., :2], box[..., 2:]), torch.maximum(box[..., :2], box[..., 2:])
    return torch.cat([low, high], -1)


def detected_masks(instance, slots, config, draws):
    """(B, H, W) the true slot map with a detector's errors; no object loses most of its mask."""
    mask = instance
    if config.mask_warp:
        mask = _warped(mask, config, draws)
    if config.mask_grow:
        mask = _grown(mask, slots, config, draws)
    if config.mask_bleed or config.mask_holes:
        mask = _patched(mask, slots, config, draws)
    before, after = (count_pixels(m, slots + 1) for m in (instance, mask))
    spoilt = after < KEPT * before
    spoilt[:, 0] = False
    return torch.where(_of_slot(spoilt, instance), instance, mask)


def _warped(instance, config, draws):
    """Borders made wavy: every pixel looks up a smoothly wandering neighbour."""
    batch, height, width = instance.shape
    offset = config.mask_warp * draws.smooth(batch, 2, height, width, 5)
    offset = (offset * draws.uniform(0, 2, batch, 1, 1, 1)).round().long()
    u = (torch.arange(width, device=draws.device) + offset[:, 0]).clamp(0, width - 1)
    v = (torch.arange(height, device=draws.device)[:, None] + offset[:, 1]).clamp(0, height - 1)
    return instance.flatten(1).gather(1, (v * width + u).flatten(1)).view(instance.shape)


def _grown(instance, slots, config, draws):
    """Some masks get a pixel wider, some a pixel narrower."""
    change = draws.uniform(-1, 1, len(instance), slots + 1) / max(config.mask_grow, 1e-6)
    wider, narrower = (change > 0) & (change < 1), (change < 0) & (change > -1)
    top = highest(instance, 1)
    grown = torch.where(_of_slot(wider, top) & (top > 0), top, instance)
    at_border = (top != lowest(instance, 1)) & _of_slot(narrower, instance)
    return torch.where(at_border & (grown == instance), 0, grown)


def _patched(instance, slots, config, draws):
    """Some masks spill over what is around them, some lose patches."""
    batch, height, width = instance.shape
    spills = draws.flag(config.mask_bleed, batch, slots + 1)
    lacks = draws.flag(config.mask_holes, batch, slots + 1)
    stain = draws.smooth(batch, 1, height, width, 12)[:, 0]
    around = highest(instance, 4)
    spilt = _of_slot(spills, around) & (around > 0) & (stain > 0.7)
    lost = _of_slot(lacks, instance) & (stain < -1.0)
    return torch.where(lost, 0, torch.where(spilt, around, instance))


def _of_slot(flags, instance):
    """(B, H, W) the flag (B, M + 1) of each pixel's slot number."""
    return flags.gather(1, instance.flatten(1)).view(instance.shape)
