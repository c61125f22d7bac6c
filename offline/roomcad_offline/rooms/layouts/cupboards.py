"""Rows of cabinets of the library on the walls over counters."""

from __future__ import annotations

import numpy as np

from roomcad_offline.rooms.footprint import overlap
from roomcad_offline.rooms.layouts.fit import scaled
from roomcad_offline.rooms.plan import Item


def over_counters(fixer, fitter, standing, rng):
    """Items: a row of cabinets of the library on the wall over many a counter."""
    models, out = fitter.hanging["cabinet"], []
    for _, place in fixer.counters if models else ():
        if place.half_width < 0.5 or place.half_depth < 0.25 or rng.random() < 0.4:
            continue
        n = int(place.half_width / 0.3)
        wanted = np.array([2 * place.half_width / n, rng.uniform(0.55, 0.8), 0.35])
        model = min(models, key=lambda m: np.abs(np.log(wanted / m.size)).sum())
        S, bottom = scaled(model, wanted), float(rng.uniform(1.35, 1.5))
        if bottom + S[1] > fixer.shell.height or S[0] > 1.15 * wanted[0]:
            continue
        for k in range(n):
            x = (k + 0.5) * wanted[0] - place.half_width
            back = place.at(x, S[2] / 2 + 0.005 - place.half_depth)
            spot = type(place)(*map(float, back), place.yaw, S[0] / 2, S[2] / 2)
            taken = [i.footprint for i in standing if i.top > bottom]
            if any(overlap(spot, other, 0.02) for other in taken):
                continue
            if over_wall(fixer, spot, bottom, bottom + S[1]):
                out.append(Item(model, S, spot, bottom))
    return out


def over_wall(fixer, spot, low, high):
    """True if a wall is behind a footprint, bare between two heights, which are now taken."""
    for number, wall in fixer.shell.built():
        along, distance = wall.local(spot.at(0, -spot.half_depth))
        start, end = along - spot.half_width, along + spot.half_width
        if abs(distance) < 0.03 and wall.along @ spot.right > 0.99:
            if start < -0.05 or end > wall.length + 0.05:
                return False
            if fixer.clear(number, start, end, low, high, 0.0):
                fixer.hung.append((number, start, end, low, high))
                return True
    return False
