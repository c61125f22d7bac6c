"""The furniture generator: closed, light, metric, in the CAD frame, honest about symmetry."""

import subprocess
import sys
import zlib

import numpy as np
import pytest

pytest.importorskip("manifold3d")
pytest.importorskip("trimesh")

from roomcad_core.classes import CLASSES  # noqa: E402
from roomcad_core.furniture import STYLES, generate  # noqa: E402
from roomcad_core.furniture.solids import box, lathe, oval, prism, ring, tube  # noqa: E402

EVERY_STYLE = [(label, style) for label, styles in STYLES.items() for style in styles]
# Plausible lengths [m] of the box sides: (smallest, largest) of the longest side, of the height.
LIMITS = {
    "bathtub": ((1.2, 2.0), (0.45, 0.9)),
    "bed": ((1.9, 2.4), (0.5, 1.9)),
    "bin": ((0.2, 1.2), (0.2, 1.2)),
    "bookshelf": ((0.7, 2.3), (0.6, 2.3)),
    "cabinet": ((0.4, 2.5), (0.4, 2.4)),
    "chair": ((0.4, 1.3), (0.4, 1.3)),
    "desk": ((1.0, 2.1), (0.7, 1.6)),
    "monitor": ((0.35, 1.6), (0.3, 1.1)),
    "sofa": ((1.1, 4.0), (0.65, 1.1)),
    "table": ((0.35, 2.8), (0.3, 1.15)),
    "toilet": ((0.6, 1.25), (0.6, 1.25)),
}


def make(label, style, seed=0):
    return generate(label, np.random.default_rng([seed, zlib.crc32(style.encode())]), style)


def test_all_eleven_classes_have_several_styles():
    assert tuple(STYLES) == CLASSES
    assert min(len(styles) for styles in STYLES.values()) >= 4


@pytest.mark.parametrize(("label", "style"), EVERY_STYLE)
def test_every_style_is_closed_outward_light_centred_and_life_sized(label, style):
    for seed in range(2):
        mesh = make(label, style, seed).mesh
        assert mesh.is_watertight and mesh.is_winding_consistent
        assert mesh.volume > 0
        assert mesh.body_count == 1  # nothing floats
        assert len(mesh.faces) <= 2000
        assert mesh.bounds.sum(axis=0) == pytest.approx(np.zeros(3), abs=1e-6)
        (shortest, longest), (low, high) = LIMITS[label]
        assert shortest <= mesh.extents.max() <= longest
        assert low <= mesh.extents[1] <= high


def test_a_seed_repeats_a_piece_and_another_seed_changes_it():
    first, again, other = (
        make("chair", "swivel"),
        make("chair", "swivel"),
        make("chair", "swivel", 1),
    )
    np.testing.assert_array_equal(first.mesh.vertices, again.mesh.vertices)
    assert first.mesh.extents != pytest.approx(other.mesh.extents, abs=1e-3)


def test_the_declared_symmetry_is_the_measured_one():
    pytest.importorskip("open3d")
    from roomcad_core.library_build.symmetry import detect_symmetry

    wrong = {}
    for label, style in EVERY_STYLE:
        piece = make(label, style)
        rng = np.random.default_rng(0)
        found = detect_symmetry(piece.mesh.vertices, np.asarray(piece.mesh.faces), rng)
        if found != piece.symmetry:
            wrong[label, style] = (piece.symmetry, found)
    assert not wrong


def material_side(mesh, color, axis):
    """Mean position along an axis of the faces of one colour, relative to the box half."""
    faces = (np.asarray(mesh.visual.face_colors)[:, :3] == color).all(axis=1)
    assert faces.any()
    return mesh.triangles_center[faces, axis].mean() / (mesh.extents[axis] / 2)


def test_screens_face_the_front():
    for style in STYLES["monitor"]:
        assert material_side(make("monitor", style).mesh, (16, 18, 24), 2) < 0


@pytest.mark.parametrize(
    ("label", "style"),
    [("chair", s) for s in ("four_leg", "arm", "shell", "swivel", "cantilever", "lounge")]
    + [("sofa", s) for s in STYLES["sofa"]]
    + [("bed", s) for s in ("single", "double", "divan")]
    + [("toilet", s) for s in STYLES["toilet"]],
)
def test_backs_and_head_ends_are_at_the_back(label, style):
    points = make(label, style).mesh.sample(3000, seed=0)
    top = points[points[:, 1] > np.quantile(points[:, 1], 0.9)]
    assert top[:, 2].mean() > 0


def test_drawers_and_doors_are_at_the_front():
    for style in STYLES["cabinet"]:
        mesh = make("cabinet", style).mesh
        facing = mesh.area_faces * np.abs(mesh.face_normals[:, 2])
        steps = np.unique(mesh.triangles_center[facing > 1e-6, 2].round(3))
        assert (steps < 0).sum() > (steps > 0).sum()  # fronts, handles against one plain back


def test_unknown_names_are_named_in_the_error():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="'lamp'.*bathtub"):
        generate("lamp", rng)
    with pytest.raises(ValueError, match="style of chair.*'throne'.*four_leg"):
        generate("chair", rng, "throne")


def test_the_generator_imports_without_mesh_packages():
    code = (
        "import sys, roomcad_core.furniture, roomcad_core.library;"
        "print(*({'trimesh', 'manifold3d', 'open3d'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []


def test_solids_have_the_volume_geometry_gives_them():
    assert box((0, 1), (0, 2), (0, 3)).volume() == pytest.approx(6)
    # Cutting 45° off the 12 edges of a unit cube by b: 12 prisms of b²/2, less where they meet.
    assert box((0, 1), (0, 1), (0, 1), 0.1).volume() == pytest.approx(
        1 - 6 * 0.01 + 8 * 1e-3 * 2 / 3
    )
    triangle = prism([(0, 0), (1, 0), (0, 1)], (0, 2), "y")
    assert triangle.volume() == pytest.approx(1)
    n = 24
    cylinder = lathe([(0, 0), (1, 0), (1, 1), (0, 1)], n)
    assert cylinder.volume() == pytest.approx(n / 2 * np.sin(2 * np.pi / n))
    assert cylinder.bounding_box()[1::3] == pytest.approx((0, 1))
    assert np.linalg.norm(oval((-1, 1), (-1, 1)), axis=1) == pytest.approx(np.ones(24))


def test_rings_are_square_to_their_axis_and_tubes_are_one_closed_piece():
    circle = ring((1, 2, 3), (0, 0, 5), 0.5, 8)
    assert circle[:, 2] == pytest.approx(np.full(8, 3))
    assert np.linalg.norm(circle - (1, 2, 3), axis=1) == pytest.approx(np.full(8, 0.5))
    bent = tube([(0, 0, 0), (0, 1, 0), (1, 1, 0)], 0.1, 8)
    assert len(bent.decompose()) == 1 and bent.volume() > 0
