"""From a metric mesh in the CAD frame to a library entry."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from roomcad_core.glb import write_glb
from roomcad_core.library import N_POINTS, CadModel
from roomcad_core.library_build.sampling import sample_surface


@dataclass(frozen=True)
class Mesh:
    """A metric triangle mesh in the CAD frame (x right, y up, front -z)."""

    vertices: np.ndarray  # (V, 3) float [m]
    triangles: np.ndarray  # (F, 3) int, counter-clockwise seen from outside
    colors: np.ndarray  # (F, 3) uint8 RGB


def centred(mesh):
    """The mesh moved so that its bounding box is centred at the origin, and its (3,) size [m]."""
    used = mesh.vertices[np.unique(mesh.triangles)]
    low, high = used.min(axis=0), used.max(axis=0)
    return Mesh(mesh.vertices - (low + high) / 2, mesh.triangles, mesh.colors), high - low


def cad_model(cad_id, label, mesh, symmetry, licence, source, light=None):
    """A CadModel and its GLB bytes.

    Args:
        mesh: Mesh the points are drawn from; it needs not be centred.
        light: Mesh written to the GLB, in the frame of `mesh`; None = `mesh` itself.
    """
    light = mesh if light is None else light
    middle, size = centred(mesh)
    offset = middle.vertices[0] - mesh.vertices[0]
    rng = np.random.default_rng(zlib.crc32(cad_id.encode()))
    points, normals, _ = sample_surface(middle.vertices, middle.triangles, N_POINTS, rng)
    model = CadModel(
        cad_id, label, size, symmetry, licence, source, Path(),
        (points / size).astype(np.float32), normals.astype(np.float32),
    )  # fmt: skip
    unit = ((light.vertices + offset) / size).astype(np.float32)
    return model, write_glb(unit, light.triangles, light.colors)
