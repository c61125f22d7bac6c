"""Fewer faces for pictures and RViz: quadric decimation, colours carried over."""

import numpy as np
from scipy.spatial import cKDTree

from roomcad_core.library_build.model import Mesh
from roomcad_core.library_build.sampling import sample_surface
from roomcad_core.library_build.sheet import raycaster

MAX_FACES = 5000


def simplify(mesh, rng, max_faces=MAX_FACES):
    """The mesh itself where it is light enough, else a similar one of about `max_faces` faces."""
    if len(mesh.triangles) <= max_faces:
        return mesh
    o3d = raycaster()
    heavy = o3d.geometry.TriangleMesh(
        o3d.utility.Vector3dVector(mesh.vertices), o3d.utility.Vector3iVector(mesh.triangles)
    )
    heavy.remove_duplicated_vertices()
    light = heavy.simplify_quadric_decimation(max_faces)
    vertices, triangles = np.asarray(light.vertices), np.asarray(light.triangles)
    spots, _, face = sample_surface(mesh.vertices, mesh.triangles, 8 * max_faces, rng)
    nearest = cKDTree(spots).query(vertices[triangles].mean(axis=1))[1]
    return Mesh(vertices, triangles, mesh.colors[face[nearest]])
