"""Pose algebra: identities, decoupling, symmetry, and agreement with the core."""

import math

import numpy as np
import pytest

from roomcad_core.pose import SYMMETRIES
from roomcad_core.pose import pose_errors as core_pose_errors

torch = pytest.importorskip("torch")
from scipy.spatial.transform import Rotation  # noqa: E402

from roomcad_offline.multi_sparc import pose as algebra  # noqa: E402
from roomcad_offline.multi_sparc.pose import Pose, pose_points, update  # noqa: E402

KINDS = ("2sigmoid", "exptanh")


def random_pose(n, seed=0):
    rng = np.random.default_rng(seed)
    T = rng.uniform([-1, -1, 1], [1, 1, 4], (n, 3))
    R = Rotation.random(n, random_state=seed).as_matrix()
    return Pose(*map(torch.from_numpy, (T, R, rng.uniform(0.3, 2, (n, 3)))))


def polar(T):
    x, y, z = T.unbind(-1)
    return T.norm(dim=-1), torch.atan2(x, z), torch.atan2(y, torch.hypot(x, z))


def output(**parts):
    """(11,) outputs, zero but for the parts named by their first index as in o3=0.5."""
    values = torch.zeros(11, dtype=torch.float64)
    for name, value in parts.items():
        values[int(name[1:])] = value
    return values


@pytest.mark.parametrize("kind", KINDS)
def test_an_output_of_zeros_leaves_the_pose_as_it_is(kind):
    pose = random_pose(50)
    for before, after in zip(pose, update(pose, torch.zeros(50, 11).double(), kind), strict=True):
        torch.testing.assert_close(after, before, rtol=0, atol=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_distance_and_angles_change_independently(kind):
    pose = random_pose(50)
    d, phi, theta = polar(pose.T)
    moved = polar(update(pose, output(o0=0.4, o1=0.2, o2=-0.1), kind).T)
    want = d * algebra.factor(output(o0=0.4)[0], kind), phi + 0.2, theta - 0.1
    torch.testing.assert_close(torch.stack(moved), torch.stack(want), rtol=1e-9, atol=1e-9)


def test_a_turn_of_phi_keeps_height_and_distance():
    moved = update(random_pose(20), output(o1=1.0), "2sigmoid")
    torch.testing.assert_close(moved.T[:, 1], random_pose(20).T[:, 1])
    torch.testing.assert_close(moved.T.norm(dim=1), random_pose(20).T.norm(dim=1))


def test_straight_ahead_by_hand():
    start = Pose(torch.tensor([0.0, 0, 2]), torch.eye(3), torch.ones(3))
    raw = torch.zeros(11)
    raw[1], raw[7] = math.pi / 2, math.log(3)  # to the right; 2·sigmoid(ln 3) = 1.5
    moved = update(start, raw, "2sigmoid")
    torch.testing.assert_close(moved.T, torch.tensor([2.0, 0, 0]), atol=1e-6, rtol=0)
    torch.testing.assert_close(moved.S, torch.tensor([1.5, 1, 1]))


@pytest.mark.parametrize("kind", KINDS)
def test_factors_are_positive_and_one_at_zero(kind):
    factors = algebra.factor(torch.tensor([-30.0, -1, 0, 1, 30]), kind)
    assert (factors > 0).all() and (factors.diff() > 0).all() and factors[2] == 1


def test_the_rotation_is_updated_on_the_right_by_the_xyzw_quaternion():
    pose = random_pose(1)
    half = math.tan(0.3 / 2)  # (0, tan, 0, 1) is parallel to the quaternion of 0.3 rad about y
    moved = update(pose, output(o4=half), "2sigmoid")
    want = pose.R[0].numpy() @ Rotation.from_euler("y", 0.3).as_matrix()
    np.testing.assert_allclose(moved.R[0].numpy(), want, atol=1e-9)


def test_any_quaternion_output_gives_a_rotation():
    raw = torch.from_numpy(np.random.default_rng(0).normal(scale=3, size=(200, 4)))
    R = algebra.rotation(raw)
    torch.testing.assert_close(R @ R.mT, torch.eye(3).double().expand(200, 3, 3))
    torch.testing.assert_close(torch.linalg.det(R), torch.ones(200).double())
    want = Rotation.from_quat(raw.numpy() + [0, 0, 0, 1]).as_matrix()
    np.testing.assert_allclose(R.numpy(), want, atol=1e-9)


def test_updates_have_finite_gradients_even_on_the_pole_and_in_the_camera():
    T = torch.tensor([[0.0, 1, 0], [0, 0, 0], [0, 0, 1]])
    raw = torch.zeros(3, 11, requires_grad=True)
    moved = update(Pose(T, torch.eye(3).expand(3, 3, 3), torch.ones(3, 3)), raw, "2sigmoid")
    sum(part.sum() for part in moved).backward()
    assert torch.isfinite(raw.grad).all()


def test_points_and_normals_follow_the_pose():
    pose = random_pose(3)
    points = torch.tensor([[0.5, 0, 0]]).double().expand(3, 1, 3)
    want = pose.T + pose.R[:, :, 0] * 0.5 * pose.S[:, :1]
    torch.testing.assert_close(pose_points(pose, points)[:, 0], want)
    # A normal stays perpendicular to its surface under uneven scale.
    normal, tangent = torch.tensor([[1.0, 2, 0]]).double(), torch.tensor([[2.0, -1, 0]]).double()
    posed = algebra.pose_normals(pose, normal.expand(3, 1, 3))
    along = pose_points(pose, tangent.expand(3, 1, 3)) - pose.T[:, None]
    torch.testing.assert_close((posed * along).sum(-1), torch.zeros(3, 1).double())
    torch.testing.assert_close(posed.norm(dim=-1), torch.ones(3, 1).double())


@pytest.mark.parametrize("name", SYMMETRIES)
def test_errors_agree_with_the_core(name):
    a, b = random_pose(40, 1), random_pose(40, 2)
    symmetry = torch.full((40,), SYMMETRIES[name])
    got = torch.stack(algebra.pose_errors(a, b, symmetry), 1).numpy()
    for i in range(40):
        rigid = [np.eye(4), np.eye(4)]
        for M, p in zip(rigid, (a, b), strict=True):
            M[:3, :3], M[:3, 3] = p.R[i].numpy(), p.T[i].numpy()
        want = core_pose_errors(rigid[0], a.S[i].numpy(), rigid[1], b.S[i].numpy(), name)
        np.testing.assert_allclose(got[i], want, atol=1e-6)


def test_correct_needs_all_three_and_counts_symmetric_turns():
    true = Pose(torch.tensor([0.0, 0, 2]), torch.eye(3), torch.ones(3))
    turn = algebra.rotation_about(1, torch.tensor(math.pi / 2))
    cases = [
        (true, 1, True),
        (true._replace(T=torch.tensor([0.0, 0.19, 2])), 1, True),
        (true._replace(T=torch.tensor([0.0, 0.21, 2])), 1, False),
        (true._replace(S=torch.tensor([1.5, 1, 1])), 1, True),  # the mean of the three counts
        (true._replace(S=torch.tensor([1.7, 1, 1])), 1, False),
        (true._replace(R=turn), 1, False),
        (true._replace(R=turn), 2, False),
        (true._replace(R=turn), 4, True),
        (true._replace(R=algebra.rotation_about(1, torch.tensor(0.4))), 4, False),
        (true._replace(R=algebra.rotation_about(1, torch.tensor(0.4))), 36, True),
    ]
    for pose, symmetry, want in cases:
        assert bool(algebra.correct(pose, true, torch.tensor(symmetry))) == want, (pose, symmetry)


def test_the_nearest_equivalent_looks_the_same_and_is_nearest():
    true, R = random_pose(30, 3), random_pose(30, 4).R
    corners = torch.tensor(
        [[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)]
    )
    corners = corners.double().expand(30, 8, 3)
    for steps in (1, 2, 4):
        symmetry = torch.full((30,), steps)
        near = algebra.nearest_equivalent(R, true, symmetry)
        # A box has the symmetry of all its quarter turns if its sizes turn along.
        apart = torch.cdist(pose_points(near, corners), pose_points(true, corners)).amin(-1)
        torch.testing.assert_close(apart, torch.zeros_like(apart), atol=1e-9, rtol=0)
        angles = Rotation.from_matrix((R.mT @ near.R).numpy()).magnitude()
        want = algebra.pose_errors(true._replace(R=R), true, symmetry)[1]
        np.testing.assert_allclose(angles, want.numpy(), atol=1e-6)


def test_a_rotational_truth_is_turned_to_the_azimuth_of_the_pose():
    true = random_pose(30, 3)
    angle = torch.linspace(-3, 3, 30).double()
    R = true.R @ algebra.rotation_about(1, angle)
    near = algebra.nearest_equivalent(R, true, torch.full((30,), 36))
    torch.testing.assert_close(near.R, R)
    torch.testing.assert_close(algebra.turned_towards(true.R, R), R)


def test_empty_slots_get_harmless_values():
    pose = Pose(*(torch.full((2, *shape), torch.nan) for shape in ((3,), (3, 3), (3,))))
    filled = algebra.fill_empty(pose, torch.tensor([False, True]))
    assert all(torch.isfinite(part[0]).all() and torch.isnan(part[1]).all() for part in filled)
