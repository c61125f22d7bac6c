"""Imported meshes put right, thinned out, and the pictures and command around them."""

import cv2
import numpy as np
import pytest

trimesh = pytest.importorskip("trimesh")
pytest.importorskip("open3d")

from roomcad_core.cli import main  # noqa: E402
from roomcad_core.library import Library  # noqa: E402
from roomcad_core.library_build.builtin import builtin_model  # noqa: E402
from roomcad_core.library_build.model import Mesh, centred  # noqa: E402
from roomcad_core.library_build.repair import check, outward  # noqa: E402
from roomcad_core.library_build.sampling import face_areas, sample_surface  # noqa: E402
from roomcad_core.library_build.sheet import render  # noqa: E402
from roomcad_core.library_build.simplify import simplify  # noqa: E402
from roomcad_core.library_build.symmetry import detect_symmetry  # noqa: E402


def grey(shape):
    """Mesh of a trimesh shape."""
    n = len(shape.faces)
    return Mesh(np.array(shape.vertices), np.array(shape.faces), np.full((n, 3), 99, np.uint8))


def flipped(mesh, faces):
    """The mesh with some faces wound the other way."""
    triangles = mesh.triangles.copy()
    triangles[faces] = triangles[faces, ::-1]
    return Mesh(mesh.vertices, triangles, mesh.colors)


def test_faces_wound_at_random_are_turned_outward():
    rng = np.random.default_rng(0)
    ball = grey(trimesh.creation.icosphere(2))
    fixed = outward(flipped(ball, rng.random(len(ball.triangles)) < 0.5), rng)
    _, normals = face_areas(fixed.vertices, fixed.triangles)
    centres = fixed.vertices[fixed.triangles].mean(axis=1)
    assert (np.sum(normals * centres, axis=1) > 0).all()


def test_faces_nothing_can_see_are_dropped():
    outer, inner = trimesh.creation.box((1, 1, 1)), trimesh.creation.box((0.5, 0.5, 0.5))
    both = grey(trimesh.util.concatenate([outer, inner]))
    kept = outward(both, np.random.default_rng(0))
    assert len(kept.triangles) == 12
    assert np.abs(kept.vertices[kept.triangles]).min() == pytest.approx(0.5)


def test_an_open_sheet_keeps_its_winding():
    sheet = grey(
        trimesh.Trimesh([[0, 0, 0], [1, 0, 0], [1, 0.2, 1], [0, 0.2, 1]], [[0, 1, 2], [0, 2, 3]])
    )
    np.testing.assert_array_equal(
        outward(sheet, np.random.default_rng(0)).triangles, sheet.triangles
    )


def test_simplified_meshes_are_light_and_stay_on_the_surface():
    rng = np.random.default_rng(0)
    ball = trimesh.creation.icosphere(4)  # 5,120 faces
    sheet = trimesh.creation.box((3, 0.001, 3))
    heavy = grey(trimesh.util.concatenate([ball, sheet]))
    light = simplify(heavy, rng, 800)
    assert 100 < len(light.triangles) <= 800
    area, _ = face_areas(light.vertices, light.triangles)
    assert area.sum() == pytest.approx(4 * np.pi + 18, rel=0.05)  # neither part got lost
    assert simplify(heavy, rng, 6000) is heavy


def test_colours_survive_simplification():
    ball = grey(trimesh.creation.icosphere(4))
    up = ball.vertices[ball.triangles].mean(axis=1)[:, 1] > 0
    ball.colors[up] = (255, 0, 0)
    light = simplify(ball, np.random.default_rng(0), 1000)
    height = light.vertices[light.triangles].mean(axis=1)[:, 1]
    red = (light.colors == (255, 0, 0)).all(axis=1)
    assert red[height > 0.1].all() and not red[height < -0.1].any()


@pytest.mark.parametrize(
    ("shape", "symmetry"),
    [
        (trimesh.creation.box((1, 1, 2)), "2-fold"),
        (trimesh.creation.box((1, 3, 1)), "4-fold"),
        (trimesh.creation.icosphere(3), "rotational"),
        (trimesh.creation.capsule(2, 0.3), "2-fold"),  # lies along z
    ],
)
def test_symmetry_of_plain_shapes(shape, symmetry):
    mesh, _ = centred(grey(shape))
    assert detect_symmetry(mesh.vertices, mesh.triangles, np.random.default_rng(0)) == symmetry


def test_a_box_with_something_on_one_side_has_no_symmetry():
    handle = trimesh.creation.box((0.5, 0.5, 0.2)).apply_translation((0, 0, -0.6))
    mesh, _ = centred(grey(trimesh.util.concatenate([trimesh.creation.box((1, 1, 1)), handle])))
    assert detect_symmetry(mesh.vertices, mesh.triangles, np.random.default_rng(0)) == "none"


def test_samples_lie_on_their_faces_and_follow_the_area():
    shape = grey(trimesh.creation.box((1, 2, 3)))
    points, normals, face = sample_surface(
        shape.vertices, shape.triangles, 4096, np.random.default_rng(0)
    )
    along = np.abs(normals).argmax(axis=1)
    reach = np.abs(points)[np.arange(4096), along]
    assert reach == pytest.approx(np.array([0.5, 1.0, 1.5])[along])
    assert np.bincount(along) / 4096 == pytest.approx([6 / 11, 3 / 11, 2 / 11], abs=0.001)
    first = along[:512]  # any first part is a fair sample as well
    assert np.bincount(first) / 512 == pytest.approx([6 / 11, 3 / 11, 2 / 11], abs=0.07)


def test_faces_without_area_go_and_a_mesh_of_them_is_refused():
    box = trimesh.creation.box((1, 1, 1))
    faces = np.vstack([box.faces, [[0, 0, 1]]])
    mesh = Mesh(np.array(box.vertices), faces, np.zeros((13, 3), np.uint8))
    assert len(check(mesh).triangles) == 12
    with pytest.raises(ValueError, match="no faces with an area"):
        check(Mesh(mesh.vertices, np.array([[0, 0, 1]]), np.zeros((1, 3), np.uint8)))
    with pytest.raises(ValueError, match="flat"):
        check(Mesh(mesh.vertices * (1, 1e-4, 1), mesh.triangles, mesh.colors))


def test_a_builtin_model_depends_on_its_name_and_seed_only():
    pytest.importorskip("manifold3d")
    (first, glb), (again, glb_again) = (builtin_model("chair", "arm", 1, 5) for _ in range(2))
    other, _ = builtin_model("chair", "arm", 1, 6)
    np.testing.assert_array_equal(first.points, again.points)
    assert glb == glb_again
    assert first.size != pytest.approx(other.size, abs=1e-3)


def test_the_picture_shows_the_front_and_its_colour():
    box = grey(trimesh.creation.box((1, 1, 1)))
    front = box.vertices[box.triangles].mean(axis=1)[:, 2] < -0.49
    box.colors[:], box.colors[front] = (0, 0, 200), (200, 0, 0)
    picture = render(box.vertices, box.triangles, box.colors, 64, azimuth=0.0, elevation=0.0)
    assert picture[0, 0].tolist() == [245, 245, 245]
    red, green, blue = picture[32, 32].tolist()
    assert red > 60 and green == blue == 0


def test_the_command_builds_lists_and_draws_a_library(tmp_path, capsys):
    pytest.importorskip("manifold3d")
    out, picture = tmp_path / "lib", tmp_path / "sheet.png"
    assert main(["library", "build", "builtin:3:7", str(out)]) == 0
    assert len(Library.load(out)) == 7
    assert main(["library", "list", str(out)]) == 0
    assert "7 models: 4 bathtub, 3 bed" in capsys.readouterr().out
    assert main(["library", "show", str(out), "--out", str(picture), "--columns", "4"]) == 0
    assert cv2.imread(str(picture)).shape == (2 * 218, 800, 3)
    assert main(["library", "build", "builtin:3:7", str(out)]) == 1
    assert "already holds a library" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["library", "build", "builtin:x", "OUT"], "expected builtin"),
        (["library", "build", "shapenet:nowhere", "OUT"], "nowhere: no such folder"),
        (["library", "build", "3dfuture:nowhere", "OUT"], "model_info.json"),
        (["library", "build", "nowhere", "OUT"], "nowhere"),
        (["library", "list", "nowhere"], "library.json: no such file"),
    ],
)
def test_bad_commands_fail_with_a_plain_message(tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 1
    assert message in capsys.readouterr().err
