"""What a run leaves to look at: table, overlays, top view, animation.

Input is a dataset, the alignments of its frames and the room that came of them, wherever these
were computed: by the live nodes (read from the recorded bag) or in process.
"""

import json
from collections import Counter

import cv2
import numpy as np
from tqdm import tqdm

from roomcad_core.camera import unproject
from roomcad_core.pose import transform
from roomcad_offline.compare import markdown_table, match, room_table
from roomcad_offline.draw.animation import contact_sheet, write_gif
from roomcad_offline.draw.overlay import OverlayDrawer
from roomcad_offline.draw.top_view import draw_top_view

N_OVERLAYS = 9  # pictures of single frames
N_ANIMATED = 40  # frames of the animation at most
MAP_POINTS = 1500  # points of a frame shown in the top view


def write_report(dataset, alignments, found, library, out):
    """Write table.md, objects.json, overlay_*.png, overlays.png, top_view.png, animation.gif.

    Args:
        dataset: any roomcad_core dataset; its ground truth is used where there is one.
        alignments: {frame index: (tuple of Alignment shown, their track ids)}; frames without an
            entry were not served.
        found: tuple of Placed, the room after the last frame; None = objects were not followed, or
            no camera pose was known.
        out: folder, made if missing.

    Returns:
        The matches of found and true objects (compare.Match), ground-truth objects first.
    """
    out.mkdir(parents=True, exist_ok=True)
    drawer = OverlayDrawer(library)
    cloud, path, animated, overlays = [], [], [], []
    served = sorted(alignments)
    shown = set(_spread(served, N_ANIMATED))
    kept = set(_spread(served, N_OVERLAYS))
    for index in tqdm(served, "report", unit="frame"):
        frame = dataset[index]
        if frame.T_world_cam is not None:
            cloud.append(_sparse_world_points(frame))
            path.append(frame.T_world_cam[:3, 3])
        if index in shown | kept:
            picture = drawer(frame.color, frame.K, alignments[index][0])
            animated += [picture] if index in shown else []
            overlays += [(index, picture)] if index in kept else []
    _write_pictures(out, overlays, animated)
    truth = visible_truth(dataset, served)
    matches = match(found or (), truth)
    table = _table(dataset, alignments, found, matches, len(path))
    (out / "table.md").write_text(table)
    _write_objects(out / "objects.json", found or ())
    (out / "top_view.png").unlink(missing_ok=True)
    if path:
        draw_top_view(
            out / "top_view.png",
            found or (),
            truth,
            np.concatenate(cloud),
            np.array(path),
            f"{dataset.name}: {len(served)} frames",
        )
    return matches


def visible_truth(dataset, indices, min_pixels=400):
    """True objects of which some frame shows at least `min_pixels` pixels; () without truth."""
    if not dataset.ground_truth:
        return ()
    seen = set()
    for index in indices:
        instances = dataset[index].instances
        if instances is None:
            return dataset.ground_truth
        ids, counts = np.unique(instances, return_counts=True)
        seen |= set(ids[counts >= min_pixels].tolist())
    return tuple(placed for placed in dataset.ground_truth if placed.id in seen)


def _table(dataset, alignments, found, matches, posed):
    """Text of table.md; `posed`: how many of the frames served have a camera pose."""
    if not posed or found is None:
        text = f"No room: {'objects were not followed' if posed else 'no camera pose is known'}.\n"
    elif dataset.ground_truth is None:
        text = room_table(found, frames_of(alignments))
    else:
        text = markdown_table(matches)
    text += f"\n{len(alignments)} of {len(dataset)} frames were served.\n"
    if posed < len(alignments):
        text += f"Only {posed} of them have a camera pose.\n"
    return text


def frames_of(alignments):
    """{track id: number of frames that showed it}; `alignments` as write_report takes them."""
    return Counter(i for _, ids in alignments.values() for i in set(ids))


def _spread(items, n):
    """`n` items evenly spread over a list."""
    if len(items) <= n:
        return items
    return [items[i] for i in np.linspace(0, len(items) - 1, n).astype(int)]


def _sparse_world_points(frame):
    """(<= MAP_POINTS, 3) world points of a frame, ceiling left out."""
    points = unproject(frame.depth, frame.K)[frame.depth > 0]
    points = transform(frame.T_world_cam, points[:: max(len(points) // MAP_POINTS, 1)])
    return points[points[:, 2] < frame.T_world_cam[2, 3] + 0.5]


def _write_pictures(out, overlays, animated):
    for stale in out.glob("overlay_*.png"):
        stale.unlink()
    for index, picture in overlays:
        _write_png(out / f"overlay_{index:05d}.png", picture)
    if overlays:
        _write_png(out / "overlays.png", contact_sheet([p for _, p in overlays]))
    if animated:
        write_gif(out / "animation.gif", animated)


def _write_png(path, picture):
    if not cv2.imwrite(str(path), picture[..., ::-1]):
        raise OSError(f"{path}: could not be written")


def _write_objects(path, found):
    objects = [
        {
            "id": p.id,
            "label": p.label,
            "cad_id": p.cad_id,
            "T_world_obj": np.round(p.T_world_obj, 5).tolist(),
            "S": np.round(p.S, 4).tolist(),
            "symmetry": p.symmetry,
            "score": round(p.score, 4),
        }
        for p in found
    ]
    path.write_text(json.dumps(objects, indent=1) + "\n")
