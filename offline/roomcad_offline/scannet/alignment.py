"""From a scan's own frame to the aligned one: floor at z = 0, walls along x and y."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import numpy as np

from roomcad_core.datasets.world import checked_pose
from roomcad_core.pose import transform

log = logging.getLogger(__name__)

UPRIGHT = 0.2  # |z| of the normals of upright faces is smaller
FLOOR_WEIGHT = 1.0  # a metre of wrong floor height counts as much as walls 22 degrees off


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
