"""Imported meshes put right: broken ones refused, faces turned outward, hidden faces dropped."""

import numpy as np

from roomcad_core.library_build.model import Mesh
from roomcad_core.library_build.sampling import face_areas
from roomcad_core.library_build.sheet import raycaster

FLAT = 0.002  # share of the longest side below which a model counts as flat
SPOTS, DIRECTIONS = 3, 12  # tested places of a face, and rays from each of its two sides
CHUNK = 20_000  # faces tested at once


def check(mesh):
    """The mesh without faces that have no area; ValueError where it is broken."""
    if not np.isfinite(mesh.vertices).all():
        raise ValueError("the mesh holds NaN or infinite vertices")
    area, _ = face_areas(mesh.vertices, mesh.triangles)
    keep = area > 1e-12 * max(area.sum(), 1e-12)
    if not keep.any():
        raise ValueError("the mesh has no faces with an area")
    size = np.ptp(mesh.vertices[np.unique(mesh.triangles[keep])], axis=0)
    if size.min() <= FLAT * size.max():
        raise ValueError(f"the mesh is flat: size {np.round(size, 4).tolist()} m")
    return Mesh(mesh.vertices, mesh.triangles[keep], mesh.colors[keep])


def outward(mesh, rng):
    """Turn every face to the side from which the open can be seen, drop faces nothing sees.

    Rays leave a few spots of each face on both sides; the share that escapes the model tells the
    outside. A face whose two sides both see the open (a thin sheet) keeps its own winding unless
    that side is by far the more enclosed one.
    """
    front, back = _open_shares(mesh, rng)
    turn = front < 0.2 * back
    triangles = np.where(turn[:, None], mesh.triangles[:, ::-1], mesh.triangles)
    seen = (front > 0) | (back > 0)
    if not seen.any():
        raise ValueError("no face of the mesh can be seen from outside")
    return Mesh(mesh.vertices, triangles[seen], mesh.colors[seen])


def _open_shares(mesh, rng):
    """(F,) share of rays that escape, from the front and from the back of every face."""
    o3d = raycaster()
    scene = o3d.t.geometry.RaycastingScene(nthreads=1)
    scene.add_triangles(np.float32(mesh.vertices), np.uint32(mesh.triangles))
    _, normals = face_areas(mesh.vertices, mesh.triangles)
    lift = 1e-4 * np.linalg.norm(np.ptp(mesh.vertices, axis=0))
    shares = np.zeros((2, len(normals)))
    for start in range(0, len(normals), CHUNK):
        part = slice(start, start + CHUNK)
        corners, normal = mesh.vertices[mesh.triangles[part]], normals[part]
        for side, sign in enumerate((1, -1)):
            rays = _rays(corners, sign * normal, lift, rng)
            hit = scene.test_occlusions(o3d.core.Tensor(rays)).numpy()
            shares[side, part] = 1 - hit.reshape(len(normal), -1).mean(axis=1)
    return shares


def _rays(corners, normal, lift, rng):
    """(F, SPOTS·DIRECTIONS, 6) rays leaving faces on the side of `normal`, more of them upright."""
    n = (len(normal), SPOTS, DIRECTIONS)
    weights = rng.dirichlet(np.ones(3), n[:2])
    spots = np.einsum("fsk,fkd->fsd", weights, corners) + lift * normal[:, None]
    ball = rng.normal(size=(*n, 3))
    ball /= np.linalg.norm(ball, axis=-1, keepdims=True)
    directions = 1.001 * normal[:, None, None] + ball
    origins = np.broadcast_to(spots[:, :, None], directions.shape)
    return np.concatenate([origins, directions], axis=-1).astype(np.float32).reshape(-1, 6)
