"""Synthetic scenes without end: furniture, camera, picture, sensor, detector; out comes a Batch."""

from dataclasses import dataclass

import torch

from roomcad_offline.multi_sparc.batch import Batch
from roomcad_offline.multi_sparc.scenes import detect, sensor
from roomcad_offline.multi_sparc.scenes.background import PLANES, draw_planes
from roomcad_offline.multi_sparc.scenes.camera import draw_cameras
from roomcad_offline.multi_sparc.scenes.clutter import draw_clutter
from roomcad_offline.multi_sparc.scenes.draws import Draws
from roomcad_offline.multi_sparc.scenes.layout import furnish
from roomcad_offline.multi_sparc.scenes.normals import normals_from_depth
from roomcad_offline.multi_sparc.scenes.shade import shade
from roomcad_offline.multi_sparc.scenes.things import join, leaning, pose_things
from roomcad_offline.multi_sparc.scenes.view import take_view

STRIDE = 1_000_003  # keeps the seeds of neighbouring steps and ranks apart


class SceneGenerator:
    """Draws Batches from a CadBank; equal arguments give equal batches (CPU and GPU differ).

    A batch depends on (seed, rank, step) alone, so that training goes on after a break where it
    stopped, and the processes of a group see different scenes.

    Args:
        bank: CadBank; batches come from its device.
        config: SceneConfig.
        seed: of everything that is random.
        rank: number of this process in its group.
    """

    def __init__(self, bank, config, seed=0, rank=0):
        self.bank, self.config, self.seed, self.rank = bank, config, seed, rank

    def batches(self, size, first=0):
        """Yield batches of `size` images for ever, from step `first` on."""
        step = first
        while True:
            yield self.batch(size, step)
            step += 1

    @torch.no_grad()
    def batch(self, size, step=0):
        """The Batch of one step.

        Raises:
            ValueError: size below 1.
        """
        if size < 1:
            raise ValueError(f"size: got {size!r}, expected at least 1 image")
        generator = torch.Generator(self.bank.device)
        generator.manual_seed((self.seed * STRIDE + self.rank) * STRIDE + step)
        return make_batch(self.bank, size, self.config, Draws(generator))


@dataclass(frozen=True)
class _Objects:
    """The furniture of a batch, all N of it."""

    model: torch.Tensor  # (B, N)
    points: torch.Tensor  # (B, N, P, 3) unit frame
    normals: torch.Tensor  # (B, N, P, 3)
    box: torch.Tensor  # (B, N, 4) around the whole object


def make_batch(bank, size, config, draws):
    """A Batch of `size` new scenes."""
    in_room = draws.flag(config.room_share, size)
    camera = draw_cameras(in_room, config, draws)
    furniture = furnish(bank, camera, in_room, config, draws)
    planes = draw_planes(furniture, camera, in_room, config, draws)
    things = _pose_all(bank, furniture, camera, in_room, config, draws)
    view = take_view(things, bank, planes, camera.K, config.height, config.width)
    rgb = shade(view, things, bank, camera.up, config, draws)
    depth, normal = _sense(view, camera.K, config, draws)
    objects = _objects(bank, furniture, things, camera.K, config, draws)
    order = _slots(view, objects, furniture.present, config, draws)
    surfaces = things.model.shape[1] + PLANES + 1
    instance = detect.to_slots(view.surface, order, surfaces)
    box = detect.visible_boxes(instance, config.n_mul)
    slots = _fill_slots(bank, things, objects, order)
    whole = slots.pop("whole")
    return Batch(
        rgb=rgb,
        normal=normal.permute(0, 3, 1, 2).contiguous(),
        depth=depth[:, None],
        instance=detect.detected_masks(instance, config.n_mul, config, draws).to(torch.int16),
        K=camera.K,
        box=detect.detected_boxes(box, whole, config, draws) * slots["valid"][..., None],
        up=camera.up,
        **slots,
    )


def _pose_all(bank, furniture, camera, in_room, config, draws):
    """Things: the furniture, then the clutter. Only in random scenes do they lean."""
    clutter, where, shown = draw_clutter(furniture, camera, in_room, bank, config, draws)
    loose = (~in_room).float()[:, None]
    tilts = draws.uniform(-1, 1, 2, *furniture.model.shape) * config.random_tilt * loose
    turns = draws.uniform(-3, 3, 2, *clutter.shape) * loose
    R = camera.R_cam_level
    posed = pose_things(furniture.model, furniture.blocks, furniture.present, R, leaning(*tilts))
    return join(posed, pose_things(clutter, where, shown, R, leaning(*turns)))


def _sense(view, K, config, draws):
    """Measured depth (B, H, W) and normals (B, H, W, 3), true ones or those of that depth."""
    batch = len(K)
    sensors = sensor.draw_sensors(batch, config, draws)
    depth = sensor.measure(view, sensors, config, draws)
    normal = view.normal
    if config.normal_noise:
        amount = draws.uniform(0, config.normal_noise, batch, 1, 1, 1)
        error = draws.smooth(batch, 3, *depth.shape[1:], 8).permute(0, 2, 3, 1)
        noisy = normal + amount * error
        noisy = noisy / noisy.norm(dim=-1, keepdim=True).clamp(min=1e-6)
        normal = torch.where((view.depth > 0)[..., None], noisy, 0)
    computed = draws.flag(config.depth_normals, batch, 1, 1, 1) & ~sensors.predicted[..., None]
    if config.depth_normals:
        normal = torch.where(computed, normals_from_depth(depth, K, config.normal_radius), normal)
    return depth, normal


def _objects(bank, furniture, things, K, config, draws):
    """CAD points of all furniture, and the boxes around it."""
    batch, n = furniture.model.shape
    stored = bank.points.shape[1]
    if config.points > stored:
        raise ValueError(f"SceneConfig.points: got {config.points}, the bank holds {stored}")
    # Stored points are in random order: any run of them is a random sample.
    start = draws.integer(stored, batch, n, 1)
    index = (start + torch.arange(config.points, device=start.device)) % stored
    rows = (furniture.model[..., None] * stored + index).flatten()
    shape = (batch, n, config.points, 3)
    points = bank.points.view(-1, 3).index_select(0, rows).float().view(shape)
    normals = bank.normals.view(-1, 3).index_select(0, rows).float().view(shape)
    R, T, S = (getattr(things, name)[:, :n] for name in ("R", "T", "S"))
    posed = points @ (R * S[..., None, :]).transpose(2, 3) + T[..., None, :]
    normals = normals / normals.norm(dim=-1, keepdim=True).clamp(min=1e-6)
    return _Objects(furniture.model, points, normals, detect.whole_boxes(posed, K))


def _slots(view, objects, present, config, draws):
    """(B, M) object of each slot: those found, in their random order; -1 = empty slot."""
    n = present.shape[1]
    pixels = detect.count_pixels(view.surface, n)
    found = detect.is_found(pixels, objects.box, present, config, draws)
    order = (~found).to(torch.uint8).argsort(dim=1, stable=True)[:, : config.n_mul]
    return torch.where(found.gather(1, order), order, -1)


def _fill_slots(bank, things, objects, order):
    """The Batch's fields of M slots; empty ones hold a harmless object 1 m before the camera."""
    valid = order >= 0
    pick = order.clamp(min=0)
    rows = torch.arange(len(order), device=order.device)[:, None]
    model = objects.model[rows, pick]
    label = bank.label[model]
    R, T, S = (getattr(things, name)[rows, pick] for name in ("R", "T", "S"))
    ahead = torch.tensor([0.0, 0.0, 1.0], device=T.device)
    return {
        "valid": valid,
        "whole": objects.box[rows, pick],
        "cad_points": objects.points[rows, pick],
        "cad_normals": objects.normals[rows, pick],
        "symmetry": bank.symmetry[model],
        "size": bank.size[model],
        "size_low": bank.size_low[label],
        "size_high": bank.size_high[label],
        "T_gt": torch.where(valid[..., None], T, ahead),
        "R_gt": torch.where(valid[..., None, None], R, torch.eye(3, device=T.device)),
        "S_gt": torch.where(valid[..., None], S, bank.size[model]),
    }
