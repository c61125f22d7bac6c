"""Frames of a room as Batches: the maps are those of the robot, the objects those of the truth."""

from __future__ import annotations

import zlib

import numpy as np
import torch

from roomcad_core.gravity import up_from_pose
from roomcad_core.multi_sparc.maps import make_maps
from roomcad_core.pose import SYMMETRIES
from roomcad_offline.multi_sparc.batch import Batch
from roomcad_offline.multi_sparc.scenes.detect import visible_boxes

SIZE = (120, 160)  # height, width of the maps [px] where no network says otherwise


def true_maps(frame, size=SIZE):
    """The robot's Maps of a Frame, with the true instances as its segmentation.

    Raises:
        ValueError: the frame has no true instances.
    """
    if frame.instances is None:
        raise ValueError("the benchmark needs frames with true instances")
    return make_maps(frame, frame.instances, size)


def frame_batches(frame, views, library, n_mul, n_points, size=SIZE):
    """Batches of one image each, that together hold all ObjectViews of a Frame.

    More than `n_mul` objects are split into groups, largest first, that share the picture.

    Args:
        frame: Frame with true instances and a known pose.
        views: its ObjectViews.
        library: Library with their CAD models.
        n_mul: slots of an image.
        n_points: CAD points of a slot.
        size: height, width of the maps [px].

    Yields:
        (Batch, the group's positions in `views`: slot s holds views[positions[s]]).
    """
    maps, up = true_maps(frame, size), up_from_pose(frame.T_world_cam)
    yield from map_batches(maps, up, views, library, n_mul, n_points)


def map_batches(maps, up, views, library, n_mul, n_points):
    """As frame_batches, of the Maps of a frame and the up direction (3,) in its camera."""
    order = sorted(range(len(views)), key=lambda k: -views[k].pixels)
    for start in range(0, len(order), n_mul):
        group = order[start : start + n_mul]
        yield image_batch(maps, up, [views[k] for k in group], library, n_mul, n_points), group


def image_batch(maps, up, views, library, n_mul, n_points):
    """Batch of one image with ObjectViews in its first slots; `up` (3,) in the camera frame."""
    ids = [v.id for v in views]
    slots = np.zeros(1 + max(int(maps.ids.max()), *ids), np.int64)
    slots[ids] = np.arange(1, len(ids) + 1)
    instance = torch.from_numpy(slots[maps.ids.astype(np.int64)])[None]
    return Batch(
        rgb=torch.from_numpy(maps.rgb)[None],
        normal=torch.from_numpy(maps.normal)[None],
        depth=torch.from_numpy(maps.depth)[None, None],
        instance=instance.to(torch.int16),
        K=torch.tensor(maps.K, dtype=torch.float32)[None],
        box=visible_boxes(instance, n_mul),
        up=torch.tensor(up, dtype=torch.float32)[None],
        **slot_fields(views, library, n_mul, n_points),
    )


def slot_fields(views, library, n_mul, n_points):
    """The Batch's fields of one image that belong to slots; empty ones hold zeros."""
    rows = [slot(v, library, n_points) for v in views]
    empty = {name: np.zeros_like(value) for name, value in rows[0].items()}
    rows += [empty] * (n_mul - len(rows))
    stacked = {name: np.stack([row[name] for row in rows])[None] for name in empty}
    fields = {name: torch.from_numpy(value) for name, value in stacked.items()}
    return {n: v.float() if v.dtype == torch.float64 else v for n, v in fields.items()}


def slot(view, library, n_points):
    """One object's part of a Batch as numpy arrays."""
    model = library[view.cad_id]
    sizes = np.stack([m.size for m in library.of_class(model.label)])
    points, normals = cad_sample(model, n_points)
    return {
        "valid": np.array(True),
        "cad_points": points,
        "cad_normals": normals,
        "symmetry": np.array(SYMMETRIES[view.symmetry]),
        "size": np.asarray(model.size, float),
        "size_low": sizes.min(0),
        "size_high": sizes.max(0),
        "T_gt": view.T_cam_obj[:3, 3],
        "R_gt": view.T_cam_obj[:3, :3],
        "S_gt": np.asarray(view.S, float),
    }


def cad_sample(model, n):
    """`n` surface points and unit-frame normals of a CadModel, always the same random choice."""
    rng = np.random.default_rng(zlib.crc32(model.id.encode()))
    chosen = rng.permutation(len(model.points))[:n]
    # A posed normal is R (n / S): n is the metric model's normal times its size.
    normals = model.normals[chosen] * model.size
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    return model.points[chosen].astype(np.float64), normals.astype(np.float64)
