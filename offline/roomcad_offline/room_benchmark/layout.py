"""One room as a scan of ScanNet25k: its frames, and what the joined files hold of it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np

from roomcad_core.datasets import open_dataset
from roomcad_core.gravity import up_from_pose
from roomcad_core.multi_sparc.maps import make_maps
from roomcad_core.multi_sparc.start import initial_poses
from roomcad_offline.evaluation.annotations import write_annotations
from roomcad_offline.evaluation.poses import quaternions
from roomcad_offline.evaluation.records import Instances
from roomcad_offline.evaluation.roca_files import write_per_frame
from roomcad_offline.evaluation.roca_instances import write_instances
from roomcad_offline.evaluation.scannet25k import FOLDERS, write_intrinsics
from roomcad_offline.room_benchmark.config import (
    ANNOTATIONS,
    DETECTIONS,
    FRAMES,
    INSTANCES,
    frame_name,
    scene_name,
)
from roomcad_offline.room_benchmark.detector import detect, paint, true_detections
from roomcad_offline.room_benchmark.records import detection_rows, predictions
from roomcad_offline.room_benchmark.truth import frame_instances, room_truth

MAPS = (120, 160)  # height, width of the maps on which the start of a detection is found
SUFFIXES = {"color": ".jpg", "depth": ".png", "pose": ".txt"}


def write_scene(folder, room, number, library, config):
    """Write room `number`, a folder of simulated frames, as a scan; a finished one is kept.

    Frames go to FOLDER/scannet_frames_25k/SCENE, all else to FOLDER/parts/SCENE.

    Returns:
        The folder of its parts.
    """
    scene = scene_name(number)
    done, part = folder / "parts" / scene, folder / "parts" / f"{scene}.part"
    if done.exists():
        return done
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    dataset = open_dataset(room)
    write_frames(folder / FRAMES, scene, room, dataset)
    truth = room_truth(dataset, room, number, config.seen_share)
    write_annotations(truth.annotations, part / ANNOTATIONS)
    instances, rows, frames = [], {kind: [] for kind in DETECTIONS}, []
    for k, frame in enumerate(dataset):
        name = frame_name(k)
        frames.append((scene, name))
        instances.append(frame_instances(truth, name, k, frame))
        rng = np.random.default_rng([config.rooms.seed, number, k, 7])
        found = {
            "detected": detect(frame.instances, truth.placed, config.detector, rng),
            "true": true_detections(frame.instances, truth.placed, config.detector),
        }
        for kind, detections in found.items():
            start = starts(frame, detections, library)
            rows[kind] += detection_rows(scene, name, detections, start)
    write_instances(joined(instances), part / INSTANCES)
    for kind, name in DETECTIONS.items():
        write_per_frame(predictions(rows[kind], frames), part / name)
    part.rename(done)
    return done


def write_frames(root, scene, room, dataset):
    """ScanNet25k's files of a scan, linked to (or copied from) those of the room."""
    for kind in FOLDERS:
        (root / scene / kind).mkdir(parents=True, exist_ok=True)
        for k in range(len(dataset)):
            source = Path(room) / kind / f"{k}{SUFFIXES[kind]}"
            link(source, root / scene / kind / f"{frame_name(k)}{SUFFIXES[kind]}")
    write_intrinsics(root, scene, dataset.K, dataset.K)


def link(source, target):
    """The same file under a second name; a copy where the disk cannot do that."""
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def starts(frame, detections, library):
    """Where alignment starts for each Detection: t (N, 3), q (N, 4) xyzw, s (N, 3), azimuth 0."""
    if not detections:
        return np.zeros((0, 3)), np.zeros((0, 4)), np.zeros((0, 3))
    painted = paint([d.mask for d in detections], frame.depth.shape)
    maps = make_maps(frame, painted, MAPS)
    boxes = np.stack([maps.grid.box(d.box) for d in detections])
    sizes = np.stack([library[d.cad_id].size for d in detections])
    up = up_from_pose(frame.T_world_cam)
    T, R, S = initial_poses(maps.depth, maps.ids, maps.K, boxes, sizes, up, 1)
    return T[0], quaternions(R[0]), S[0]


def joined(parts):
    """One Instances of those of several frames."""
    columns = {}
    for name in Instances.__dataclass_fields__:
        values = [getattr(part, name) for part in parts]
        if isinstance(values[0], np.ndarray):
            columns[name] = np.concatenate(values)
        elif isinstance(values[0], tuple):
            columns[name] = tuple(v for value in values for v in value)
    return Instances(**columns)
