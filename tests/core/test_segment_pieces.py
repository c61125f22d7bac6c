"""Measures of pieces: what is joined measures as what was one piece from the start."""

from types import SimpleNamespace

import numpy as np
import pytest

from roomcad_core.segment.merge import _components
from roomcad_core.segment.pieces import Pieces


@pytest.fixture
def surface():
    rng = np.random.default_rng(0)
    points = rng.uniform(-1, 1, (30, 40, 3)).astype(np.float32)
    normals = np.zeros((30, 40, 3), np.float32)
    normals[..., 2] = rng.random((30, 40)) > 0.5
    area = rng.random((30, 40)).astype(np.float32)
    return SimpleNamespace(points=points, normals=normals, area=area)


@pytest.fixture
def labels():
    """Blocks 1..6 of two rows of three, background between the rows."""
    out = np.zeros((30, 40), np.int32)
    for number in range(6):
        row, column = divmod(number, 3)
        out[16 * row : 16 * row + 14, 13 * column : 13 * column + 13] = number + 1
    return out


def test_joined_pieces_are_as_pieces_of_joined_labels(surface, labels):
    cuts = np.zeros((29, 40), bool), np.zeros((30, 39), bool)
    whole = np.array([0, 1, 1, 0, 2, 1])
    found = Pieces.of(surface, labels, cuts).joined(whole)
    expected = Pieces.of(surface, np.where(labels > 0, whole[labels - 1] + 1, 0), cuts)
    for name in ("count", "low", "high", "touch", "footprint", "plan"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), name)
    np.testing.assert_allclose(found.level, expected.level, rtol=1e-12)
    assert found.touch[0, 1] == 14 and np.all(np.diag(found.touch) == 0)


def test_a_footprint_is_covered_by_its_neighbour_one_cell_wider(surface):
    surface.points[...] = 0.01  # all in one cell of 0.05 m, but
    surface.points[:, 20:30, 0] = 0.06  # in the next one, and
    surface.points[:, 30:, 0] = 0.20  # in one farther off
    labels = np.repeat([[1] * 20 + [2] * 10 + [3] * 10], 30, axis=0).astype(np.int32)
    cuts = np.zeros((29, 40), bool), np.zeros((30, 39), bool)
    plan = Pieces.of(surface, labels, cuts).plan
    np.testing.assert_array_equal(plan, [[1, 1, 0], [1, 1, 0], [0, 0, 1]])


def test_components_are_numbered_as_they_appear_and_reach_along_chains():
    together = np.zeros((6, 6), bool)
    together[5, 3] = together[3, 1] = together[2, 4] = True
    np.testing.assert_array_equal(_components(together), [0, 1, 2, 1, 2, 1])
    np.testing.assert_array_equal(_components(np.zeros((3, 3), bool)), [0, 1, 2])
