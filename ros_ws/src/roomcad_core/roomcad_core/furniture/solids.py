"""Closed solids furniture is put together from; metres, x right, y up, front towards -z.

Every function returns a manifold3d.Manifold: watertight, normals outward. Ranges are (low, high).
"""

import numpy as np


def kernel():
    """The manifold3d module, or an ImportError that says how to get it."""
    try:
        import manifold3d
    except ImportError:
        raise ImportError("furniture needs manifold3d: pip install manifold3d") from None
    return manifold3d


def span(centre, width):
    """The range of a width around a centre."""
    return centre - width / 2, centre + width / 2


def hull(points):
    """Convex hull of (N, 3) points."""
    return kernel().Manifold.hull_points(np.asarray(points, dtype=float))


def box(x, y, z, bevel=0.0):
    """Box over three ranges, its edges cut off by `bevel`."""
    low, high = np.array([x, y, z], dtype=float).T
    if bevel == 0.0:
        return kernel().Manifold.cube(high - low).translate(low)
    points = []
    for axis in range(3):
        inset = np.full(3, min(bevel, 0.49 * (high - low).min()))
        inset[axis] = 0.0
        points.append(_corners(low + inset, high - inset))
    return hull(np.concatenate(points))


def _corners(low, high):
    """(8, 3) corners of a box."""
    pick = np.array(np.meshgrid([0, 1], [0, 1], [0, 1])).reshape(3, -1).T
    return np.where(pick, high, low)


def cushion(x, y, z, power=5.0, n=6):
    """Superellipsoid filling a box: power 2 is an ellipsoid, a large one nears the box."""
    low, high = np.array([x, y, z], dtype=float).T
    v = np.linspace(-np.pi / 2, np.pi / 2, n + 1)[:, None]
    u = np.linspace(0, 2 * np.pi, 4 * (n // 2 + 1), endpoint=False)[None]
    unit = np.stack([_pow(np.cos(v), power) * _pow(np.cos(u), power),
                     _pow(np.sin(v), power) * np.ones_like(u),
                     _pow(np.cos(v), power) * _pow(np.sin(u), power)], axis=-1)  # fmt: skip
    return hull((low + high) / 2 + unit.reshape(-1, 3) * (high - low) / 2)


def _pow(value, power):
    return np.sign(value) * np.abs(value) ** (2 / power)


def ring(centre, normal, radius, sides=10):
    """(sides, 3) points of a regular polygon; four sides lie along the axes, `radius` from it."""
    normal = np.asarray(normal, dtype=float) / np.linalg.norm(normal)
    first = np.cross(normal, [0.0, 0, 1] if abs(normal[2]) < 0.9 else [1.0, 0, 0])
    first /= np.linalg.norm(first)
    second = np.cross(normal, first)
    angle = (np.arange(sides) + 0.5) * 2 * np.pi / sides
    reach = radius / np.cos(np.pi / sides) if sides == 4 else radius
    flat = np.outer(np.cos(angle), first) + np.outer(np.sin(angle), second)
    return np.asarray(centre, dtype=float) + reach * flat


def bar(start, end, radius, end_radius=None, sides=10):
    """Straight rod between two points, possibly tapered."""
    axis = np.subtract(end, start)
    end_radius = radius if end_radius is None else end_radius
    return hull(np.concatenate([ring(start, axis, radius, sides),
                                ring(end, axis, end_radius, sides)]))  # fmt: skip


def leg(top, bottom, radius, end_radius=None, sides=4):
    """Rod whose ends are cut level, so that it stands flat however it leans."""
    end_radius = radius if end_radius is None else end_radius
    up = (0, 1, 0)
    return hull(np.concatenate([ring(top, up, radius, sides), ring(bottom, up, end_radius, sides)]))


def tube(path, radius, sides=8):
    """Bent rod along (N, 3) points."""
    path = np.asarray(path, dtype=float)
    steps = np.diff(path, axis=0)
    steps /= np.linalg.norm(steps, axis=1, keepdims=True)
    normals = [steps[0], *(steps[1:] + steps[:-1]), steps[-1]]
    rings = [ring(p, n, radius, sides) for p, n in zip(path, normals, strict=True)]
    return union(hull(np.concatenate(pair)) for pair in zip(rings, rings[1:], strict=False))


def round_path(corners, radius, steps=4):
    """Polyline with its inner corners replaced by arcs of about `radius`."""
    corners = np.asarray(corners, dtype=float)
    path = [corners[0]]
    for before, corner, after in zip(corners, corners[1:], corners[2:], strict=False):
        start = corner + _towards(corner, before, radius)
        end = corner + _towards(corner, after, radius)
        for s in np.linspace(0, 1, steps):
            path.append((1 - s) ** 2 * start + 2 * s * (1 - s) * corner + s**2 * end)
    return np.array([*path, corners[-1]])


def _towards(start, end, length):
    step = end - start
    distance = np.linalg.norm(step)
    return step / distance * min(length, 0.45 * distance)


def lathe(profile, sides=24):
    """Solid of revolution about y from a closed (r, y) profile."""
    section = _section(profile)
    return kernel().Manifold.revolve(section, sides).rotate([-90, 0, 0])


def prism(polygon, along, axis="y"):
    """Polygon pushed along an axis over a range; (x, z) for y, (z, y) for x, (x, y) for z."""
    low, high = along
    solid = kernel().Manifold.extrude(_section(polygon), high - low).translate([0, 0, low])
    columns = {"y": "xzy", "x": "zyx", "z": "xyz"}[axis]
    turn = np.zeros((3, 4))
    for source, target in enumerate(columns):
        turn["xyz".index(target), source] = 1.0
    return solid.transform(turn)


def _section(polygon):
    """A cross-section of a simple polygon of either winding."""
    polygon = np.asarray(polygon, dtype=float)
    x, y = polygon.T
    area = np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))
    return kernel().CrossSection([polygon if area > 0 else polygon[::-1]])


def ribbon(path, thickness):
    """Closed polygon of a thick 2D polyline: `thickness` to its left."""
    path = np.asarray(path, dtype=float)
    step = np.gradient(path, axis=0)
    left = np.stack([-step[:, 1], step[:, 0]], axis=1)
    left /= np.linalg.norm(left, axis=1, keepdims=True)
    return np.concatenate([path, (path + thickness * left)[::-1]])


def oval(x, z, power=2.0, n=24):
    """(n, 2) superellipse over two ranges."""
    low, high = np.array([x, z], dtype=float).T
    angle = (np.arange(n) + 0.5) * 2 * np.pi / n
    unit = np.stack([_pow(np.cos(angle), power), _pow(np.sin(angle), power)], axis=1)
    return (low + high) / 2 + unit * (high - low) / 2


def loft(*levels):
    """Hull between horizontal (x, z) polygons at heights, each given as (polygon, y)."""
    return hull(np.concatenate([np.insert(polygon, 1, y, axis=1) for polygon, y in levels]))


def union(solids):
    """One solid of several."""
    module = kernel()
    return module.Manifold.batch_boolean(list(solids), module.OpType.Add)


def both(solid):
    """A solid of the right half and its mirror image in x, as a list."""
    return [solid, solid.mirror([1, 0, 0])]


def four(solid):
    """A solid of the first quarter and its three mirror images in x and z, as a list."""
    return [half for side in both(solid) for half in (side, side.mirror([0, 0, 1]))]
