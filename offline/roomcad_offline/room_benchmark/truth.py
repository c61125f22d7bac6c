"""What a simulated room is in Scan2CAD's and ROCA's terms: annotated models, objects in images.

Only furniture of the nine classes is annotated, and of it what some frame shows well: what no
camera ever saw is in no scan either. As in ROCA's file an image has an object where the CAD's
origin projects into it and not all of it is hidden.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from roomcad_core.camera import project
from roomcad_core.pose import inverse
from roomcad_core.segment.crops import bounding_boxes
from roomcad_offline.evaluation.annotations import read_annotations
from roomcad_offline.evaluation.poses import decompose, matrices, scan_poses
from roomcad_offline.evaluation.records import Annotations, Instances, select
from roomcad_offline.room_benchmark.config import ANNOTATIONS, CATEGORIES, scene_name
from roomcad_offline.room_benchmark.masks import encode_mask

IMAGES_PER_SCENE = 100_000  # distance of the image ids of two scenes
OBJECTS_PER_SCENE = 1_000_000


@dataclass(frozen=True, eq=False)
class RoomTruth:
    """The annotated objects of one room.

    Attributes:
        scene: its name as a scan.
        placed: tuple of Placed that are annotated, in the order of `annotations`.
        annotations: Annotations of the one scan.
    """

    scene: str
    number: int
    placed: tuple
    annotations: Annotations

    def in_frame(self, T_world_cam, K, shape):
        """Numbers of the annotated objects whose origin projects into an image (H, W)."""
        centres = np.array([p.T_world_obj[:3, 3] for p in self.placed]).reshape(-1, 3)
        uv, z = project(centres @ inverse(T_world_cam)[:3, :3].T + inverse(T_world_cam)[:3, 3], K)
        inside = (z > 0) & (uv >= 0).all(1) & (uv < shape[::-1]).all(1)
        return np.flatnonzero(inside)

    def poses_in_camera(self, T_world_cam):
        """t (N, 3), q (N, 4) xyzw, s (N, 3) of all annotated objects, CAD -> cam."""
        M = matrices(*scan_poses(self.annotations))
        return decompose(inverse(T_world_cam) @ M)


def room_truth(dataset, folder, number, seen_share):
    """RoomTruth of a simulated room.

    Args:
        dataset: SimulatedRoom; all its frames are looked at.
        folder: its folder, with full_annotations.json.
        number: of the room.
        seen_share: an object is annotated if a frame shows its origin and so much of it.
    """
    everything = read_annotations(folder / ANNOTATIONS)
    nine = [p for p in dataset.ground_truth if p.label in CATEGORIES]
    candidates = RoomTruth(scene_name(number), number, tuple(nine), everything)
    seen = set()
    for frame in dataset:
        pixels = np.bincount(frame.instances.ravel(), minlength=2)
        for k in candidates.in_frame(frame.T_world_cam, frame.K, frame.depth.shape):
            i = nine[k].id
            if i < len(pixels) and pixels[i] >= seen_share * frame.depth.size:
                seen.add(i)
    placed = tuple(p for p in nine if p.id in seen)
    return RoomTruth(scene_name(number), number, placed, annotations_of(everything, number, placed))


def annotations_of(everything, number, placed):
    """Annotations of scan `number` with only the Placed objects given, in their order."""
    chosen = select(everything, np.array([p.id - 1 for p in placed], int))
    category = np.array([CATEGORIES[p.label] for p in placed], str)
    return replace(chosen, scenes=(scene_name(number),), category=category, file="")


def frame_instances(truth, name, number, frame):
    """ROCA's Instances of one frame, with its image record.

    Args:
        truth: RoomTruth.
        name: of the frame.
        number: of the frame in its room.
        frame: Frame with true instances.
    """
    height, width = frame.depth.shape
    boxes = bounding_boxes(frame.instances)
    rows = [k for k in truth.in_frame(frame.T_world_cam, frame.K, frame.depth.shape)
            if truth.placed[k].id in boxes]  # fmt: skip
    masks = [frame.instances == truth.placed[k].id for k in rows]
    image = IMAGES_PER_SCENE * truth.number + number
    first = OBJECTS_PER_SCENE * truth.number + 1000 * number
    rows = np.array(rows, int)
    t, q, s = (x[rows] for x in truth.poses_in_camera(frame.T_world_cam))
    a, n = select(truth.annotations, rows), len(rows)
    record = {
        "id": image,
        "height": height,
        "width": width,
        "scene_id": truth.scene,
        "file_name": f"tasks/scannet_frames_25k/{truth.scene}/color/{name}.jpg",
        "duplicate": False,
    }
    return Instances(
        scene=np.full(n, truth.scene),
        frame=np.full(n, name),
        image_id=np.full(n, image),
        instance_id=first + np.arange(n),
        category=a.category,
        cad_id=a.cad_id,
        symmetry=a.symmetry,
        alignment_id=rows,
        model_index=rows,
        t=t,
        q=q,
        s=s,
        bbox=np.array([boxes[truth.placed[k].id] for k in rows], float).reshape(-1, 4),
        area=np.array([mask.sum() for mask in masks], float),
        K=np.tile(frame.K, (n, 1, 1)),
        images=(record,),
        segmentation=tuple(map(encode_mask, masks)),
    )
