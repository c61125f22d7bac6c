"""A contact sheet: CADs in the poses found, over the colour image, green where right, else red."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from roomcad_core.pose import rigid
from roomcad_core.segment.crops import bounding_boxes
from roomcad_core.types import Alignment
from roomcad_offline.draw.overlay import OverlayDrawer
from roomcad_offline.multi_sparc.benchmark.rooms import read_room

TILE = (216, 288)  # height, width [px]
AROUND = 0.35  # of the box is shown around it
GREEN, RED = (46, 160, 67), (218, 54, 51)


def draw_sheet(folder, views, poses, is_right, library, path, columns=6, rows=3, seed=0):
    """`rows` rows of views that are right, then as many of others; counted views, drawn at random.

    Args:
        folder: the benchmark's folder.
        views: ObjectViews; poses: Poses with one result each; is_right: (N,) bool.
        library: Library of the models.
        path: PNG to write.
    """
    rng, draw = np.random.default_rng(seed), OverlayDrawer(library)
    counted = np.array([v.counted for v in views])
    tiles = []
    for wanted, color in ((is_right, GREEN), (~is_right, RED)):
        among = np.flatnonzero(counted & wanted)
        chosen = np.sort(rng.permutation(among)[: rows * columns])
        made = [tile(folder, views[k], one_result(poses, k), draw, color) for k in chosen]
        made += [np.full((*TILE, 3), 255, np.uint8)] * (-len(made) % columns)
        tiles += [np.hstack(made[i : i + columns]) for i in range(0, len(made), columns)]
    if tiles:
        write_png(path, np.vstack(tiles))


def write_png(path, picture):
    """Write an RGB picture (H, W, 3)."""
    if not cv2.imwrite(str(path), np.ascontiguousarray(picture[..., ::-1])):
        raise OSError(f"{path}: could not be written")


def one_result(poses, k):
    """T_cam_obj (4, 4), S (3,) and score of view k's first result; None where there is none."""
    if not np.isfinite(poses.T[k, 0]).all():
        return None
    return rigid(poses.R[k, 0], poses.T[k, 0]), poses.S[k, 0], float(poses.score[k, 0])


def tile(folder, view, result, draw, color):
    """The part of the image around a view, TILE large, with the CAD in its pose and a frame."""
    frame = read_room(Path(folder) / "rooms" / view.room)[view.frame]
    picture, text = frame.color, f"{view.label} none"
    if result:
        T_cam_obj, S, score = result
        placed = Alignment(view.id, view.label, view.cad_id, T_cam_obj, S, score)
        picture = draw(picture, frame.K, [placed], labels=False)
        text = f"{view.label} {score:.2f}"
    out = cut(picture, bounding_boxes(frame.instances)[view.id])
    cv2.rectangle(out, (0, 0), (TILE[1] - 1, TILE[0] - 1), color, 5)
    for thickness, shade in ((3, (0, 0, 0)), (1, (255, 255, 255))):
        cv2.putText(out, text, (10, 22), cv2.FONT_HERSHEY_SIMPLEX, 0.55, shade, thickness, 16)
    return out


def cut(picture, box):
    """TILE of the picture around an xyxy box; as much of it as lies in the image."""
    size, tile = np.array(picture.shape[1::-1], float), np.array(TILE[::-1], float)
    side = np.maximum((box[2:] - box[:2]) * (1 + 2 * AROUND), 1)
    factor = max((tile / side).min(), (tile / size).max())  # no larger than the image
    half = tile / factor / 2
    centre = np.clip((box[:2] + box[2:]) / 2, half, np.maximum(size - half, half))
    shift = tile / 2 - factor * centre
    M = np.array([[factor, 0, shift[0]], [0, factor, shift[1]]])
    return cv2.warpAffine(picture, M, TILE[::-1], borderValue=(200, 200, 200))
