"""Polished poses: moved onto the depth and resized to it where that fits better."""

import dataclasses
import math
from types import SimpleNamespace

import numpy as np
import pytest

from roomcad_core.fit_score import DepthView, fit_score
from roomcad_core.icp import MIN_POINTS
from roomcad_core.library import Library
from roomcad_core.multi_sparc.polish import Polish, Tried, resized
from roomcad_core.pose import rigid, transform, upright_rotation
from roomcad_core.types import Object

pytest.importorskip("open3d")

K = np.array([[275.0, 0, 159.5], [0, 275, 119.5], [0, 0, 1]])
FORWARD = np.array([[0.0, -1, 0], [0, 0, -1], [1, 0, 0]])  # camera axes: x right, y down, z ahead


@pytest.fixture(scope="module")
def seen():
    """A cabinet 3.5 m ahead as a camera sees it: model, true T_cam_obj and S, Object, DepthView."""
    import open3d as o3d

    model = Library.load().of_class("cabinet")[0]
    T_grav_cam = rigid(FORWARD.T, [0, 0, 0])
    T_grav_obj = rigid(upright_rotation(0.4), [3.5, 0.2, 0.0])
    S = np.array(model.size)
    vertices, triangles, _ = model.load_mesh()
    T_cam_obj = T_grav_cam.T @ T_grav_obj
    scene = o3d.t.geometry.RaycastingScene()
    vertices = transform(T_cam_obj, vertices * S).astype(np.float32)
    scene.add_triangles(o3d.core.Tensor(vertices), o3d.core.Tensor(triangles.astype(np.uint32)))
    rays = scene.create_rays_pinhole(K + [[0, 0, 0.5], [0, 0, 0.5], [0, 0, 0]], np.eye(4), 320, 240)
    z = scene.cast_rays(rays)["t_hit"].numpy()
    depth = np.where(np.isfinite(z), z, 5.0).astype(np.float32)
    v, u = np.nonzero(np.isfinite(z))
    points = np.stack([u - K[0, 2], v - K[1, 2], np.full(len(u), 275.0)], -1) / 275 * z[v, u, None]
    crop = transform(T_grav_cam, points).astype(np.float32)
    obj = Object(1, np.zeros(4, np.float32), crop)
    return model, T_cam_obj, S, obj, DepthView(depth, K, SimpleNamespace(T_grav_cam=T_grav_cam))


def displaced(T, metres, turn=0.0):
    """The pose shifted along the camera's z and turned about up."""
    c, s = math.cos(turn), math.sin(turn)
    about_y = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    moved = T @ rigid(about_y, [0, 0, 0])
    moved[:3, 3] += [0, 0, metres]
    return moved


def test_a_pose_near_the_truth_is_moved_onto_it(seen):
    model, T, S, obj, view = seen
    start = Tried(displaced(T, 0.06, 0.08), S, 1.5)
    found = Polish(0.1, 30)(start, obj, model, view)
    assert np.linalg.norm(found.T_cam_obj[:3, 3] - T[:3, 3]) < 0.05
    assert found.logit == 1.5
    np.testing.assert_allclose(found.S, S, rtol=0.1)
    T_grav_obj = view.T_cam_grav.T @ found.T_cam_obj
    assert found.fit_score == pytest.approx(fit_score(obj.points, model, T_grav_obj, found.S, view))
    T_start = view.T_cam_grav.T @ start.T_cam_obj
    assert found.fit_score > fit_score(obj.points, model, T_start, S, view) + 0.05


def test_a_pose_that_icp_would_spoil_stays(seen, monkeypatch):
    model, T, S, obj, view = seen
    polish = Polish(0.1, 30)
    monkeypatch.setattr(polish, "_icp", lambda points, model, T, S: displaced(T, 3.0))
    found = polish(Tried(T, S, 0.0), obj, model, view)
    np.testing.assert_allclose(found.T_cam_obj, T)
    assert found.fit_score > 0.6


def test_a_crop_of_few_points_moves_nothing_and_has_no_fit(seen):
    model, T, S, obj, view = seen
    few = dataclasses.replace(obj, points=obj.points[: MIN_POINTS - 1])
    found = Polish(0.1, 30)(Tried(T, S, 0.3), few, model, view)
    assert found.T_cam_obj is T and math.isnan(found.fit_score)


def test_a_pose_of_wrong_size_is_resized_to_the_crop(seen):
    model, T, S, obj, view = seen
    larger = S * [1.15, 1.0, 1.0]
    found = Polish(0.15, 20)(Tried(T, larger, 0.0), obj, model, view)
    assert abs(found.S[0] / S[0] - 1) < 0.08
    plain = fit_score(obj.points, model, view.T_cam_grav.T @ T, larger, view)
    assert found.fit_score > plain


def test_the_middle_size_lies_half_way_to_that_of_the_crop(seen):
    model, T, S, obj, view = seen
    T_grav_obj = view.T_cam_grav.T @ T
    (T_crop, S_crop), (T_middle, S_middle) = resized(obj.points, T_grav_obj, 1.2 * S, model)
    np.testing.assert_allclose(S_middle, (1.2 * S + S_crop) / 2)
    np.testing.assert_allclose(T_middle[:3, 3], (T_grav_obj[:3, 3] + T_crop[:3, 3]) / 2)
    for pose in (T_crop, T_middle):
        np.testing.assert_allclose(pose[:3, :3], T_grav_obj[:3, :3])
