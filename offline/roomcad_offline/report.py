"""What a run leaves to look at: table, overlays, top view, animation.

Input is a dataset and the alignments of its frames, wherever these were computed: by the live
nodes (read from the recorded bag) or in process.
"""

import json

import cv2
import numpy as np
from tqdm import tqdm

from roomcad_core.camera import unproject
from roomcad_core.pose import transform
from roomcad_core.scene import SceneMap
from roomcad_offline.compare import markdown_table, match
from roomcad_offline.draw.animation import contact_sheet, write_gif
from roomcad_offline.draw.overlay import OverlayDrawer
from roomcad_offline.draw.top_view import draw_top_view

N_OVERLAYS = 9  # pictures of single frames
N_ANIMATED = 40  # frames of the animation at most
MAP_POINTS = 1500  # points of a frame shown in the top view


def write_report(dataset, alignments, library, out):
    """Write table.md, objects.json, overlay_*.png, overlays.png, top_view.png, animation.gif.

    Args:
        dataset: any roomcad_core dataset; its ground truth is used where there is one.
        alignments: {frame index: tuple of Alignment}; frames without an entry were not served.
        out: folder, made if missing.

    Returns:
        The matches of found and true objects (compare.Match), ground-truth objects first.
    """
    out.mkdir(parents=True, exist_ok=True)
    scene = SceneMap(library)
    drawer = OverlayDrawer(library)
    cloud, path, animated, overlays = [], [], [], []
    served = sorted(alignments)
    shown = set(_spread(served, N_ANIMATED))
    kept = set(_spread(served, N_OVERLAYS))
    for index in tqdm(served, "report", unit="frame"):
        frame = dataset[index]
        if frame.T_world_cam is not None:
            scene.add(alignments[index], frame)
            cloud.append(_sparse_world_points(frame))
            path.append(frame.T_world_cam[:3, 3])
        if index in shown | kept:
            picture = drawer(frame.color, frame.K, alignments[index])
            animated += [picture] if index in shown else []
            overlays += [(index, picture)] if index in kept else []
    _write_pictures(out, overlays, animated)
    found = scene.objects()
    truth = visible_truth(dataset, served)
    matches = match(found, truth)
    _write_tables(
        out, found, matches, {"served": len(served), "posed": len(path), "all": len(dataset)}
    )
    if path:
        draw_top_view(
            out / "top_view.png",
            found,
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


def _write_tables(out, found, matches, frames):
    table = markdown_table(matches)
    table += f"\n{frames['served']} of {frames['all']} frames were served.\n"
    if frames["posed"] < frames["served"]:
        table += f"Only {frames['posed']} of them have a camera pose and count for this table.\n"
    (out / "table.md").write_text(table)
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
    (out / "objects.json").write_text(json.dumps(objects, indent=1) + "\n")
