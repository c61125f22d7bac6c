"""Recorded frames with known CAD poses as training images, for fine-tuning.

Folders of scenes: ScanNet25k with Scan2CAD's annotations, or simulated rooms. Objects enter by the
benchmark's rule (views.RULE). Where a recording has no instance masks, as ScanNet25k has none for
training, an object's mask is where its CAD, rendered in its true pose, lies near the sensor's
depth; the paper takes masks of SAM there.
"""

from __future__ import annotations

import dataclasses
import logging
from dataclasses import fields
from pathlib import Path

import numpy as np
import torch

from roomcad_core.datasets import open_dataset
from roomcad_core.datasets.annotations import placed_models, read_annotations
from roomcad_core.gravity import up_from_pose
from roomcad_core.multi_sparc.maps import make_maps
from roomcad_core.pose import affine, inverse, transform
from roomcad_offline.multi_sparc.batch import Batch, cat
from roomcad_offline.multi_sparc.benchmark.maps import SIZE, map_batches
from roomcad_offline.multi_sparc.benchmark.views import Meshes, frame_views, middle, render

NEAR = 0.15  # [m] a rendered CAD this near the sensor's depth is what the sensor saw
HALF = ("rgb", "normal", "cad_points", "cad_normals")  # on disk in half precision

log = logging.getLogger(__name__)


def record(folder, library, n_mul, n_points, annotations=None, size=SIZE):
    """Batch of all images of one scene, or None where it shows no object of the library.

    Args:
        folder: a scene that open_dataset reads.
        library: Library that holds the annotated models; objects of other models are left out.
        n_mul: slots of an image; frames with more objects become several images.
        n_points: CAD points of an object.
        annotations: a full_annotations.json; None = the folder's own.
        size: height, width of the maps [px].

    Raises:
        ValueError, FileNotFoundError: scene or annotations are damaged or missing.
    """
    dataset = open_dataset(folder, up="z")
    annotated = scene_truth(dataset, folder, annotations)
    truth = [p for p in annotated if p.cad_id in library]
    if len(truth) < len(annotated):
        log.warning("%s: %d of %d annotated models are not in the library",
                    folder, len(annotated) - len(truth), len(annotated))  # fmt: skip
    meshes, images = Meshes(library), []
    for number, frame in enumerate(dataset):
        if frame.T_world_cam is None:
            continue
        T_cam_world = inverse(frame.T_world_cam)
        maps = maps_with_truth(frame, truth, T_cam_world, meshes, size)
        views = frame_views((Path(folder).name, number), maps, T_cam_world, truth, meshes)
        up = up_from_pose(frame.T_world_cam)
        images += [b for b, _ in map_batches(maps, up, views, library, n_mul, n_points)]
    return cat(images) if images else None


def scene_truth(dataset, folder, annotations):
    """Placed models of a scene, from a file of many scans or from its own."""
    if annotations is None:
        if dataset.ground_truth is None:
            raise ValueError(f"{folder}: no CAD annotations of its own; name their file")
        return dataset.ground_truth
    name = Path(folder).resolve().name
    entries = [e for e in read_annotations(annotations) if e.get("id_scan") == name]
    if len(entries) != 1:
        raise ValueError(f"{annotations}: got {len(entries)} entries of scan {name}, expected 1")
    return placed_models(entries[0], annotations)


def maps_with_truth(frame, truth, T_cam_world, meshes, size):
    """Maps of a Frame whose ids are true: recorded ones, or else rendered."""
    if frame.instances is not None:
        return make_maps(frame, frame.instances, size)
    maps = make_maps(frame, np.zeros(frame.depth.shape, np.uint16), size)
    ids, nearest = np.zeros(maps.depth.shape, np.uint16), np.full(maps.depth.shape, np.inf)
    for placed in truth:
        vertices, triangles = meshes[placed.cad_id]
        M_cam_obj = T_cam_world @ affine(placed.T_world_obj, placed.S)
        depth = middle(render(transform(M_cam_obj, vertices), triangles, maps))
        mine = (depth < nearest) & (np.abs(depth - maps.depth) < NEAR) & (maps.depth > 0)
        ids[mine], nearest[mine] = placed.id, depth[mine]
    return dataclasses.replace(maps, ids=ids)


def record_all(folders, out, library, n_mul, n_points, annotations=None, size=SIZE):
    """One Batch of many scenes; finished ones are kept in the folder `out`, an npz each."""
    from tqdm import tqdm

    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    batches = []
    for folder in tqdm(folders, "recorded scenes", unit="scene"):
        path = out / f"{Path(folder).name}.npz"
        if not path.exists():
            save(record(folder, library, n_mul, n_points, annotations, size), path)
        batches += [b for b in [load(path)] if b is not None]
    if not batches:
        raise ValueError(f"{out}: none of {len(folders)} scenes shows an object of the library")
    return cat(batches)


def save(batch, path):
    """Write a Batch, or an empty file for None, as npz; large fields in half precision."""
    arrays = (
        {} if batch is None else {f.name: getattr(batch, f.name).numpy() for f in fields(Batch)}
    )
    arrays |= {name: arrays[name].astype(np.float16) for name in HALF if name in arrays}
    with path.with_suffix(".new").open("wb") as file:
        np.savez(file, **arrays)
    path.with_suffix(".new").replace(path)


def load(path):
    """The Batch that `save` wrote; None where the scene shows no object."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: torch.from_numpy(file[name]) for name in file.files}
    if not arrays:
        return None
    return Batch(**{n: t.float() if t.dtype == torch.float16 else t for n, t in arrays.items()})
