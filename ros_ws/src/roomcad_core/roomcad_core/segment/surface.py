"""The depth image as a smooth surface: reduced grid, filled pin-holes, points and normals.

Everything is computed in inverse depth q = 1/z, which is affine in the pixel position on a plane
and has nearly constant noise for triangulating sensors (whose depth noise grows with z²).

What is done under a mask is done by cv2.copyTo, and images of vectors are put together from their
coordinates: NumPy's masked operations and short inner loops take many times longer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np

from roomcad_core import gravity
from roomcad_core.camera import rays, resize_intrinsics

RADIUS = 3  # half width of the window in which a plane is fitted [working px]
# Windows that a pixel may take its plane from: its own, or one lying beside it, away from an edge.
OFFSETS = [(0, 0), (-3, 0), (3, 0), (0, -3), (0, 3), (-2, -2), (-2, 2), (2, -2), (2, 2)]

TURNING = ("points", "rays", "normals")  # fields of Surface that depend on the frame


@dataclass(frozen=True)
class Surface:
    """Smoothed geometry of one frame on the working grid (h, w); grav frame, metres."""

    stride: int  # full-resolution pixels along the side of one working pixel
    valid: np.ndarray  # (h, w) bool, depth known
    smooth: np.ndarray  # (h, w) bool, normal known
    q: np.ndarray  # (h, w) float32 fitted inverse depth [1/m]
    points: np.ndarray  # (h, w, 3) float32
    rays: np.ndarray  # (h, w, 3) float32 viewing rays (z of the camera = 1), rotated to grav
    normals: np.ndarray  # (h, w, 3) float32 unit, towards the camera; zeros where not smooth
    noise: float  # typical deviation of q from the fitted planes [1/m]

    @cached_property
    def depth_noise(self):
        """(h, w) deviation of depth along a ray with z = 1 [m]."""
        return self.noise / np.square(np.maximum(self.q, 1e-3))


def masked(image, mask, other):
    """`image` where the bool `mask`, else the number `other`."""
    out = np.full_like(image, other)
    return cv2.copyTo(image, mask.view(np.uint8), out)


def reduce_depth(depth, stride):
    """(ceil(H/stride), ceil(W/stride)) nearest valid depth of each block; inf = missing."""
    nearest = masked(depth, depth > 0, np.inf)
    if stride == 1:
        return nearest
    bottom, right = (-size % stride for size in depth.shape)
    nearest = cv2.copyMakeBorder(nearest, 0, bottom, 0, right, cv2.BORDER_CONSTANT, value=np.inf)
    nearest = np.minimum.reduce([nearest[i::stride] for i in range(stride)])
    return np.minimum.reduce([nearest[:, i::stride] for i in range(stride)])


def fill_holes(q, rounds=2, largest_step=0.06):
    """Fill small holes (q = 0) whose 3x3 neighbours agree: sensor patterns, not occlusions."""
    kernel = np.ones((3, 3), np.uint8)
    for _ in range(rounds):
        known = (q > 0).astype(np.float32)
        count = cv2.boxFilter(known, -1, (3, 3), normalize=False)
        mean = cv2.boxFilter(q, -1, (3, 3), normalize=False) / np.maximum(count, 1)
        low = cv2.erode(masked(q, q > 0, np.inf), kernel)
        high = cv2.dilate(q, kernel)
        fill = (q == 0) & (count >= 3) & (high - low < largest_step * mean)
        q = cv2.copyTo(mean, fill.view(np.uint8), q.copy())
    return q


def fit_planes(q):
    """Affine fits of q in (2R+1)² windows: centre value, slopes (2, h, w), variance, support."""
    ones = np.ones(2 * RADIUS + 1, np.float32)
    ramp = np.arange(-RADIUS, RADIUS + 1, dtype=np.float32)
    known = (q > 0).astype(np.float32)

    def moment(image, x, y):
        return cv2.sepFilter2D(image, cv2.CV_32F, x, y, borderType=cv2.BORDER_CONSTANT)

    n = np.maximum(moment(known, ones, ones), 1)
    u, v = moment(known, ramp, ones) / n, moment(known, ones, ramp) / n
    uu = moment(known, ramp * ramp, ones) / n - u * u
    vv = moment(known, ones, ramp * ramp) / n - v * v
    uv = moment(known, ramp, ramp) / n - u * v
    mean = moment(q, ones, ones) / n
    uq = moment(q, ramp, ones) / n - u * mean
    vq = moment(q, ones, ramp) / n - v * mean
    qq = moment(q * q, ones, ones) / n - mean * mean
    det = np.maximum(uu * vv - uv * uv, 1e-3)
    a, b = (uq * vv - vq * uv) / det, (vq * uu - uq * uv) / det
    variance = np.maximum(qq - a * uq - b * vq, 0)
    return mean - a * u - b * v, np.stack([a, b]), variance, n


def choose_planes(q, fits):
    """Give each pixel the best-fitting plane among the windows OFFSETS around it.

    Returns fitted q, slopes (2, h, w) and the mean squared misfit (inf = no plane).
    """
    centre, slope, variance, support = fits
    variance = masked(variance, support >= 0.4 * (2 * RADIUS + 1) ** 2, np.inf)
    pad = max(max(abs(dx), abs(dy)) for dx, dy in OFFSETS)
    stack = [
        cv2.copyMakeBorder(a, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=fill)
        for a, fill in ((centre, 0), (slope[0], 0), (slope[1], 0), (variance, np.inf))
    ]
    height, width = q.shape
    best = np.full(q.shape, np.inf, np.float32)
    out = [np.zeros_like(q) for _ in range(3)]
    for dx, dy in OFFSETS:
        rows, cols = slice(pad + dy, pad + dy + height), slice(pad + dx, pad + dx + width)
        c, a, b, var = (s[rows, cols] for s in stack)
        fitted = c - dx * a - dy * b
        misfit = var + np.square(fitted - q)
        better = (misfit < best).view(np.uint8)
        for target, value in zip([best, *out], [misfit, fitted, a, b], strict=True):
            cv2.copyTo(value, better, target)
    return out[0], np.stack(out[1:]), best


def unit_normals(q, slope, K, shape):
    """(h, w, 3) unit normals towards the camera of planes q(u, v) with the given slopes."""
    height, width = shape
    x = np.arange(width, dtype=np.float32) - np.float32(K[0, 2])
    y = (np.arange(height, dtype=np.float32) - np.float32(K[1, 2]))[:, None]
    n = (
        -slope[0] * np.float32(K[0, 0]),
        -slope[1] * np.float32(K[1, 1]),
        x * slope[0] + y * slope[1] - q,
    )
    length = np.maximum(np.sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]), np.float32(1e-9))
    return cv2.merge([a / length for a in n])


def grav_surface(frame, config, up_cam=None):
    """Surface of a Frame in its grav frame, and T_grav_cam (4, 4).

    Args:
        frame: Frame.
        config: SegmentConfig.
        up_cam: (3,) up direction in the camera frame; None = that of the pose, and where there is
            none, what the surfaces suggest.
    """
    surface = fit_surface(frame.depth, frame.K, config)
    if up_cam is None and frame.T_world_cam is not None:
        up_cam = gravity.up_from_pose(frame.T_world_cam)
    elif up_cam is None:
        up_cam = gravity.estimate_up(surface.normals[surface.smooth])
    T_grav_cam = gravity.gravity_frame(up_cam)
    return rotated(surface, T_grav_cam[:3, :3]), T_grav_cam


def fit_surface(depth, K, config):
    """Surface of a full-resolution depth image (H, W) [m], still in the camera frame."""
    stride = max(1, round(depth.shape[1] / config.work_width))
    usable = np.isfinite(depth) & (depth >= config.min_depth) & (depth <= config.max_depth)
    depth = masked(np.asarray(depth, np.float32), usable, 0)
    q = fill_holes(np.float32(1) / reduce_depth(depth, stride))
    K = resize_intrinsics(K, 1 / stride, 1 / stride)
    fitted, slope, misfit = choose_planes(q, fit_planes(q))
    valid = q > 0
    near = np.abs(fitted - q) < 0.05 * q  # a plane that misses its pixel by 5 % is another thing
    smooth = valid & near & np.isfinite(misfit)
    fitted = cv2.copyTo(fitted, smooth.view(np.uint8), q.copy())
    view = rays(q.shape, K)
    normals = unit_normals(fitted, slope, K, q.shape) * cv2.merge([smooth.astype(np.float32)] * 3)
    noise = float(np.sqrt(np.median(misfit[smooth]))) if smooth.any() else 0.0
    z = 1 / masked(fitted, valid, np.inf)
    points = view * cv2.merge([z, z, z])
    return Surface(stride, valid, smooth, fitted, points, view, normals, noise)


def rotated(surface, R):
    """The surface with points, rays and normals turned by R (3, 3)."""
    R = np.asarray(R, np.float32)  # cv2.transform is many times faster here than a matrix product
    turned = {name: cv2.transform(getattr(surface, name), R) for name in TURNING}
    return replace(surface, **turned)


def dot(image, vector):
    """(h, w) dot product of an (h, w, 3) float32 image with a (3,) vector."""
    return cv2.transform(image, np.asarray(vector, np.float32)[None])
