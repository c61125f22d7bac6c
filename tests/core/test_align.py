"""The ICP baseline on rendered views of library models whose pose is known."""

import numpy as np
import pytest

from roomcad_core.align import make_aligner
from roomcad_core.camera import project, unproject
from roomcad_core.config import AlignConfig
from roomcad_core.gravity import gravity_frame, up_from_pose
from roomcad_core.library import Library
from roomcad_core.pose import affine, inverse, pose_errors, rigid, transform, upright_rotation
from roomcad_core.types import OTHER, Frame, Object, Segmentation

K = np.array([[270.0, 0, 159.5], [0, 270, 119.5], [0, 0, 1]])
SHAPE = (240, 320)


@pytest.fixture(scope="module")
def library():
    return Library.load()


@pytest.fixture(scope="module")
def align(library):
    return make_aligner(AlignConfig(aligner="icp"), library)


def look_at(camera, target):
    """T_world_cam of an upright camera."""
    forward = (target - camera) / np.linalg.norm(target - camera)
    right = np.cross(forward, [0, 0, 1.0])
    right /= np.linalg.norm(right)
    return rigid(np.stack([right, np.cross(forward, right), forward], axis=1), camera)


def view_of(model, S, yaw, label=None, cad_ids=()):
    """(Frame, Segmentation, T_world_obj) of one model on a floor, ray cast without noise."""
    import open3d

    T_world_obj = rigid(upright_rotation(yaw), [2.5, 0.1, S[1] / 2])
    T_world_cam = look_at(np.array([0, 0, 1.3]), T_world_obj[:3, 3])
    vertices, triangles, _ = model.load_mesh()
    scene = open3d.t.geometry.RaycastingScene()
    world = transform(affine(T_world_obj, S), vertices).astype(np.float32)
    scene.add_triangles(world, triangles.astype(np.uint32))
    floor = np.array([[-9, -9, 0], [9, -9, 0], [9, 9, 0], [-9, 9, 0]], np.float32)
    scene.add_triangles(floor, np.array([[0, 1, 2], [0, 2, 3]], np.uint32))
    rays = scene.create_rays_pinhole(K, inverse(T_world_cam), SHAPE[1], SHAPE[0])
    hit = scene.cast_rays(rays)
    depth = hit["t_hit"].numpy()
    depth[~np.isfinite(depth)] = 0
    mask = hit["geometry_ids"].numpy() == 0
    frame = Frame(1.0, np.zeros((*SHAPE, 3), np.uint8), depth, K, T_world_cam)
    T_grav_cam = gravity_frame(up_from_pose(T_world_cam))
    crop = transform(T_grav_cam, unproject(depth, K)[mask])
    crop = crop[:: max(len(crop) // 2048, 1)][:2048].astype(np.float32)
    obj = Object(1, np.zeros(4), crop, label or model.label, 1.0, cad_ids=cad_ids)
    return frame, Segmentation(mask.astype(np.uint16), (obj,), T_grav_cam, -1.3), T_world_obj


@pytest.mark.parametrize("label", ["chair", "sofa", "toilet", "bookshelf", "table"])
@pytest.mark.parametrize("yaw", [2.6, 0.6])  # seen from the front half
def test_a_clean_view_of_a_known_model_is_aligned(label, yaw, library, align):
    model = library.of_class(label)[0]
    S = model.size * [1.1, 0.95, 1.05]
    frame, segmentation, T_world_obj = view_of(model, S, yaw, cad_ids=(model.id,))
    (found,) = align(frame, segmentation)
    T = frame.T_world_cam @ found.T_cam_obj
    position, turn, size = pose_errors(T, found.S, T_world_obj, S, model.symmetry)
    assert (position < 0.2, np.degrees(turn) < 20, size < 0.2) == (True, True, True)
    assert found.cad_id == model.id and 0.5 < found.score <= 1


def test_alignments_stand_upright_on_the_floor(library, align):
    model = library.of_class("chair")[1]
    frame, segmentation, _ = view_of(model, model.size, 1.0)
    (found,) = align(frame, segmentation)
    T = frame.T_world_cam @ found.T_cam_obj
    np.testing.assert_allclose(T[:3, :3] @ [0, 1, 0], [0, 0, 1], atol=1e-6)
    assert T[2, 3] - found.S[1] / 2 == pytest.approx(0, abs=0.1)


def test_the_posed_model_projects_onto_its_mask(library, align):
    model = library.of_class("sofa")[0]
    frame, segmentation, _ = view_of(model, model.size, 0.3)
    (found,) = align(frame, segmentation)
    cad = library[found.cad_id]
    uv, _ = project(transform(affine(found.T_cam_obj, found.S), cad.points), K)
    u, v = np.rint(uv).astype(int).T
    inside = (u >= 0) & (u < SHAPE[1]) & (v >= 0) & (v < SHAPE[0])
    assert segmentation.instances[v[inside], u[inside]].mean() > 0.7


def test_other_and_unnamed_objects_get_no_cad(library, align):
    model = library.of_class("bin")[0]
    frame, segmentation, _ = view_of(model, model.size, 0.0, label=OTHER)
    assert align(frame, segmentation) == ()


def test_a_class_the_library_lacks_gives_no_alignment(library):
    chairs = Library(library.of_class("chair"))
    model = library.of_class("sofa")[0]
    frame, segmentation, _ = view_of(model, model.size, 0.0)
    assert make_aligner(AlignConfig(aligner="icp"), chairs)(frame, segmentation) == ()
