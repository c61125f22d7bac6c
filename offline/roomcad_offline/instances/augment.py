"""Random changes of Views: part of the grid, mirror, size, errors of gravity, floor and sensor,
and colour."""

from dataclasses import replace

import cv2
import numpy as np
from scipy.spatial.transform import Rotation

from roomcad_core.camera import resize_intrinsics
from roomcad_core.segment.instances.channels import PICTURE
from roomcad_offline.instances.recolour import recoloured
from roomcad_offline.instances.truth import UNKNOWN

MIRROR_CAM = np.diag([-1.0, 1, 1])  # x to the right
MIRROR_GRAV = np.diag([1.0, -1, 1])  # y to the left
COARSE = 4, 12  # fewest and most cells along a side of random patterns


def augmented(view, config, rng):
    """A View changed at random; config: SampleConfig."""
    view = window(view, rng.uniform(config.smallest_window, config.largest_window), rng)
    if rng.random() < config.flip:
        view = mirrored(view)
    view = resized(view, 1 + rng.uniform(-config.size, config.size))
    view = tilted(view, rng.normal(0, config.tilt, 2))
    view = noisy(view, config, rng)
    view = replace(view, picture=recoloured(view.picture, config, rng))
    floor_z = view.floor_z
    if floor_z is not None:
        lost = rng.random() < config.floor_lost
        floor_z = None if lost else floor_z + rng.normal(0, config.floor_error)
    return replace(view, floor_z=floor_z)


def window(view, share, rng):
    """A random part of the grid with `share` of its sides, as a whole grid; empty outside."""
    slack = [n * (1 - share) for n in view.q.shape]
    starts = [rng.uniform(min(s, 0), max(s, 0)) for s in slack]
    K = resize_intrinsics(view.K, 1 / share, 1 / share)
    K[:2, 2] -= np.array(starts[::-1]) / share
    maps = {name: part_of(getattr(view, name), starts, share) for name in ("q", "ids", "normals")}
    kinds = part_of(view.kinds - UNKNOWN, starts, share) + UNKNOWN  # nothing is known outside
    if view.picture is not None:
        maps["picture"] = part_of(view.picture, [PICTURE * s for s in starts], share)
    return replace(view, **maps, kinds=kinds.astype(view.kinds.dtype), K=K)


def part_of(image, starts, share):
    """The part of an image from `starts` (row, column), enlarged to its size; 0 outside."""
    index = [np.floor(start + (np.arange(n) + 0.5) * share).astype(int)
             for start, n in zip(starts, image.shape, strict=False)]  # fmt: skip
    inside = [(i >= 0) & (i < n) for i, n in zip(index, image.shape, strict=False)]
    rows, cols = (np.where(good, i, 0) for i, good in zip(index, inside, strict=True))
    out = image[rows][:, cols]
    out[~(inside[0][:, None] & inside[1])] = 0
    return out


def mirrored(view):
    """The View with left and right exchanged."""
    K = view.K.copy()
    K[0, 2] = view.q.shape[1] - 1 - K[0, 2]
    flipped = {name: getattr(view, name)[:, ::-1] for name in ("q", "ids", "kinds")}
    flipped["picture"] = None if view.picture is None else view.picture[:, ::-1]
    normals = view.normals[:, ::-1] * np.diag(MIRROR_GRAV).astype(np.float32)
    R = MIRROR_GRAV @ view.R_grav_cam @ MIRROR_CAM
    return replace(view, **flipped, normals=normals, K=K, R_grav_cam=R)


def resized(view, factor):
    """The View of a room whose lengths are `factor` times as large."""
    floor_z = None if view.floor_z is None else view.floor_z * factor
    return replace(view, q=view.q / np.float32(factor), floor_z=floor_z)


def tilted(view, angles):
    """The View in a grav frame that is turned by two angles about its level axes [rad]."""
    R = Rotation.from_rotvec([*angles, 0.0]).as_matrix()
    normals = cv2.transform(np.ascontiguousarray(view.normals), R.astype(np.float32))
    return replace(view, normals=normals, R_grav_cam=R @ view.R_grav_cam)


def noisy(view, config, rng):
    """The View with smooth errors of depth and normals, holes, and places without a normal."""
    shape = view.q.shape
    q = view.q * (1 + np.float32(config.waves) * pattern(shape, rng))
    bend = np.stack([pattern(shape, rng) for _ in range(3)], 2)
    normals = view.normals + np.float32(config.bend) * bend
    known = np.abs(view.normals).max(2) > 0
    normals /= np.maximum(np.linalg.norm(normals, axis=2, keepdims=True), 1e-6)
    if rng.random() < config.rough:
        known &= ~holes(shape, config, rng)
    if rng.random() < config.holes:
        q[holes(shape, config, rng)] = 0
    return replace(view, q=q, normals=normals * (known & (q > 0))[..., None])


def holes(shape, config, rng):
    """(h, w) bool, blobs of any size, which take up to a share `hole_area` of the grid."""
    smooth = pattern(shape, rng, (COARSE[0], config.finest))
    return smooth > np.quantile(smooth, 1 - rng.uniform(0, config.hole_area))


def pattern(shape, rng, cells=COARSE):
    """(h, w) float32 smooth noise with a standard deviation of about 1.

    `cells`: fewest and most along a side that differ, small numbers as likely as large ones.
    """
    size = np.exp(rng.uniform(*np.log(cells), 2)).round().astype(int)
    coarse = rng.standard_normal(size, np.float32)
    return cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC)
