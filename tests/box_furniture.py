"""A CAD library of boxes for the tests of simulated rooms."""

import numpy as np
import trimesh

from roomcad_core.glb import write_glb
from roomcad_core.library import CadModel, save_library
from roomcad_offline.rooms import shapes

SIZES = {
    "bathtub": (0.8, 0.6, 1.7),
    "bed": (1.6, 0.5, 2.0),
    "bin": (0.3, 0.4, 0.3),
    "bookshelf": (0.9, 1.9, 0.3),
    "cabinet": (1.0, 0.8, 0.45),
    "chair": (0.45, 0.9, 0.5),
    "desk": (1.4, 0.74, 0.7),
    "monitor": (0.55, 0.4, 0.18),
    "sofa": (1.9, 0.8, 0.9),
    "table": (1.2, 0.75, 0.8),
    "toilet": (0.4, 0.8, 0.7),
}


def stepped_box():
    """A unit-extent body with a low front half, so that its front can be told: (V, 3), (F, 3)."""
    low = shapes.box((-0.5, -0.5, -0.5), (0.5, 0.0, 0.0))
    high = shapes.box((-0.5, -0.5, 0.0), (0.5, 0.5, 0.5))
    return shapes.merged([low, high])


def box_model(label, size, folder):
    """CadModel and GLB of a stepped (chair, sofa, bed) or plain box."""
    stepped = label in ("chair", "sofa", "bed")
    mesh = stepped_box() if stepped else shapes.box((-0.5,) * 3, (0.5,) * 3)
    points, faces = trimesh.sample.sample_surface(
        trimesh.Trimesh(*mesh, process=False), 4096, seed=0
    )
    normals = trimesh.Trimesh(*mesh, process=False).face_normals[faces]
    model = CadModel(
        f"box-{label}",
        label,
        np.array(size),
        "4-fold" if label == "bin" else "none",
        "CC0",
        "test",
        folder / f"meshes/box-{label}.glb",
        np.asarray(points, np.float32),
        np.asarray(normals, np.float32),
    )
    colors = np.full((len(mesh.triangles), 3), 120, np.uint8)
    return model, write_glb(mesh.vertices, mesh.triangles, colors)


def save_boxes(folder):
    """Write the library, one model a class; returns the folder's name."""
    pairs = [box_model(label, size, folder) for label, size in SIZES.items()]
    save_library([m for m, _ in pairs], {m.id: glb for m, glb in pairs}, folder, overwrite=True)
    return str(folder)
