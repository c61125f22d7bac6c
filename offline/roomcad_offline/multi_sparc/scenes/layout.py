"""Which furniture stands where: at random before the camera, or on a common floor as in a room."""

from dataclasses import dataclass, replace

import torch

from roomcad_core.classes import CLASSES
from roomcad_offline.multi_sparc.scenes.accept import is_good
from roomcad_offline.multi_sparc.scenes.footprint import Blocks
from roomcad_offline.multi_sparc.scenes.places import Plan, propose

HOLDS_MONITORS = ("table", "desk", "cabinet")
TALLEST_STAND = 1.1  # [m] no monitor stands on higher furniture


@dataclass(frozen=True)
class Furniture:
    """The objects of a batch, N an image, in random order."""

    model: torch.Tensor  # (B, N) index into the CAD bank
    blocks: Blocks  # (B, N) size and place in the level frame
    present: torch.Tensor  # (B, N) bool: it found a place
    walls: torch.Tensor  # (B, 4, 2) directions of the room's walls in the level frame
    wall_distance: torch.Tensor  # (B, 4) of a room's walls; they bound the furniture [m]

    def pick(self, order):
        """The same furniture in another order (B, N)."""
        rows = torch.arange(len(order), device=order.device)[:, None]
        model, present = self.model[rows, order], self.present[rows, order]
        blocks = self.blocks.map(lambda a: a[rows, order])
        return replace(self, model=model, blocks=blocks, present=present)


def furnish(bank, camera, in_room, config, draws):
    """Furniture of a batch; `in_room` (B,) bool tells room-like from random scenes.

    Objects are placed one after the other in all images at once. Each has a few candidate
    places; the first good one is taken, and an object without one is left out.
    """
    batch, n = len(in_room), config.n_mul + config.others
    model, size = draw_models(bank, batch, n, config, draws)
    # Tables come before the monitors on them; the last line forgets this order.
    first = label_in(bank, model, ("monitor",)).float() - _holds(bank, model, size).float()
    wanted = torch.arange(n, device=draws.device) < _how_many(batch, n, config, draws)
    order = (first + 10 * ~wanted).argsort(dim=1)
    model = model.gather(1, order)
    size = size.gather(1, order[..., None].expand(-1, -1, 3))
    plan = _empty_plan(bank, model, size, in_room, camera, config, draws)
    for slot in range(n):
        candidates = propose(plan, slot, config, draws)
        good = is_good(candidates, plan, slot, config)
        plan.put(slot, candidates, good & wanted[:, slot, None])
    blocks = Blocks(plan.centre, size / 2, plan.yaw)
    furniture = Furniture(model, blocks, plan.present, plan.walls, plan.wall_distance)
    return furniture.pick(draws.uniform(0, 1, batch, n).argsort(1))


def draw_models(bank, batch, n, config, draws):
    """Models (batch, n) of the bank and their metric sizes (batch, n, 3) [m]."""
    per_class = torch.zeros(len(CLASSES), device=bank.device).index_add_(0, bank.label, bank.weight)
    chance = (bank.weight / per_class[bank.label] ** config.class_balance).cumsum(0)
    drawn = draws.uniform(0, 1, batch, n) * chance[-1]
    model = torch.searchsorted(chance, drawn).clamp(max=len(bank) - 1)
    low, high = torch.tensor([config.scale_low, config.scale_high], device=bank.device).log()
    factor = draws.uniform(low, high, batch, n, 3).exp()
    # Unequal sides would break the symmetry.
    equal = bank.symmetry[model] > 2
    factor[..., 2] = torch.where(equal, factor[..., 0], factor[..., 2])
    return model, bank.size[model] * factor


def label_in(bank, model, names):
    """(B, N) bool: the models' class is one of these."""
    wanted = torch.tensor([CLASSES.index(name) for name in names], device=model.device)
    return torch.isin(bank.label[model], wanted)


def _how_many(batch, n, config, draws):
    """(B, 1) number of objects that an image should hold; many more often than few."""
    more = draws.integer(n - config.fewest + 1, 2, batch, 1)
    return config.fewest + more.amax(0)


def _holds(bank, model, size):
    """(B, N) bool: furniture that a monitor can stand on."""
    return label_in(bank, model, HOLDS_MONITORS) & (size[..., 1] < TALLEST_STAND)


def _empty_plan(bank, model, size, in_room, camera, config, draws):
    """Rooms without furniture, and what has to be known of the furniture to come."""
    batch = len(in_room)
    room_yaw = draws.uniform(0, 2 * torch.pi, batch)
    angle = room_yaw[:, None] + torch.arange(4, device=draws.device) * (torch.pi / 2)
    return Plan(
        size=size,
        is_monitor=label_in(bank, model, ("monitor",)),
        is_chair=label_in(bank, model, ("chair",)),
        holds=_holds(bank, model, size),
        in_room=in_room,
        camera=camera,
        room_yaw=room_yaw,
        walls=torch.stack([angle.cos(), angle.sin()], -1),
        wall_distance=draws.uniform(config.room_low, config.room_high, batch, 4),
        centre=torch.zeros_like(size),
        yaw=torch.zeros_like(size[..., 0]),
        present=torch.zeros_like(model, dtype=torch.bool),
    )
