"""Small cubes of the world, each with a number: what is remembered of a room is kept by them."""

import numpy as np

SPAN = 1 << 20  # cubes along an axis until numbers come again: 105 km of 0.1 m, maps begin far off
FARTHEST = 2.0**62  # cubes from the origin that can be counted


def cube_keys(points_world, side):
    """(M,) int64 numbers of the cubes in which points (N, 3) lie, and (N,) bool which M have one.

    Args:
        points_world: (N, 3) finite points [m].
        side: of a cube [m].
    """
    cells = np.floor(points_world / side)
    near = (np.abs(cells) < FARTHEST).all(1)
    cells = cells[near].astype(np.int64) % SPAN
    return (cells[:, 0] * SPAN + cells[:, 1]) * SPAN + cells[:, 2], near
