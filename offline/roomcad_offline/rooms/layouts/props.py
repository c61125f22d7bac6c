"""Things that lie and stand about and that no layout tells of; built standing on the origin."""

from __future__ import annotations

import numpy as np

from roomcad_offline.rooms import shapes
from roomcad_offline.rooms.clutter import thing
from roomcad_offline.rooms.layouts.openings import at

CLOTH = ("fabric", "fabric", "stripes", "plain", "ceramic")


def _one_of(rng, kinds):
    return str(kinds[rng.integers(len(kinds))])


def pillow_mesh(width, depth, height):
    """A cushion: full in the middle, thin at its seams."""
    x, y = np.meshgrid(np.linspace(-1, 1, 11), np.linspace(-1, 1, 11), indexing="ij")
    full = height / 2 * ((1 - x**4) * (1 - y**4)) ** 0.6
    halves = [
        shapes.sheet(np.stack([x * width / 2, y * depth / 2, height / 2 + s * full], -1))
        for s in (-1, 1)
    ]
    return shapes.merged(halves)


def pillow(rng):
    """A pillow or cushion that lies flat."""
    size = rng.uniform((0.35, 0.35, 0.1), (0.75, 0.5, 0.18))
    return thing("pillow", (pillow_mesh(*size), _one_of(rng, CLOTH)))


def bag(rng):
    """A bag with a handle, or a backpack."""
    w, d, h = rng.uniform((0.25, 0.12, 0.25), (0.45, 0.25, 0.45))
    body = shapes.moved(pillow_mesh(w, h, d), (0, 0, h / 2), 0.0, np.pi / 2 - 0.15)
    low = body.vertices[:, 2].min()
    a = np.linspace(0, np.pi, 9)
    arc = np.stack([w * 0.25 * np.cos(a), 0 * a - 0.1, h * 0.9 + 0.15 * np.sin(a)], 1)
    kind = _one_of(rng, ("fabric", "black", "plain"))
    return thing("bag", (shapes.moved(body, (0, 0, -low)), kind), (shapes.tube(arc, 0.012), kind))


def shoes(rng):
    """A pair of shoes."""
    pair = []
    for x in (-0.07, 0.07):
        sole = shapes.ellipsoid(0.045, 0.14, 0.03)
        upper = shapes.moved(shapes.ellipsoid(0.042, 0.075, 0.05), (0, -0.05, 0))
        pair += [
            shapes.moved(m, (x, rng.normal(0, 0.03), 0), rng.normal(0, 0.2)) for m in (sole, upper)
        ]
    return thing("shoe", (shapes.merged(pair), _one_of(rng, ("black", "fabric", "plain"))))


def heap(rng, name="clothes"):
    """Clothes in a heap: a low cloth full of folds with a ragged outline."""
    w, d, h = rng.uniform((0.3, 0.3, 0.04), (0.7, 0.6, 0.14))
    x, y = np.meshgrid(np.linspace(-1, 1, 25), np.linspace(-1, 1, 25), indexing="ij")
    angle = np.arctan2(y, x)
    outline = sum(rng.normal(0, 0.12) * np.cos(k * angle + rng.uniform(0, 6)) for k in (1, 2, 3, 5))
    bump = np.clip(1 - (x**2 + y**2) * (1.2 + outline), 0, 1) ** 0.35
    folds = np.zeros_like(x)
    for _ in range(7):
        k, phase = rng.normal(0, 6, 2), rng.uniform(0, 6.3)
        folds += np.abs(np.sin(k[0] * x + k[1] * y + phase)) / 7
    mesh = shapes.sheet(np.stack([x * w / 2, y * d / 2, 0.004 + h * bump * (0.3 + folds)], -1))
    return thing(name, (mesh, _one_of(rng, CLOTH)))


def towel(rng):
    """A folded towel."""
    w, d = rng.uniform(0.25, 0.45, 2)
    return thing("towel", (pillow_mesh(w, d, rng.uniform(0.06, 0.12)), _one_of(rng, CLOTH)))


def ottoman(rng, size=None):
    """A pouf: an upholstered block or drum; (3,) `size` if given."""
    w, d, h = rng.uniform((0.4, 0.4, 0.32), (0.75, 0.6, 0.48)) if size is None else size
    kind = _one_of(rng, ("fabric", "fabric", "black", "plain"))
    if rng.random() < 0.5:
        cushion = shapes.moved(pillow_mesh(w, d, 0.2), (0, 0, h - 0.2))
        return thing("ottoman", (shapes.block(w, d, h - 0.1), kind), (cushion, kind))
    drum = shapes.lathe((0.44, 0.5, 0.5, 0.42), (0, 0.1 * h, 0.85 * h, h), 24)
    return thing("ottoman", (shapes.Mesh(drum.vertices * (w, d, 1), drum.triangles), kind))


def bench(rng, size=None):
    """A seat on legs."""
    w, d, h = rng.uniform((0.8, 0.3, 0.4), (1.4, 0.42, 0.5)) if size is None else size
    legs = [
        at(x * (w / 2 - 0.06), y, 0, 0.05, 0.05, h - 0.05)
        for x in (-1, 1)
        for y in (-d * 0.4, d * 0.3)
    ]
    seat = shapes.moved(shapes.block(w, d, 0.06), (0, 0, h - 0.06))
    kinds = _one_of(rng, ("wood", "metal")), _one_of(rng, ("wood", "fabric", "black"))
    return thing("bench", (shapes.merged(legs), kinds[0]), (seat, kinds[1]))


def washing_machine(rng, size=None):
    """A white block with a round door."""
    w, d, h = (0.6, 0.6, 0.85) if size is None else size
    door = shapes.moved(shapes.cylinder(w * 0.3, 0.03, n=24), (0, d / 2, h * 0.5), 0.0, -np.pi / 2)
    panel = at(0, d / 2, h * 0.85, w * 0.9, 0.008, h * 0.1)
    parts = ((shapes.block(w, d, h), "ceramic"), (door, _one_of(rng, ("screen", "ceramic"))))
    return thing("washing machine", *parts, (panel, "metal"))


def crate(rng, size=None):
    """A box of any kind: a chest, a printer, a pedestal."""
    w, d, h = rng.uniform((0.3, 0.3, 0.2), (0.6, 0.5, 0.5)) if size is None else size
    lid = shapes.moved(shapes.block(w * 1.01, d * 1.01, h * 0.08), (0, 0, h * 0.92))
    kinds = [_one_of(rng, ("cardboard", "plain", "wood", "black", "ceramic")) for _ in range(2)]
    return thing("box", (shapes.block(w, d, h * 0.92), kinds[0]), (lid, kinds[1]))


def closet(rng, size):
    """A tall piece with doors, or a block nobody could name, of (3,) `size`."""
    w, d, h = size
    kinds = [_one_of(rng, ("wood", "ceramic", "plain", "metal", "fabric")) for _ in range(2)]
    n = max(1, round(w / 0.5))
    doors, knobs = [], []
    for k in range(n):
        x = ((k + 0.5) / n - 0.5) * w
        doors.append(at(x, d / 2 - 0.015, 0.03, w / n - 0.008, 0.015, h - 0.05))
        knobs.append(at(x + 0.3 * w / n, d / 2, h * 0.5, 0.02, 0.025, 0.1))
    body = shapes.block(w, d - 0.03, h)
    parts = (body, kinds[0]), (shapes.merged(doors), kinds[rng.integers(2)])
    return thing("closet", *parts, (shapes.merged(knobs), "metal"))


def palm(rng):
    """A pot with long bent leaves."""
    height, pot = rng.uniform(0.5, 1.5), rng.uniform(0.12, 0.2)
    leaves, t = [], np.linspace(0, 1, 7)
    wide = (rng.uniform(0.02, 0.06) * np.sin(np.pi * np.clip(t, 0.03, 0.97)))[:, None]
    for _ in range(rng.integers(12, 26)):
        reach, rise = height * rng.uniform(0.2, 0.5), height * rng.uniform(0.5, 1.0)
        x, z = reach * t**1.3, pot * 1.5 + rise * (t - 0.45 * t**2.5)
        y = wide * (-1, 0, 1)
        leaf = np.stack([x[:, None] + 0 * y, y, z[:, None] - 0.3 * np.abs(y)], -1)
        leaves.append(shapes.moved(shapes.sheet(leaf), (0, 0, 0), rng.uniform(0, 6.3)))
    base = shapes.cylinder(pot * 0.75, pot * 1.7, pot)
    kind = _one_of(rng, ("plain", "ceramic", "black", "wood"))
    return thing("plant", (base, kind), (shapes.merged(leaves), "leaves"))


def cable(rng):
    """A cable on the floor."""
    n = rng.integers(12, 30)
    heading = np.cumsum(rng.normal(0, 0.5, n))
    way = np.cumsum(0.07 * np.stack([np.cos(heading), np.sin(heading)], 1), 0)
    way = way - (way.min(0) + way.max(0)) / 2
    path = np.concatenate([way, np.full((n, 1), 0.006)], 1)
    return thing("cable", (shapes.tube(path, 0.006, 5), _one_of(rng, ("black", "ceramic"))))


def keyboard(rng):
    """A keyboard and its mouse."""
    keys = shapes.merged([at(0, y, 0.014, 0.4, 0.018, 0.008) for y in np.linspace(-0.06, 0.05, 5)])
    mouse = shapes.moved(shapes.ellipsoid(0.03, 0.05, 0.018), (0.3, 0, 0))
    board = shapes.block(0.43, 0.15, 0.015)
    kind = _one_of(rng, ("black", "black", "ceramic"))
    return thing("keyboard", (shapes.merged([board, mouse]), kind), (keys, "plain"))


def papers(rng):
    """Sheets of paper."""
    sheets = [
        shapes.moved(
            shapes.block(0.21, 0.297, 0.002),
            (*rng.normal(0, 0.03, 2), 0.002 * k),
            rng.normal(0, 0.3),
        )
        for k in range(rng.integers(1, 5))
    ]
    return thing("paper", (shapes.merged(sheets), "ceramic"))


def desk_lamp(rng):
    """A lamp with a bent arm."""
    h = rng.uniform(0.35, 0.55)
    arm = shapes.tube([(0, 0, 0), (0, -0.08, h * 0.6), (0, 0.1, h), (0, 0.2, h * 0.95)], 0.01)
    head = shapes.moved(shapes.cylinder(0.08, 0.09, 0.03), (0, 0.2, h * 0.85))
    kind = _one_of(rng, ("black", "metal", "plain"))
    return thing("lamp", (shapes.cylinder(0.09, 0.02), kind), (arm, kind), (head, kind))


def microwave(rng):
    """A microwave or toaster oven."""
    w, d, h = rng.uniform((0.4, 0.3, 0.24), (0.52, 0.4, 0.32))
    pane = at(-w * 0.1, d / 2, h * 0.15, w * 0.65, 0.006, h * 0.7)
    body = shapes.block(w, d, h)
    return thing("microwave", (body, _one_of(rng, ("metal", "ceramic", "black"))), (pane, "screen"))


def kettle(rng):
    """A kettle or coffee maker."""
    body = shapes.lathe((0.08, 0.085, 0.06, 0.03), (0, 0.08, 0.2, 0.24))
    handle = at(0, 0.07, 0.06, 0.025, 0.05, 0.15)
    kind = _one_of(rng, ("metal", "black", "ceramic"))
    return thing("coffee kettle", (body, kind), (handle, "black"))


def rug(rng):
    """A carpet, thin."""
    w, d = rng.uniform((0.6, 0.9), (2.0, 2.8))
    mesh = shapes.cylinder(0.5, 0.008, n=32) if rng.random() < 0.2 else shapes.block(1, 1, 0.008)
    mesh = shapes.Mesh(mesh.vertices * (w, d, 1), mesh.triangles)
    return thing("rug", (mesh, _one_of(rng, ("carpet", "stripes", "fabric", "picture"))))
