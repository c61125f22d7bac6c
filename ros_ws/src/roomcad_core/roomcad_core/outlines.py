"""CAD outlines over a colour image: quick enough for a live picture, with OpenCV alone."""

import cv2
import numpy as np

from roomcad_core.camera import project
from roomcad_core.classes import COLORS
from roomcad_core.pose import affine, transform
from roomcad_core.types import OTHER

NEAREST = 0.05  # [m] triangles that reach nearer to the camera plane are not drawn
FARTHEST_OUT = 4000.0  # [px] so far outside of the image a corner is moved at most
FRACTION = 4  # bits of a pixel that OpenCV is given
FONT, FONT_SIZE = cv2.FONT_HERSHEY_SIMPLEX, 0.45


class Outliner:
    """Draws alignments with the meshes of a library; keeps the meshes it has loaded."""

    def __init__(self, library):
        self._library, self._meshes = library, {}

    def __call__(self, color, K, alignments):
        """Copy of `color` (H, W, 3) uint8 RGB with outline, class and score of every Alignment.

        A nearer CAD hides those behind it; what else stands before a CAD hides nothing of it.
        """
        far_first = sorted(alignments, key=lambda a: -a.T_cam_obj[2, 3])
        owner = np.zeros(color.shape[:2], np.uint8)
        for number, alignment in enumerate(far_first[-255:], 1):
            self._fill(owner, alignment, K, number)
        picture = np.ascontiguousarray(color).copy()
        for number, alignment in enumerate(far_first[-255:], 1):
            draw_outline(picture, owner == number, alignment)
        return picture

    def _fill(self, owner, alignment, K, value):
        """Set the pixels that a CAD covers to `value`."""
        vertices, triangles = self._mesh(alignment.cad_id)
        vertices_cam = transform(affine(alignment.T_cam_obj, alignment.S), vertices)
        uv, z = project(vertices_cam, K)
        triangles = triangles[(z[triangles] > NEAREST).all(1)]
        uv = np.clip(np.where(z[:, None] > NEAREST, uv, 0.0), -FARTHEST_OUT, FARTHEST_OUT)
        corners = np.rint(uv * 2**FRACTION).astype(np.int32)
        for triangle in corners[triangles]:
            cv2.fillConvexPoly(owner, triangle, value, cv2.LINE_8, FRACTION)

    def _mesh(self, cad_id):
        """Vertices (V, 3) and triangles (F, 3) of a CAD in its unit frame."""
        if cad_id not in self._meshes:
            vertices, triangles, _ = self._library[cad_id].load_mesh()
            self._meshes[cad_id] = vertices, triangles
        return self._meshes[cad_id]


def draw_outline(picture, inside, alignment):
    """Draw the border of the (H, W) bool mask `inside`, and what stands there, into `picture`."""
    mask = inside.astype(np.uint8)
    contours, _ = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return
    cv2.drawContours(picture, contours, -1, COLORS.get(alignment.label, COLORS[OTHER]), 2)
    rows, columns = np.nonzero(inside)
    text = f"{alignment.label} {alignment.score:.2f}"
    (width, height), _ = cv2.getTextSize(text, FONT, FONT_SIZE, 1)
    x = int(np.clip(np.median(columns) - width / 2, 2, max(picture.shape[1] - width - 2, 2)))
    y = max(int(rows.min()) - 4, height + 2)
    for thickness, shade in ((3, (0, 0, 0)), (1, (255, 255, 255))):
        cv2.putText(picture, text, (x, y), FONT, FONT_SIZE, shade, thickness, cv2.LINE_AA)
