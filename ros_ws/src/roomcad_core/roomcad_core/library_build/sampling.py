"""Points spread evenly over a triangle mesh."""

import numpy as np


def face_areas(vertices, triangles):
    """(F,) areas and (F, 3) unit normals; the normal of a face without area is 0."""
    a, b, c = (vertices[triangles[:, i]].astype(float) for i in range(3))
    cross = np.cross(b - a, c - a)
    length = np.linalg.norm(cross, axis=1)
    return length / 2, cross / np.maximum(length, 1e-30)[:, None]


def sample_surface(vertices, triangles, n, rng):
    """Draw n points uniformly by area, in random order (so that any first part is uniform too).

    Args:
        vertices: (V, 3), triangles: (F, 3).

    Returns:
        points (n, 3), normals (n, 3) unit, face (n,) the triangle each point lies on.
    """
    area, face_normals = face_areas(vertices, triangles)
    if not area.sum() > 0:
        raise ValueError("the mesh has no area")
    # One draw from each of n equal shares of the area: as even as the triangles allow.
    edges = np.cumsum(area)
    share = (np.arange(n) + rng.random(n)) / n * edges[-1]
    face = np.minimum(np.searchsorted(edges, share), len(area) - 1)
    u, v = np.sqrt(rng.random(n)), rng.random(n)
    weights = np.stack([1 - u, u * (1 - v), u * v], axis=1)
    points = np.einsum("nk,nkd->nd", weights, vertices[triangles[face]].astype(float))
    order = rng.permutation(n)
    return points[order], face_normals[face][order], face[order]
