"""Contact sheets: pictures of meshes side by side, shaded by ray casting (Open3D, no GPU)."""

import cv2
import numpy as np

BACKGROUND = 245
LIGHT = np.array([0.35, 0.8, -0.5])


def raycaster():
    """The open3d module, or an ImportError that says how to get it."""
    try:
        import open3d
    except ImportError:
        raise ImportError("pictures need Open3D: pip install open3d-cpu") from None
    return open3d


def render(vertices, triangles, colors, size=256, azimuth=0.6, elevation=0.45):
    """(size, size, 3) uint8 RGB picture of a mesh, seen from its front, somewhat right and above.

    Args:
        vertices: (V, 3) in the CAD frame, triangles: (F, 3), colors: (F, 3) uint8.
        azimuth, elevation: of the viewer, from -z towards +x and up [rad].
    """
    o3d = raycaster()
    centre = (vertices.min(0) + vertices.max(0)) / 2
    reach = 0.5 * np.linalg.norm(np.ptp(vertices, axis=0)) or 1.0
    rays, view = _rays(centre, reach, size, azimuth, elevation)
    scene = o3d.t.geometry.RaycastingScene(nthreads=1)
    scene.add_triangles(np.float32(vertices), np.uint32(triangles))
    hits = scene.cast_rays(o3d.core.Tensor(rays))
    face = hits["primitive_ids"].numpy()
    hit = np.isfinite(hits["t_hit"].numpy())
    image = np.full((size, size, 3), BACKGROUND, np.uint8)
    normal = hits["primitive_normals"].numpy()[hit]
    normal = np.where((normal @ view)[:, None] > 0, -normal, normal)  # shade back faces too
    shade = 0.35 + 0.65 * np.clip(normal @ (LIGHT / np.linalg.norm(LIGHT)), 0, 1)
    image[hit] = np.clip(colors[face[hit]] * shade[:, None], 0, 255)
    return image


def _rays(centre, reach, size, azimuth, elevation):
    """(size, size, 6) parallel rays onto a ball, and their (3,) direction."""
    flat = np.array([np.sin(azimuth), 0.0, -np.cos(azimuth)])
    view = -(flat * np.cos(elevation) + np.array([0, np.sin(elevation), 0]))
    right = np.cross(view, [0.0, 1, 0])
    right /= np.linalg.norm(right)
    up = np.cross(right, view)
    grid = (np.arange(size) + 0.5) / size * 2 - 1
    across, down = np.meshgrid(grid, grid)
    origin = centre - 3 * reach * view + reach * (
        across[..., None] * right - down[..., None] * up
    )  # fmt: skip
    rays = np.concatenate([origin, np.broadcast_to(view, origin.shape)], axis=-1)
    return rays.astype(np.float32), view


def contact_sheet(pictures, captions, columns=8):
    """One RGB picture of equally large square pictures in rows, each with its caption."""
    size, bar = pictures[0].shape[0], 18
    rows = -(-len(pictures) // columns)
    sheet = np.full((rows * (size + bar), columns * size, 3), 255, np.uint8)
    for i, (picture, caption) in enumerate(zip(pictures, captions, strict=True)):
        y, x = i // columns * (size + bar), i % columns * size
        sheet[y : y + size, x : x + size] = picture
        cv2.putText(sheet, caption, (x + 4, y + size + 13), cv2.FONT_HERSHEY_SIMPLEX, 0.4, 0, 1,
                    cv2.LINE_AA)  # fmt: skip
    return sheet


def library_sheet(library, columns=8, size=200):
    """Contact sheet of every model of a Library, at metric proportions."""
    pictures, captions = [], []
    for cad in library:
        vertices, triangles, colors = cad.load_mesh()
        pictures.append(render(vertices * cad.size, triangles, colors, size))
        captions.append(cad.id[-26:])
    return contact_sheet(pictures, captions, columns)
