"""Light GLB meshes: one primitive a colour, no textures, no axis change on either side.

glTF's y-up is the CAD frame's own, and Assimp (RViz) hands glTF vertices on as they are, so the
file's frame is the CAD frame; a marker places it by T and S alone.
"""

from pathlib import Path

import numpy as np


def write_glb(vertices, triangles, colors):
    """GLB bytes of vertices (V, 3), triangles (F, 3) and face colours (F, 3) uint8 RGB."""
    return write_glb_parts({"part": (vertices, triangles, colors)})


def write_glb_parts(parts):
    """GLB bytes of several meshes: {name: (vertices, triangles, colors)}, each as in write_glb.

    The primitives of a mesh are named after it: name0, name1, ...
    """
    import trimesh

    scene = trimesh.Scene()
    for name, mesh in parts.items():
        for i, part in enumerate(_primitives(*mesh)):
            scene.add_geometry(part, geom_name=f"{name}{i}")
    return scene.export(file_type="glb", include_normals=False)


def _primitives(vertices, triangles, colors):
    """Yield one trimesh.Trimesh a colour."""
    import trimesh

    shades, shade_of = np.unique(colors, axis=0, return_inverse=True)
    for i, shade in enumerate(shades):
        used, faces = np.unique(triangles[shade_of.ravel() == i], return_inverse=True)
        material = trimesh.visual.material.PBRMaterial(
            baseColorFactor=[*shade.tolist(), 255], metallicFactor=0.0, roughnessFactor=0.8
        )
        part = trimesh.Trimesh(vertices[used], faces.reshape(-1, 3), process=False)
        part.visual = trimesh.visual.TextureVisuals(material=material)
        yield part


def read_glb(path):
    """Read a GLB or another mesh file trimesh knows.

    Returns:
        vertices (V, 3) float32, triangles (F, 3) int32, colors (F, 3) uint8 RGB.
    """
    import trimesh

    if not Path(path).is_file():
        raise FileNotFoundError(f"{path}: no such mesh file")
    try:
        parts = trimesh.load_scene(path, process=False).dump()
    except Exception as error:  # trimesh raises whatever its parsers raise
        raise ValueError(f"{path}: unreadable mesh: {error}") from None
    parts = [p for p in parts if isinstance(p, trimesh.Trimesh) and len(p.faces)]
    if not parts:
        raise ValueError(f"{path}: the mesh has no faces")
    starts = np.cumsum([0, *(len(p.vertices) for p in parts)])
    vertices = np.concatenate([p.vertices for p in parts]).astype(np.float32)
    triangles = np.concatenate([p.faces + s for p, s in zip(parts, starts, strict=False)])
    colors = np.concatenate([face_colors(p) for p in parts])
    return vertices, triangles.astype(np.int32), colors


def face_colors(part):
    """(F, 3) uint8 colours of a trimesh.Trimesh: its material's, or its faces' own."""
    material = getattr(part.visual, "material", None)
    if material is None:
        return np.asarray(part.visual.face_colors)[:, :3]
    color = np.asarray(material.main_color)[:3]
    return np.tile(color.astype(np.uint8), (len(part.faces), 1))
