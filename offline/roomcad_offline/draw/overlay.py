"""CAD wireframes over a colour image, hidden lines removed."""

import cv2
import numpy as np

from roomcad_core.camera import project
from roomcad_core.classes import COLORS
from roomcad_core.pose import affine, transform

SHARP_EDGE = np.radians(30)  # edges between flatter faces are not drawn
LINE_STEP = 0.03  # an edge is tested for visibility every so many metres


class OverlayDrawer:
    """Draws alignments with the meshes of a library; keeps the meshes it has loaded."""

    def __init__(self, library):
        self._library = library
        self._wires = {}

    def __call__(self, color, K, alignments, fill=0.25, labels=True):
        """Copy of `color` (H, W, 3) RGB with every Alignment's CAD tinted, lined and labelled."""
        shown = [(a, *self._mesh(a)) for a in alignments]
        if not shown:
            return color.copy()
        depth, owner = _render(shown, K, color.shape[:2])
        picture = _tint(color, owner, [a.label for a in alignments], fill)
        for alignment, vertices, _, edges in shown:
            _draw_edges(picture, vertices, edges, K, depth, COLORS[alignment.label])
        if labels:
            for index, alignment in enumerate(alignments):
                _draw_label(picture, owner == index, alignment)
        return picture

    def _mesh(self, alignment):
        """Camera-frame vertices, faces and drawn edges of an alignment's CAD."""
        if alignment.cad_id not in self._wires:
            self._wires[alignment.cad_id] = wireframe(self._library[alignment.cad_id].mesh)
        vertices, faces, edges = self._wires[alignment.cad_id]
        M_cam_obj = affine(alignment.T_cam_obj, alignment.S)
        return transform(M_cam_obj, vertices), faces, edges


def wireframe(mesh_path):
    """Vertices (V, 3), faces (F, 3) and sharp or open edges (E, 2) of a mesh file."""
    import trimesh

    mesh = trimesh.load(mesh_path, force="mesh", process=False)
    mesh.merge_vertices(merge_tex=True, merge_norm=True)
    sharp = mesh.face_adjacency_edges[mesh.face_adjacency_angles > SHARP_EDGE]
    single = trimesh.grouping.group_rows(mesh.edges_sorted, require_count=1)
    edges = np.concatenate([sharp, mesh.edges_sorted[single]])
    return np.asarray(mesh.vertices), np.asarray(mesh.faces), edges.astype(int)


def _render(shown, K, shape):
    """Depth (H, W) and index of the nearest CAD (H, W), -1 where there is none."""
    import open3d

    scene = open3d.t.geometry.RaycastingScene()
    for _, vertices, faces, _ in shown:
        scene.add_triangles(vertices.astype(np.float32), faces.astype(np.uint32))
    height, width = shape
    rays = scene.create_rays_pinhole(K, np.eye(4), width, height)
    hit = scene.cast_rays(rays)
    depth = hit["t_hit"].numpy()  # pinhole rays have z = 1, so this is z-depth
    owner = hit["geometry_ids"].numpy().astype(np.int64)
    return depth, np.where(np.isfinite(depth), owner, -1)


def _tint(color, owner, labels, fill):
    picture = color.astype(np.float32)
    for index, label in enumerate(labels):
        inside = owner == index
        picture[inside] += fill * (np.array(COLORS[label]) - picture[inside])
    return picture.astype(np.uint8)


def _draw_edges(picture, vertices, edges, K, depth, color):
    """Draw the visible pieces of camera-frame edges; `depth` is that of all drawn CADs."""
    start, end = vertices[edges[:, 0]], vertices[edges[:, 1]]
    n = int(np.clip(np.linalg.norm(end - start, axis=1).max() / LINE_STEP, 2, 100))
    share = np.linspace(0, 1, n)[None, :, None]
    points = start[:, None] + (end - start)[:, None] * share
    uv, z = project(points, K)
    uv = np.where(z[..., None] > 0.05, uv, -1e4)
    height, width = depth.shape
    u = np.clip(np.rint(uv[..., 0]), 0, width - 1).astype(int)
    v = np.clip(np.rint(uv[..., 1]), 0, height - 1).astype(int)
    # The nearest surface around the pixel decides: an edge lies on a silhouette.
    visible = (z > 0.05) & (z < cv2.dilate(depth, np.ones((3, 3)))[v, u] + 0.02)
    pieces = visible[:, 1:] & visible[:, :-1]
    near = np.all(np.abs(uv) < 8000, axis=-1)
    pieces &= near[:, 1:] & near[:, :-1]
    first = np.rint(uv[:, :-1][pieces]).astype(np.int32)
    last = np.rint(uv[:, 1:][pieces]).astype(np.int32)
    lines = np.stack([first, last], axis=1)
    cv2.polylines(picture, list(lines), False, color, 1, cv2.LINE_AA)


def _draw_label(picture, inside, alignment):
    rows, cols = np.nonzero(inside)
    if not len(rows):
        return
    text = f"{alignment.label} {alignment.score:.2f}"
    x, y = int(np.median(cols)) - 30, int(rows.min()) + 14
    for thickness, color in ((3, (0, 0, 0)), (1, (255, 255, 255))):
        cv2.putText(
            picture, text, (max(x, 2), y), cv2.FONT_HERSHEY_SIMPLEX, 0.45, color, thickness, 16
        )
