"""Parts of synthetic scenes: what is drawn, cameras and footprints, and the bank of CADs."""

import math

import cad_bank
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from roomcad_core.pose import upright_rotation as core_upright_rotation  # noqa: E402
from roomcad_offline.multi_sparc.scenes import (  # noqa: E402
    CadBank,
    SceneConfig,
    SceneGenerator,
    Source,
)
from roomcad_offline.multi_sparc.scenes.background import Planes  # noqa: E402
from roomcad_offline.multi_sparc.scenes.camera import attitude, rays  # noqa: E402
from roomcad_offline.multi_sparc.scenes.footprint import Blocks, overlap  # noqa: E402
from roomcad_offline.multi_sparc.scenes.normals import normals_from_depth  # noqa: E402
from roomcad_offline.multi_sparc.scenes.raster import rasterise  # noqa: E402
from roomcad_offline.multi_sparc.scenes.things import Things, upright_rotation  # noqa: E402
from roomcad_offline.multi_sparc.scenes.view import take_view  # noqa: E402
from roomcad_offline.multi_sparc.scenes.window import highest, lowest  # noqa: E402

library, bank = cad_bank.library, cad_bank.bank  # fixtures
K = torch.tensor([[[100.0, 0, 39.5], [0, 100.0, 29.5], [0, 0, 1]]])
HEIGHT, WIDTH = 60, 80


def square(z, half):
    """Two triangles facing the camera at depth z."""
    a, b, c, d = [-half, -half, z], [half, -half, z], [half, half, z], [-half, half, z]
    return torch.tensor([[a, b, c], [a, c, d]])


def draw(corners):
    return rasterise(corners, torch.zeros(len(corners), dtype=torch.long), K, HEIGHT, WIDTH)


# Raster


def test_a_near_face_has_no_holes_and_its_exact_depth():
    triangle, depth = draw(square(0.7, 2.0))
    assert (triangle >= 0).all()
    torch.testing.assert_close(depth, torch.full((1, HEIGHT, WIDTH), 0.7))


def test_a_face_covers_exactly_the_pixels_whose_centre_it_contains():
    triangle, _ = draw(square(2.0, 0.2))  # +-10 px around (39.5, 29.5)
    rows, columns = (triangle[0] >= 0).nonzero().T
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (20, 39, 30, 49)
    assert len(rows) == 400


def test_the_nearer_face_hides_the_farther_one():
    near, far = square(1.0, 0.1), square(2.0, 1.0)
    for corners, first in ((torch.cat([near, far]), (0, 1)), (torch.cat([far, near]), (2, 3))):
        triangle, depth = draw(corners)
        assert int(triangle[0, 30, 40]) in first and depth[0, 30, 40] == pytest.approx(1.0)
        assert int(triangle[0, 5, 5]) not in first and depth[0, 5, 5] == pytest.approx(2.0)


def test_a_floor_that_reaches_behind_the_camera_has_the_depth_of_its_plane():
    a, b, c, d = [-50.0, 1, -9], [50.0, 1, -9], [50.0, 1, 30], [-50.0, 1, 30]
    triangle, depth = draw(torch.tensor([[a, b, c], [a, c, d]]))
    row = torch.arange(40, HEIGHT)
    assert (triangle[0, 40:] >= 0).all() and (triangle[0, :30] < 0).all()
    expected = (100 / (row - 29.5))[:, None].expand(-1, WIDTH)
    torch.testing.assert_close(depth[0, 40:], expected, rtol=1e-3, atol=0)


def test_a_box_shows_its_front_with_the_normal_towards_the_camera(bank):
    eye, box = torch.eye(3)[None, None], torch.tensor([[len(bank)]])
    size, place = torch.full((1, 1, 3), 0.4), torch.tensor([[[0.0, 0, 1.2]]])
    things = Things(box, eye, place, size, torch.ones(1, 1, dtype=torch.bool))
    wall = torch.tensor([[[0.0, 0, 1]]]).expand(1, 6, 3)
    planes = Planes(wall, torch.full((1, 6), 3.0), torch.ones(1, 6, dtype=torch.bool))
    view = take_view(things, bank, planes, K, HEIGHT, WIDTH)
    front = view.surface == 0
    assert front[0, 15:45, 25:55].all()
    torch.testing.assert_close(view.depth[front], torch.ones(int(front.sum())))
    torch.testing.assert_close(view.depth[~front], torch.full((int((~front).sum()),), 3.0))
    torch.testing.assert_close(view.normal, torch.tensor([0.0, 0, -1]).expand_as(view.normal))


def test_normals_from_depth_are_exact_on_a_plane_and_missing_in_holes():
    normal = torch.tensor([0.3, -0.5, -0.8])
    normal = normal / normal.norm()
    depth = -2.0 / (rays(K, HEIGHT, WIDTH) @ normal)
    depth[0, 20:30, 20:30] = 0
    computed = normals_from_depth(depth, K)
    assert (computed[0, 20:30, 20:30] == 0).all()
    known = depth > 0
    torch.testing.assert_close(
        computed[known], normal.expand(int(known.sum()), 3), atol=2e-3, rtol=0
    )


def test_window_extremes_are_those_of_max_pooling():
    values = torch.randn(2, 9, 11, generator=torch.Generator().manual_seed(0))
    for radius in (1, 4):
        pooled = torch.nn.functional.max_pool2d(values, 2 * radius + 1, 1, radius)
        torch.testing.assert_close(highest(values, radius), pooled)
        torch.testing.assert_close(lowest(-values, radius), -pooled)


# Geometry


def test_upright_rotation_is_that_of_the_core():
    for yaw in (-2.0, 0.0, 0.7):
        ours = upright_rotation(torch.tensor(yaw, dtype=torch.float64))
        np.testing.assert_allclose(ours, core_upright_rotation(yaw), atol=1e-12)


def test_a_camera_that_looks_down_sees_up_as_up_and_towards_itself():
    R = attitude(torch.tensor([0.4]), torch.tensor([0.0]))[0]
    expected = torch.tensor([0, -math.cos(0.4), -math.sin(0.4)])
    torch.testing.assert_close(R[:, 2], expected)
    torch.testing.assert_close(R @ R.T, torch.eye(3))
    assert torch.det(R) == pytest.approx(1)


def test_footprints_overlap_only_where_no_axis_separates_them():
    half = torch.tensor([0.5, 0.5, 0.5])
    a = Blocks(torch.zeros(3), half, torch.tensor(0.0))

    def hit(x, y, z, yaw):
        return bool(overlap(a, Blocks(torch.tensor([x, y, z]), half, torch.tensor(yaw))))

    assert hit(0.9, 0.0, 0.0, 0.0) and not hit(1.1, 0.0, 0.0, 0.0)
    assert hit(1.1, 0.0, 0.0, math.pi / 4)  # a corner reaches in
    assert not hit(1.0, 1.0, 0.0, math.pi / 4)  # its bounding square would
    assert not hit(0.0, 0.0, 1.1, 0.0)  # one stands on the other


# The bank


def test_the_bench_half_never_enters_the_bank(library, bank):
    names = {name.split("/", 1)[1] for name in bank.ids}
    assert names == {m.id for m in library if m.split == "train"}
    assert len(CadBank.build([Source(library)])) == len(library)


def test_bank_normals_are_those_of_the_unit_frame(library, bank):
    index = 3
    model = library[bank.ids[index].split("/", 1)[1]]
    normals = bank.normals[index].float() / bank.size[index]
    normals = normals / normals.norm(dim=1, keepdim=True)
    row = {tuple(p): n for p, n in zip(model.points.tolist(), model.normals, strict=True)}
    for point, normal in list(zip(bank.points[index].tolist(), normals, strict=True))[:50]:
        np.testing.assert_allclose(normal, row[tuple(point)], atol=5e-3)


def test_bad_arguments_are_named(library, bank):
    with pytest.raises(ValueError, match="Source.keep: got 'half'"):
        Source(library, "half")
    with pytest.raises(ValueError, match="CAD bank is empty"):
        CadBank.build([])
    with pytest.raises(ValueError, match="focal_low: expected at most focal_high"):
        SceneConfig(focal_low=600.0)
    with pytest.raises(ValueError, match="size: got 0"):
        SceneGenerator(bank, SceneConfig()).batch(0)
