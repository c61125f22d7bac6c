"""Predictions as the per-image evaluation needs them: in camera frames, with boxes as shares.

Nothing is dropped here: rows that cannot be right stay and are marked `bad`, and every unknown
scene, frame or CAD is listed in `problems`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from roomcad_core.camera import project
from roomcad_core.datasets.text_files import read_pose
from roomcad_core.pose import inverse, transform
from roomcad_offline.evaluation.checks import checked, place, row_problem
from roomcad_offline.evaluation.image_association import rows_by
from roomcad_offline.evaluation.image_truth import frame_name
from roomcad_offline.evaluation.image_visibility import NEAR
from roomcad_offline.evaluation.poses import decompose, matrices


def prepare(predictions, truth, folder=None, categories=None, listed=False):
    """Predictions (records.Predictions) in camera frames with every impossible row marked.

    Args:
        predictions: as read; `space` "cam", or "scan" with the frame named in every row.
        truth: image_truth.FrameTruth.
        folder: ScanNet-style frames folder, needed for `space` "scan" only.
        categories: synsets that are evaluated; rows of others are left out and listed. None = all.
        listed: the truth is a chosen part of the frames: rows of other frames are left out.

    Returns:
        Predictions in space "cam"; `bad` and `problems` are complete.
    """
    _need_frames(predictions)
    names = np.array([frame_name(name) for name in predictions.frame.tolist()], str)
    predictions = replace(predictions, frame=names)
    out = _only_categories(checked(predictions), categories)
    out = _check_frames(out, truth, listed)
    return to_camera(out, folder) if out.space == "scan" else out


def to_camera(predictions, folder):
    """Predictions in space "cam" from those in "scan", by the poses of a frames folder."""
    if folder is None:
        raise ValueError(
            f"{predictions.file}: poses are in the scan: the frames folder is needed to turn them"
        )
    M = matrices_of(predictions)
    good = np.flatnonzero(~predictions.bad)
    keys = [(str(predictions.scene[row]), str(predictions.frame[row])) for row in good]
    for (scene, frame), group in rows_by(keys).items():
        M[good[group]] = inverse(camera_pose(Path(folder), scene, frame)) @ M[good[group]]
    t, q, s = decompose(M)
    return replace(predictions, t=t, q=q, s=s, space="cam")


def camera_pose(folder, scene, frame):
    """(4, 4) T_scan_cam of a frame; its file may be called 000100.txt or 100.txt.

    Raises FileNotFoundError without a file, ValueError where tracking was lost.
    """
    names = (frame, str(int(frame))) if frame.isdecimal() else (frame,)
    paths = [folder / scene / "pose" / f"{name}.txt" for name in names]
    path = next((path for path in paths if path.is_file()), None)
    if path is None:
        raise FileNotFoundError(f"{paths[0]}: no camera pose for a predicted frame")
    T_scan_cam = read_pose(path)
    if T_scan_cam is None:
        raise ValueError(f"{path}: tracking lost, so poses in the scan cannot be turned")
    return T_scan_cam


def matrices_of(predictions):
    """(N, 4, 4) M of the predictions; the unit matrix for rows marked `bad`."""
    M = np.tile(np.eye(4), (len(predictions), 1, 1))
    good = ~checked(predictions).bad
    M[good] = matrices(predictions.t[good], predictions.q[good], predictions.s[good])
    return M


def box_shares(predictions, truth, image_size=None, meshes=None):
    """(N, 4) xyxy boxes as shares of image width and height; NaN where a row has none.

    Args:
        predictions: in space "cam".
        truth: image_truth.FrameTruth.
        image_size: (width, height) [px] of the images the detections were made in; None = that
            of their masks, else that of the truth's images.
        meshes: cad_meshes.CadMeshes: a row without a box gets the one around its posed CAD.

    Raises ValueError where boxes reach beyond the image.
    """
    n = len(predictions)
    sizes = _image_sizes(predictions, truth, image_size)
    given = np.full((n, 4), np.nan) if predictions.bbox is None else predictions.bbox
    shares = given / np.tile(sizes, 2)
    over = np.flatnonzero((shares > 1.05).any(axis=1))
    if len(over):
        raise ValueError(
            f"{predictions.file}: {place(predictions, over[0])}: box "
            f"{given[over[0]].round(1).tolist()} does not fit an image of "
            f"{sizes[over[0]].astype(int).tolist()} px: give the image size the detector saw"
        )
    if meshes is not None:
        M = matrices_of(predictions)
        for row in np.flatnonzero(~np.isfinite(shares).all(axis=1) & ~predictions.bad):
            camera = truth.cameras[predictions.scene[row]]
            key = str(predictions.category[row]), str(predictions.cad_id[row])
            shares[row] = projected_box(meshes, key, M[row], camera) / np.tile(camera.size, 2)
    return shares


def _image_sizes(predictions, truth, image_size):
    """(N, 2) width and height [px] of the images that the given boxes are in."""
    image_size = image_size or mask_size(predictions)
    if image_size:
        return np.tile(np.asarray(image_size, float), (len(predictions), 1))
    sizes = {scene: camera.size for scene, camera in truth.cameras.items()}
    unknown = (np.inf, np.inf)  # of unknown scenes, whose rows are wrong anyway
    found = [sizes.get(scene, unknown) for scene in predictions.scene.tolist()]
    return np.array(found, float).reshape(-1, 2)


def projected_box(meshes, key, M_cam_cad, camera):
    """(4,) xyxy [px] around a posed CAD, cut at the border; NaN without a mesh or out of view."""
    try:
        points = transform(M_cam_cad, meshes(*key)[0])
    except (KeyError, ValueError):
        return np.full(4, np.nan)
    points = points[points[:, 2] > NEAR]
    if not len(points):
        return np.full(4, np.nan)
    uv = project(points, camera.K)[0].clip(0, camera.size)
    return np.concatenate([uv.min(axis=0), uv.max(axis=0)])


def mask_size(predictions):
    """(width, height) of the images that the predictions' masks belong to, or None."""
    for mask in predictions.segmentation or ():
        if isinstance(mask, dict) and "size" in mask:
            height, width = mask["size"]
            return int(width), int(height)
    return None


def note_unknown_cads(predictions, meshes):
    """Predictions with a Problem for every row whose CAD the folder of meshes does not hold."""
    keys = list(zip(predictions.category.tolist(), predictions.cad_id.tolist(), strict=True))
    unknown = {key for key in set(keys) if key not in meshes}
    what = "unknown CAD {}: its pose is judged, its mesh cannot be"
    rows = [(row, key) for row, key in enumerate(keys) if key in unknown]
    found = [(row, what.format("/".join(key)), "noted", "unknown CAD") for row, key in rows]
    return with_problems(predictions, found)


def _need_frames(predictions):
    if len(predictions) and not (predictions.frame != "").any():
        raise ValueError(
            f"{predictions.file}: no row names its frame (column image), which the evaluation per "
            "image needs"
        )


def _only_categories(predictions, categories):
    if categories is None:
        return predictions
    other = ~np.isin(predictions.category, list(categories))
    found = [
        (row, f"category {predictions.category[row]} is not evaluated", "rejected", "category")
        for row in np.flatnonzero(other)
    ]
    return with_problems(predictions, found).select(~other)


def _check_frames(predictions, truth, listed):
    """Mark rows of unknown scenes and frames; leave them out where the frames are a choice."""
    frames, scenes = set(truth.frames), {scene for scene, _ in truth.frames}
    keys = list(zip(predictions.scene.tolist(), predictions.frame.tolist(), strict=True))
    unknown = np.array([key not in frames for key in keys], bool)
    verdict = "rejected" if listed else "wrong"
    found = []
    for row in np.flatnonzero(unknown):
        kind = "unknown frame" if keys[row][0] in scenes else "unknown scene"
        found.append((row, f"{kind} {'/'.join(keys[row])}", verdict, kind))
    predictions = with_problems(predictions, found)
    if listed:
        return predictions.select(~unknown)
    return replace(predictions, bad=predictions.bad | unknown)


def with_problems(predictions, found):
    """Predictions with Problems of (row, what, verdict, kind) tuples added."""
    new = tuple(row_problem(predictions, *one) for one in found)
    return replace(predictions, problems=(*predictions.problems, *new))
