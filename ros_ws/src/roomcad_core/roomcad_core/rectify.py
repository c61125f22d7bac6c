"""Lens distortion out of colour and depth images that share one distorted grid."""

import cv2
import numpy as np

FISHEYE = "equidistant"
MODELS = ("", "plumb_bob", "rational_polynomial", FISHEYE)
COUNTS = (4, 5, 8, 12, 14)  # how many coefficients a model may have


class Rectifier:
    """Callable (color, depth) -> (color, depth) on the pinhole grid of K; cheap if d is zero.

    Args:
        K: (3, 3) intrinsics [px].
        d: distortion coefficients of a CameraInfo, empty or zero for none.
        model: its distortion_model.
        source: names the CameraInfo in errors.
    """

    def __init__(self, K, d, model, source):
        self.K = K
        self._d = d
        self._fisheye = model == FISHEYE
        self._map = None
        if not np.isfinite(d).all():
            raise ValueError(f"{source}: distortion {d.tolist()} holds NaN or infinity")
        if d.any() and model not in MODELS:
            raise ValueError(f"{source}: distortion model {model!r}, expected one of {MODELS}")
        if d.any() and len(d) not in COUNTS:
            raise ValueError(f"{source}: got {len(d)} values of distortion, expected {COUNTS}")

    def __call__(self, color, depth):
        """Colour is interpolated, depth takes the nearest pixel (no values in between edges)."""
        if not self._d.any():
            return color, depth
        if self._map is None or self._map[0].shape[:2] != depth.shape:
            self._map = self._make_map(depth.shape)
        u, v = self._map
        return cv2.remap(color, u, v, cv2.INTER_LINEAR), cv2.remap(depth, u, v, cv2.INTER_NEAREST)

    def _make_map(self, shape):
        size = shape[::-1]
        if self._fisheye:
            d = self._d[:4]
            return cv2.fisheye.initUndistortRectifyMap(self.K, d, None, self.K, size, cv2.CV_32FC1)
        return cv2.initUndistortRectifyMap(self.K, self._d, None, self.K, size, cv2.CV_32FC1)
