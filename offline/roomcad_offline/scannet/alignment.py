"""From a scan's own frame to the aligned one: floor at z = 0, walls along x and y."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from roomcad_core.datasets.world import checked_pose
from roomcad_core.pose import rigid, transform

log = logging.getLogger(__name__)

UPRIGHT = 0.2  # |z| of the normals of upright faces is smaller
FLOOR_WEIGHT = 1.0  # a metre of wrong floor height counts as much as walls 22 degrees off

STEEPEST = 0.5  # slope of what may be a floor
LEANING = 0.07  # slope of a floor that is put upright; ScanNet's own lean less than 4 degrees
MIN_LEVEL = 100  # vertices of floor that tell how it leans


def read_alignment(path: Path) -> np.ndarray | None:
    """(4, 4) axisAlignment of a SCENE.txt; None where file or field is absent.

    Raises:
        ValueError: not 16 numbers, or no rigid transform.
    """
    if not path.is_file():
        return None
    match = re.search(r"^\s*axisAlignment\s*=(.*)$", path.read_text(encoding="utf-8"), re.M)
    if match is None:
        return None
    try:
        values = np.array([float(word) for word in match[1].split()])
    except ValueError as error:
        raise ValueError(f"{path}: axisAlignment: {error}") from None
    if values.size != 16:
        raise ValueError(f"{path}: axisAlignment: got {values.size} numbers, expected 16")
    T = checked_pose(values.reshape(4, 4), f"{path}: axisAlignment")
    if T is None:
        raise ValueError(f"{path}: axisAlignment: holds NaN or infinity")
    return T


def choose(
    T: np.ndarray, vertices: np.ndarray, faces: np.ndarray, floor: np.ndarray, name: str
) -> np.ndarray:
    """`T` if the scan stands better with it, else identity; which one, is logged.

    Copies of ScanNet exist whose vertices are aligned already while SCENE.txt keeps the matrix.

    Args:
        T: (4, 4) axisAlignment; vertices (N, 3) [m]; faces (F, 3); floor (N,) bool.
    """
    before = misfit(vertices, faces, floor)
    after = misfit(transform(T, vertices), faces, floor)
    text = "walls %.2f, floor %.2f m off as it is; %.2f, %.2f m with axisAlignment"
    done = "applied" if sum(after) <= sum(before) else "not applied, aligned already"
    log.info(f"%s: axisAlignment {done} ({text})", name, *before, *after)
    return T if sum(after) <= sum(before) else np.eye(4)


def misfit(vertices: np.ndarray, faces: np.ndarray, floor: np.ndarray) -> tuple[float, float]:
    """How badly a scan stands: walls 0 (along x and y) to 2 (diagonal), floor height [m]."""
    corners = vertices[faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = np.linalg.norm(normal, axis=1)
    upright = np.abs(normal[:, 2]) < UPRIGHT * area
    turn = np.cos(4 * np.arctan2(normal[upright, 1], normal[upright, 0]))
    walls = 1 - np.average(turn, weights=area[upright]) if upright.any() else 0.0
    z = vertices[floor, 2] if floor.any() else np.percentile(vertices[:, 2], [2])
    return float(walls), FLOOR_WEIGHT * float(abs(np.median(z)))


def levelling(vertices: np.ndarray, floor: np.ndarray, name: str) -> np.ndarray:
    """(4, 4) rotation that puts a leaning scan upright, floor at 0; identity where it stands.

    Args:
        vertices: (N, 3) [m], aligned otherwise; floor: (N,) bool.
    """
    plane = fit_plane(vertices[floor]) if np.count_nonzero(floor) >= MIN_LEVEL else np.zeros(3)
    slope = np.hypot(*plane[:2])
    if slope < LEANING:
        return np.eye(4)
    log.warning("%s: leans by %.1f degrees, put upright", name, np.degrees(np.arctan(slope)))
    up = np.array([-plane[0], -plane[1], 1]) / np.sqrt(1 + slope**2)
    R, _ = Rotation.align_vectors([[0, 0, 1]], [up])
    return rigid(R.as_matrix(), np.array([0, 0, -plane[2] * up[2]]))


def fit_plane(points: np.ndarray) -> np.ndarray:
    """(3,) a, b, c of the plane z = a x + b y + c through most of the points (N, 3)."""
    plane = np.array([0, 0, np.median(points[:, 2])])
    for _ in range(5):
        off = np.abs(height_above(plane, points))
        near = points[off <= max(0.05, 2.5 * np.median(off))]
        A = np.c_[near[:, :2], np.ones(len(near))]
        fitted = np.linalg.lstsq(A, near[:, 2], rcond=None)[0]
        if np.hypot(*fitted[:2]) > STEEPEST:
            break
        plane = fitted
    return plane


def height_above(plane: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(N,) height [m] of points (N, 3) above a plane of fit_plane, measured along z."""
    return points[:, 2] - points[:, :2] @ plane[:2] - plane[2]
