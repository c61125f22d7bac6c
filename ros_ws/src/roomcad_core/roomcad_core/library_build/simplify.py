"""Fewer faces for pictures and RViz, colours carried over.

Quadric decimation loses sheets that hang together with nothing, vertex clustering loses thin
rods; where the first strays from the surface, both are made and the closer one is kept.
"""

import numpy as np
from scipy.spatial import cKDTree

from roomcad_core.library_build.model import Mesh
from roomcad_core.library_build.sampling import sample_surface
from roomcad_core.library_build.sheet import raycaster

MAX_FACES = 5000
GRID = np.geomspace(0.001, 0.1, 14)  # cells tried by the clustering, as shares of the diagonal
CLOSE = 0.001  # share of the diagonal from the surface at which no second try is made
WELD = 1e-5  # vertices nearer than this share of the diagonal are one


def simplify(mesh, rng, max_faces=MAX_FACES):
    """The mesh itself where it is light enough, else a similar one of at most `max_faces` faces."""
    if len(mesh.triangles) <= max_faces:
        return mesh
    spots, _, face = sample_surface(mesh.vertices, mesh.triangles, 8 * max_faces, rng)
    heavy = _welded(mesh)
    light = [heavy.simplify_quadric_decimation(max_faces, boundary_weight=100.0)]
    close = CLOSE * np.linalg.norm(np.ptp(mesh.vertices, axis=0))
    enough = 0 < len(light[0].triangles) <= max_faces
    if not enough or _distance(light[0], spots[:4000]) > close:
        light.append(_clustered(heavy, max_faces))
    light = [m for m in light if 0 < len(m.triangles) <= max_faces]
    if not light:
        raise ValueError(f"the mesh of {len(mesh.triangles)} faces could not be simplified")
    best = min(light, key=lambda m: _distance(m, spots[:4000]))
    vertices, triangles = np.asarray(best.vertices), np.asarray(best.triangles)
    nearest = cKDTree(spots).query(vertices[triangles].mean(axis=1))[1]
    return Mesh(vertices, triangles, mesh.colors[face[nearest]])


def _welded(mesh):
    """Open3D mesh with vertices at the same place merged."""
    o3d = raycaster()
    cell = WELD * np.linalg.norm(np.ptp(mesh.vertices, axis=0))
    grid = np.round(mesh.vertices / cell).astype(np.int64)
    _, first, group = np.unique(grid, axis=0, return_index=True, return_inverse=True)
    welded = o3d.geometry.TriangleMesh(
        o3d.utility.Vector3dVector(mesh.vertices[first]),
        o3d.utility.Vector3iVector(group.ravel()[mesh.triangles]),
    )
    welded.remove_duplicated_triangles()
    return welded.remove_degenerate_triangles()


def _clustered(heavy, max_faces):
    """Vertex clustering with the finest cells that give few enough faces."""
    contraction = raycaster().geometry.SimplificationContraction.Quadric
    diagonal = np.linalg.norm(heavy.get_max_bound() - heavy.get_min_bound())
    for cell in GRID * diagonal:
        light = heavy.simplify_vertex_clustering(cell, contraction)
        if len(light.triangles) <= max_faces:
            break
    return light


def _distance(light, spots):
    """How far 99 % of the spots lie from an Open3D mesh at most [m]."""
    o3d = raycaster()
    scene = o3d.t.geometry.RaycastingScene(nthreads=1)
    scene.add_triangles(o3d.t.geometry.TriangleMesh.from_legacy(light))
    return np.quantile(scene.compute_distance(o3d.core.Tensor(np.float32(spots))).numpy(), 0.99)
