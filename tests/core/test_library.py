"""CAD library folders: what is written comes back, what is broken is refused by name."""

import json

import numpy as np
import pytest

pytest.importorskip("trimesh")

from roomcad_core.classes import CLASSES  # noqa: E402
from roomcad_core.library import CadModel, Library, builtin_folder, save_library  # noqa: E402
from roomcad_core.library_build.model import Mesh, cad_model  # noqa: E402

TRIANGLES = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])
TETRAHEDRON = Mesh(
    np.array([[0.0, 0, 0], [1, 0, 0], [0, 2, 0], [0, 0, 3]]),
    TRIANGLES,
    np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [9, 9, 9]], np.uint8),
)


def make(cad_id="chair_a", label="chair"):
    return cad_model(cad_id, label, TETRAHEDRON, "none", "CC0-1.0", "a test")


@pytest.fixture
def folder(tmp_path):
    pairs = [make(), make("table_b", "table")]
    save_library([m for m, _ in pairs], {m.id: glb for m, glb in pairs}, tmp_path / "lib")
    return tmp_path / "lib"


def edit(folder, **changes):
    """Change fields of the first record of a library on disk."""
    index = json.loads((folder / "library.json").read_text())
    index["models"][0] |= changes
    (folder / "library.json").write_text(json.dumps(index))


def test_a_saved_library_comes_back(folder):
    library = Library.load(folder)
    assert len(library) == 2
    assert [cad.id for cad in library] == ["chair_a", "table_b"]
    chair = library["chair_a"]
    assert (chair.label, chair.symmetry, chair.licence) == ("chair", "none", "CC0-1.0")
    assert chair.size == pytest.approx([1, 2, 3])
    assert library.of_class("table") == (library["table_b"],)
    assert library.of_class("sofa") == ()
    assert "table_b" in library and "sofa" not in library
    assert chair.points == pytest.approx(make()[0].points, abs=5e-4)
    assert np.linalg.norm(chair.normals, axis=1) == pytest.approx(np.ones(4096), abs=1e-5)


def test_points_fill_the_unit_box_and_lie_on_the_surface(folder):
    cad = Library.load(folder)["chair_a"]
    assert np.abs(cad.points).max() <= 0.5 + 1e-3
    metric = cad.points * cad.size + cad.size / 2  # the corner of the tetrahedron is the origin
    planes = np.column_stack([metric, metric @ [1, 1 / 2, 1 / 3] - 1])
    assert np.abs(planes).min(axis=1).max() < 3e-3


def test_normals_point_out_of_the_metric_model():
    cad, _ = make()
    slanted = cad.normals[(cad.normals > 0).all(axis=1)]
    want = np.array([1, 1 / 2, 1 / 3]) / np.linalg.norm([1, 1 / 2, 1 / 3])
    assert len(slanted) > 1000
    np.testing.assert_allclose(slanted, np.tile(want, (len(slanted), 1)), atol=1e-6)


def test_points_are_uniform_by_metric_area():
    cad, _ = make()
    on_floor = (cad.normals[:, 1] < -0.99).mean()  # the 1 x 3 triangle below
    slanted = 0.5 * np.linalg.norm(np.cross([-1, 2, 0], [-1, 0, 3]))
    assert on_floor == pytest.approx(1.5 / (1.5 + 1 + 3 + slanted), abs=0.002)


def test_the_mesh_file_holds_the_unit_frame_and_the_colours(folder):
    vertices, triangles, colors = Library.load(folder)["chair_a"].load_mesh()
    assert vertices.min(axis=0) == pytest.approx([-0.5] * 3)
    assert vertices.max(axis=0) == pytest.approx([0.5] * 3)
    assert len(triangles) == 4
    assert sorted(map(tuple, colors.tolist())) == sorted(map(tuple, TETRAHEDRON.colors.tolist()))


def test_assimp_which_rviz_uses_reads_the_mesh_without_turning_it(folder):
    o3d = pytest.importorskip("open3d")
    cad = Library.load(folder)["chair_a"]
    vertices, _, _ = cad.load_mesh()
    read = np.asarray(o3d.io.read_triangle_mesh(str(cad.mesh)).vertices)
    assert sorted(map(tuple, read.round(5).tolist())) == sorted(
        map(tuple, vertices.round(5).tolist())
    )


def test_a_wrong_id_lists_near_ones(folder):
    with pytest.raises(KeyError, match="chair_b.*near: chair_a"):
        Library.load(folder)["chair_b"]


def test_the_halves_of_the_benchmark_are_fixed_and_about_equal():
    base, _ = make()
    halves = [
        CadModel(**{**vars(base), "id": f"chair_{i:03d}"}).split for i in range(400)
    ]  # fmt: skip
    assert halves[:6] == ["train", "train", "bench", "bench", "train", "train"]
    assert halves.count("bench") == pytest.approx(200, abs=40)


def test_a_half_of_a_library_is_loaded_by_its_name():
    whole = Library.load()
    halves = [Library.load(f"{whole.folder}:{half}") for half in ("train", "bench")]
    assert {m.split for m in halves[0]} == {"train"} and {m.split for m in halves[1]} == {"bench"}
    assert sorted(m.id for half in halves for m in half) == sorted(m.id for m in whole)
    assert [m.id for m in Library.load(":bench")] == [m.id for m in halves[1]]


def test_several_libraries_make_one(folder):
    whole = Library.load(f",{folder}")
    assert len(whole) == len(Library.load()) + 2 and "chair_a" in whole
    with pytest.raises(ValueError, match="ids occur twice: chair_a"):
        Library.load(f"{folder},{folder}")


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("label", "lamp", "chair_a: label: got 'lamp', expected one of .*bathtub"),
        ("symmetry", "3-fold", "symmetry: got '3-fold'"),
        ("size", [1, 0, 1], "chair_a: size: got"),
        ("size", [1, float("nan"), 1], "chair_a: size: got"),
        ("size", "big", "chair_a: size: got 'big'"),
        ("mesh", "../../etc/passwd", "leaves the library"),
        ("id", "Chair A", "CAD id 'Chair A'"),
        ("id", "table_b", "ids occur twice: table_b"),
        ("colour", "red", r"models\[0\]: got .*colour"),
    ],
)
def test_a_bad_field_is_named(folder, field, value, message):
    edit(folder, **{field: value})
    with pytest.raises(ValueError, match=message):
        Library.load(folder)


def test_missing_and_broken_files_are_named(folder):
    edit(folder, mesh="meshes/gone.glb")
    with pytest.raises(FileNotFoundError, match=r"gone\.glb.*'chair_a'"):
        Library.load(folder)
    np.savez(folder / "points.npz", points=np.zeros((2, 5, 3)), normals=np.zeros((2, 5, 3)))
    with pytest.raises(ValueError, match=r"points\.npz: points: got \(2, 5, 3\)"):
        Library.load(folder)
    (folder / "points.npz").write_bytes(b"PK\x03\x04 cut off")
    with pytest.raises(ValueError, match=r"points\.npz: unreadable"):
        Library.load(folder)
    (folder / "library.json").write_text('{"version": 7}')
    with pytest.raises(ValueError, match="version: got 7, expected 1"):
        Library.load(folder)
    (folder / "library.json").write_text("{")
    with pytest.raises(ValueError, match="not JSON"):
        Library.load(folder)
    with pytest.raises(FileNotFoundError, match=r"library\.json"):
        Library.load(folder / "nowhere")


def test_nan_points_are_refused(folder):
    arrays = dict(np.load(folder / "points.npz"))
    arrays["points"][0, 7] = np.nan
    np.savez(folder / "points.npz", **arrays)
    with pytest.raises(ValueError, match="chair_a: points: expected finite"):
        Library.load(folder)


def test_an_empty_library_is_an_error_that_names_the_folder(folder):
    (folder / "library.json").write_text('{"version": 1, "models": []}')
    with pytest.raises(ValueError, match=f"{folder} is empty"):
        Library.load(folder)


def test_a_library_is_only_replaced_on_request(folder):
    cad, glb = make("bed_c", "bed")
    with pytest.raises(FileExistsError, match="overwrite"):
        save_library([cad], {cad.id: glb}, folder)
    save_library([cad], {cad.id: glb}, folder, overwrite=True)
    assert [m.id for m in Library.load(folder)] == ["bed_c"]
    assert [p.name for p in (folder / "meshes").iterdir()] == ["bed_c.glb"]


def test_a_broken_mesh_file_is_named(folder):
    cad = Library.load(folder)["chair_a"]
    cad.mesh.write_bytes(b"glTF nonsense")
    with pytest.raises(ValueError, match=r"chair_a\.glb: unreadable mesh"):
        cad.load_mesh()


def test_the_builtin_library_is_found_and_holds_every_class(monkeypatch, tmp_path):
    monkeypatch.delenv("ROOMCAD_MODELS", raising=False)
    library = Library.load()
    assert len(library) >= 60
    assert {cad.label for cad in library} == set(CLASSES)
    monkeypatch.setenv("ROOMCAD_MODELS", str(library.folder.parent))
    assert builtin_folder() == library.folder
    monkeypatch.setenv("ROOMCAD_MODELS", str(tmp_path))
    with pytest.raises(FileNotFoundError, match=str(tmp_path)):
        Library.load()


def test_normals_of_the_unit_frame_pose_to_those_of_the_metric_model():
    model = Library.load().of_class("sofa")[0]
    posed = model.unit_normals / model.size
    posed /= np.linalg.norm(posed, axis=1, keepdims=True)
    np.testing.assert_allclose(posed, model.normals, atol=1e-5)
    # A face along x stays one in any size; a slope flattens when the model becomes longer.
    slope = np.argmin(np.abs(np.abs(model.normals[:, 0]) - 0.7))
    longer = model.unit_normals[slope] / (model.size * [2, 1, 1])
    assert abs(longer[0]) / np.linalg.norm(longer) < abs(model.normals[slope, 0])
