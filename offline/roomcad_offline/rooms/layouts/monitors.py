"""Monitors on desks, tables and low cabinets, and flat ones on walls."""

from __future__ import annotations

from roomcad_offline.rooms.plan import Item
from roomcad_offline.rooms.stacking import FLAT

SHARE = {"desk": 0.85, "table": 0.12, "cabinet": 0.3}  # of the pieces that carry one
SECOND = 0.4  # of those, carry another
LOW = (0.4, 1.1)  # [m] heights of cabinets that carry monitors
HUNG = 0.4  # share of the rooms with a monitor on a wall


def on_furniture(items, stacker, models, rng):
    """Items: monitors of `models` on the furniture `items` of a stacker, facing its front."""
    out = []
    for k, item in enumerate(items):
        share = SHARE.get(item.model.label, 0.0)
        if item.model.label == "cabinet" and (item.bottom or not LOW[0] < item.top < LOW[1]):
            continue
        while models and rng.random() < share:
            share *= SECOND
            model = models[rng.integers(len(models))]
            S = model.size * rng.uniform(0.75, 1.2)
            if S[2] < FLAT or S[0] > item.S[0]:
                continue
            yaw = item.footprint.yaw + rng.normal(0, 0.15)
            half = S[0] / 2, S[2] / 2
            place = stacker.place(k, half, yaw, lambda: rng.uniform((-0.8, -0.95), (0.8, -0.1)))
            if place:
                out.append(Item(model, S, place[0], place[1]))
    return out


def on_wall(scatterer, models, rng):
    """[Item] of a flat monitor on a free part of a wall, [] if there is none."""
    flat = [model for model in models if model.size[2] < 0.2]
    if not flat or rng.random() >= HUNG:
        return []
    model = flat[rng.integers(len(flat))]
    S, bottom = model.size * rng.uniform(0.8, 1.2), float(rng.uniform(0.9, 1.4))
    found = scatterer.spot(S[0] / 2, bottom, bottom + S[1], S[2] / 2)
    if found is None or bottom + S[1] > scatterer.shell.height:
        return []
    wall = scatterer.shell.walls[found[0]]
    return [Item(model, S, wall.place(found[1], S[0] / 2, S[2] / 2, 0.01), bottom)]
