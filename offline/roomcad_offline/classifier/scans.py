"""Virtual depth-camera scans of CAD models: what one to four views see of them, with noise."""

from dataclasses import dataclass

import numpy as np

from roomcad_core.camera import rays as camera_rays
from roomcad_core.camera import unproject
from roomcad_core.pose import rigid, transform, upright_rotation
from roomcad_offline.rooms import sensor
from roomcad_offline.rooms.scene import NOTHING, cast, raycaster
from roomcad_offline.rooms.shapes import Mesh

SHAPE = (240, 320)  # image of the virtual camera [px]
FOCAL = 275.0  # [px], the field of view of common depth cameras
MAX_VIEWS = 4
ARC = np.radians(160)  # a camera going by sees an object from within such an arc
CAMERA_HEIGHT = (0.5, 1.8)  # over the floor [m]: robot to head
DISTANCE = (0.9, 4.0)  # to the object's surface [m]
# Rise over the floor [m] of what does not stand on it.
RISE = {"monitor": (0.4, 1.3)}
MIN_POINTS = 200
FLOATING = 0.05  # points may fly so far behind an object; those beyond are not in its crop [m]
BEHIND = 20.0  # depth of what is behind the object [m]: out of every camera's range


@dataclass(frozen=True)
class CleanView:
    """What sensor.measure needs of a picture."""

    depth: np.ndarray
    cosine: np.ndarray
    dropout: np.ndarray


def scan_model(model, rng):
    """One virtual scan of a CadModel.

    Returns:
        (P, 3) float32 points, z up, floor at z = 0, metres; the model stands at the origin with
        random yaw. None where the camera saw next to nothing.
    """
    vertices, triangles, _ = model.load_mesh()
    size = model.size * rng.uniform(0.85, 1.2, 3)
    points = (vertices * size) @ upright_rotation(rng.uniform(0, 2 * np.pi)).T
    points[:, 2] += size[1] / 2 + rng.uniform(*RISE.get(model.label, (0.0, 0.0)))
    caster = raycaster([Mesh(points, triangles)])
    camera = sensor.draw_sensor("any", rng)
    views = [view_points(caster, pose, camera, rng) for pose in camera_poses(points, rng)]
    seen = np.concatenate(views)
    return seen.astype(np.float32) if len(seen) >= MIN_POINTS else None


def camera_poses(points, rng):
    """T_obj_cam of one to MAX_VIEWS cameras on an arc around the points, looking at them."""
    centre = (points.min(0) + points.max(0)) / 2
    radius = np.linalg.norm(np.ptp(points[:, :2], axis=0)) / 2
    n = rng.integers(1, MAX_VIEWS + 1)
    first, height = rng.uniform(0, 2 * np.pi), rng.uniform(*CAMERA_HEIGHT)
    distance = radius + rng.uniform(*DISTANCE)
    for azimuth in first + np.sort(rng.uniform(0, ARC, n)):
        away = distance * rng.uniform(0.8, 1.2)
        eye = centre + away * np.array([np.cos(azimuth), np.sin(azimuth), 0])
        eye[2] = height + rng.normal(0, 0.05)
        target = centre + rng.normal(0, 0.15, 3) * np.array([1, 1, 0.5])
        yield look_at(eye, target)


def look_at(eye, target):
    """T_world_cam of an upright optical frame at `eye`; world is z up."""
    forward = (target - eye) / np.linalg.norm(target - eye)
    right = np.cross(forward, [0, 0, 1])
    right /= np.linalg.norm(right)
    return rigid(np.column_stack([right, np.cross(forward, right), forward]), eye)


def view_points(caster, T_obj_cam, camera, rng):
    """(P, 3) points that a depth camera measures from one pose."""
    K = np.array([[FOCAL, 0, SHAPE[1] / 2], [0, FOCAL, SHAPE[0] / 2], [0, 0, 1]])
    directions = camera_rays(SHAPE, K) @ T_obj_cam[:3, :3].T
    rays = np.empty((*SHAPE, 6), np.float32)
    rays[..., :3], rays[..., 3:] = T_obj_cam[:3, 3], directions
    hit = cast(caster, rays, threads=1)
    missed = hit["geometry_ids"] == NOTHING
    depth = np.where(missed, BEHIND, hit["t_hit"]).astype(np.float32)
    unit = directions / np.linalg.norm(directions, axis=-1, keepdims=True)
    cosine = np.abs((hit["primitive_normals"] * unit).sum(-1)).astype(np.float32)
    dropout = np.full(SHAPE, rng.uniform(0, 0.15), np.float32)
    measured = sensor.measure(CleanView(depth, cosine, dropout), camera, rng)
    farthest = depth[~missed].max(initial=0) + FLOATING
    return transform(T_obj_cam, unproject(measured, K)[(measured > 0) & (measured < farthest)])


def scans(models, n_each, seed):
    """Yield sample rows (see samples.collect) of `n_each` scans of every CadModel."""
    for k, model in enumerate(models):
        for i in range(n_each):
            points = scan_model(model, np.random.default_rng([seed, k, i]))
            if points is not None:
                yield {
                    "points": points,
                    "label": model.label,
                    "metric": True,
                    "floor": True,
                    "group": model.id,
                }
