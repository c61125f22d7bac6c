"""Colour onto the depth image's pixel grid, through both cameras."""

import cv2
import numpy as np

from roomcad_core.camera import rays
from roomcad_core.pose import transform

MIN_OVERLAP = 0.5  # a smaller shared field of view means wrong intrinsics


class ColorOnDepthGrid:
    """Resamples colour images to the depth grid.

    Args:
        K_color, K_depth: (3, 3) intrinsics [px].
        T_color_depth: (4, 4) rigid, colour camera from depth camera.
        source: names the data in errors.
    """

    def __init__(self, K_color, K_depth, T_color_depth, source):
        self.K_color = K_color
        self.K_depth = K_depth
        self.T_color_depth = T_color_depth
        self.source = source
        self._still_map = None  # (size, map): does not depend on depth where there is no baseline

    def __call__(self, color, depth):
        """(H, W, 3) uint8 colour seen at the pixels of depth (H, W) float32 [m]."""
        moved = not np.allclose(self.T_color_depth, np.eye(4), atol=1e-6)
        same_K = np.allclose(self.K_color, self.K_depth, rtol=1e-3)
        if color.shape[:2] == depth.shape and same_K and not moved:
            return color
        if color.shape[:2] != depth.shape and same_K:
            raise ValueError(
                f"{self.source}: colour {_size(color)} and depth {_size(depth)} differ in size, "
                "but their intrinsics are the same"
            )
        uv = self._color_pixels(depth) if moved else self._still(color, depth)
        return cv2.remap(color, uv[..., 0], uv[..., 1], cv2.INTER_LINEAR)

    def _still(self, color, depth):
        if self._still_map is None or self._still_map[0] != (color.shape, depth.shape):
            uv = self._color_pixels(np.zeros_like(depth))
            self._check_overlap(uv, color)
            self._still_map = (color.shape, depth.shape), uv
        return self._still_map[1]

    def _color_pixels(self, depth):
        """(H, W, 2) float32 colour pixel of every depth pixel; missing depth counts as far."""
        R, t = self.T_color_depth[:3, :3], self.T_color_depth[:3, 3]
        ray = rays(depth.shape, self.K_depth)
        near = 1 / np.maximum(depth, 0.1) * (depth > 0)
        points = transform(np.block([[R, np.zeros((3, 1))], [np.zeros((1, 3)), 1]]), ray)
        points = points + near[..., None] * t
        uvw = points @ self.K_color.T
        return (uvw[..., :2] / np.maximum(uvw[..., 2:], 1e-6)).astype(np.float32)

    def _check_overlap(self, uv, color):
        height, width = color.shape[:2]
        inside = (uv >= -1).all(-1) & (uv[..., 0] <= width) & (uv[..., 1] <= height)
        if inside.mean() < MIN_OVERLAP:
            raise ValueError(
                f"{self.source}: only {inside.mean():.0%} of the depth image lies in the colour "
                f"image {_size(color)}: wrong intrinsics"
            )


def _size(image):
    return f"{image.shape[1]}x{image.shape[0]}"
