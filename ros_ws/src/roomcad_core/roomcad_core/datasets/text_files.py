"""Matrices in text files: poses and intrinsics, checked, with the file named in every error."""

from pathlib import Path

import numpy as np

from roomcad_core.datasets.world import checked_pose


def read_matrix(path, sizes):
    """(n, n) float64 from a text file of n*n numbers with n in `sizes`."""
    try:
        words = Path(path).read_text(encoding="ascii").split()
        # Some Windows tools print infinities as 1.#INF; for us both mean "no value".
        values = np.array([np.nan if "#" in word else float(word) for word in words])
    except (ValueError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: not a matrix of numbers ({error})") from None
    for n in sizes:
        if values.size == n * n:
            return values.reshape(n, n)
    expected = " or ".join(str(n * n) for n in sizes)
    raise ValueError(f"{path}: got {values.size} numbers, expected {expected}")


def read_pose(path):
    """(4, 4) rigid T_raw_cam; None where the file marks lost tracking with -inf or NaN."""
    return checked_pose(read_matrix(path, (4,)), path)


def read_intrinsics(path):
    """(3, 3) K [px] from a 3x3 or 4x4 text file."""
    return checked_intrinsics(read_matrix(path, (4, 3))[:3, :3], path)


def checked_intrinsics(K, source):
    """K itself if it is a pinhole matrix; ValueError naming `source` if not."""
    K = np.array(K, float)
    good = np.isfinite(K).all() and K[0, 0] > 0 and K[1, 1] > 0
    if not good or not np.allclose(K[2], (0, 0, 1)) or K[1, 0] != 0:
        raise ValueError(f"{source}: not an intrinsic matrix with fx, fy > 0: {K.tolist()}")
    return K


def check_against_image(K, shape, source):
    """ValueError naming `source` if K cannot belong to an image of `shape` (H, W)."""
    height, width = shape[:2]
    inside = 0 < K[0, 2] < width and 0 < K[1, 2] < height
    if not inside or not width / 10 < K[0, 0] < width * 20:
        raise ValueError(
            f"{source}: fx {K[0, 0]:.1f}, centre ({K[0, 2]:.1f}, {K[1, 2]:.1f}) do not fit "
            f"an image of {width}x{height}"
        )
