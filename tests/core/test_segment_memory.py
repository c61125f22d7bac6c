"""What the instance network said of places before: averaged in the world, bounded, forgotten."""

import dataclasses

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from roomcad_core.pose import inverse, rigid, transform
from roomcad_core.segment.instances import Memory
from roomcad_core.segment.instances.cells import Cells
from roomcad_core.segment.instances.memory import CLOCK_JUMP, CUBE, MOST
from roomcad_core.segment.instances.model_files import KINDS
from roomcad_core.segment.instances.seen import Seen

CENTRE = np.array([2.02, 0.52, 0.32])  # of the one object, world [m]; no cell lies at a cube's edge
HERE = np.eye(4)
CHAIR, TABLE = KINDS.index("chair"), KINDS.index("table")


def sees(points, T_world_grav=HERE, kind=CHAIR, error=(0, 0, 0), known=True, seed=0.5):
    """Seen of (1, n) cells at points (n, 3) of the world, voting for CENTRE with an error [m]."""
    points_grav = transform(inverse(T_world_grav), np.asarray(points, float))
    votes = transform(inverse(T_world_grav), CENTRE + np.asarray(error, float))
    n = len(points_grav)
    q = np.full((1, n), 0.5 if known else 0.0, np.float32)
    kinds = np.full((len(KINDS), 1, n), -20, np.float32)
    kinds[kind] = 0
    one = np.ones((1, n), np.float32)
    offset = (votes - points_grav).T[:, None].astype(np.float32)
    out = {"foreground": one, "seed": seed * one, "spread": 0.2 * one, "offset": offset,
           "kinds": kinds}  # fmt: skip
    index = np.zeros((1, n), int)
    return Seen(q, Cells(index, index, q), points_grav[None].astype(np.float32), out)


def votes_of(seen, T_world_grav=HERE):
    """(n, 3) where the cells vote that the centre is, world."""
    offset = np.moveaxis(seen.out["offset"], 0, 2)[0]
    return transform(T_world_grav, seen.points[0] + offset)


POINTS = CENTRE + np.array([[0.31, 0, 0], [-0.33, 0.02, 0.1], [0, 0.2, 0.22]])


def test_the_first_frame_is_what_the_network_says():
    seen = sees(POINTS)
    out = Memory()(seen, HERE, 0.0)
    np.testing.assert_allclose(votes_of(out), np.tile(CENTRE, (3, 1)), atol=1e-5)
    np.testing.assert_allclose(out.kinds, seen.kinds, atol=1e-4)
    assert out.out["offset"] is not seen.out["offset"]


def test_votes_are_averaged_in_the_world_from_wherever_they_were_given():
    """Three views from other places and headings; the errors of the votes are 0.3, 0 and 0 m."""
    memory, turns = Memory(), (0.0, 1.2, -2.5)
    for i, (turn, error) in enumerate(zip(turns, (0.3, 0, 0), strict=True)):
        T = rigid(Rotation.from_rotvec([0, 0, turn]).as_matrix(), [i, -i, 0.1])
        out = memory(sees(POINTS, T, error=(error, 0, 0)), T, float(i))
    np.testing.assert_allclose(votes_of(out, T), CENTRE + np.tile([0.1, 0, 0], (3, 1)), atol=1e-4)


def test_kinds_and_seeds_are_means_and_other_cubes_are_not_touched():
    memory = Memory()
    memory(sees(POINTS[:1], kind=TABLE, seed=0.9), HERE, 0.0)
    memory(sees(POINTS[:1], kind=TABLE, seed=0.9), HERE, 0.1)
    out = memory(sees(POINTS, kind=CHAIR, seed=0.3), HERE, 0.2)
    assert out.kinds[TABLE, 0] == pytest.approx([2 / 3, 0, 0], abs=1e-4)
    assert out.kinds[CHAIR, 0] == pytest.approx([1 / 3, 1, 1], abs=1e-4)
    assert out.out["seed"][0] == pytest.approx([0.7, 0.3, 0.3])


def test_cells_of_one_cube_count_as_one_frame():
    memory, side = Memory(), np.array([0.2, 0, 0]) * CUBE
    cell = (np.floor(CENTRE / CUBE) + 0.4) * CUBE
    memory(sees([cell, cell + side, cell - side], kind=TABLE), HERE, 0.0)
    out = memory(sees([cell], kind=CHAIR), HERE, 0.1)
    assert out.kinds[TABLE, 0, 0] == pytest.approx(0.5, abs=1e-4)


def test_new_sightings_prevail_where_a_thing_has_moved():
    memory = Memory()
    for i in range(500):
        memory(sees(POINTS, kind=TABLE), HERE, i / 10)
    for i in range(2 * MOST):
        out = memory(sees(POINTS, kind=CHAIR), HERE, 50 + i / 10)
    assert out.kinds[CHAIR].min() > 0.8


def test_it_forgets_when_the_clock_goes_back_and_bears_late_frames():
    memory = Memory()
    memory(sees(POINTS, kind=TABLE), HERE, 100.0)
    late = memory(sees(POINTS), HERE, 100.0 - CLOCK_JUMP / 2)
    assert late.kinds[TABLE, 0, 0] == pytest.approx(0.5, abs=1e-4)
    again = memory(sees(POINTS), HERE, 5.0)
    assert again.kinds[CHAIR].min() > 0.999


def test_rooms_far_from_the_origin_are_remembered_as_well():
    far, memory = rigid(np.eye(3), [4e5, 5.2e6, 0]), Memory()
    seen = sees(POINTS, error=(0.3, 0, 0))
    memory(seen, far, 0.0)
    out = memory(sees(POINTS), far, 0.1)
    np.testing.assert_allclose(votes_of(out), CENTRE + np.tile([0.15, 0, 0], (3, 1)), atol=1e-3)
    beyond = rigid(np.eye(3), [1e30, 0, 0])
    np.testing.assert_array_equal(memory(seen, beyond, 0.2).out["offset"], seen.out["offset"])


def test_frames_that_show_nothing_change_nothing():
    memory = Memory()
    memory(sees(POINTS), HERE, 0.0)
    out = memory(sees(POINTS, known=False), HERE, 0.1)
    assert (out.out["seed"] == 0.5).all()
    empty = sees(np.zeros((0, 3)))
    assert memory(empty, HERE, 0.2).out["offset"].shape == (3, 1, 0)


def test_what_it_takes_in_is_not_changed():
    memory, seen = Memory(), sees(POINTS)
    memory(sees(POINTS, kind=TABLE), HERE, 0.0)
    before = {name: maps.copy() for name, maps in seen.out.items()}
    memory(seen, HERE, 0.1)
    assert all((seen.out[name] == before[name]).all() for name in before)
    assert dataclasses.is_dataclass(seen)
