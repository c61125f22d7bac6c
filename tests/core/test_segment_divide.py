"""Pieces that geometry merged are divided where their cells vote for things of several kinds."""

import numpy as np

from roomcad_core.segment.instances import divided
from roomcad_core.segment.instances.cells import fit_cells
from roomcad_core.segment.instances.divide import LEAST_CELLS, leaving_groups
from roomcad_core.segment.instances.model_files import KINDS
from roomcad_core.segment.instances.seen import Seen

SHAPE = 12, 24
HALVES = np.repeat([[1, 2]], 12, axis=0).repeat(12, axis=1)  # two groups of 144 cells


def kinds_of(names, groups=HALVES):
    """(16, 12, 24) probabilities: each group is of its kind for certain."""
    out = np.zeros((len(KINDS), *SHAPE))
    for i, name in enumerate(names, 1):
        out[KINDS.index(name), groups == i] = 1
    return out


def leaving(names, groups=HALVES, alike=0.5):
    return leaving_groups(np.ones(SHAPE, int), groups, kinds_of(names, groups), alike)


def test_a_group_of_another_kind_leaves_its_piece_and_one_of_the_same_kind_stays():
    assert leaving(("chair", "desk")) == [(1, 2)]
    assert leaving(("chair", "chair")) == []
    assert leaving(("chair", "desk"), alike=0.0) == []


def test_how_alike_two_kinds_are_is_weighed():
    """Half chair, half desk against a desk: sqrt(0.5) = 0.71 of it is common."""
    kinds = kinds_of(("desk", "desk"))
    kinds[:, HALVES == 2] = 0
    kinds[[[KINDS.index("chair")], [KINDS.index("desk")]], HALVES == 2] = 0.5
    pieces = np.ones(SHAPE, int)
    assert leaving_groups(pieces, HALVES, kinds, 0.70) == []
    assert leaving_groups(pieces, HALVES, kinds, 0.72) == [(1, 2)]


def test_few_cells_leave_nothing_and_the_largest_group_stays():
    for n, expected in ((LEAST_CELLS - 1, []), (LEAST_CELLS, [(1, 2)])):
        groups = np.ones(SHAPE, int)
        groups.flat[:n] = 2
        assert leaving(("chair", "desk"), groups) == expected
    large = np.where(np.arange(24) < 6, 1, 2) * np.ones(SHAPE, int)
    assert leaving(("chair", "desk"), large) == [(1, 1)]


def test_groups_in_two_pieces_and_cells_of_no_group_stay():
    assert leaving_groups(HALVES, HALVES, kinds_of(("chair", "desk")), 0.5) == []
    nothing = np.where(HALVES == 2, 0, HALVES)
    assert leaving(("chair",), nothing) == []


def seen_of(names):
    """Seen of a flat surface 2 m away whose halves vote for two centres, 3 m apart."""
    q = np.full(SHAPE, 0.5, np.float32)
    points = np.random.default_rng(0).normal(size=(*SHAPE, 3))
    centres = np.array([[0, 0, 0], [3.0, 0, 0]])[HALVES - 1]
    logits = 20 * kinds_of(names)
    out = {
        "foreground": np.ones(SHAPE), "seed": np.ones(SHAPE), "spread": np.full(SHAPE, 0.2),
        "offset": np.moveaxis(centres - points, 2, 0), "kinds": logits,
    }  # fmt: skip
    return Seen(q, fit_cells(q, SHAPE), points, out, KINDS)


def test_labels_of_the_working_grid_follow_the_votes_and_have_no_gaps():
    whole = np.ones(SHAPE, np.int32)
    out = divided(whole, seen_of(("chair", "desk")), 0.5)
    assert out.dtype == whole.dtype and set(np.unique(out)) == {1, 2}
    assert (out[:, :12] == out[0, 0]).all() and (out[:, 12:] == out[0, -1]).all()
    assert out[0, 0] != out[0, -1]
    same = divided(whole, seen_of(("chair", "chair")), 0.5)
    np.testing.assert_array_equal(same, whole)
