"""Writes a simulated room as a ScanNet-style folder with Scan2CAD-style annotations."""

from __future__ import annotations

import json

import numpy as np

from roomcad_core.classes import SYNSETS
from roomcad_core.pose import affine, decompose, quaternion, rigid

SYM = {
    "none": "__SYM_NONE",
    "2-fold": "__SYM_ROTATE_UP_2",
    "4-fold": "__SYM_ROTATE_UP_4",
    "rotational": "__SYM_ROTATE_UP_INF",
}
FOLDERS = ("color", "depth", "instance", "pose", "intrinsic")
STRUCTURE = "structure"  # folder of the numbers of walls, doors, windows
JPEG_QUALITY = 95
Z_TO_Y_UP = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])


def write_intrinsics(folder, K):
    """Both 4x4 intrinsics files; colour and depth share one pixel grid."""
    matrix = np.eye(4)
    matrix[:3, :3] = K
    for name in ("color", "depth"):
        np.savetxt(folder / "intrinsic" / f"intrinsic_{name}.txt", matrix, "%.9g")


def write_frame(folder, number, color, depth, instances, T_world_cam, labels=None, structure=None):
    """One frame; its pose comes last and so marks it as complete.

    Args:
        color: (H, W, 3) uint8 RGB. depth: (H, W) float32 [m]. instances: (H, W) uint16.
        labels: (H, W) uint16 raw ScanNet ids; with them the folders are named as ScanNet does.
        structure: (H, W) uint16 numbers of what is built in, into the folder STRUCTURE.
    """
    import cv2

    png = [cv2.IMWRITE_PNG_COMPRESSION, 2]
    millimetres = np.minimum(np.rint(depth * 1000), 65535).astype(np.uint16)
    jpeg = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    _write_image(folder / "color" / f"{number}.jpg", color[..., ::-1], jpeg)
    _write_image(folder / "depth" / f"{number}.png", millimetres, png)
    if labels is None:
        _write_image(folder / "instance" / f"{number}.png", instances, png)
    else:
        _write_image(folder / "instance-filt" / f"{number}.png", instances, png)
        _write_image(folder / "label-filt" / f"{number}.png", labels, png)
    if structure is not None:
        _write_image(folder / STRUCTURE / f"{number}.png", structure, png)
    np.savetxt(folder / "pose" / f"{number}.txt", T_world_cam, "%.9g")


def _write_image(path, image, options):
    import cv2

    if not cv2.imwrite(str(path), np.ascontiguousarray(image), options):
        raise OSError(f"{path}: could not be written")


def trs(M):
    """Scan2CAD's translation, wxyz rotation and scale of an affine map (4, 4)."""
    T, S = decompose(M)
    q = quaternion(T[:3, :3])
    return {
        "translation": T[:3, 3].tolist(),
        "rotation": [float(q[3]), *map(float, q[:3])],
        "scale": S.tolist(),
    }


def annotations(name, placed, centre):
    """Entry of full_annotations.json of a scan called `name`.

    Args:
        placed: tuple of types.Placed in the scan's z-up world.
        centre: (3,) point of the scan that becomes the origin of the annotation's y-up world.
    """
    M_scan = rigid(Z_TO_Y_UP, -Z_TO_Y_UP @ centre)
    none = {"n_keypoints": 0, "position": []}
    models = [
        {
            "trs": trs(M_scan @ affine(p.T_world_obj, p.S)),
            "sym": SYM[p.symmetry],
            "catid_cad": SYNSETS[p.label],
            "id_cad": p.cad_id,
            "center": [0.0, 0.0, 0.0],
            "bbox": [0.5, 0.5, 0.5],
            "keypoints_scan": none,
            "keypoints_cad": none,
        }
        for p in placed
    ]
    return {
        "id_scan": name,
        "trs": trs(M_scan),
        "n_aligned_models": len(models),
        "aligned_models": models,
    }


def write_truth(folder, name, placed, centre):
    """full_annotations.json and cad_appearances.json."""
    counts = {}
    for p in placed:
        key = f"{SYNSETS[p.label]}_{p.cad_id}"
        counts[key] = counts.get(key, 0) + 1
    write_json(folder / "full_annotations.json", [annotations(name, placed, centre)])
    write_json(folder / "cad_appearances.json", {name: counts})


def write_json(path, value):
    """Readable JSON."""
    path.write_text(json.dumps(value, indent=1) + "\n")


def world_from_room(plan, rng):
    """T_world_room (4, 4): rooms stand anywhere in their world, at any angle, floor at z = 0."""
    yaw = rng.uniform(0, 2 * np.pi)
    c, s = np.cos(yaw), np.sin(yaw)
    R = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1.0]])
    middle = np.array([plan.width / 2, plan.depth / 2, 0])
    shift = np.append(rng.uniform(-2, 2, 2), 0)
    return rigid(R, shift - R @ middle)
