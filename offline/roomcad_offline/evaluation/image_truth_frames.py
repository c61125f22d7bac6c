"""Which annotated objects an image shows, found by rendering them into the frames of a scene.

Decided here, where the paper leaves it open:
- the centre that has to project into the image is the centre of the CAD's bounding box (switch
  `centre`: "box" or "origin", the latter as ROCA's files do);
- an object's 2D box is that of its CAD rendered alone, cut at the image border;
- the pixel grid is the depth image's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from roomcad_core.camera import project
from roomcad_core.datasets.scannet_folder import INTRINSIC_NAMES, first_existing, frame_order
from roomcad_core.datasets.text_files import read_intrinsics, read_pose
from roomcad_core.pictures import read_uint16
from roomcad_core.pose import inverse
from roomcad_offline.evaluation.image_truth import (
    COUNTS,
    HIDDEN,
    OUTSIDE,
    Camera,
    frame_name,
    from_rows,
)
from roomcad_offline.evaluation.image_visibility import VisibilityRule, visible_share
from roomcad_offline.evaluation.poses import decompose, matrices, scan_poses
from roomcad_offline.evaluation.records import Problem

DEPTH_SCALE = 1000.0  # depth images hold millimetres


@dataclass(frozen=True)
class TruthRule:
    """Which objects of a frame count."""

    visibility: VisibilityRule = field(default_factory=VisibilityRule)
    centre: str = "box"  # what has to project into the image: "box" centre or CAD "origin"

    def __post_init__(self):
        if self.centre not in ("box", "origin"):
            raise ValueError(f"centre: got {self.centre!r}, expected 'box' or 'origin'")


@dataclass(frozen=True, eq=False)
class SceneModels:
    """The annotated models of one scene, in the scan frame."""

    scene: str
    rows: np.ndarray  # (M,) int into the Annotations
    category: np.ndarray
    cad_id: np.ndarray
    symmetry: np.ndarray
    M_scan_cad: np.ndarray  # (M, 4, 4)


def models_by_scene(annotations, categories=None):
    """{scene: SceneModels} of records.Annotations, only of `categories` (synsets) if given."""
    M = matrices(*scan_poses(annotations))
    wanted = np.ones(len(annotations), bool)
    if categories is not None:
        wanted = np.isin(annotations.category, list(categories))
    out = {}
    for index, scene in enumerate(annotations.scenes):
        rows = np.flatnonzero((annotations.scene_index == index) & wanted)
        columns = [getattr(annotations, n)[rows] for n in ("category", "cad_id", "symmetry")]
        out[scene] = SceneModels(scene, rows, *columns, M[rows])
    return out


def scene_truth(models, folder, renderer, rule, frames=None):
    """FrameTruth of one scene's frames.

    Args:
        models: SceneModels.
        folder: ScanNet-style folder of the scene with depth/, pose/ and intrinsics.
        renderer: image_visibility.CadRenderer.
        rule: TruthRule.
        frames: names of the frames to use; None = all that have a depth image.

    A frame without files or pose and a CAD without a mesh are listed in `problems`.
    """
    folder = Path(folder)
    K = read_intrinsics(_intrinsics_file(folder))
    stems = sorted((p.stem for p in (folder / "depth").glob("*.png")), key=frame_order)
    on_disk = {frame_name(stem): stem for stem in stems}
    rows, used, problems, size = [], [], [], None
    for frame in on_disk if frames is None else map(frame_name, frames):
        stem = on_disk.get(frame, frame)
        try:
            depth = read_uint16(folder / "depth" / f"{stem}.png") / np.float32(DEPTH_SCALE)
            T_scan_cam = read_pose(folder / "pose" / f"{stem}.txt")
        except (OSError, ValueError) as error:
            problems.append(_frame_problem(models.scene, frame, str(error), "bad frame"))
            continue
        if T_scan_cam is None:
            problems.append(_frame_problem(models.scene, frame, "tracking lost", "no pose"))
            continue
        used.append((models.scene, frame))
        size = depth.shape[1], depth.shape[0]
        rows += _frame_rows(models, frame, depth, inverse(T_scan_cam), K, renderer, rule, problems)
    cameras = {models.scene: Camera(K, size)} if used else {}
    return from_rows(rows, tuple(used), cameras, tuple(dict.fromkeys(problems)))


def _intrinsics_file(folder):
    found = first_existing(folder, INTRINSIC_NAMES, "depth")
    found = found or first_existing(folder, INTRINSIC_NAMES, "color")
    if found is None:
        names = ", ".join(name.format("depth") for name in INTRINSIC_NAMES)
        raise FileNotFoundError(f"{folder}: no intrinsics, looked for {names}")
    return found


def _frame_problem(scene, frame, what, kind):
    return Problem("frames", f"{scene}/{frame}", f"{what}: frame left out", "rejected", kind)


def _frame_rows(models, frame, depth, T_cam_scan, K, renderer, rule, problems):
    """Rows (tuples in the order of COLUMNS) of the objects whose CAD shows in one frame."""
    rows = []
    M_cam_cad = T_cam_scan @ models.M_scan_cad
    for i, M in enumerate(M_cam_cad):
        names = models.category[i], models.cad_id[i], models.symmetry[i]
        try:
            rendered = renderer(*names[:2], M, K, depth.shape)
        except (KeyError, ValueError) as error:
            problems.append(_mesh_problem(models.scene, names, error))
            continue
        if rendered is None or rendered.box is None:
            continue
        share = visible_share(rendered, depth, rule.visibility.depth_tolerance)
        centre = renderer.box_centre(*names[:2]) if rule.centre == "box" else np.zeros(3)
        reason = COUNTS
        if not _inside(M[:3, :3] @ centre + M[:3, 3], K, depth.shape):
            reason = OUTSIDE
        elif share < rule.visibility.min_share:
            reason = HIDDEN
        t, q, s = (a[0] for a in decompose(M[None]))
        box = rendered.box / np.tile(depth.shape[::-1], 2)
        rows.append((models.scene, frame, *names, models.rows[i], t, q, s, box, share, reason))
    return rows


def _mesh_problem(scene, names, error):
    what = f"object left out of the truth: {error.args[0] if error.args else error}"
    return Problem(
        "annotations", f"{scene}, CAD {names[0]} {names[1]}", what, "rejected", "no mesh"
    )


def _inside(point_cam, K, shape):
    uv, depth = project(point_cam, K)
    return bool(depth > 0 and (uv >= 0).all() and (uv < shape[::-1]).all())
